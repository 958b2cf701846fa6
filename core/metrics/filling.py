"""Measures of a filled hole against the true picture: perceptual distance, PSNR, and the share of fine detail."""
import math
from collections.abc import Callable

import cv2
import numpy as np
import torch

from core.operators.layers import luma

MARGIN = 32               # pixels around the hole's box that the perceptual distance sees
DETAIL = (0.7, 1.3)       # range of the detail ratio that counts as right
INNER = 1                 # pixels at the rim of the hole that the detail leaves out: their Laplacian sees the photo
MOST_PSNR = 99.0          # dB, of an exact fill


def judge_fill(filled: torch.Tensor, truth: torch.Tensor, hole: torch.Tensor,
               distance: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> dict[str, float]:
    """Compare a filled picture with the truth.

    Args:
        filled, truth: (3, H, W) in [0, 1].
        hole: (H, W) bool, with at least one pixel.
        distance: a perceptual distance of two batches (1, 3, h, w), such as PerceptualLoss.

    Returns: "perceptual", the distance of the hole's box with a margin; "psnr" in dB over the hole; "detail", the
    energy of the Laplacian of luma inside the hole over that of the truth, and "even", whether it is in DETAIL.
    """
    rows, columns = (torch.nonzero(hole.any(dim))[:, 0] for dim in (1, 0))
    box = (..., slice(max(int(rows[0]) - MARGIN, 0), int(rows[-1]) + MARGIN + 1),
           slice(max(int(columns[0]) - MARGIN, 0), int(columns[-1]) + MARGIN + 1))
    with torch.no_grad():
        far = distance(filled[box][None], truth[box][None]).item()
    error = (filled - truth)[:, hole].square().mean().item()
    ratio = detail(filled, hole) / max(detail(truth, hole), 1e-12)
    return {"perceptual": far, "psnr": min(-10 * math.log10(error), MOST_PSNR) if error > 0 else MOST_PSNR,
            "detail": ratio, "even": float(DETAIL[0] <= ratio <= DETAIL[1])}


def detail(image: torch.Tensor, hole: torch.Tensor) -> float:
    """Return the mean squared Laplacian of luma of (3, H, W) inside a hole (H, W), without its rim."""
    inside = cv2.erode(hole.numpy().astype(np.uint8), np.ones((2 * INNER + 1,) * 2), borderValue=1) > 0
    laplacian = cv2.Laplacian(luma(image[None])[0, 0].numpy(), cv2.CV_32F)
    return float(np.square(laplacian[inside if inside.any() else hole.numpy()]).mean())


def detail_beside(truth: torch.Tensor, hole: torch.Tensor) -> float | None:
    """Return how often the photo beside a hole has detail in the range DETAIL of that inside: a scale for "even".

    The hole (H, W) is moved over the true picture (3, H, W) by its own height and width, up, down, left and right;
    places that leave the picture by more than a tenth do not count. None if none counts.
    """
    rows, columns = torch.nonzero(hole, as_tuple=True)
    height, width = int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1
    inside, found = detail(truth, hole), []
    for down, right in ((height, 0), (-height, 0), (0, width), (0, -width)):
        y, x = rows + down, columns + right
        kept = (y >= 0) & (y < hole.shape[0]) & (x >= 0) & (x < hole.shape[1])
        if kept.float().mean() >= 0.9:
            moved = torch.zeros_like(hole)
            moved[y[kept], x[kept]] = True
            found.append(DETAIL[0] <= detail(truth, moved) / max(inside, 1e-12) <= DETAIL[1])
    return sum(found) / len(found) if found else None
