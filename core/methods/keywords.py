"""The keyword editor: rules read the wishes of a request, and each wish becomes one operation of fixed strength.

The editor sees no photo and learns nothing, so it is the baseline that learned methods must beat.
`core.requests.reader` reads the requests. The plain strengths below were chosen on the photos of a training set.
"""
from dataclasses import dataclass

import numpy as np

from core.operators import Plan, Step
from core.operators.table import TABLE
from core.planning.curves import curve_weights
from core.requests.reader import read_wishes
from core.requests.wish import Wish


@dataclass(frozen=True)
class Effect:
    """The operator of an attribute, and its plain parameter for more and for less of the attribute.

    For a tone curve, the parameter is three exponents, of red, green and blue; an exponent below 1 lightens.
    """

    op: str
    more: float | tuple[float, float, float]
    less: float | tuple[float, float, float]


EFFECTS = {   # by attribute, in the order of the steps of a plan
    "light": Effect("brightness", 0.28, -0.3),
    "contrast": Effect("contrast", 0.2, -0.2),
    "fade": Effect("contrast", -0.2, 0.2),
    "haze": Effect("contrast", -0.2, 0.2),
    "saturation": Effect("saturation", 0.5, -0.35),
    "temperature": Effect("hue", (0.87, 1.0, 1.17), (1.15, 1.0, 0.9)),
    "red": Effect("hue", (0.85, 1.05, 1.05), (1.15, 0.97, 0.97)),
    "green": Effect("hue", (1.05, 0.87, 1.05), (0.97, 1.13, 0.97)),
    "green-magenta": Effect("hue", (0.97, 1.13, 0.97), (1.05, 0.87, 1.05)),
    "blue": Effect("hue", (1.05, 1.0, 0.87), (0.97, 1.0, 1.13)),
    "clarity": Effect("sharpness", 0.2, -0.1),
    "sharpness": Effect("sharpness", 0.2, -0.1),
    "black and white": Effect("black&white", 1.0, 0.0),
}
STRENGTHS = {"slight": 0.5, "plain": 1.0, "strong": 1.7}   # by degree, as multiples of the plain parameter
LOCAL = {"removal": "inpaint_obj",   # only for keyword_operators
         **dict.fromkeys(("white background", "transparent background", "background", "replacement"), "color_bg")}
PLAIN = {"%": 30, "stops": 1, "points": 25, "degrees": 10}   # "by 30%" has the plain strength


def keyword_plan(request: str) -> Plan:
    """Return the Plan for the wishes that the reader finds for the whole photo in a request, any text."""
    wishes = {wish.attribute: wish for wish in read_wishes(request) if wish.executable}
    return Plan(tuple(_step(wishes[attribute]) for attribute in EFFECTS if attribute in wishes))


def keyword_operators(request: str) -> set[str]:
    """Return the names of the operators that the wishes of a request, any text, call for; places do not count."""
    return {EFFECTS[wish.attribute].op if wish.attribute in EFFECTS else LOCAL[wish.attribute]
            for wish in read_wishes(request) if wish.sign and wish.attribute in EFFECTS.keys() | LOCAL.keys()}


def strength(wish: Wish) -> float:
    """Return the strength of a wish's degree as a multiple of the plain strength."""
    return STRENGTHS[wish.degree] if wish.degree in STRENGTHS else wish.degree / PLAIN[wish.unit]


def _step(wish):
    """Return the Step of a wish: the plain parameter times its strength; curves get plain exponents ** strength."""
    effect, power = EFFECTS[wish.attribute], strength(wish)
    plain = effect.more if wish.sign > 0 else effect.less
    if TABLE[effect.op].structure != "curve":
        return Step.make(effect.op, [plain * power])
    return Step.make(effect.op, np.concatenate([
        curve_weights(lambda level, exponent=exponent: level ** exponent ** power) for exponent in plain]))
