"""Measures of found stuff: the overlap of each class with the truth, and false alarms."""
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.metrics.regions import with_interval

SEEN = 0.05     # least share of the photo that a class covers where its overlap counts


def compare(photo: str, masks: Mapping[str, np.ndarray], truths: Mapping[str, np.ndarray], known: np.ndarray
            ) -> list[dict]:
    """Return a row for each class of a photo: {"photo", "class", "share", "found", "both", "either"}, in pixels.

    Args:
        masks: class -> the region (H, W) in [0, 1] that was found, cut at .5; classes that were not found are missing.
        truths: class -> the true region (H, W), bool, which may be empty.
        known: (H, W) bool, the pixels that are counted.

    `share` is the true share of the counted pixels; `found` says whether there is a region.
    """
    rows = []
    for name, truth in truths.items():
        inside = masks[name] > 0.5 if name in masks else np.zeros(truth.shape, bool)
        rows.append({"photo": photo, "class": name, "share": float(truth[known].mean()) if known.any() else 0.0,
                     "found": name in masks, "both": int(np.count_nonzero(inside & truth & known)),
                     "either": int(np.count_nonzero((inside | truth) & known))})
    return rows


def summarise(rows: Iterable[dict]) -> dict[str, dict]:
    """Return the figures of each class: {"photos", "IoU", "whole IoU", "absent", "false alarms"}.

    `photos` counts those in which the class covers SEEN; `IoU` is the mean over these, where a class that was not
    found has 0. `whole IoU` is the shared pixels of all photos over the united ones. `absent` counts the photos
    without the class, and `false alarms` is the share of these in which a region was found. Means and shares are
    [mean, low, high] with a 95% interval over photos, and None where there is no photo.
    """
    groups = {}
    for row in rows:
        groups.setdefault(row["class"], []).append(row)
    return {name: _summary(group) for name, group in groups.items()}


def _summary(rows: Sequence[dict]) -> dict:
    seen = [row for row in rows if row["share"] >= SEEN]
    absent = [row for row in rows if row["share"] == 0]
    either = sum(row["either"] for row in rows)
    return {"photos": len(seen), "IoU": _interval([row["both"] / row["either"] for row in seen], seen),
            "whole IoU": sum(row["both"] for row in rows) / either if either else None,
            "absent": len(absent), "false alarms": _interval([row["found"] for row in absent], absent)}


def _interval(values, rows):
    return with_interval(values, [row["photo"] for row in rows]) if rows else None
