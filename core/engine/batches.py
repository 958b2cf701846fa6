"""Batches by iteration number, learning-rate schedules, and Ctrl-C deferred to the end of an iteration."""
import contextlib
import math
import signal
import threading

import torch

from core.files import UserError

SCHEDULES = {    # factor of the learning rate as a function of the share of iterations done
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "linear": lambda done: min(1.0, 2 - 2 * done),          # from the middle on
    "halved": lambda done: 0.5 ** int(4 * done),            # at each quarter
}


class IterationBatches:
    """Batches of sample indices by iteration number, split among the processes.

    With `shuffle`, an epoch is shuffled by (seed, epoch); without, samples keep the order of the data set.
    """

    def __init__(self, size, options, start, stop, fabric, shuffle=True):
        self.size, self.seed, self.start, self.stop, self.shuffle = size, options.manual_seed, start, stop, shuffle
        self.batch = min(options.batch_size, size)
        self.rank, self.world = fabric.global_rank, fabric.world_size
        if self.batch < self.world:
            raise UserError(f"--batch_size {self.batch}: is split among {self.world} processes; give at least one "
                            f"pair per process")

    def __len__(self):
        return max(self.stop - self.start, 0)

    def __iter__(self):
        per_epoch = self.size // self.batch
        epoch, order = None, range(self.size)
        for iteration in range(self.start, self.stop):
            if self.shuffle and iteration // per_epoch != epoch:
                epoch = iteration // per_epoch
                order = torch.randperm(self.size, generator=torch.Generator().manual_seed(
                    self.seed * 1_000_003 + epoch)).tolist()
            first = iteration % per_epoch * self.batch
            yield list(order[first:first + self.batch][self.rank::self.world])


@contextlib.contextmanager
def deferred_interrupt():
    """Let the first Ctrl-C inside the block set the yielded event, so that the current iteration can finish."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.getsignal(signal.SIGINT)

    def note(*_):
        event.set()
        signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGINT, note)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def numbers_in(batch):
    """Count the elements of a batch: a tensor, or nested dicts and lists of tensors."""
    if isinstance(batch, torch.Tensor):
        return batch.numel()
    parts = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, (list, tuple)) else ()
    return sum(map(numbers_in, parts))
