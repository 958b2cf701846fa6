"""Measures of planned sequences: BLEU of the operators, errors of the parameters, overlap of the masks.

Parameters and masks are compared where both plans have the same operator at the same step, as the notebook does.
"""
import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch

from core.metrics.bootstrap import LEVEL, RESAMPLES
from core.metrics.regions import mask_iou
from core.operators import Plan

ORDERS = (1, 2, 3, 4)


def bleu(sequences: Sequence[Sequence[str]], references: Sequence[Sequence[str]], order: int = 1) -> float | None:
    """Return the corpus BLEU of operator names up to n-grams of `order`, in [0, 1], by nltk (Papineni et al. 2002).

    Counts are clipped, and short plans are penalised. References shorter than `order` are left out, because they have
    no n-gram of this order. The result is None where none is left.
    """
    from nltk.translate.bleu_score import corpus_bleu  # a script without plans need not load nltk
    kept = [([list(reference)], list(sequence)) for sequence, reference in zip(sequences, references, strict=True)
            if len(reference) >= order]
    if not kept:
        return None
    if not any(names for _, names in kept):
        return 0.0
    with warnings.catch_warnings():   # nltk warns where no n-gram fits; then BLEU is 0
        warnings.simplefilter("ignore")
        return float(corpus_bleu(*zip(*kept, strict=True), weights=(1 / order,) * order))


def bleu1_interval(sequences: Sequence[Sequence[str]], references: Sequence[Sequence[str]], photos: Sequence[str],
                   seed: int = 0) -> list[float] | None:
    """Return the 95% interval [low, high] of `bleu` of order 1, by a bootstrap over photos; None for a single photo.

    Photos are drawn with replacement, each with all its sequences. BLEU-1 is the share of the operators that stand in
    the references, times exp(1 - r / c) if the references have more operators, r, than the sequences, c. As in nltk,
    an empty sequence counts as one wrong operator in the share, but not in c.
    """
    kept = [(*one, photo) for *one, photo in zip(sequences, references, photos, strict=True) if one[1]]
    names, cluster = np.unique([photo for *_, photo in kept], return_inverse=True)
    if len(names) < 2:
        return None
    counts = np.array([((Counter(ours) & Counter(theirs)).total(), max(len(ours), 1), len(ours), len(theirs))
                       for ours, theirs, _ in kept])
    sums = np.stack([np.bincount(cluster, weights=column) for column in counts.T], 1)   # of each photo
    rng, found = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        right, tried, ours, theirs = sums[rng.integers(0, len(sums), len(sums))].sum(0)
        found.append(right / tried * min(np.exp(1 - theirs / ours), 1) if right else 0.0)
    tail = (1 - LEVEL) / 2
    return [float(bound) for bound in np.quantile(found, (tail, 1 - tail))]


def parameter_mse(plans: Sequence[Plan], references: Sequence[Plan]) -> dict[str, float]:
    """Return {operator: mean squared error of its parameters, in their own units}, over the matching steps."""
    errors = {}
    for ours, theirs in _matching(plans, references):
        if theirs.params:
            difference = torch.tensor(ours.params) - torch.tensor(theirs.params)
            errors.setdefault(theirs.op, []).append(difference.square().mean().item())
    return {name: float(np.mean(values)) for name, values in sorted(errors.items())}


def mask_overlaps(plan: Plan, reference: Plan, height: int, width: int) -> list[float]:
    """Return the IoU of the masks of the matching steps that are local in the reference; 0 where the plan has none."""
    return [0.0 if ours.mask is None else mask_iou(ours.mask.tensor(height, width)[0, 0].numpy(),
                                                   theirs.mask.tensor(height, width)[0, 0].numpy())
            for ours, theirs in _matching([plan], [reference]) if theirs.mask is not None]


def _matching(plans, references):
    """Yield (step, step of the reference) with the same operator at the same position."""
    for plan, reference in zip(plans, references, strict=True):
        # One plan may be longer.
        yield from ((ours, theirs) for ours, theirs in zip(plan, reference, strict=False) if ours.op == theirs.op)
