"""Masks: the area that a step of a plan edits, as a value."""
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from core.files import UserError

if TYPE_CHECKING:
    import torch

MAX_PIXELS = 1 << 28   # more than any photo has; limits the memory that a plan from an unknown source can take
MOST_FEATHER = 0.1      # of the long edge
LONGEST_REGION = 200    # characters
SOFT_SIDE = 2048        # pixels of the long edge at which soft edges are computed; larger photos interpolate them
SCHEMA = {
    "type": "object", "required": ["size", "counts"], "additionalProperties": False,
    "properties": {
        "size": {"type": "array", "prefixItems": [{"type": "integer", "minimum": 1, "maximum": 65500}] * 2,
                 "minItems": 2, "maxItems": 2},
        "counts": {"type": "string", "description": "COCO compressed run-length encoding"},
        "feather": {"type": "number", "minimum": 0, "maximum": MOST_FEATHER,
                    "description": "standard deviation of the Gaussian that softens the edge, in long edges"},
        "invert": {"type": "boolean", "description": "edit the pixels outside the mask instead"},
        "region": {"type": "string", "maxLength": LONGEST_REGION, "description": "the words that chose the region"}},
}


@dataclass(frozen=True)
class Mask:
    """A mask in COCO's compressed run-length encoding, with a soft edge.

    Args:
        size: (height, width) of the encoded pixels.
        counts: the encoding.
        feather: standard deviation of the Gaussian that softens the edge, as a share of the long edge, in
            [0, MOST_FEATHER].
        invert: the mask is the pixels outside the encoded ones.
        region: the words that chose the region; for information only.
    """

    size: tuple[int, int]
    counts: str
    feather: float = 0.0
    invert: bool = False
    region: str = ""

    @classmethod
    def from_array(cls, array: ArrayLike, feather: float = 0.0, region: str = "") -> Self:
        """Encode an (H, W) array; a pixel is edited if it is non-zero, or over 0.5 in an array of floats."""
        from pycocotools import mask as coco  # late: reading a plan needs neither this nor OpenCV
        array = np.asarray(array)
        inside = array > 0.5 if array.dtype.kind == "f" else array != 0
        rle = coco.encode(np.asfortranarray(inside.astype(np.uint8)))
        return cls(tuple(int(side) for side in rle["size"]), rle["counts"].decode("ascii"), feather,
                   region=region[:LONGEST_REGION])

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """Return the mask of JSON values that fit SCHEMA. Raises UserError as `runs` does."""
        size = tuple(int(side) for side in value["size"])
        mask = cls(**value | {"size": size, "feather": float(value.get("feather", 0))})
        if math.isnan(mask.feather):   # NaN passes every check of bounds
            raise UserError("mask: feather is NaN; give a number")
        mask.runs()
        return mask

    def to_dict(self) -> dict[str, Any]:
        """Return the mask as JSON values; fields with their default are left out."""
        soft = {name: getattr(self, name) for name in ("feather", "invert", "region") if getattr(self, name)}
        return {"size": list(self.size), "counts": self.counts} | soft

    @property
    def is_plain(self) -> bool:
        """Whether the mask has no feather, is not inverted and has no words: plans of version 1 can hold it."""
        return self == replace(self, feather=0.0, invert=False, region="")

    def array(self) -> np.ndarray:
        """Return the encoded (H, W) uint8 array of 0 and 1, not inverted. Raises UserError as `runs` does."""
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

    def pixels(self, height: int, width: int) -> np.ndarray:
        """Return the mask as an array (height, width), float32 in [0, 1]; 1 is edited. See `tensor`."""
        if self.size == (height, width) and not self.feather:   # the common case needs no PyTorch
            return np.ascontiguousarray(self.array() != self.invert, np.float32)
        return self.tensor(height, width)[0, 0].numpy()

    def tensor(self, height: int, width: int) -> "torch.Tensor":
        """Return the mask as a float tensor (1, 1, height, width) in [0, 1]; 1 is edited.

        The mask is resized, which softens its edge, then inverted, then feathered. Beyond three standard deviations
        from the edge, a feathered mask is exactly 0 or 1.
        """
        import torch  # late: most plans need no PyTorch
        mask = torch.from_numpy(np.ascontiguousarray(self.array())).float()[None, None]
        scale = min(SOFT_SIDE / max(height, width), 1) if self.feather else 1
        mask = _resized(mask, (max(round(height * scale), 1), max(round(width * scale), 1)))
        if self.invert:
            mask = 1 - mask
        if self.feather:
            mask = _feathered(mask, self.feather * max(mask.shape[-2:]))
        return _resized(mask, (height, width)).clamp_(0, 1)


def _resized(mask, size):
    if mask.shape[-2:] == size:
        return mask
    import torch.nn.functional as F
    return F.interpolate(mask, size, mode="bilinear", antialias=True).clamp(0, 1)


def _feathered(mask, sigma):
    """Blur a mask (1, 1, h, w) by a Gaussian of `sigma` pixels; the border continues outwards."""
    import cv2
    reach = 2 * max(round(3 * sigma), 1) + 1
    soft = cv2.GaussianBlur(mask[0, 0].numpy(), (reach, reach), sigma, borderType=cv2.BORDER_REPLICATE)
    soft[soft > 1 - 1e-6] = 1   # the weights of the Gaussian sum to 1 up to rounding
    return mask.new_tensor(soft)[None, None]


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
