"""The keyword plan of the develop panel: each wish becomes a step of measured strength, by fixed rules.

`core.requests.reader` reads the wishes of a request; the strengths are those of docs/strengths.md.
"""
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

import torch

from core.filters import preview
from core.methods.repairs import repair
from core.metrics.attributes import MEASURES, Measure
from core.operators import TABLE, Plan, Step, execute
from core.planning.horizon import tilt
from core.planning.ways import MOST, WAYS, joined, step_of
from core.requests.wish import GEOMETRY, LEVELS, REPAIRS, Wish

SMALL_TURN, TURN = 2.0, 90.0                                 # degrees of a slight and of any other turn
_ORDER = list(TABLE)


def plan_wishes(wishes: Sequence[Wish], image: torch.Tensor) -> Plan:
    """Return the Plan that serves the executable wishes, for a photo (3, H, W) in [0, 1].

    Of several wishes for one attribute, the last counts. Steps stand in the order of the operator table; wishes that
    need the same operator share its step. A repair that the photo does not need gives no step.
    """
    return joined(step for _, steps in serve(wishes, image) for step in steps)


def last_of_each(wishes: Iterable[Wish]) -> list[Wish]:
    """Return the last executable wish for each attribute."""
    return list({wish.attribute: wish for wish in wishes if wish.executable}.values())


@torch.no_grad()
def serve(wishes: Sequence[Wish], image: torch.Tensor) -> list[tuple[Wish, list[Step]]]:
    """Return (wish, its steps) for the last executable wish of each attribute, in the order in which they are executed.

    Each step is fitted to the picture that the steps before it give. Args: as `plan_wishes`.
    """
    served, current = [], preview(image)[None]
    for wish in sorted(last_of_each(wishes), key=_place):
        if wish.attribute in GEOMETRY:
            served.append((wish, _turned(wish, image)))   # a horizon is sought in the photo itself
            continue
        steps = _steps(wish, current)
        served.append((wish, steps))
        current = execute(Plan(tuple(steps)), current)
    return served


def _place(wish):
    """Return the sort key of a wish: its operator's index in the table; repairs come first, turns last."""
    if wish.attribute in REPAIRS:
        return REPAIRS.index(wish.attribute) - len(REPAIRS)
    return len(_ORDER) if wish.attribute in GEOMETRY else _ORDER.index(WAYS[wish.attribute][wish.sign][0].op)


def _steps(wish, image):
    """Return the steps that serve a wish on a picture (1, 3, H, W).

    The first way whose step is visible is taken. A step that is too weak for the picture is made stronger first.
    """
    if wish.attribute in REPAIRS:
        return repair(wish.attribute, image)
    measure, best = MEASURES[wish.attribute], None
    before = measure.of(image).item()
    levels = LEVELS[LEVELS.index(wish.degree):] if wish.degree in LEVELS else (wish.degree,)
    for way, degree in product(WAYS[wish.attribute][wish.sign], levels):
        step = step_of(replace(wish, degree=degree), way, image)
        after = measure.of(execute(Plan((step,)), image)).item()
        if granted(wish, measure, before, after):
            return [step]
        if best is None or wish.sign * after > best[0]:
            best = wish.sign * after, step
    return [] if best[1].is_neutral else [best[1]]


def granted(wish: Wish, measure: Measure, before: float, after: float) -> bool:
    """Return whether an edit grants a wish: the attribute moves in the wish's direction, at least just visibly.

    A number ("by 2%") may ask for an invisible change, so for numbers the direction is enough. A plain or strong wish
    for black and white, or sepia, is granted only if the photo is so as a whole.
    """
    if measure.whole is not None and wish.sign > 0 and wish.degree in ("plain", "strong"):
        return after >= measure.whole
    return wish.sign * (after - before) >= (measure.visible if wish.degree in LEVELS else 1e-6)


def _turned(wish, image):
    """Return the step of a wish for geometry; an empty list if straightening needs an angle."""
    if wish.attribute == "flip":
        return [Step.make("flip", (1, 0) if wish.sign > 0 else (0, 1))]
    angle = min(wish.degree, MOST) if wish.unit == "degrees" and wish.degree not in LEVELS else None
    if wish.attribute == "straighten" and angle is None:
        level = tilt(image)
        return [] if level is None else [Step.make("rotate", level)]
    if angle is None:
        angle = SMALL_TURN if wish.degree == "slight" else TURN
    angle = (-wish.sign * angle + 180) % 360 - 180   # `rotate` turns counter-clockwise
    return [Step.make("rotate", angle)]
