"""Inpainting: fill the area of a mask from its surroundings.

To add an inpainter, add an entry to INPAINTERS; the schema of plans follows.
"""
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.files import UserError

if TYPE_CHECKING:
    import torch

RADIUS = 3  # pixels; OpenCV's samples and the Telea paper use 3 to 5
LEAST_SOURCE = 64   # pixels: `patch` sees at least so much around the box of a hole


@dataclass(frozen=True)
class Inpainter:
    """A way to fill a hole.

    `fill(image, hole)` takes NumPy arrays, `image` float32 (H, W, 3) in [0, 1] and `hole` bool (H, W), True where
    pixels are to be filled, and returns an image of the same shape. `margin(height, width)` is the number of pixels
    that it sees on each side of the hole's box, which has this height and width.
    """

    fill: Callable[[np.ndarray, np.ndarray], np.ndarray]
    margin: Callable[[int, int], int]


def telea(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill the hole by fast marching: Telea 2004, "An Image Inpainting Technique Based on the Fast Marching Method"."""
    import cv2  # late, as PyTorch below
    # OpenCV reads uninitialised memory in an image one pixel wide or high, so we pad that image by a pixel.
    if thin := 1 in hole.shape:
        image, hole = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge"), np.pad(hole, 1, mode="edge")
    # OpenCV inpaints one channel of floats at a time, and its smoothing terms expect values up to 255.
    channels = [cv2.inpaint(np.ascontiguousarray(channel) * 255, hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)
                for channel in np.moveaxis(image, 2, 0)]
    filled = np.stack(channels, axis=2) / 255
    return filled[1:-1, 1:-1] if thin else filled


def patch(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill the hole with patches of the image, see `patchmatch`; without a patch to copy, as `telea` does."""
    from core.operators import patchmatch  # late: the compiler, numba, takes half a second to import
    filled = patchmatch.fill(image, hole)
    return telea(image, hole) if filled is None else filled


INPAINTERS = {
    "telea": Inpainter(telea, lambda height, width: 2 * RADIUS),   # pixels further away change nothing
    "patch": Inpainter(patch, lambda height, width: max(math.isqrt(height * width), LEAST_SOURCE)),
}


TELEA = "telea"     # the inpainter of a step whose field `inpainter` is missing
FILLER = "patch"    # the inpainter of new plans


def inpaint_obj(image: "torch.Tensor", mask: "torch.Tensor", inpainter: str = TELEA) -> "torch.Tensor":
    """Fill the pixels where `mask` (B, 1, H, W) exceeds 0.5 from their surroundings.

    The field `inpainter` of a step, from plan version 2 on, selects the method. `telea`, which a step without the field
    uses, continues the colours at the rim of the hole (fast marching, Telea 2004); it is fast, but smears wide holes.
    `patch` copies patches of the same photo (PatchMatch, Barnes et al. 2009), so textures and edges continue. Shadows
    and reflections of an object stay, unless the mask covers them.

    A mask of the whole picture leaves nothing to copy: `telea` keeps the picture, `patch` raises UserError. Gradients
    flow through the kept pixels; the filled pixels are constants.

    Example:
        >>> import torch
        >>> spot = torch.zeros(1, 1, 5, 5)
        >>> spot[..., 2, 2] = 1
        >>> inpaint_obj((0.5 + 0.5 * spot).expand(1, 3, 5, 5), spot)[0, 0, 2].double().round(decimals=2).tolist()
        [0.5, 0.5, 0.5, 0.5, 0.5]
    """
    import torch  # late: plans need the names of the inpainters only
    result = image.detach().clone()
    for sample, hole in zip(result, (mask.detach()[:, 0] > 0.5).cpu().numpy(), strict=True):
        found = filled(lambda *box, sample=sample: sample[:, *box].permute(1, 2, 0).float().cpu().numpy(), hole,
                       inpainter)
        if found is not None:
            box, new = found
            sample[:, *box] = torch.from_numpy(new).permute(2, 0, 1).to(sample)
    return torch.where(mask > 0.5, result, image) if image.requires_grad else result


def filled(window: Callable[[slice, slice], np.ndarray], hole: np.ndarray, inpainter: str
           ) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """Return a box around a hole, and its pixels (h, w, 3) with the hole filled; None if nothing can be filled.

    Args:
        window: a function of rows and columns that returns the pixels (h, w, 3) float32 in [0, 1] of a box.
        hole: bool (H, W), True where pixels are to be filled.
        inpainter: the name of an inpainter.

    Raises UserError as `inpaint_obj` does.
    """
    if hole.all() and inpainter == "patch":
        raise UserError("inpaint_obj: the mask covers the whole picture, so there is nothing to copy into it; "
                        "use a smaller mask")
    if hole.all() or not hole.any():
        return None   # there are no surroundings, or there is no hole
    method = INPAINTERS[inpainter]
    box = _box(hole, method)
    pixels = np.ascontiguousarray(window(*box))
    return box, np.where(hole[box][..., None], method.fill(pixels, hole[box]), pixels).astype(np.float32)


def _box(hole, method):
    """Return the rows and columns that a fill depends on: the box of the hole, and a margin on each side."""
    ends = [(int(places[0]), int(places[-1]) + 1) for places in (np.flatnonzero(hole.any(1 - axis)) for axis in (0, 1))]
    margin = method.margin(*(end - start for start, end in ends))
    return tuple(slice(max(start - margin, 0), min(end + margin, side))
                 for (start, end), side in zip(ends, hole.shape, strict=True))
