"""Repairs: steps that correct faults of a photo, as far as simple measures of the photo show them."""
import torch

from core.colour import srgb_to_lab
from core.metrics.attributes import MEASURES
from core.operators import TABLE, Step, apply
from core.operators.light import middle
from core.planning.auto_tone import auto_tone
from core.requests.wish import REPAIRS

# A photo whose measure lies within these limits needs no repair. Any other photo is moved to the nearer limit, within
# the bounds of the parameter. Values of the table: attribute, lower and upper limit, lower and upper bound.
USUAL = {
    "exposure repair": ("light", 42, 62, -2.0, 2.0),
    "contrast repair": ("contrast", 17, 32, -0.5, 1.0),
    "saturation repair": ("saturation", 9, 40, -0.6, 1.5),
}
# A photo with clipped pixels was exposed too long. From this share of them on, its upper limit of light is lower by
# SPOILT. Of RetouchReq's training photos 4% have as many, and 67% after +1.5 stops.
CLIPPED, SPOILT = 0.02, 12.0
COLOURLESS = 1.0   # mean chroma up to which a photo is black and white, which no repair can and should change
CURES = {   # the attributes that a repair may move
    "exposure repair": ("light",), "contrast repair": ("contrast",), "saturation repair": ("saturation",),
    "cast repair": ("temperature", "green-magenta"),
    "enhance": ("light", "contrast", "saturation", "temperature", "green-magenta")}
# A cast is the mean a*b* of the pixels near grey. It is removed down to this distance, by at most MOST_CAST: a warm
# photo may be meant to be warm.
CAST, MOST_CAST = 2.0, 3.0
NEAR_GREY = 20.0       # chroma C*ab at which the weight of a pixel falls to 1/e
SURE = 0.4             # mean weight from which the pixels near grey show a cast; with fewer, a meadow looks like a cast
PER_UNIT = 8.0         # b* or a* by which `white_balance` moves a photo at parameter 1
ROUNDS = 10            # of a bisection


def repair(name: str, image: torch.Tensor) -> list[Step]:
    """Return the steps of a repair of REPAIRS for a photo (1, 3, H, W) in [0, 1]; an empty list if none is needed."""
    if name == "cast repair":
        return _white_balanced(image)
    if name == "enhance":
        return [*auto_tone(image[0]), *_white_balanced(image, _sure(image).item()), *repair("saturation repair", image)]
    attribute, low, high, least, most = USUAL[name]
    measure, op = MEASURES[attribute], MEASURES[attribute].operators[0]
    value, high = measure.of(image).item(), high - _spoilt(name, image).item()
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

    The size is the distance of the measure from the limits of USUAL, or the size of the cast beyond CAST; for
    "enhance", the largest of all these, where a cast counts as far as greys show it.
    """
    if name == "enhance":
        faults = [lack(part, image) for part in USUAL]
        return torch.stack([*faults, _sure(image) * lack("cast repair", image)]).amax(0)
    if name == "cast repair":
        return (_cast(image).norm(dim=1) - CAST).clamp_min(0)
    attribute, low, high, *_ = USUAL[name]
    value, high = MEASURES[attribute].of(image), high - _spoilt(name, image)
    return torch.where(_is_grey(name, value), 0, torch.maximum(low - value, value - high).clamp_min(0))


def _is_grey(name, value):
    """Return whether the value of a repair's measure shows a photo without colours."""
    return (name == "saturation repair") & (value <= COLOURLESS)


def _spoilt(name, image):
    """Return by how much (B,) clipped pixels lower the upper limit of a repair of photos (B, 3, H, W)."""
    if name != "exposure repair":
        return image.new_zeros(len(image))
    clipped = (image.median(1).values > 250 / 255).float().mean((1, 2))
    return SPOILT * (clipped / CLIPPED).clamp(max=1)


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


def _cast(image):
    """Return the mean (b*, a*), (B, 2), of the pixels of photos (B, 3, H, W) that are near grey."""
    a, b, weight = _greys(image)
    weight = weight + 1e-6   # a photo without greys counts as a whole
    return torch.stack([(part * weight).sum((1, 2)) / weight.sum((1, 2)) for part in (b, a)], 1)


def _greys(image):
    """Return a*, b* and the weight, 1 for greys, of each pixel of photos (B, 3, H, W)."""
    _, a, b = srgb_to_lab(image).unbind(1)
    return a, b, (-torch.hypot(a, b).square() / NEAR_GREY**2).exp()


def _sure(image):
    """Return how surely (B,), in [0, 1], the pixels near grey of photos (B, 3, H, W) show a cast: by their number."""
    return (_greys(image)[2].mean((1, 2)) / SURE).clamp_max(1).square()


def _white_balanced(image, share=1.0):
    """Return a step that removes a share of the cast of a photo (1, 3, H, W), or an empty list without a cast.

    The grey-world assumption, restricted to the pixels that are near grey: their mean colour should be grey.
    """
    cast, = _cast(image)
    size = cast.norm().item()
    if size <= CAST:
        return []
    return [Step.make("white_balance", -share * cast / PER_UNIT * min(1 - CAST / size, MOST_CAST * PER_UNIT / size))]
