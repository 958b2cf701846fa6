"""Repairs: steps that correct faults of a photo, as far as they show in its colours.

A small network estimates the exposure and the cast (`core.models.faults`); contrast and saturation have usual ranges.
"""
import functools
import math

import torch

from core.colour import srgb_to_lab
from core.metrics.attributes import MEASURES
from core.models.faults import load_fault_network
from core.operators import TABLE, Plan, Step, apply, execute
from core.operators.light import middle
from core.planning.auto_tone import auto_tone
from core.requests.wish import REPAIRS

# A photo whose measure lies within these limits needs no repair. Any other photo is moved to the nearer limit, within
# the bounds of the parameter. Values of the table: attribute, lower and upper limit, lower and upper bound.
USUAL = {
    "contrast repair": ("contrast", 17, 32, -0.5, 1.0),
    "saturation repair": ("saturation", 9, 40, -0.6, 1.5),
}
# A fault up to this size is left alone, a larger one is removed. Stops; parameters of `white_balance`, whose axes move
# b* or a* by PER_UNIT. A stop moves L* by about PER_STOP. GOOD is the estimate for a good photo: retouchers leave
# photos a little warm, and overexposure, which clips pixels, is estimated too low. Chosen on training photos.
STOPS, CAST = 0.5, 0.2
CLEAR_STOPS = 0.8      # the same for "enhance", which does not name the fault; half of it is left then
GOOD = (-0.3, 0.1, 0.0)
PER_STOP, PER_UNIT = 10.0, 8.0
MOST_STOPS, MOST_CAST = 3.0, 3.0
RANGE = 1.5            # stops; the network was trained up to 2 stops
COLOURLESS = 1.0   # mean chroma up to which a photo is black and white, which no repair can and should change
# A print in brown or blue has one hue: the length of the mean colour is nearly the mean chroma, and colours deviate
# little from this hue (CIELAB units). "Enhance" keeps the hue of such a print.
ONE_HUE, DEVIATION = 0.99, 1.0
CURES = {   # the attributes that a repair may move
    "exposure repair": ("light",), "contrast repair": ("contrast",), "saturation repair": ("saturation",),
    "cast repair": ("temperature", "green-magenta"),
    "enhance": ("light", "contrast", "saturation", "temperature", "green-magenta")}
ROUNDS = 10            # of a bisection


def repair(name: str, image: torch.Tensor) -> list[Step]:
    """Return the steps of a repair of REPAIRS for a photo (1, 3, H, W) in [0, 1]; an empty list if none is needed."""
    if name in REMOVED:
        return REMOVED[name](image)
    attribute, low, high, least, most = USUAL[name]
    measure, op = MEASURES[attribute], MEASURES[attribute].operators[0]
    value = measure.of(image).item()
    if low <= value <= high or _is_grey(name, value):
        return []
    goal = min(max(value, low), high)
    least, most = (0.0, most) if value < goal else (least, 0.0)
    for _ in range(ROUNDS):
        amount = (least + most) / 2
        step = _step(op, amount, image)
        if measure.of(apply(TABLE[op], image, torch.tensor([step.params]).to(image))).item() < goal:
            least = amount
        else:
            most = amount
    return [step]


def lack(name: str, image: torch.Tensor) -> torch.Tensor:
    """Return the sizes (B,) of the fault that a repair corrects in photos (B, 3, H, W), in CIELAB units; 0: no fault.

    The size is the distance of the measure from the limits of USUAL, or the estimated size beyond STOPS or CAST; for
    "enhance", the largest of all these, with CLEAR_STOPS.
    """
    if name == "enhance":
        faults = [lack(part, image) for part in USUAL]
        cast = torch.where(_is_toned(image), 0, lack("cast repair", image))
        return torch.stack([*faults, cast, _beyond(image, CLEAR_STOPS)]).amax(0)
    if name == "exposure repair":
        return _beyond(image, STOPS)
    if name == "cast repair":
        return PER_UNIT * (_cast(image).norm(dim=1) - CAST).clamp_min(0)
    attribute, low, high, *_ = USUAL[name]
    value = MEASURES[attribute].of(image)
    return torch.where(_is_grey(name, value), 0, torch.maximum(low - value, value - high).clamp_min(0))


