"""The area under the ROC curve over all cells of many samples, and its interval by a bootstrap over photos.

A cell is one decision: a label of a request, or a segment of a photo for a request.
"""
from collections.abc import Sequence

import numpy as np

from core.metrics.bootstrap import LEVEL, RESAMPLES


def roc(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the area under the ROC curve of cells; equal scores count half. None without cells of both kinds.

    Args: arrays of one shape; `truth` is bool.
    """
    truth = np.asarray(truth, bool).ravel()
    if not 0 < np.count_nonzero(truth) < len(truth):
        return None
    return float(Ranked(np.ravel(scores), truth).area(np.ones(len(truth), int)))


def pooled_roc(scores: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float | None:
    """Return `roc` of the cells (n,) of all samples."""
    return roc(np.concatenate(scores), np.concatenate(truth))


def roc_interval(scores: Sequence[np.ndarray], truth: Sequence[np.ndarray], photos: Sequence[str],
                 other: Sequence[np.ndarray] | None = None, seed: int = 0) -> list[float] | None:
    """Return the 95% interval [low, high] of the area `pooled_roc`, or of its difference from the area of `other`.

    Photos are drawn with replacement, as in `core.metrics.bootstrap.mean_interval`, and each cell weighs as often as
    its photo was drawn. Draws without cells of both kinds are left out.

    Args:
        scores: for each of N samples the scores (n,) of its cells, such as the rows of an array (N, K).
        truth: the same, bool.
        photos: the photos of the N samples.
        other: the scores of another method for the same cells.
        seed: of the draws.

    Returns: None for fewer than two photos, or without cells of both kinds.
    """
    _, cluster = np.unique(np.asarray(photos, dtype=str), return_inverse=True)
    if cluster.max() < 1:
        return None
    cells = np.repeat(cluster, [len(one) for one in truth])
    right = np.concatenate(truth)
    curves = [Ranked(np.concatenate(one), right) for one in (scores, other) if one is not None]
    rng, found = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        drawn = np.bincount(rng.integers(0, cluster.max() + 1, cluster.max() + 1), minlength=cluster.max() + 1)[cells]
        if 0 < (drawn * right).sum() < drawn.sum():
            areas = [curve.area(drawn) for curve in curves]
            found.append(areas[0] - areas[-1] if other is not None else areas[0])
    tail = (1 - LEVEL) / 2
    return [float(bound) for bound in np.quantile(found, (tail, 1 - tail))] if found else None


class Ranked:
    """Cells in the order of their scores, so that an area with weights takes one pass."""

    def __init__(self, scores: np.ndarray, truth: np.ndarray) -> None:
        """Sort scores (n,); `truth` is bool (n,)."""
        self.order = np.argsort(scores, kind="stable")
        self.truth, ordered = truth[self.order], scores[self.order]
        self.ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))   # the last cell of equal scores

    def area(self, weights: np.ndarray) -> float:
        """Return the area with a weight (n,) of each cell; both kinds of cells need a weight above 0."""
        weights = weights[self.order]
        right = np.diff(np.cumsum(weights * self.truth)[self.ends], prepend=0)
        wrong = np.diff(np.cumsum(weights * ~self.truth)[self.ends], prepend=0)
        below = np.cumsum(wrong) - wrong / 2   # equal scores count half
        return float((right * below).sum() / (right.sum() * wrong.sum()))
