"""CPU threads: those that wait sleep, and small work has one.

OpenMP's threads, which PyTorch computes with, spin while they wait for each other. Beside another busy process a thread
may wait for a whole time slice of the scheduler, so the plan of a 128 px photo took 1.34 s instead of 0.05 s. OpenMP
reads OMP_WAIT_POLICY when PyTorch is imported; `_init_paths.py`, with which every script begins, imports this module
before that.
"""
import contextlib
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")   # the user's own setting stays

GRAIN = 1 << 18   # numbers: a thread with fewer of them waits longer than it works


@contextlib.contextmanager
def threads(count):
    """Let PyTorch compute with `count` threads, at least 1, inside the block; what there was before comes back."""
    import torch  # not before a script needs it
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, count))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for(numbers):
    """As `threads`, with as many as work on so many numbers keeps busy, and no more than there are now."""
    import torch
    return threads(min(torch.get_num_threads(), numbers // GRAIN))
