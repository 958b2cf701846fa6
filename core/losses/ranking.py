"""Losses of a critic on its scores of candidates: classification, triplet, ranking and regression.

A score is one number per candidate, higher for an edit that fits better. K candidates for each of B photos have scores
(K, B). Weights of the same shape, at least 0, weight the candidates; where all weights are 0, the loss is 0.
"""
import torch
import torch.nn.functional as F


def classification_loss(right, wrong, weights, positive_weight=1.0):
    """Return two mean cross-entropies, of right and of wrong edits, so that neither kind outweighs the other.

    Each right edit has K wrong edits. With a single mean over all edits, a critic that rejects every edit would have a
    low loss.

    Args: scores `right` (B,) and `wrong` (K, B); `weights` (K, B) of wrong edits; `positive_weight` of right edits.
    """
    return positive_weight * F.softplus(-right).mean(), weighted_mean(F.softplus(wrong), weights)


def triplet_loss(right, wrong, weights, margin=1.0):
    """Return the weighted mean of max(0, margin + wrong - right) over the wrong scores.

    This is the triplet loss of Schroff et al. 2015 (FaceNet) on scores in place of distances.

    Args: as for `classification_loss`.
    """
    return weighted_mean(F.relu(margin + wrong - right), weights)


def threshold_loss(logits, labels, present):
    """Return the cross-entropy of `labels`, bool (B, N), where `present`; each of the B samples counts alike.

    It teaches how many candidates are right, which a ranking leaves open.
    """
    each = F.binary_cross_entropy_with_logits(logits.masked_fill(~present, 0.0), labels.to(logits), reduction="none")
    return ((each * present).sum(1) / present.sum(1)).mean()


def ranking_loss(scores, distances, tie):
    """Return the mean cross-entropy of the order of each pair of candidates of a photo (Burges et al. 2005, RankNet).

    Args:
        scores: (K, B).
        distances: (K, B), distance of each candidate to the requested edit; a nearer candidate should score higher.
        tie: two candidates whose distances differ by no more than this have no order.
    """
    farther = distances[:, None] - distances > tie               # (K, K, B): the first candidate is the farther one
    return weighted_mean(F.softplus(scores[:, None] - scores), farther.to(scores))


def regression_loss(scores, distances, weights, unit):
    """Return the mean smooth L1 between negated scores and distances, both (K, B), in units of `unit`."""
    return weighted_mean(F.smooth_l1_loss(-scores, distances / unit, reduction="none"), weights)


def weighted_mean(values, weights):
    """Return the mean of `values`, weighted by `weights` of the same shape; 0 (gradient 0) if all weights are 0."""
    return (values * weights).sum() / weights.sum().clamp_min(torch.finfo(values.dtype).tiny)
