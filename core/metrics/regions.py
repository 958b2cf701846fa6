"""Measures of found regions: overlap of masks, and the shares of things that are found, wrong and refused."""
from collections.abc import Sequence

import numpy as np

from core.metrics.bootstrap import mean_interval

WRONG = 0.3   # a region whose IoU with the truth is lower is a wrong region



def mask_iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the intersection over union of two masks (H, W) in [0, 1], cut at .5; two empty masks have 1."""
    inside, true = mask > 0.5, truth > 0.5
    union = np.count_nonzero(inside | true)
    return float(np.count_nonzero(inside & true) / union) if union else 1.0


def overall_iou(masks: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> float | None:
    """Return the summed intersections over the summed unions of pairs of masks, cut at .5; large regions weigh more.

    The value is None if all masks are empty.
    """
    pairs = [(mask > 0.5, truth > 0.5) for mask, truth in zip(masks, truths, strict=True)]
    union = sum(np.count_nonzero(inside | true) for inside, true in pairs)
    return float(sum(np.count_nonzero(inside & true) for inside, true in pairs) / union) if union else None


def with_interval(values: Sequence[float], photos: Sequence[str]) -> list[float | None]:
    """Return [mean, low, high] with a 95% bootstrap interval over photos; one photo has no interval."""
    if not len(values):
        return [None, None, None]
    return [float(np.mean(np.asarray(values, float))), *(mean_interval(values, photos) or (None, None))]


def score_found(ious: Sequence[float | None], photos: Sequence[str]) -> dict:
    """Summarise regions that were asked for and are in the photo.

    Args:
        ious: the IoU of each answer with the truth; None for a refusal.
        photos: the photo of each.

    Returns: {"asked", "found", "wrong", "refused", "IoU"}: the number of questions; the shares of answers with an IoU
    of at least WRONG, with a lower one, and of refusals; the mean IoU of those found. The latter four are
    [mean, low, high] as `with_interval` gives them.
    """
    answered = [iou is not None for iou in ious]
    found = [iou is not None and iou >= WRONG for iou in ious]
    right = [(iou, photo) for iou, photo, good in zip(ious, photos, found, strict=True) if good]
    return {"asked": len(ious), "found": with_interval(found, photos),
            "wrong": with_interval([a and not f for a, f in zip(answered, found, strict=True)], photos),
            "refused": with_interval([not a for a in answered], photos),
            "IoU": with_interval([iou for iou, _ in right], [photo for _, photo in right])}
