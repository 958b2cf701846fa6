"""Measures of multi-label classification: scores (N, K) of N samples and K labels against the truth.

"Pooled" counts each of the N x K cells as one decision, so labels that are common count more; "macro" averages over the
labels. A measure that is undefined, such as the ROC of a label that no sample has, is None.
"""
from collections.abc import Sequence

import numpy as np

from core.metrics.roc import roc, roc_interval


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the average precision of all cells (the step-wise area under precision and recall), as scikit-learn does.
    """
    from sklearn.metrics import average_precision_score
    truth = np.asarray(truth, bool).ravel()
    return float(average_precision_score(truth, np.asarray(scores).ravel())) if truth.any() else None


def f1(applied: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the F1 of decisions, both bool; None if no label is true or decided."""
    applied, truth = np.asarray(applied, bool), np.asarray(truth, bool)
    total = np.count_nonzero(applied) + np.count_nonzero(truth)
    return 2 * np.count_nonzero(applied & truth) / total if total else None


def best_thresholds(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return thresholds (K,): for each label the least score of the decisions with the highest F1.

    A label that no sample has gets a threshold that no score reaches, inf.
    """
    thresholds = np.full(scores.shape[1], np.inf)
    for label, (column, true) in enumerate(zip(scores.T, truth.T, strict=True)):
        if true.any():
            order = np.argsort(-column, kind="stable")
            last = np.append(column[order][1:] != column[order][:-1], True)   # equal scores are decided alike
            hits, decided = true[order].cumsum(), np.arange(1, len(column) + 1)
            quality = np.where(last, 2 * hits / (decided + true.sum()), -1)
            thresholds[label] = column[order][quality.argmax()]
    return thresholds


def score_labels(scores: np.ndarray, truth: np.ndarray, thresholds: np.ndarray, photos: Sequence[str],
                 names: Sequence[str]) -> dict:
    """Measure scores (N, K) against the truth, bool (N, K).

    Args:
        thresholds: (K,), a label whose score reaches its threshold is decided to be true.
        photos: of the N samples; the interval draws the samples of a photo together.
        names: of the K labels.

    Returns: {"metrics": {"ROC": pooled, "macro ROC", "AP": pooled, "macro AP", "F1": pooled, "macro F1",
    "exact": share of samples whose decided set is the true one}, "intervals": {"ROC": [low, high] or None},
    "labels": [{"label", "share", "ROC", "AP", "F1", "threshold"}]}.
    """
    decided = scores >= thresholds
    rows = [{"label": name, "share": float(truth[:, k].mean()), "ROC": roc(scores[:, k], truth[:, k]),
             "AP": average_precision(scores[:, k], truth[:, k]), "F1": f1(decided[:, k], truth[:, k]),
             "threshold": float(thresholds[k]) if np.isfinite(thresholds[k]) else None}
            for k, name in enumerate(names)]
    macro = {f"macro {name}": _mean([row[name] for row in rows]) for name in ("ROC", "AP", "F1")}
    return {"metrics": {"ROC": roc(scores, truth), "AP": average_precision(scores, truth), "F1": f1(decided, truth),
                        **macro, "exact": float((decided == truth).all(1).mean())},
            "intervals": {"ROC": roc_interval(scores, truth, photos)}, "labels": rows}


def _mean(values):
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
