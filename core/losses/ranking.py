"""What a critic pays for its scores of candidates: telling right from wrong, keeping order, guessing distances.

A score is a number per candidate, higher where the edit fits better. Scores of K candidates of each of B photos are
(K, B). Weights of the same shape, at least 0, say how much each counts; where all are 0, there is nothing to pay.
"""
import torch
import torch.nn.functional as F


def classification_loss(right, wrong, weights, positive_weight=1.0):
    """Return the cross-entropies (of right edits, of wrong ones), each a mean, so that neither outweighs the other.

    A critic that has K wrong candidates for each right one, and minds all alike, does well by refusing everything.

    Args: scores `right` (B,) and `wrong` (K, B), `weights` (K, B) of the wrong ones; `positive_weight` of the right.
    """
    return positive_weight * F.softplus(-right).mean(), weighted_mean(F.softplus(wrong), weights)


def triplet_loss(right, wrong, weights, margin=1.0):
    """Return by how much a wrong score comes nearer than `margin` below the right one of its photo.

    The hinge of Schroff et al. 2015 (FaceNet), on scores in place of distances. Args: as `classification_loss`.
    """
    return weighted_mean(F.relu(margin + wrong - right), weights)


def ranking_loss(scores, distances, tie):
    """Return the mean cross-entropy of the order of each two candidates of a photo (Burges et al. 2005, RankNet).

    Args:
        scores: (K, B).
        distances: (K, B), how far each candidate is from what was asked for; the nearer should score higher.
        tie: candidates whose distances differ by no more have no order.
    """
    farther = distances[:, None] - distances > tie               # (K, K, B): the first is the farther one
    return weighted_mean(F.softplus(scores[:, None] - scores), farther.to(scores))


def regression_loss(scores, distances, weights, unit):
    """Return the mean smooth L1 between negated scores and distances, both (K, B), in units of `unit`."""
    return weighted_mean(F.smooth_l1_loss(-scores, distances / unit, reduction="none"), weights)


def weighted_mean(values, weights):
    """Return the mean of `values` by `weights` of the same shape; 0, with a gradient, where all weights are 0."""
    return (values * weights).sum() / weights.sum().clamp_min(torch.finfo(values.dtype).tiny)
