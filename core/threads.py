"""CPU threads: waiting threads sleep instead of spinning, and small computations use one thread.

PyTorch computes with OpenMP threads, which by default spin while they wait for each other. Beside another busy process
a thread may wait for a whole time slice of the scheduler: planning on a 128 px photo took 1.34 s instead of 0.05 s.
OpenMP reads OMP_WAIT_POLICY when PyTorch is imported, so every script first imports `_init_paths.py`, which imports
this module before PyTorch.
"""
import contextlib
import os

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
