"""The main subject of a photo: the salient region that U2Net sees, together with the most prominent thing."""
from collections.abc import Sequence

import numpy as np
import torch

from core.finding.things import Detection, detect, mask_of, refine, saliency
from core.regions.segments import Segment

SIDE = 224              # side of U2Net's input; at 320 it takes twice as long and agrees less with the largest thing
SALIENT = 0.01, 0.95    # the share of the photo that a salient region covers; otherwise nothing is salient
PROMINENT = 0.03        # lowest share of the photo that the box of a prominent thing covers
MISSED = 0.1            # the share of the thing's box that is salient, below which the thing alone is the subject


def find_subject(image: torch.Tensor, detections: Sequence[Detection] | None = None) -> Segment | None:
    """Return the main subject of a photo (3, H, W), sRGB in [0, 1], or None if nothing stands out.

    Args:
        detections: those of `detect`, if they are known.

    The prominent thing is the detection with the highest score times the square root of its area. The subject is the
    union of the salient region and the prominent thing; the thing alone if U2Net misses it; or one of them if there is
    no other. Nothing stands out if U2Net marks almost nothing or everything, and no thing is large. Raises UserError
    if the weights are missing or changed.
    """
    height, width = image.shape[1:]
    things = detect(image) if detections is None else detections
    areas = {thing: _area(thing.box) / (height * width) for thing in things}
    prominent = max((thing for thing in things if areas[thing] >= PROMINENT),
                    key=lambda thing: thing.score * areas[thing] ** 0.5, default=None)
    mask = refine(saliency(image, SIDE), image)
    if not SALIENT[0] <= (mask > 0.5).mean() <= SALIENT[1]:
        mask = np.zeros_like(mask)
    if prominent is not None:
        left, top, right, bottom = (round(edge) for edge in prominent.box)
        seen = mask[top:bottom, left:right]
        thing = mask_of(image, prominent).mask
        mask = thing if not seen.size or (seen > 0.5).mean() < MISSED else np.maximum(mask, thing)
    if not mask.any():
        return None
    score = float(mask[mask > 0.5].mean()) if (mask > 0.5).any() else float(mask.max())
    return Segment("subject", mask, score, "subject mask", thing=True)


def _area(box):
    left, top, right, bottom = box
    return (right - left) * (bottom - top)
