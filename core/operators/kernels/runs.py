"""Pictures: the steps of a plan, executed tile by tile from the samples of a file to the samples of a file.

A tile and its temporaries stay in a core's cache, so the picture is read and written once for all steps, and never
held in floating point. A step that needs maps of the whole picture, such as a base layer, computes the steps before it
twice: once for the maps, and again for the result.
"""
import contextlib
import ctypes
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.files import UserError
from core.operators.compiled import compiled, fused
from core.operators.kernels.arithmetic import f4, rounded
from core.operators.kernels.sources import Planes, Straightened, Whole, clip, mix, top_of
from core.operators.kernels.table import KERNELS, Kernel
from core.operators.plan import Step
from core.operators.table import TABLE
from core.threads import in_parallel

TILE = 64, 256   # rows and columns: a tile of floats takes 200 kB
SPREAD = 6       # a tile has at least so many times the reach of its steps as rows and columns
_NO_MAPS = np.empty((0, 0), f4)


@dataclass(frozen=True)
class Prepared:
    """A step that is ready for any tile: its kernel, constants, reach, enlarged maps and mask (H, W)."""

    kernel: Kernel
    params: np.ndarray
    reach: int
    maps: "Maps | None"
    mask: np.ndarray | None


class Picture:
    """A source of pixels, and the steps that were applied to it; pixels are computed when they are asked for.

    Args: `source`, see `sources`.
    """

    def __init__(self, source: Any, steps: tuple[Prepared, ...] = ()) -> None:
        self.source, self.steps = source, steps
        self.height, self.width = source.height, source.width
        self.reach = sum(step.reach for step in steps)

    def then(self, step: Step, mask: np.ndarray | None) -> "Picture":
        """Return the picture after one more step; `mask` is (H, W) float32 or None.

        Raises UserError if the step needs a mask and has none, or if its hole cannot be filled.
        """
        if TABLE[step.op].local and mask is None:
            raise UserError(f"{step.op}: this operator needs a mask")
        kernel = KERNELS.get(step.op, Whole)
        if not isinstance(kernel, Kernel):
            return Picture(kernel(step, self, mask))
        params = np.array(step.params, np.float64)
        reach = kernel.reach(params, self) if callable(kernel.reach) else kernel.reach
        constants, maps = kernel.prepare(params, self)
        return Picture(self.source, (*self.steps, Prepared(
            kernel, np.array(constants, f4), reach,
            None if maps is None else Maps(np.ascontiguousarray(maps, f4), self.height, self.width), mask)))

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """Return the pixels (3, h, w) float32 of a part of the picture, in an array that nothing else uses."""
        rows, above, before = self._computed(top, bottom, left, right)
        return rows[:, top - above:bottom - above, left - before:right - before]

    def _computed(self, top, bottom, left, right):
        """Return the pixels (3, h, w) of a part and its surroundings, one row after the other, and the first place."""
        above, before = max(top - self.reach, 0), max(left - self.reach, 0)
        below, after = min(bottom + self.reach, self.height), min(right + self.reach, self.width)
        rows = np.ascontiguousarray(self.source.window(above, below, before, after))
        place = np.array((above, before, after - before, self.height, self.width))
        for step in self.steps:
            _apply(step, rows.reshape(3, -1), place, slice(above, below), slice(before, after))
        return rows, above, before

    def reduced(self, height: int, width: int) -> np.ndarray:
        """Return the picture (3, height, width) float32, reduced by area means as PyTorch's interpolation does."""
        self._keep()
        result = np.empty((3, height, width), f4)
        ends = [_cells(count, side) for count, side in ((height, self.height), (width, self.width))]
        tiles = [max(1, round(side * count / full)) for side, count, full in
                 zip(self._tile(), (height, width), (self.height, self.width), strict=True)]

        def work(top):
            bottom = min(top + tiles[0], height)
            for left in range(0, width, tiles[1]):
                right = min(left + tiles[1], width)
                part, above, before = self._computed(ends[0][0, top], ends[0][1, bottom - 1],
                                                     ends[1][0, left], ends[1][1, right - 1])
                _pool(part, above, before, *ends, top, bottom, left, right, result)
        self.in_parallel(work, range(0, height, tiles[0]))
        return result

    def _keep(self):
        """Keep the pixels of a straightened picture in floats: they take time, and will be asked for again."""
        picture = self
        while hasattr(picture.source, "source"):
            if isinstance(picture.source, Straightened):
                planes = np.empty((3, picture.height, picture.width), f4)
                Picture(picture.source).write(planes.transpose(1, 2, 0))
                picture.source = Planes(planes)
            else:
                picture = picture.source.source

    def in_parallel(self, work: Callable, items: Iterable) -> list:
        """Return [work(item), ...] of items that cover the picture; a small picture is worked on by one thread."""
        return in_parallel(work, items, 3 * self.height * self.width)

    def _tile(self):
        return tuple(max(side, SPREAD * self.reach) for side in TILE)

    def write(self, target: np.ndarray) -> np.ndarray:
        """Compute the picture into `target` (H, W, 3), uint8, uint16 or float32 of any memory layout; return it.

        Integers are rounded to the nearest level.
        """
        _keep_freed_memory()
        height, width = self._tile()
        flat = target.reshape(self.height, 3 * self.width) if target.flags.c_contiguous else None

        def work(top):
            bottom = min(top + height, self.height)
            for left in range(0, self.width, width):
                right = min(left + width, self.width)
                if flat is not None:
                    part, above, before = self._computed(top, bottom, left, right)
                    _STORES[target.dtype.char](part, above, before, top, bottom, left, right, top_of(target), flat)
                else:   # planes of float32
                    target[top:bottom, left:right] = self.window(top, bottom, left, right).transpose(1, 2, 0)
        self.in_parallel(work, range(0, self.height, height))
        return target


