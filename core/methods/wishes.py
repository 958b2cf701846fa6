"""The keyword plan of the develop panel: each wish becomes a step of measured strength, by fixed rules.

`core.requests.reader` reads the wishes of a request; the strengths are those of docs/strengths.md.
"""
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from core.methods.repairs import repair
from core.metrics.attributes import MEASURES, Measure
from core.operators import TABLE, Plan, Step, execute
from core.operators.colours import BANDS
from core.operators.light import middle
from core.operators.strengths import strengths
from core.planning.horizon import tilt
from core.requests.wish import COLOURS, GEOMETRY, LEVELS, REPAIRS, Wish

PREVIEW = 256                                                # pixels
SHARES = dict(zip(LEVELS, (2 / 9, 5 / 9, 1), strict=True))   # of the bound, for operators without measured strengths
WHOLE = {"slight": 0.5, "plain": 1.0, "strong": 1.0}         # shares of the bound, for black and white and for sepia
MIDDLE = 0.15                                                # the most by which a tone curve's inner knots move
SMALL_TURN, TURN = 2.0, 90.0                                 # degrees of a slight and of any other turn
MOST = 1e6                                                   # larger numbers of a request are clipped
STOPS = {"exposure_soft": 1, "vignette": 1, "shadows": 1 / 2, "highlights": 1 / 0.8, "whites": 1 / 0.6}   # per stop
# The parameter for "by 100 p per cent", for operators that scale a quantity: the sRGB values of mid greys are scaled by
# 1 + p (linear light by its power 2.2), the slope of the contrast at its pivot (2^amount), and the chroma.
PERCENT = {"exposure_soft": lambda p: 2.2 * math.log2(max(1 + p, 0.05)), "chroma": lambda p: p,
           "contrast_pivot": lambda p: math.log2(max(1 + p, 0.5))}


@dataclass(frozen=True)
class Way:
    """A way to serve a wish: operator, direction, indices of the parameters to move, (index, value) of fixed ones."""

    op: str
    sign: int = 1
    places: tuple[int, ...] = (0,)
    fixed: tuple[tuple[int, float], ...] = ()


def _both(op, sign=1, places=(0,)):
    return {1: (Way(op, sign, places),), -1: (Way(op, -sign, places),)}


def _of_colour(index, name):
    """Return the ways for a colour: its band in the mixer; more of a missing colour tints all tones."""
    tone = Way("colour_grading", 1, (1, 4, 7), tuple((place, BANDS[name] / 360) for place in (0, 3, 6)))
    both = _both("hsl", places=(8 + index,))
    return both | {1: (*both[1], tone)}


# The ways to serve more (1) and less (-1) of an attribute. The first that makes a visible change on the photo is taken.
WAYS = {
    "light": _both("exposure_soft"), "contrast": _both("contrast_pivot"), "saturation": _both("chroma"),
    "temperature": _both("white_balance"), "green-magenta": _both("white_balance", places=(1,)),
    **{name: _of_colour(index, name) for index, name in enumerate(COLOURS)},
    "sharpness": {1: (Way("sharpen_scaled"), Way("texture")), -1: (Way("texture", -1), Way("gaussian_blur"))},
    "clarity": _both("clarity"), "haze": _both("dehaze", -1),
    "noise": {1: (Way("grain"),), -1: (Way("denoise", places=(0, 1)),)},
    "highlights": {sign: (Way("highlights", sign), Way("whites", sign)) for sign in (1, -1)},
    "shadows": _both("shadows"), "midtones": _both("tone_curve_smooth", places=(1, 2, 3)),
    "whites": {sign: (Way("whites", sign), Way("highlights", sign)) for sign in (1, -1)},
    "blacks": {sign: (Way("blacks", sign), Way("shadows", sign)) for sign in (1, -1)},
    "fade": {1: (Way("fade"),), -1: (Way("blacks", -1), Way("contrast_pivot"))},
    "vignette": _both("vignette", -1),
    "black and white": {1: (Way("black_and_white"),), -1: (Way("chroma"),)},
    "sepia": {1: (Way("sepia"),), -1: (Way("chroma", -1),)},
    "grain": {1: (Way("grain"),), -1: (Way("denoise", places=(0, 1)),)}, "hdr": _both("clarity"),
}
_ORDER = list(TABLE)


