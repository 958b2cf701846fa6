"""Confidence of a mean: 95% bootstrap intervals over photos, because the edits of one photo are not independent."""
import numpy as np

LEVEL, RESAMPLES = 0.95, 2000


def mean_interval(values, photos, seed=0, over=None):
    """Return the 95% interval [low, high] of the mean of `values`, or None where it is undefined.

    Percentile bootstrap over clusters (Efron & Tibshirani 1993, "An Introduction to the Bootstrap", ch. 13): photos
    are drawn with replacement, each with all its values, and the mean is taken over all values drawn. For a paired
    comparison, give the differences of the pairs.

    Args:
        values: N finite numbers.
        photos: N hashable names; the values of one photo are drawn together.
        seed: of the draws; equal input gives equal intervals.
        over: N positive numbers; then the figure is the sum of `values` over the sum of these, such as the L1 that is
            left of the input's.

    Returns: two floats, or None for fewer than two photos.
    """
    values = np.asarray(values, dtype=float)
    _, cluster = np.unique(np.asarray(photos, dtype=str), return_inverse=True)
    counts = np.bincount(cluster, weights=over)
    if len(counts) < 2:
        return None
    sums = np.bincount(cluster, weights=values)
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(RESAMPLES):   # one at a time: memory does not grow with the test set
        drawn = rng.integers(0, len(counts), len(counts))
        means.append(sums[drawn].sum() / counts[drawn].sum())
    tail = (1 - LEVEL) / 2
    return [float(bound) for bound in np.quantile(means, (tail, 1 - tail))]
