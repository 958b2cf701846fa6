"""A planner that was trained with masks, as a method: the wishes of each place are planned inside the place's mask."""
from collections.abc import Callable
from dataclasses import replace

import torch

from core.filters import preview
from core.finding.finder import MASK_SIDE, finder_of, mask_for
from core.methods.gate import guesses
from core.methods.planner import Edited, PlannerMethod
from core.operators import Mask, Plan
from core.requests import reader
from core.requests.places import read_place
from core.requests.saying import said


def found_mask(image: torch.Tensor, words: str) -> Mask:
    """Return the mask of the region of a photo (3, H, W) that words name. Raises NotFound."""
    place, image = read_place(words), preview(image, MASK_SIDE)
    segment = finder_of(image).find(place)
    return mask_for(replace(segment, words=words), image, place.kind)


class RegionPlanner:
    """A planner with masks; a callable (photo (3, H, W) in [0, 1], request) -> Edited.

    Args:
        planner: a planner that was trained with --local.
        find: a function (photo, words) -> Mask of the place that the words name; it may raise NotFound.
    """

    def __init__(self, planner: PlannerMethod, find: Callable[[torch.Tensor, str], Mask] = found_mask) -> None:
        self.planner, self.find = planner, find

    def __call__(self, image: torch.Tensor, request: str, given: Mask | None = None) -> Edited:
        """Return the edit: first the wishes for the whole photo, then those of each place.

        A request that names no place is planned inside `given`. Raises NotFound where `find` does.
        """
        places: dict[str, list] = {}
        for wish in reader.read(request, guesses).wishes:
            if wish.sign and wish.attribute != "unchanged":
                places.setdefault(wish.where.lower() if isinstance(wish.where, str) else "", []).append(wish)
        steps, current = [], image
        for words in sorted(places):   # the whole photo, "", comes first
            mask = self.find(image, words) if words else given if len(places) == 1 else None
            own = request if len(places) == 1 else said(places[words])
            edited, = self.planner.plans(current, [own], mask)
            steps += edited.plan.steps
            current = edited.image
        return Edited(image, Plan(tuple(steps)), image=current)
