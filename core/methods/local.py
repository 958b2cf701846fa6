"""Local wishes: the words of each place become a mask, and the wishes for it are planned on a picture of the region.

A removal fills its region first, before anything else is planned; a background is painted last.

The picture of a region is its box, where each pixel outside the region repeats the nearest pixel inside. The gate
plans, checks and mends on it as on a whole photo; then the steps get the mask.
"""
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from core.filters import preview
from core.finding.finder import MASK_SIDE, SIDE, Finder, NotFound, finder_of, mask_for
from core.methods.checks import Outcome
from core.methods.fills import STAYS, fill_step, outcome_of
from core.methods.gate import FILL, NAMELESS, Answer, Gate, Refusal, is_local, understand
from core.methods.mend import AIMS, LEAST
from core.methods.planner import PlannerMethod
from core.methods.wishes import granted
from core.metrics.attributes import MEASURES
from core.operators import TABLE, Plan, execute
from core.operators.changes import scale
from core.regions.mask import Mask
from core.regions.region import Region
from core.regions.segments import Segment, filled
from core.requests.places import read_place
from core.requests.reader import Reading
from core.requests.saying import said
from core.requests.wish import FILLS, LEVELS, SOMEWHERE, Wish

UNNAMED = ("the request is for a part of the photo, but names none that LDIE knows; name it, or show it by a mask or "
           "the words of a region")
MORE = (1.25, 1.5, 1.75, 2.0, 2.5)   # strengths of steps that a soft edge made invisible


class LocalGate:
    """A gate that also serves wishes for parts of the photo; a callable like Gate, and its Answers have `regions`.

    Args:
        gate: the Gate for the whole photo.
        on_missing: one of `place.MISSING`. "fail" raises Refusal, "global" edits the whole photo, "ask" calls `ask`.
            A removal, a background, or a wish for an unnamed part is left out where the request has other wishes.
        region: words of the region for wishes without a place; an empty text edits the whole photo.
        given: the Region of wishes without a place, such as the mask from a file; None without one.
        ask: a function (words, sentence, segments) that returns one of the segments, or None to leave the wish out.
        finder: a function of a photo (3, H, W) that returns an object with `find` and `segments`, like a Finder.
    """

    def __init__(self, gate: Gate, on_missing: str = "fail", region: str = "", given: Region | None = None,
                 ask: Callable[[str, str, list[Segment]], Segment | None] | None = None,
                 finder: Callable[[torch.Tensor], Finder] = finder_of) -> None:
        self.gate, self.on_missing, self.region, self.given, self.ask = gate, on_missing, region, given, ask
        self.finder = finder

    @property
    def planner(self) -> PlannerMethod:
        """The planner behind the gate."""
        return self.gate.planner

    def within(self, mask: Mask) -> "LocalGate":
        """Return a copy that serves wishes without a place inside a mask, such as that of an earlier step."""
        region = Region(mask.region, Segment(mask.region, mask.array().astype(np.float32), source="earlier step"), mask)
        return LocalGate(self.gate, self.on_missing, "", region, self.ask, self.finder)

    def plans(self, image: torch.Tensor, requests: Sequence[str]) -> list[Answer]:
        """Return one Answer for each request on one photo (3, H, W) in [0, 1]."""
        return [self(image, request) for request in requests]

    @torch.no_grad()
    def __call__(self, image: torch.Tensor, request: str, reading: Reading | None = None) -> Answer:
        """Return the Answer for a photo (3, H, W) in [0, 1]. Raises Refusal, also if a region is not found."""
        reading = reading or understand(request, local=True)
        small = preview(image, MASK_SIDE)
        regions, whole, missing = self._regions(small, reading)
        fills = [(region, wish, fill_step(wish, region, small)) for region, wishes in regions for wish in wishes
                 if wish.attribute in FILLS]
        if not regions and not missing:
            return self.gate(image, request, reading)
        rest = replace(reading, wishes=tuple(whole))
        plan, outcomes, origins = Plan(), [], []
        removals = [(step, FILL) for _, wish, step in fills if wish.attribute == "removal"]
        paints = [(step, FILL) for _, wish, step in fills if wish.attribute != "removal"]
        if any(wish.executable for wish in whole):
            answer = self.gate(image, said(whole) if missing else request, rest)
            plan, outcomes, origins = answer.plan, list(answer.outcomes), list(answer.origins)
        turns = [(step, origin) for step, origin in zip(plan, origins, strict=True) if TABLE[step.op].resizes]
        steps = removals + [(step, origin) for step, origin in zip(plan, origins, strict=True)
                            if not TABLE[step.op].resizes]
        outcomes += [outcome_of(wish, region.words, step, image) for region, wish, step in fills]
        quick = [replace(step, inpainter="") for step, _ in steps]   # the planner needs no fine detail in a hole
        current = execute(Plan(tuple(quick)), preview(image, SIDE))
        kept = [wish for wish in reading.wishes if wish.sign == 0 and wish.where is None]
        for region, wishes in regions:
            wishes = [wish for wish in wishes if wish.attribute not in FILLS]
            if not wishes:
                continue
            part = self._part(current, region, wishes, kept)
            local, part_outcomes = _seen_inside(current, region, part)
            steps += [(step, origin) for step, origin in zip(local, part.origins, strict=True)]
            outcomes += [replace(outcome, wish=own) for outcome, own in zip(part_outcomes, wishes, strict=True)]
            current = execute(local, current)
        done = [*steps, *paints, *turns]
        missing += [STAYS] if removals else []
        return Answer(image, Plan(tuple(step for step, _ in done)), request, reading, outcomes,
                      [origin for _, origin in done], regions=[region for region, _ in regions], missing=missing)

    def _part(self, current, region, wishes, kept):
        """Return the gate's Answer for the picture of a region."""
        inside = [replace(wish, where=None) for wish in wishes]
        picture = filled(current, region.mask.tensor(*current.shape[-2:])[0, 0])
        return self.gate(picture, said(inside), Reading((*inside, *kept)))

    def _regions(self, image, reading):
        """Return the regions with their wishes, the wishes for the whole photo, and sentences on missing regions."""
        places, whole, missing = {}, [], []
        for wish in reading.wishes:
            placeless = wish.executable or (wish.attribute == "removal" and wish.where is None) or (
                wish.where == SOMEWHERE and is_local(wish))
            if placeless and (self.region or self.given is not None):
                places.setdefault(self.region, []).append(wish)
            elif wish.attribute == "removal" and wish.where is None:
                raise Refusal([NAMELESS], reading)
            elif is_local(wish):
                places.setdefault(wish.where, []).append(wish)
            else:
                whole.append(wish)
        found = []
        for words, wishes in places.items():
            try:
                found.append((self._region(image, words), _last_of_each(wishes)))
            except NotFound as error:
                fills = any(wish.attribute in FILLS for wish in wishes)
                if self.on_missing == "global" and not fills:
                    whole += [replace(wish, where=None) for wish in wishes]
                    missing.append(f"{error}; the whole photo was edited instead")
                elif fills or words == SOMEWHERE or self.on_missing == "ask":   # the rest of the request is done
                    missing.append(str(error))
                else:
                    raise Refusal([str(error)], reading) from error
        if missing and not found and not any(wish.executable for wish in whole):
            raise Refusal(missing, reading)
        return found, whole, missing

    def _region(self, image, words):
        if self.given is not None and words == self.region:
            return self.given
        place, finder = read_place(words), self.finder(image)
        try:
            if words == SOMEWHERE:
                raise NotFound(UNNAMED)
            segment = finder.find(place)
        except NotFound as error:
            segment = self.ask(words, str(error), finder.segments()) if self.on_missing == "ask" and self.ask else None
            if segment is None:
                raise
        return Region(words, segment, mask_for(replace(segment, words=words), image, place.kind))


