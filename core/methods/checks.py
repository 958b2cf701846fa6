"""Checks of a plan on a preview: which wishes its steps serve, and which steps of the keyword plan must be added."""
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

from core.methods.mend import LEAST, is_exact, mend
from core.methods.repairs import lack, operators_of
from core.methods.wishes import granted
from core.metrics.attributes import MEASURES
from core.operators import TABLE, Plan, Step, execute
from core.planning.ways import joined
from core.requests.found import SHADES
from core.requests.reader import Reading
from core.requests.wish import GEOMETRY, LEVELS, REPAIRS, Wish

TINTS = frozenset().union(*map(operators_of, SHADES))
BESIDE = 0.4   # share of its strength with which a step of the keyword plan starts where the planner did a part of it


@dataclass(frozen=True)
class Outcome:
    """The outcome of an executable wish.

    `change` is the move of the attribute in its own units, or None for turns, which are not measured. `served` tells
    whether the keyword plan serves the wish; then `change` is the difference from the result without the wish's steps.
    `idle` marks a repair without a step: the photo does not need it.
    """

    wish: Wish
    granted: bool
    change: float | None = None
    served: bool = False
    idle: bool = False


def barred(reading: Reading, wishes: Sequence[Wish], small: torch.Tensor) -> set[str]:
    """Return the operators whose steps the gate removes from the planner's plan.

    They move attributes to be kept or to be changed in a part of the photo only, or mend a fault that the photo
    (3, H, W) does not have. Operators that a wish needs are kept.
    """
    idle = [wish for wish in wishes if wish.attribute in REPAIRS and wish.attribute != "enhance"
            and lack(wish.attribute, small[None]).item() == 0]
    left_out = [wish for wish in reading.wishes if not wish.executable] + idle
    barred = {op for wish in left_out for op in operators_of(wish.attribute)}
    return barred.difference(*(operators_of(wish.attribute) for wish in wishes if wish not in idle))


def serves(steps: Sequence[Step], wish: Wish, small: torch.Tensor) -> bool:
    """Return whether steps serve a wish for a photo (3, H, W): one is for its attribute, or they move it far enough.

    A curve that raises the contrast raises the saturation, too. So does a tint, but it is no answer to that wish.
    """
    if any(step.op in operators_of(wish.attribute) for step in steps):
        return True
    return _moves(without(steps, TINTS), wish, small) >= LEAST.get(wish.degree, math.inf)


def _moves(steps, wish, small):
    """Return by how many just visible steps a plan's steps move the attribute of a wish in its direction.

    It is 0 for wishes of which not every move is an answer: numbers, repairs, turns, and black and white.
    """
    measure = MEASURES.get(wish.attribute)
    if not steps or measure is None or measure.whole is not None or wish.degree not in LEVELS:
        return 0.0
    first, last = (measure.of(image).item() for image in (small[None], _picture(steps, small)))
    return wish.sign * (last - first) / measure.visible


def _needed(wishes):
    """Return the operators that can serve any of the wishes."""
    return set().union(*(operators_of(wish.attribute) for wish in wishes))


def without(steps: Iterable[Step], operators: Iterable[str]) -> tuple[Step, ...]:
    """Return the steps whose operator is not one of `operators`."""
    return tuple(step for step in steps if step.op not in operators)


def _weaker(step):
    """Return a step with BESIDE of its strength: its parameters, between neutral ones and its own."""
    neutral = TABLE[step.op].neutral.tolist()
    return Step.make(step.op, [low + BESIDE * (own - low) for low, own in zip(neutral, step.params, strict=True)],
                     step.mask)


def _picture(steps, image):
    """Return the picture (1, 3, H, W) of an image (3, H, W) after steps, without turns.

    Turning moves no attribute, but cuts corners off.
    """
    return execute(Plan(without(steps, [name for name, row in TABLE.items() if row.resizes])), image)[None]


def checked(small: torch.Tensor, wishes: Sequence[Wish], lacking: Sequence[Wish], planned: Sequence[Step],
            served: Callable[[], dict[Wish, list[Step]]], asked: Sequence[Wish],
            unasked: float) -> tuple[Plan, list[Outcome], int]:
    """Return (plan, outcomes, number of the planner's steps) that grant the wishes on a preview, as far as possible.

    Args: the preview `small` (3, H, W); the executable `wishes`, and all wishes `asked`; the planner's steps `planned`;
    `served` returns the steps of the keyword plan by wish; `unasked` is the price of `mend`. The keyword plan serves
    `lacking`, the wishes for which the planner is not asked, and each wish that the planner fails; the planner's steps
    for these attributes are left out, unless another wish needs their operators. If this mixture does not grant all
    wishes, the keyword plan alone is tried.
    """
    while True:
        alone = len(lacking) == len(wishes)
        needed = _needed(wish for wish in wishes if wish not in lacking)
        kept = () if alone else without(planned, _needed(lacking) - needed)
        found = _tried(small, wishes, lacking, kept, served, asked, unasked)
        failed = [outcome.wish for outcome in found[1] if not outcome.granted and not outcome.served]
        if not failed:
            break
        lacking = [*lacking, *failed]
    if not alone and not all(outcome.granted for outcome in found[1]):
        other = _tried(small, wishes, wishes, (), served, asked, unasked)
        if sum(outcome.granted for outcome in other[1]) > sum(outcome.granted for outcome in found[1]):
            return other
    return found


def _tried(small, wishes, lacking, kept, served, asked, unasked):
    """Try a plan on a preview: the planner's steps `kept`, then the keyword plan's steps for the wishes `lacking`.

    The steps for an attribute that the planner's steps move a little in the wished direction start weaker. The plan is
    mended. Returns (plan, outcomes of all wishes, number of the planner's steps).
    """
    own_steps = served() if lacking else {}
    begun = [wish for wish in lacking if _moves(kept, wish, small) >= 1]
    steps = joined(_weaker(step) if wish in begun else step
                   for wish, steps in own_steps.items() if wish in lacking for step in steps)
    whole = mend(Plan((*kept, *steps)), small, asked, unasked)
    after = _picture(whole, small)

    def before(wish):
        """Return the picture without the steps of the keyword plan that serve a wish, if no other wish shares them.

        A number is met by the whole plan, so its wish is measured against the photo.
        """
        own, others = ({step.op for other in lacking if (other == wish) is same for step in own_steps[other]}
                       for same in (True, False))
        if wish not in lacking or own & others or is_exact(wish):
            return small[None]
        return _picture((*whole.steps[:len(kept)], *without(whole.steps[len(kept):], own)), small)
    return whole, [_outcome(wish, before(wish), after, bool(whole.steps), wish in lacking, own_steps.get(wish, []))
                   for wish in wishes], len(kept)


def _outcome(wish, before, after, edited, is_served, steps):
    """Return the Outcome of a wish between two pictures (1, 3, H, W)."""
    if wish.attribute in GEOMETRY:
        return Outcome(wish, bool(steps), None, True)
    if wish.attribute in REPAIRS:
        lacked, left = lack(wish.attribute, before).item(), lack(wish.attribute, after).item()
        mended = edited and left <= lacked / 2
        return Outcome(wish, is_served or mended, lacked - left, is_served, is_served and not steps)
    measure = MEASURES[wish.attribute]
    first, last = measure.of(before).item(), measure.of(after).item()
    return Outcome(wish, granted(wish, measure, first, last), last - first, is_served)
