"""Masks: the area that a step of a plan edits, as a value."""
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from pycocotools import mask as coco

from core.files import UserError

MAX_PIXELS = 1 << 28   # more than any photo has; limits the memory that a plan from an unknown source can take


@dataclass(frozen=True)
class Mask:
    """A binary mask in COCO's compressed run-length encoding; `size` is (height, width)."""

    size: tuple[int, int]
    counts: str

    @classmethod
    def from_array(cls, array: ArrayLike) -> Self:
        """Encode an (H, W) array; a pixel is edited if it is non-zero, or over 0.5 in an array of floats."""
        array = np.asarray(array)
        inside = array > 0.5 if array.dtype.kind == "f" else array != 0
        rle = coco.encode(np.asfortranarray(inside.astype(np.uint8)))
        return cls(tuple(int(side) for side in rle["size"]), rle["counts"].decode("ascii"))

    def array(self) -> np.ndarray:
        """Return the (H, W) uint8 array of 0 and 1. Raises UserError as `runs` does."""
        runs = self.runs()
        values = np.arange(len(runs)) % 2
        return np.repeat(values.astype(np.uint8), runs).reshape(self.size[::-1]).T

    def runs(self) -> list[int]:
        """Return the lengths of the runs of 0, 1, 0, ... down the columns, without decoding the pixels.

        Raises UserError if the encoding does not fill its size, or the size is over MAX_PIXELS.
        """
        height, width = self.size
        if height * width > MAX_PIXELS:
            raise UserError(f"mask: size {height} x {width} is over {MAX_PIXELS} pixels; make the plan again")
        runs = _run_lengths(self.counts)
        if sum(runs) != height * width or min(runs, default=0) < 0:
            raise UserError(f"mask: counts do not decode to its size {list(self.size)}; make the plan again")
        return runs

    def fits(self, height: int, width: int) -> bool:
        """Return whether the mask has the aspect ratio of an image of this size, up to the rounding of a resize."""
        own, other = max(self.size), max(height, width)   # integers keep the comparison with half a pixel exact
        return all(2 * abs(ours * other - theirs * own) <= max(own, other)
                   for ours, theirs in zip(self.size, (height, width), strict=True))

    def tensor(self, height: int, width: int) -> torch.Tensor:
        """Return the mask as a float tensor (1, 1, height, width) in [0, 1]; resizing makes its edges soft."""
        mask = torch.from_numpy(np.ascontiguousarray(self.array())).float()[None, None]
        if mask.shape[-2:] == (height, width):
            return mask
        return F.interpolate(mask, (height, width), mode="bilinear", antialias=True).clamp(0, 1)


def _run_lengths(counts):
    """Return the lengths of the runs of 0, 1, 0, ... down the columns; an empty list if `counts` is malformed.

    A number is coded by characters that start at "0". Each character holds five bits, lowest first, and a sixth bit
    that is set if the number continues in the next character. The highest of the five bits of a number's last character
    is its sign. From the fourth number on, each number is the difference from the run two places before. We do not use
    the decoder of pycocotools, because malformed characters corrupt its memory.
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
