"""Measurement of the same calls twice: without other work, and beside one busy process per core."""
import contextlib
import os
import statistics
import subprocess
import sys
import time

from tqdm import tqdm

STARTING = 0.2   # seconds until the busy processes have started
PAUSE = 0.03     # seconds before each call, because a person also pauses between two requests


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
    """Call `work` in `rounds` rounds, each with `calls` calls without and `calls` calls beside busy processes.

    Returns the median seconds of a call: (without busy processes, beside busy processes).
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
