"""Wishes of things: a removal fills the region of a thing from its surroundings, a background is painted white."""
from dataclasses import replace

import numpy as np
import torch

from core.filters import preview
from core.finding.finder import SIDE, Finder, finder_of, hole_for
from core.finding.things import BOX
from core.methods.checks import Outcome
from core.methods.gate import Refusal
from core.metrics.regions import mask_iou
from core.operators import Plan, Step, execute
from core.operators.inpaint import FILLER
from core.regions.region import Region
from core.requests.places import read_place
from core.requests.wish import Wish

MOST_SHARE = 0.5   # of the picture: a larger hole has too little around it to copy
STILL = 0.5        # overlap with the hole from which a detected thing counts as the removed one
CHECKED_SIDE = 320   # pixels: long edge of the preview on which a fill is checked
SAME = 0.5         # intersection over union of masks from which two detections of a class are one thing
STAYS = "a removal fills its region with patches of the photo; shadows and reflections of the thing stay"


def fill_step(wish: Wish, region: Region, image: torch.Tensor) -> Step:
    """Return the step of a wish of FILLS in a region, on a photo (3, H, W).

    Raises Refusal if the hole of a removal covers more than MOST_SHARE of the picture.
    """
    if wish.attribute != "removal":
        return Step.make("color_bg", (), region.mask)
    if region.segment.source in ("file", "earlier step"):   # a mask that a person made is the hole itself
        return _removal(replace(region.mask, feather=0.0), region.words, image)
    segment = replace(region.segment, words=region.words)
    whole = replace(segment, mask=np.max([segment.mask, *_seen_again(segment, image)], axis=0))
    return _removal(hole_for(whole, image), region.words, image)


def _removal(mask, words, image):
    share = float(mask.tensor(*preview(image, SIDE).shape[-2:]).mean())
    if share > MOST_SHARE:
        words = f'"{words}" covers' if words else "the region covers"
        raise Refusal([f"removal: {words} {share:.0%} of the picture, and at most {MOST_SHARE:.0%} can be filled from "
                       f"the rest; name a smaller region, or ask for a white background"])
    return Step.make("inpaint_obj", (), mask, FILLER)


def _seen_again(segment, photo):
    """Return the masks of further detections of the same thing: the detector may see each of its ends with a part."""
    place = read_place(segment.words)
    if place.kind != "thing" or segment.source not in ("detector", BOX):
        return []
    return [thing.mask for thing in finder_of(photo).things(place.name)
            if thing.mask.shape == segment.mask.shape and mask_iou(thing.mask > 0.5, segment.mask > 0.5) > SAME]


def outcome_of(wish: Wish, words: str, step: Step, photo: torch.Tensor) -> Outcome:
    """Return the Outcome of a fill: on a preview of the photo (3, H, W), a removed thing must not be detected again.

    `words` are those of the region.
    """
    place = read_place(words)
    if wish.attribute != "removal" or place.kind != "thing":
        return Outcome(wish, True, None, True)
    after = execute(Plan((step,)), preview(photo, CHECKED_SIDE))
    hole = step.mask.tensor(*after.shape[-2:])[0, 0].numpy() > 0.5
    left = [thing.mask > 0.5 for thing in Finder(after).things(place.name)]
    gone = all((mask & hole).sum() <= STILL * min(max(mask.sum(), 1), hole.sum()) for mask in left)
    return Outcome(wish, bool(gone), None, True)
