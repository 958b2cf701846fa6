"""Inpainting: fill the area of a mask from its surroundings.

An inpainter is a callable `(image, hole) -> image` on NumPy arrays: `image` float32 (H, W, 3) in [0, 1],
`hole` bool (H, W), True where pixels are to be filled. To add an inpainter, add an entry to INPAINTERS.
"""
import cv2
import numpy as np
import torch

RADIUS = 3  # pixels; OpenCV's samples and the Telea paper use 3 to 5
MARGIN = 2 * RADIUS   # pixels around a hole that an inpainter sees; pixels further away change nothing


def telea(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill the hole by fast marching: Telea 2004, "An Image Inpainting Technique Based on the Fast Marching Method"."""
    # OpenCV reads uninitialised memory in an image one pixel wide or high, so we pad that image by a pixel.
    if thin := 1 in hole.shape:
        image, hole = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge"), np.pad(hole, 1, mode="edge")
    # OpenCV inpaints one channel of floats at a time, and its smoothing terms expect values up to 255.
    channels = [cv2.inpaint(np.ascontiguousarray(channel) * 255, hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)
                for channel in np.moveaxis(image, 2, 0)]
    filled = np.stack(channels, axis=2) / 255
    return filled[1:-1, 1:-1] if thin else filled


INPAINTERS = {"telea": telea}


def inpaint_obj(image: torch.Tensor, mask: torch.Tensor, inpainter: str = "telea") -> torch.Tensor:
    """Fill the pixels where `mask` (B, 1, H, W) exceeds 0.5 from their surroundings.

    Gradients flow through the kept pixels; the filled pixels are constants.

    Example:
        >>> spot = torch.zeros(1, 1, 5, 5)
        >>> spot[..., 2, 2] = 1
        >>> inpaint_obj((0.5 + 0.5 * spot).expand(1, 3, 5, 5), spot)[0, 0, 2].double().round(decimals=2).tolist()
        [0.5, 0.5, 0.5, 0.5, 0.5]
    """
    fill = INPAINTERS[inpainter]
    filled = image.detach().clone()
    for sample, hole in zip(filled, mask.detach()[:, 0] > 0.5, strict=True):
        if hole.any() and not hole.all():   # else there is no hole, or there are no surroundings
            box = (..., *(_reach(hole.any(1 - dim).nonzero()) for dim in (0, 1)))
            pixels = sample[box].permute(1, 2, 0).float().cpu().numpy()
            new = torch.from_numpy(fill(pixels, hole[box].cpu().numpy())).permute(2, 0, 1)
            sample[box] = torch.where(hole[box], new.to(sample), sample[box])
    return torch.where(mask > 0.5, filled, image) if image.requires_grad else filled


def _reach(places):
    """Return the slice of rows or columns that a fill depends on: those of the hole, and MARGIN on each side."""
    return slice(max(int(places[0]) - MARGIN, 0), int(places[-1]) + MARGIN + 1)
