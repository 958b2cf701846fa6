"""Jobs on photos in a process of their own: one that takes too much time or memory ends, and the server goes on."""
import contextlib
import functools
import importlib
import resource
import signal
import sys
from concurrent.futures import TimeoutError
from multiprocessing import get_context

from pebble import ProcessExpired, ProcessPool

from core.files import UserError

TOO_LARGE = "This needs more memory than a photo may take here; try a smaller one"


class Worker:
    """A process that does one job after another, each within limits.

    `worker(function, *args)` returns `function(*args)`, computed over there: an importable function, values that can be
    pickled. Raises what the function raises, and UserError for a job that was ended.

    Args: `seconds` of a job; `memory`, the bytes that it may take; `libraries`, names of modules that jobs need, which
    take theirs beside that.
    """

    def __init__(self, seconds, memory, libraries=()):
        self.seconds = seconds
        # A process with threads cannot be forked safely, and a spawned one would import the script that is running,
        # whose folder is not on the path; it imports this module instead.
        sys.modules["__main__"].__spec__ = __spec__
        self._prepare = functools.partial(_prepare, memory, libraries)
        self._start()

    def _start(self):
        self.pool = ProcessPool(1, initializer=self._prepare, context=get_context("spawn"))
        self.pool.schedule(int)   # the process starts now, not with the first job

    def __call__(self, function, *args):
        if not self.pool.active:   # the system had no memory for a process
            self._start()
        try:
            return self.pool.schedule(_run, args=(function, *args), timeout=self.seconds).result()
        except TimeoutError:
            raise UserError(f"This took more than {self.seconds:g} s and was ended; try a smaller photo") from None
        except ProcessExpired as error:   # the system is out of memory, or a decoder crashed
            raise UserError(TOO_LARGE) from error

    def close(self):
        """End the process, and with it a job that it is doing."""
        self.pool.stop()
        self.pool.join()


def _prepare(memory, libraries):
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # Ctrl-C is for the server, which ends this process
    for name in libraries:
        importlib.import_module(name)
    with contextlib.suppress(FileNotFoundError), open("/proc/self/statm") as file:   # only Linux says what is taken
        taken = int(file.read().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (taken + memory, taken + memory))


def _run(function, *args):
    try:
        return function(*args)
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate" in str(error):   # as PyTorch and OpenCV put it
            raise UserError(TOO_LARGE) from None
        raise
