"""The tilt of a photo, from its straight edges: the horizon, walls, masts."""
import cv2
import numpy as np
import torch

SIDE, SMALLEST = 512, 400   # pixels of the long edge: of the searched copy, and of the smallest photo with a result
MOST = 12.0           # degrees: edges with a larger tilt are neither horizon nor wall
BIN, WIDTH = 0.1, 0.5   # degrees: bins of the histogram, and standard deviation of its smoothing
PEAK = 3.0            # smallest ratio of the histogram's peak to its median
CLEAR, STRAIGHT = 0.01, 0.9   # gradient, and coherence of the structure tensor, of pixels that vote
LIMIT = 0.1           # gradient above which all edges vote alike
ENOUGH = 1e-3         # mean vote of a pixel: a photo with fewer edges, such as of a face, has no horizon


def tilt(image: torch.Tensor) -> float | None:
    """Return the angle in degrees, counter-clockwise, that levels a photo; None if its edges do not show one.

    Each pixel on a straight edge votes for the angle between its gradient and the nearer axis, weighted by the size of
    the gradient. The tilt is the peak of the smoothed histogram, if the peak is high enough.

    Args: `image` (3, H, W) in [0, 1]. Returns: an angle in [-12, 12] for the operator `rotate`, or None.
    """
    if max(image.shape[1:]) < SMALLEST:
        return None
    grey = np.ascontiguousarray(image.mean(0).float().cpu().numpy())
    factor = min(SIDE / max(grey.shape), 1)
    grey = cv2.resize(grey, [max(1, round(side * factor)) for side in grey.shape[::-1]], interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(grey, (0, 0), 1)
    across, down = (cv2.Scharr(grey, cv2.CV_32F, *order) / 32 for order in ((1, 0), (0, 1)))
    xx, xy, yy = (cv2.GaussianBlur(part, (0, 0), 2) for part in (across * across, across * down, down * down))
    angles = (np.degrees(np.arctan2(2 * xy, xx - yy)) / 2 + 45) % 90 - 45
    size = np.sqrt(xx + yy)
    straight = np.hypot(xx - yy, 2 * xy) > STRAIGHT * (xx + yy)
    weights = np.minimum(size, LIMIT) * (straight & (size > CLEAR))
    votes, edges = np.histogram(angles, round(2 * MOST / BIN), (-MOST, MOST), weights=weights)
    reach = np.arange(-4 * WIDTH, 4 * WIDTH + BIN / 2, BIN)
    votes = np.convolve(votes, np.exp(-(reach / WIDTH) ** 2 / 2), "same")
    if weights.mean() < ENOUGH or votes.max() <= PEAK * np.median(votes):
        return None
    return float(edges[votes.argmax()] + BIN / 2)