def _seen_inside(photo: torch.Tensor, region: Region, part: Answer) -> tuple[Plan, list[Outcome]]:
    """Return the steps of a region's Answer with the region's mask, and their outcomes inside the soft mask.

    The gate checks a plan on a picture of the region, where it acts in full. The soft edge takes a part of it away, so
    a slight edit of a small region of the photo (3, H, W) can become invisible. If a wish that the gate granted misses
    the least move of its degree, the steps get stronger, by MORE, as long as that shows.
    """
    checked = [outcome for outcome in part.outcomes if outcome.granted and outcome.wish.attribute in MEASURES
               and outcome.wish.degree in LEVELS]
    mask = region.mask.tensor(*photo.shape[-2:])[0, 0]
    measures = [MEASURES[outcome.wish.attribute] for outcome in checked]

    def measured(picture):
        inside = filled(picture, mask)[None]
        return [measure.of(inside).item() for measure in measures]

    def moves(plan):
        return [after - before for before, after in zip(first, measured(execute(plan, photo)), strict=True)]

    def steps(changes):   # just visible steps of the wish that moves least
        return min(outcome.wish.sign * change / measure.visible
                   for outcome, measure, change in zip(checked, measures, changes, strict=True))
    plan = Plan(tuple(replace(step, mask=region.mask) for step in part.plan))
    if not checked:
        return plan, list(part.outcomes)
    first = measured(photo)
    best, changes = plan, moves(plan)
    if steps(changes) < min(LEAST[outcome.wish.level] for outcome in checked):
        for strength in MORE:
            found = moves(stronger := scale(plan, strength))
            if steps(changes) >= AIMS["slight"] or steps(found) <= steps(changes):
                break
            best, changes = stronger, found
    inside = {outcome.wish: replace(outcome, change=change, granted=granted(outcome.wish, measure, before,
                                                                            before + change))
              for outcome, measure, before, change in zip(checked, measures, first, changes, strict=True)
              if not outcome.served}   # a served wish keeps the change that its own steps made
    return best, [inside.get(outcome.wish, outcome) for outcome in part.outcomes]


def _last_of_each(wishes: Sequence[Wish]) -> list[Wish]:
    """Return the last wish for each attribute at one place."""
    return list({wish.attribute: wish for wish in wishes}.values())
