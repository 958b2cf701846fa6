"""Where an edit applies: a mask as a value inside a plan."""
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from pycocotools import mask as coco

from core.files import UserError


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
        """Return the (H, W) uint8 array of 0 and 1. Raises UserError if the encoding does not fill its size."""
        try:
            array = coco.decode({"size": list(self.size), "counts": self.counts.encode("ascii")})
            if Mask.from_array(array).counts != self.counts:
                raise ValueError
        except (ValueError, UnicodeEncodeError, MemoryError):
            raise UserError(f"mask: counts do not decode to its size {list(self.size)}; write the plan again") from None
        return array

    def tensor(self, height, width):
        """Return the mask as float (1, 1, height, width) in [0, 1]; edges are soft where it was resized."""
        mask = torch.from_numpy(np.ascontiguousarray(self.array())).float()[None, None]
        if mask.shape[-2:] == (height, width):
            return mask
        return F.interpolate(mask, (height, width), mode="bilinear", antialias=True).clamp(0, 1)
