"""Measuring time and memory, and the row that a measurement becomes."""
import contextlib
import ctypes
import gc
import re
import statistics
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tqdm import tqdm

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Row:
    """A line of the table: LDIE's figure, the reference's, and the most that the ratio or the figure may be."""

    what: str
    unit: str
    ours: float | None
    reference: float | None = None
    ratio_at_most: float | None = None
    at_most: float | None = None

    @property
    def ratio(self):
        """LDIE's figure by the reference's, where both were measured."""
        return self.ours / self.reference if self.ours is not None and self.reference else None

    @property
    def met(self):
        """Whether the target is met; None where there is none, or nothing was measured."""
        value, limit = (self.ours, self.at_most) if self.at_most is not None else (self.ratio, self.ratio_at_most)
        return None if value is None or limit is None else value <= limit

    @property
    def target(self):
        """The target as text, "" where there is none."""
        if self.at_most is not None:
            return f"at most {_figure(self.at_most)} {self.unit}".strip()
        return f"ratio at most {self.ratio_at_most:g}" if self.ratio_at_most is not None else ""

    def to_dict(self):
        """Return the row as JSON values."""
        return asdict(self) | {"ratio": self.ratio, "target": self.target, "met": self.met}

    @classmethod
    def from_dict(cls, value):
        """Make a row of what `to_dict` gave."""
        return cls(**{field.name: value[field.name] for field in fields(cls)})

    def cells(self):
        """Return the row as texts, one for each of HEADER."""
        return [self.what, self.unit, _figure(self.ours), _figure(self.reference), _figure(self.ratio), self.target,
                {True: "yes", False: "NO", None: ""}[self.met]]


HEADER = ("what", "unit", "LDIE", "reference", "ratio", "target", "met")


def _figure(value):
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def measure(label, work, runs):
    """Call `work` several times; return the median seconds and the megabytes that the first call takes.

    The first call counts for the memory only: beyond what was there before and what `work` returns (a tensor or an
    array). The memory is None where the operating system doesn't tell.
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
    return statistics.median(times), megabytes


def _reset_peak():
    """Give free memory back, begin a new peak, and return the bytes in use; None where there is no /proc."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):   # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return None


def _status(field):
    """Return a size from Linux's /proc/self/status in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024