@functools.cache
def _keep_freed_memory():
    """Let glibc keep freed memory for the next tile: returning it and requesting it again takes a third of the time."""
    mmap_threshold, trim_threshold = -3, -1   # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h
    with contextlib.suppress(OSError, AttributeError):   # the C library is not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 32 << 20)
        mallopt(trim_threshold, 128 << 20)


def _apply(step, rows, place, across, along):
    """Apply one step to the pixels (3, n) of a tile, in place."""
    mask = None if step.mask is None else np.ascontiguousarray(step.mask[across, along]).ravel()
    if mask is not None and not mask.any():
        return
    old = rows.copy() if mask is not None or step.reach else rows
    maps = _NO_MAPS if step.maps is None else step.maps.enlarged(across, along)
    step.kernel.function(old, rows, maps, step.params, place)
    if mask is not None:
        mix(old, rows, mask)
    clip(rows)


class Maps:
    """Maps (C, h, w) that are interpolated linearly to a picture of (H, W)."""

    def __init__(self, maps, height, width):
        self.maps, self.whole = maps, maps.shape[1:] == (height, width)
        self.rows, self.columns = _between(maps.shape[1], height, np.float64), _between(maps.shape[2], width, f4)

    def enlarged(self, across, along):
        """Return the maps (C, n) of a part of the picture."""
        if self.whole:
            return np.ascontiguousarray(self.maps[:, across, along]).reshape(len(self.maps), -1)
        (low, share), (left, part) = ((low[where], share[where]) for (low, share), where in
                                      ((self.rows, across), (self.columns, along)))
        result = np.empty((len(self.maps), len(low) * len(left)), f4)
        _enlarge(self.maps, low, share, left, part, np.empty(left[-1] - left[0] + 2, f4), result)
        return result


def _between(count, side, kind):
    """Return the lower of two cells (side,) between which each pixel lies, and the share of the other; as `enlarge`.

    Args: `kind`, the type that `enlarge` rounds places to: float64 for rows, float32 for columns.
    """
    place = (float(kind(count / side)) * (np.arange(side) + 0.5) - 0.5).astype(kind)
    place = np.clip(place, 0, count - 1)
    lower = np.minimum(place.astype(np.int32), max(count - 2, 0))
    return lower, (place - lower).astype(f4)


def _cells(count, side):
    """Return the first pixel of each of `count` cells, and the one after its last, (2, count)."""
    cells = np.arange(count)
    return np.stack((cells * side // count, -((cells + 1) * -side // count)))


def _store_floats(part, above, before, top, bottom, left, right, high, samples):
    for y in range(top, bottom):
        for x in range(left, right):
            for c in range(3):
                samples[y, 3 * x + c] = part[c, y - above, x - before]


def _store_levels(part, above, before, top, bottom, left, right, high, samples):
    """Write planes in [0, 1], which begin at a place, into a part of samples (H, 3 W), rounded to the nearest level."""
    for y in range(top, bottom):
        red, green, blue = (part[0, y - above, left - before:], part[1, y - above, left - before:],
                            part[2, y - above, left - before:])
        line = samples[y, 3 * left:3 * right]
        for x in range(right - left):
            line[3 * x] = rounded(red[x] * high)
            line[3 * x + 1] = rounded(green[x] * high)
            line[3 * x + 2] = rounded(blue[x] * high)


_STORES = {kind: compiled(store, f"f3 q q q q q q f {kind}2")   # by the type of samples
           for kind, store in (("B", _store_levels), ("H", _store_levels), ("f", _store_floats))}


@compiled(arguments="f3 i1 f1 i1 f1 f1 f2")
def _enlarge(maps, low, share, left, part, line, result):
    """Interpolate, rounded as `enlarge`, because the facets of `facet_blur` depend on the last bit; `line` is used."""
    last_row, last_column = maps.shape[1] - 1, maps.shape[2] - 1
    first, width = left[0], len(left)
    count = min(left[-1] + 1, last_column) - first + 1
    for c in range(len(maps)):
        for y in range(len(low)):
            above, below = maps[c, low[y]], maps[c, min(low[y] + 1, last_row)]
            near = share[y] < f4(0.5)
            weight = share[y] if near else share[y] - f4(1)
            for x in range(count):
                line[x] = fused(weight, below[first + x] - above[first + x], above[first + x] if near else
                                below[first + x])
            for x in range(width):
                k = left[x] - first
                result[c, y * width + x] = fused(line[k], f4(1) - part[x], line[min(k + 1, count - 1)] * part[x])


@compiled(arguments="f3 q q q2 q2 q q q q f3")
def _pool(part, above, before, rows, columns, top, bottom, left, right, result):
    """Write the means of a part, which begins at a place, into a part of the reduced picture; see `_cells`."""
    for c in range(3):
        for i in range(top, bottom):
            for j in range(left, right):
                total = f4(0)
                for y in range(rows[0, i], rows[1, i]):
                    for x in range(columns[0, j], columns[1, j]):
                        total += part[c, y - above, x - before]
                result[c, i, j] = total / f4(rows[1, i] - rows[0, i]) / f4(columns[1, j] - columns[0, j])
