"""Where an edit applies: a mask as a value inside a plan."""
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from pycocotools import mask as coco

from core.files import UserError

MAX_PIXELS = 1 << 28   # more than any photo has; a plan from elsewhere must not take gigabytes


@dataclass(frozen=True)
class Mask:
    """A binary mask in COCO's compressed run-length encoding; `size` is (height, width)."""

    size: tuple[int, int]
    counts: str

    @classmethod
    def from_array(cls, array):
        """Encode an (H, W) array; what is non-zero (or over 0.5 for floats) is edited."""
        array = np.asarray(array)
        inside = array > 0.5 if array.dtype.kind == "f" else array != 0
        rle = coco.encode(np.asfortranarray(inside.astype(np.uint8)))
        return cls(tuple(int(side) for side in rle["size"]), rle["counts"].decode("ascii"))

    def array(self):
        """Return the (H, W) uint8 array of 0 and 1. Raises UserError as `runs` does."""
        runs = self.runs()
        values = np.arange(len(runs)) % 2
        return np.repeat(values.astype(np.uint8), runs).reshape(self.size[::-1]).T

    def runs(self):
        """Return the lengths of the runs of 0, 1, 0, ... down the columns, which is quick.

        Raises UserError if the encoding does not fill its size, or the size is over MAX_PIXELS.
        """
        height, width = self.size
        if height * width > MAX_PIXELS:
            raise UserError(f"mask: size {height} x {width} is over {MAX_PIXELS} pixels; write the plan again")
        runs = _run_lengths(self.counts)
        if sum(runs) != height * width or min(runs, default=0) < 0:
            raise UserError(f"mask: counts do not decode to its size {list(self.size)}; write the plan again")
        return runs

    def fits(self, height, width):
        """Whether the mask has the shape of a picture of this size, up to the rounding of a resize."""
        own, other = max(self.size), max(height, width)   # whole numbers: half a pixel is exactly half a pixel
        return all(2 * abs(ours * other - theirs * own) <= max(own, other)
                   for ours, theirs in zip(self.size, (height, width), strict=True))

    def tensor(self, height, width):
        """Return the mask as float (1, 1, height, width) in [0, 1]; edges are soft where it was resized."""
        mask = torch.from_numpy(np.ascontiguousarray(self.array())).float()[None, None]
        if mask.shape[-2:] == (height, width):
            return mask
        return F.interpolate(mask, (height, width), mode="bilinear", antialias=True).clamp(0, 1)


def _run_lengths(counts):
    """Return the lengths of the runs of 0, 1, 0, ... down the columns; an empty list where `counts` is malformed.

    A number is a row of characters from "0" on, each five bits (lowest first) and a sixth that says that another
    follows; the highest bit is the sign. From the fourth on, it is the difference to the run before the last.
    pycocotools reads the same format, but trusts it: characters that do not fit corrupt its memory.
    """
    runs, number, shift = [], 0, 0
    for character in counts:
        bits = ord(character) - ord("0")
        if not 0 <= bits < 64 or shift > 30:
            return []
        number |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            number -= 1 << shift
        runs.append(number + (runs[-2] if len(runs) > 2 else 0))
        number, shift = 0, 0
    return [] if shift else runs
