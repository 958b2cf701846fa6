"""Run photo jobs in a separate process: a job that takes too much time or memory is ended, and the server continues."""
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

TOO_LARGE = "This photo needs more memory than is allowed here; try a smaller photo"


class Worker:
    """A process that runs one job after another, each within limits of time and memory.

    `worker(function, *args)` returns `function(*args)`, computed in the process; the function must be importable, and
    arguments and result must be picklable. Raises the function's exceptions, and UserError for a job that was ended.

    Args: `seconds`, the time limit of a job; `memory`, the limit of a job in bytes; `libraries`, names of modules that
    jobs need; they are imported before the first job and do not count as its memory.
    """

    def __init__(self, seconds, memory, libraries=()):
        self.seconds = seconds
        # A process with threads cannot be forked safely. A spawned process would import the running script, whose
        # folder is not on the path, so we let the new process import this module instead.
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
        """End the process and its current job."""
        self.pool.stop()
        self.pool.join()


def _prepare(memory, libraries):
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # Ctrl-C is for the server, which ends this process
    for name in libraries:
        importlib.import_module(name)
    with contextlib.suppress(FileNotFoundError), open("/proc/self/statm") as file:   # only Linux has this file
        taken = int(file.read().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (taken + memory, taken + memory))


def _run(function, *args):
    try:
        return function(*args)
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate" in str(error):   # a word of PyTorch's and OpenCV's errors
            raise UserError(TOO_LARGE) from error
        raise
