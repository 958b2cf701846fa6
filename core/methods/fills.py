"""Wishes of things: a removal fills the region of a thing from its surroundings, a background is painted white."""
from dataclasses import replace

import torch

from core.filters import preview
from core.finding.finder import SIDE, Finder, hole_for
from core.methods.gate import Outcome, Refusal
from core.operators import Plan, Step, execute
from core.operators.inpaint import FILLER
from core.regions.region import Region
from core.requests.places import read_place
from core.requests.wish import Wish

MOST_SHARE = 0.5   # of the picture: a larger hole has too little around it to copy
STILL = 0.5        # overlap with the hole from which a detected thing counts as the removed one
CHECKED_SIDE = 320   # pixels: long edge of the preview on which a fill is checked
STAYS = "a removal fills its region with patches of the photo; shadows and reflections of the thing stay"


def fill_step(wish: Wish, region: Region, image: torch.Tensor) -> Step:
    """Return the step of a wish of FILLS in a region, on a photo (3, H, W).

    Raises Refusal if the hole of a removal covers more than MOST_SHARE of the picture.
    """
    if wish.attribute != "removal":
        return Step.make("color_bg", (), region.mask)
    found = region.segment.source not in ("file", "earlier step")   # a mask that a person made is the hole itself
    mask = hole_for(replace(region.segment, words=region.words), image) if found else replace(region.mask, feather=0.0)
    share = float(mask.tensor(*preview(image, SIDE).shape[-2:]).mean())
    if share > MOST_SHARE:
        words = f'"{region.words}" covers' if region.words else "the region covers"
        raise Refusal([f"removal: {words} {share:.0%} of the picture, and at most {MOST_SHARE:.0%} can be filled from "
                       f"the rest; name a smaller region, or ask for a white background"])
    return Step.make("inpaint_obj", (), mask, FILLER)


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
