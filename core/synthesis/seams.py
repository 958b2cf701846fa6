"""The seam test: whether an edit of a region left a border that the photo did not have."""
import cv2
import numpy as np
import torch

INNER, OUTER = 2, 6   # pixels from the border of a region: the seam, and the bands on both sides that it is compared to
MOST_SEAM = 0.05      # relative change of `seam_ratio` up to which an edit leaves no seam


def seam_ratio(image: torch.Tensor, mask: np.ndarray) -> float:
    """Return the mean gradient at the border of a region over the mean gradient in the bands beside the border.

    Args: `image` (3, H, W); `mask` bool (H, W). A photo without any gradient beside the border has the ratio 1.
    """
    distance = np.where(mask, *(cv2.distanceTransform(np.uint8(side), cv2.DIST_L2, cv2.DIST_MASK_5)
                                for side in (mask, ~mask)))
    pixels = image.numpy()
    across, down = np.zeros_like(pixels), np.zeros_like(pixels)
    across[:, :, 1:-1] = pixels[:, :, 2:] - pixels[:, :, :-2]
    down[:, 1:-1] = pixels[:, 2:] - pixels[:, :-2]
    gradient = np.hypot(across, down).mean(0)
    at, beside = distance <= INNER, (distance > INNER) & (distance <= OUTER)
    if not at.any() or not beside.any() or not gradient[beside].any():
        return 1.0
    return float(gradient[at].mean() / gradient[beside].mean())


def is_seamless(edited: torch.Tensor, clean: torch.Tensor, mask: np.ndarray) -> bool:
    """Return whether the seam ratios of an edited and a clean picture (3, H, W) differ by at most MOST_SEAM."""
    return abs(seam_ratio(edited, mask) / max(seam_ratio(clean, mask), 1e-6) - 1) <= MOST_SEAM