def plan_wishes(wishes: Sequence[Wish], image: torch.Tensor) -> Plan:
    """Return the Plan that serves the executable wishes, for a photo (3, H, W) in [0, 1].

    Of several wishes for one attribute, the last counts. Steps stand in the order of the operator table; wishes that
    need the same operator share its step. A repair that the photo does not need gives no step.
    """
    return joined(step for _, steps in serve(wishes, image) for step in steps)


def last_of_each(wishes: Sequence[Wish]) -> list[Wish]:
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


def preview(image: torch.Tensor) -> torch.Tensor:
    """Return a photo (3, H, W) with a long edge of at most PREVIEW pixels, on which attributes are measured."""
    height, width = image.shape[1:]
    scale = PREVIEW / max(height, width)
    size = [max(round(side * scale), 1) for side in (height, width)]
    return image if scale >= 1 else F.interpolate(image[None], size, mode="area")[0]


def _place(wish):
    """Return the sort key of a wish: its operator's index in the table; repairs come first, turns last."""
    if wish.attribute in REPAIRS:
        return REPAIRS.index(wish.attribute) - len(REPAIRS)
    return len(_ORDER) if wish.attribute in GEOMETRY else _ORDER.index(WAYS[wish.attribute][wish.sign][0].op)


def _steps(wish, image):
    """Return the steps that serve a wish on a picture (1, 3, H, W)."""
    if wish.attribute in REPAIRS:
        return repair(wish.attribute, image)
    measure, best = MEASURES[wish.attribute], None
    before = measure.of(image).item()
    for way in WAYS[wish.attribute][wish.sign]:
        step = _step(wish, way, image)
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


def _step(wish, way, image):
    """Return the step of a way with the strength of the wish's degree."""
    params = TABLE[way.op].neutral.clone()
    for place, value in way.fixed:
        params[place] = value
    for place in way.places:
        params[place] += _amount(wish, way, place)
    if way.op == "contrast_pivot":
        params[1] = middle(image)[0]
    return Step.make(way.op, params)


def _amount(wish, way, place):
    """Return the distance from neutral of a parameter, for the degree of a wish."""
    row = TABLE[way.op]
    bound = ((row.high if way.sign > 0 else row.low) - row.neutral)[place].item()
    if way.op == "tone_curve_smooth":
        bound = MIDDLE * way.sign
    number = None if wish.degree in LEVELS else min(wish.degree, MOST)
    if number is not None and wish.unit == "%" and way.op in PERCENT:
        return PERCENT[way.op](way.sign * number / 100)
    if number is not None and wish.unit in ("%", "points"):
        return bound * number / 100
    if number is not None and wish.unit == "stops" and way.op in STOPS:
        return way.sign * number * STOPS[way.op]
    if wish.attribute in ("black and white", "sepia") and wish.sign > 0:
        return bound * WHOLE[wish.level]
    measured = strengths().get(way.op, {}).get("more" if way.sign > 0 else "less")
    return measured[wish.level] if measured else bound * SHARES[wish.level]


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


def joined(steps: Iterable[Step]) -> Plan:
    """Return the plan of steps without masks; steps of one operator become one step, whose effects are the sums.

    Parameters without an effect of their own come from the first of these steps. Tone curves and steps that change the
    size stay separate.
    """
    plan: list[Step] = []
    for step in steps:
        row = TABLE[step.op]
        place = next((place for place, earlier in enumerate(plan) if earlier.op == step.op), None)
        if place is None or row.structure == "curve" or row.resizes:
            plan.append(step)
            continue
        params = [a + b - param.neutral if param.effect else a
                  for param, a, b in zip(row.params, plan[place].params, step.params, strict=True)]
        plan[place] = Step.make(step.op, params)
    return Plan(tuple(plan))