def _is_grey(name, value):
    """Return whether the value of a repair's measure shows a photo without colours."""
    return (name == "saturation repair") & (value <= COLOURLESS)


def operators_of(attribute: str) -> set[str]:
    """Return the names of the operators that move an attribute, or that a repair may use."""
    names = CURES[attribute] if attribute in REPAIRS else (attribute,)
    return {op for name in names if name in MEASURES for op in (*MEASURES[name].operators, *MEASURES[name].others)}


def _step(op, amount, image):
    """Return the step of an operator with its main parameter; contrast gets the photo's own middle as its pivot."""
    params = TABLE[op].neutral.clone()
    params[0] = amount
    if op == "contrast_pivot":
        params[1] = middle(image)[0]
    return Step.make(op, params)


def _exposure(image):
    """Return by how many stops (B,) photos (B, 3, H, W) are too light; below 0, too dark."""
    return load_fault_network()(image)[:, 0] - GOOD[0]


def _beyond(image, limit):
    """Return the distance (B,) of the exposures of photos (B, 3, H, W) from the limits, in stops, in units of L*."""
    return PER_STOP * (_exposure(image).abs() - limit).clamp_min(0)


def _cast(image):
    """Return the casts (B, 2) of photos (B, 3, H, W), as parameters of `white_balance`; 0 for black and white."""
    cast = load_fault_network()(image)[:, 1:] - image.new_tensor(GOOD[1:])
    return torch.where(MEASURES["saturation"].of(image)[:, None] <= COLOURLESS, 0, cast)


def _is_toned(image):
    """Return whether photos (B, 3, H, W) are prints in one hue, such as sepia: bool (B,)."""
    colours = srgb_to_lab(image)[:, 1:].flatten(2)                      # (B, 2, H W)
    mean = colours.mean(2)
    along = mean.norm(dim=1) / colours.norm(dim=1).mean(1).clamp_min(1e-6)
    deviation = torch.linalg.eigvalsh(colours @ colours.mT / colours.shape[2])[:, 0].clamp_min(0).sqrt()
    return (along > ONE_HUE) & (deviation < DEVIATION)


def _exposed(image, limit=STOPS, left=0.0):
    """Return a step that brings an exposure of a photo (1, 3, H, W) beyond `limit` down to `left` stops, or no step.

    An estimate beyond RANGE may be too small, so the result is estimated again.
    """
    total = stops = _exposure(image).item()
    if abs(stops) <= limit:
        return []
    if abs(stops) > RANGE:
        total += _exposure(execute(Plan((Step.make("exposure_soft", [-stops]),)), image)).item()
    return [Step.make("exposure_soft", [-math.copysign(min(max(abs(total) - left, 0), MOST_STOPS), total)])]


def _white_balanced(image):
    """Return a step that removes the cast of a photo (1, 3, H, W), or an empty list without a cast."""
    cast, = _cast(image)
    size = cast.norm().item()
    return [] if size <= CAST else [Step.make("white_balance", -cast * min(1, MOST_CAST / size))]


def _enhanced(image):
    """Return the steps of "enhance"; each is computed from the result of the steps before it."""
    steps, balanced = [], () if _is_toned(image).item() else (_white_balanced,)
    for part in (*balanced, functools.partial(_exposed, limit=CLEAR_STOPS, left=CLEAR_STOPS / 2),
                 lambda now: auto_tone(now[0]), functools.partial(repair, "saturation repair")):
        steps += part(execute(Plan(tuple(steps)), image))
    return steps


REMOVED = {"exposure repair": _exposed, "cast repair": _white_balanced, "enhance": _enhanced}
