"""Measures of grounding: scores of the segments of photos, against the segments and the mask that are meant.

A cell is a segment for a request. Samples are those with their labels, bool (n,). Intervals are 95% bootstrap intervals
over photos.
"""
from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score

from core.metrics.regions import with_interval
from core.metrics.roc import pooled_roc, roc, roc_interval

THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))
PRECISION_AT = (0.5, 0.6, 0.7, 0.8, 0.9)   # IoU from which a mask counts


def best_threshold(confidence: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the threshold with the best mean F1 over samples, and this F1."""
    values = np.linspace(0.05, 0.95, 37)
    scores = [np.mean([f1(choose(one, value), label) for one, label in zip(confidence, labels, strict=True)])
              for value in values]
    best = int(np.argmax(scores))
    return float(values[best]), float(scores[best])


def choose(confidence: np.ndarray, threshold: float) -> np.ndarray:
    """Return which segments a confidence (n,) chooses, bool (n,): those above a threshold, or else the best one."""
    chosen = confidence >= threshold
    if not chosen.any():
        chosen[int(np.argmax(confidence))] = True
    return chosen


def f1(chosen: np.ndarray, labels: np.ndarray) -> float:
    """Return the F1 of the chosen segments; `chosen` and `labels`, the true ones, are bool (n,)."""
    return float(2 * (chosen & labels).sum() / max(chosen.sum() + labels.sum(), 1))


def measure(scores: np.ndarray, confidence: np.ndarray, labels: np.ndarray, threshold: float) -> dict[str, float]:
    """Return the measures of a sample.

    Returns: "ROC" and "AP" (left out if all segments are meant), "accuracy" of the cells at confidence .5, "N of N":
    the precision of the N best segments where N are meant, "F1" and "exact" of the segments that are chosen at
    `threshold`, and "precision .1", "recall .1", "F1 .1", "exact .1", ... of those with a confidence over THRESHOLDS.
    """
    found = {}
    if not labels.all():
        found = {"ROC": roc(scores, labels), "AP": float(average_precision_score(labels, scores))}
    count = int(labels.sum())
    best = np.argsort(-scores, kind="stable")[:count]
    chosen = choose(confidence, threshold)
    found |= {"accuracy": float(((confidence > 0.5) == labels).mean()), "N of N": float(labels[best].mean()),
              "F1": f1(chosen, labels), "exact": float((chosen == labels).all())}
    for value in THRESHOLDS:
        chosen = confidence > value
        right = (chosen & labels).sum()
        found |= {f"precision {value}": float(right / chosen.sum()) if chosen.any() else 0.0,
                  f"recall {value}": float(right / count), f"F1 {value}": f1(chosen, labels),
                  f"exact {value}": float((chosen == labels).all())}
    return found


def overlap(mask: np.ndarray, truth: np.ndarray) -> tuple[int, int]:
    """Return the numbers of pixels of the intersection and of the union of two masks, bool (H, W)."""
    return int(np.count_nonzero(mask & truth)), int(np.count_nonzero(mask | truth))


def summarise(rows: Sequence[dict]) -> dict:
    """Summarise the samples of a method.

    Args: `rows`, dicts with `scores`, `labels`, `photo`, the measures of `measure`, and `intersection` and `union`.

    Returns: "samples", "photos", the pooled "ROC" [value, low, high], the means over samples [mean, low, high] of the
    measures ("sample ROC" for the ROC of each sample), "IoU", "overall IoU", and "P@.5" to "P@.9".
    """
    scores, labels, photos = ([row[name] for row in rows] for name in ("scores", "labels", "photo"))
    interval = roc_interval(scores, labels, photos)
    found = {"samples": len(rows), "photos": len(set(photos)),
             "ROC": [pooled_roc(scores, labels), *(interval or (None, None))]}
    names = dict.fromkeys(name for row in rows for name in row if isinstance(row[name], float))
    for name in names:
        known = [row for row in rows if name in row]
        found["sample ROC" if name == "ROC" else name] = with_interval([row[name] for row in known],
                                                                       [row["photo"] for row in known])
    ious = [iou(row) for row in rows]
    found["IoU"] = with_interval(ious, photos)
    found["overall IoU"] = sum(row["intersection"] for row in rows) / max(sum(row["union"] for row in rows), 1)
    found |= {f"P@{value}": with_interval([one >= value for one in ious], photos) for value in PRECISION_AT}
    return found


def iou(row: dict) -> float:
    """Return the intersection over union of a row; 1 if both masks are empty."""
    return row["intersection"] / row["union"] if row["union"] else 1.0


def compare(rows: Sequence[dict], others: Sequence[dict]) -> dict[str, list]:
    """Return {"ROC", "IoU"}: how much more a method has than another on the same samples, [difference, low, high]."""
    scores, labels, photos = ([row[name] for row in rows] for name in ("scores", "labels", "photo"))
    second = [row["scores"] for row in others]
    interval = roc_interval(scores, labels, photos, second)
    difference = pooled_roc(scores, labels) - pooled_roc(second, labels)
    return {"ROC": [difference, *(interval or (None, None))],
            "IoU": with_interval([iou(one) - iou(two) for one, two in zip(rows, others, strict=True)], photos)}
