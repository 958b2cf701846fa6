"""Ways to serve a wish by the develop panel: operator, direction, and parameter for a degree or a number."""
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from core.operators import TABLE, Plan, Step
from core.operators.colours import BANDS
from core.operators.light import middle
from core.operators.strengths import strengths
from core.requests.wish import COLOURS, LEVELS, Wish

SHARES = dict(zip(LEVELS, (2 / 9, 5 / 9, 1), strict=True))   # of the bound, for operators without measured strengths
WHOLE = {"slight": 0.5, "plain": 1.0, "strong": 1.0}         # shares of the bound, for black and white and for sepia
MIDDLE = 0.15                                                # the most by which a tone curve's inner knots move
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


def step_of(wish: Wish, way: Way, image: torch.Tensor) -> Step:
    """Return the step of a way with the strength of the wish's degree, for a photo (1, 3, H, W) in [0, 1]."""
    params = TABLE[way.op].neutral.clone()
    for place, value in way.fixed:
        params[place] = value
    for place in way.places:
        params[place] += amount(wish, way, place)
    if way.op == "contrast_pivot":
        params[1] = middle(image)[0]
    return Step.make(way.op, params)


def amount(wish: Wish, way: Way, place: int) -> float:
    """Return the distance from neutral of the parameter at `place`, for the degree of a wish."""
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
