"""A measurement beside other work: the same calls on the machine as it is, and beside one busy process per core."""
import contextlib
import os
import statistics
import subprocess
import sys
import time

from tqdm import tqdm

STARTING = 0.2   # seconds until the busy processes are at it
PAUSE = 0.03     # seconds before each call: a person who asks for a plan does not ask for the next one at once


@contextlib.contextmanager
def busy_processes(count):
    """Keep `count` processes busy inside the block."""
    command = [sys.executable, "-I", "-S", "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        time.sleep(STARTING)
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def measure_beside(label, work, rounds, calls):
    """Call `work` `calls` times as it is and `calls` times beside busy processes, `rounds` times in turn.

    Returns the median seconds of a call in each of the two: (as it is, beside busy processes).
    """
    quiet, busy = [], []
    work()
    for _ in tqdm(range(rounds), desc=label, unit="round", leave=False, file=sys.stderr):
        quiet += seconds_of(work, calls)
        with busy_processes(os.cpu_count()):
            busy += seconds_of(work, calls)
    return statistics.median(quiet), statistics.median(busy)


def seconds_of(work, calls):
    """Return the seconds that each of `calls` calls takes."""
    seconds = []
    for _ in range(calls):
        time.sleep(PAUSE)
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return seconds
