"""CPU threads: waiting threads sleep instead of spinning, and small computations use one thread.

PyTorch computes with OpenMP threads, which by default spin while they wait for each other. Beside another busy process
a thread may wait for a whole time slice of the scheduler: planning on a 128 px photo took 1.34 s instead of 0.05 s.
OpenMP reads OMP_WAIT_POLICY when PyTorch is imported, so every script first imports `_init_paths.py`, which imports
this module before PyTorch.
"""
import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("OMP_WAIT_POLICY", "passive")   # the user's own setting stays

GRAIN = 1 << 18   # numbers per thread; with fewer numbers, a thread waits longer than it computes


@contextlib.contextmanager
def threads(count):
    """Set PyTorch's number of threads to `count`, at least 1, inside the block; restore the old number afterwards."""
    import torch  # late: some scripts never need it
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, count))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(numbers):
    """Like `threads`, with one thread per GRAIN of `numbers`, and at most as many threads as before."""
    import torch
    return threads(min(torch.get_num_threads(), numbers // GRAIN))


def in_parallel(work: Callable, items: Iterable, numbers: int) -> list:
    """Return [work(item), ...]; as many threads as PyTorch would use for `numbers` in all work on one item each."""
    items = list(items)
    workers = min(count(), len(items), numbers // GRAIN)
    if workers < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, items))


def count() -> int:
    """Return the number of threads that PyTorch has or would have; this function does not import it."""
    if torch := sys.modules.get("torch"):
        return torch.get_num_threads()
    wish = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(wish) if wish.isdecimal() and int(wish) else cores
