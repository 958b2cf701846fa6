"""Measurement of time and memory, and the table row that holds a measurement."""
import contextlib
import ctypes
import gc
import os
import re
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tqdm import tqdm

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Row:
    """A table row: LDIE's figure, the reference's figure, and an upper limit of their ratio or of LDIE's figure."""

    what: str
    unit: str
    ours: float | None
    reference: float | None = None
    ratio_at_most: float | None = None
    at_most: float | None = None

    @property
    def ratio(self):
        """LDIE's figure divided by the reference's figure; None unless both were measured."""
        return self.ours / self.reference if self.ours is not None and self.reference else None

    @property
    def met(self):
        """True if the target is met; None if there is no target or no measurement."""
        value, limit = (self.ours, self.at_most) if self.at_most is not None else (self.ratio, self.ratio_at_most)
        return None if value is None or limit is None else value <= limit

    @property
    def target(self):
        """The target as text; "" if there is no target."""
        if self.at_most is not None:
            return f"at most {_figure(self.at_most)} {self.unit}".strip()
        return f"ratio at most {self.ratio_at_most:g}" if self.ratio_at_most is not None else ""

    def to_dict(self):
        """Return the row as JSON values."""
        return asdict(self) | {"ratio": self.ratio, "target": self.target, "met": self.met}

    @classmethod
    def from_dict(cls, value):
        """Make a row from the dict that `to_dict` returned."""
        return cls(**{field.name: value[field.name] for field in fields(cls)})

    def cells(self):
        """Return the cells of the row as texts, one for each column of HEADER."""
        return [self.what, self.unit, _figure(self.ours), _figure(self.reference), _figure(self.ratio), self.target,
                {True: "yes", False: "NO", None: ""}[self.met]]


HEADER = ("what", "unit", "LDIE", "reference", "ratio", "target", "met")


def _figure(value):
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def measure(label, work, runs, best=False):
    """Call `work` `runs` + 1 times; return the median seconds of the last `runs` calls and the megabytes of the first.

    With `best`, return the least seconds instead: the time without other work on the machine.

    The memory is the peak of the first call, minus the memory in use before the call and minus the size of the result
    (a tensor or an array). It is None if the operating system does not report memory.
    """
    times, megabytes = [], None
    for call in tqdm(range(runs + 1), desc=label, unit="run", leave=False, file=sys.stderr):
        before = None if call else _reset_peak()
        begin = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - begin
        if call:
            times.append(seconds)
        elif before is not None:
            megabytes = (_status("VmHWM") - before - getattr(result, "nbytes", 0)) / MEGABYTE
        del result
    return min(times) if best else statistics.median(times), megabytes


def seconds_on_cores(work, runs):
    """Call `work` `runs` times; return the least seconds on all cores together, which other processes change little."""
    found = []
    for _ in range(runs):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def _reset_peak():
    """Return free memory to the system, reset the peak, and return the bytes in use; None on systems without /proc."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):   # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return None


def _status(field, process="self"):
    """Return a size from Linux's /proc/<process>/status in bytes."""
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024


@dataclass(frozen=True)
class Command:
    """A measured command: seconds of the wall clock, seconds on the cores (user and system), and peak memory."""

    wall: float
    cores: float
    megabytes: float


def run_command(arguments, runs):
    """Run Python with arguments `runs` + 1 times; return the medians of the last `runs` as a Command.

    As by default, Python keeps the bytecode of modules. Raises CalledProcessError if the command fails.
    """
    found, environment = [], {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(runs + 1):   # the first run compiles, and reads files into memory
        begin, peak = time.perf_counter(), 0
        process = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.DEVNULL, env=environment)
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:   # its own record counts the memory of this process
            with contextlib.suppress(OSError, TypeError):   # the process is ending
                peak = max(peak, _status("VmHWM", process.pid))
            time.sleep(0.005)
        _, status, used = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        found.append((time.perf_counter() - begin, used.ru_utime + used.ru_stime, peak / MEGABYTE))
    return Command(*(statistics.median(values) for values in zip(*found[1:], strict=True)))
