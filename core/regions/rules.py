"""Regions by rule: tones, colours and areas of a picture. A region is one function and one row of RULES.

Each function takes a picture (3, H, W), sRGB in [0, 1], and returns a soft mask (H, W), float32 in [0, 1].
"""
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from core.colour import srgb_to_lab, srgb_to_oklch

SAMPLE = 1 << 20                # pixels of which quantiles are taken
TONE_BOUNDS = (0.33, 0.67)      # of L* / 100: where midtones begin and end in a photo of ordinary tones
TONE_QUANTILES = (0.25, 0.75)   # of the photo's own L*, for photos that are mostly dark or mostly light
OWN = 0.75                      # weight of the photo's own quantiles in the bounds of its tones
TONE_SOFT = 0.1                 # of L* / 100: half the width of the ramp between two tones
HUE_SOFT = 8.0                  # degrees: half the width of the ramp at each end of a hue window
AREA_SOFT = 0.05                # of the side of the frame: half the width of the ramp at a border of an area


@dataclass(frozen=True)
class Rule:
    """One row: a region of any picture. `function` maps (3, H, W) to a mask (H, W); `about` is for people."""

    function: Callable[[torch.Tensor], torch.Tensor]
    about: str


def rises(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Return the smooth step 3t^2 - 2t^3 with t = (x - low) / (high - low): 0 up to `low`, 1 from `high` on."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def tones(image: torch.Tensor) -> torch.Tensor:
    """Return the masks (3, H, W) of shadows, midtones and highlights; they sum to 1 at each pixel.

    A tone's bound is b = .25 q + .75 Q, where q is .33 or .67 and Q is the quantile .25 or .75 of L* / 100 in this
    picture: the dark parts of a light photo are dark beside the rest of it. The ramp at a bound runs from b - .1 to
    b + .1; b stays in [.1, .9]. A black picture is all shadows, a white one all highlights.
    """
    light = srgb_to_lab(image[None])[0, 0] / 100
    sample = light.flatten()[::max(light.numel() // SAMPLE, 1)]
    own = torch.quantile(sample, sample.new_tensor(TONE_QUANTILES)).tolist()
    low, high = (min(max((1 - OWN) * usual + OWN * quantile, TONE_SOFT), 1 - TONE_SOFT)
                 for usual, quantile in zip(TONE_BOUNDS, own, strict=True))
    over_low, over_high = (rises(light, bound - TONE_SOFT, bound + TONE_SOFT) for bound in (low, high))
    return torch.stack((1 - over_low, over_low - over_high, over_high))


def colour(image: torch.Tensor, hue: tuple[float, float] | None = None, light: tuple[float, float] = (0, 1),
           chroma: tuple[float, float] = (0.06, 1)) -> torch.Tensor:
    """Return the mask (H, W) of a range of colours in OKLCh: the product of three windows with smooth ends.

    Args:
        image: (3, H, W).
        hue: the first and last hue in degrees, counted upwards, through 360 if the second is smaller; None for all.
        light: the lowest and highest Oklab lightness in [0, 1]; the ramp at an end is .14 wide.
        chroma: the lowest and highest chroma in [0, .4]; the ramp at an end c runs from .6 c to 1.4 c.

    A bound of lightness or chroma at 0 or 1 is no bound.
    """
    lightness, strength, angle = srgb_to_oklch(image[None])[0]
    mask = _window(lightness, light, 0.07, 0.07) * _window(strength, chroma, 0.4 * chroma[0], 0.4 * chroma[1])
    if hue is None:
        return mask
    half = ((hue[1] - hue[0]) % 360) / 2
    away = (torch.rad2deg(angle) - hue[0] - half + 180).remainder(360) - 180    # from the middle of the window
    return mask * (1 - rises(away.abs(), half - HUE_SOFT, half + HUE_SOFT))


def _window(x, bounds, soft_low, soft_high):
    low, high = bounds
    mask = torch.ones_like(x)
    if low > 0:
        mask = mask * rises(x, low - soft_low, low + soft_low)
    if high < 1:
        mask = mask * (1 - rises(x, high - soft_high, high + soft_high))
    return mask


def area(image: torch.Tensor, positions: Sequence[str]) -> torch.Tensor:
    """Return the mask (H, W) of the part of the frame that positions name together, such as ("top", "left").

    Args:
        image: (3, H, W), of which only the size counts.
        positions: names of AREAS. Those of halves and thirds are multiplied. "middle" beside another position is the
            middle third of the other direction: ("top", "middle") is the middle of the top half.

    The ramp at a border is 10% of the frame's side wide. Raises KeyError for a name that is not in AREAS.
    """
    across, down = _axes(image)
    mask = torch.ones_like(across * down)
    for name in positions:
        if name == "middle" and len(positions) > 1:
            other = next((AREAS[p] for p in positions if p != "middle"), "")
            mask = mask * _band(down if other in ("left", "right") else across, 1 / 3, 2 / 3)
        else:
            mask = mask * _AREAS[AREAS[name]](across, down)
    return mask


def _axes(image):
    """Return the columns' (1, W) and the rows' (H, 1) places in (0, 1); a flip of the picture maps x to 1 - x."""
    height, width = image.shape[-2:]
    across, down = ((torch.arange(side, device=image.device, dtype=torch.float64) + 0.5) / side
                    for side in (width, height))
    return across.float()[None], down.float()[:, None]


def _band(x, low, high):
    """Return 1 between two places of a side, with ramps; a bound at 0 or 1 is the frame's border and has none."""
    return _window(x, (low, high), AREA_SOFT, AREA_SOFT)


def _middle(across, down):
    """Return an ellipse that fills a quarter of the frame: 1 within .4 of the way to the border, 0 from .72 on."""
    return 1 - rises(torch.hypot(2 * across - 1, 2 * down - 1), 0.4, 0.72)


def _corners(across, down):
    """Return what is far from the centre: r is 1 in the corners and .71 at the middle of a border."""
    return rises(torch.hypot(2 * across - 1, 2 * down - 1) / math.sqrt(2), 0.65, 0.95)


def _edges(across, down):
    """Return the frame's outer 12%, with a ramp from 7 to 17% of the side."""
    inside = torch.minimum(torch.minimum(across, 1 - across), torch.minimum(down, 1 - down))
    return 1 - rises(inside, 0.12 - AREA_SOFT, 0.12 + AREA_SOFT)


def _columns(across, down, low=0, high=1):
    return _band(across, low, high) + 0 * down


def _rows(across, down, low=0, high=1):
    return _band(down, low, high) + 0 * across


_AREAS = {
    "left": partial(_columns, high=1 / 2), "right": partial(_columns, low=1 / 2),
    "top": partial(_rows, high=1 / 2), "bottom": partial(_rows, low=1 / 2),
    "middle": _middle, "corners": _corners, "edges": _edges,
    "left third": partial(_columns, high=1 / 3), "right third": partial(_columns, low=2 / 3),
    "middle third": partial(_columns, low=1 / 3, high=2 / 3),
    "top third": partial(_rows, high=1 / 3), "bottom third": partial(_rows, low=2 / 3),
}
AREAS = {name: name for name in _AREAS} | {"front": "bottom", "back": "top"}   # names and what they stand for

# Hues in OKLCh: pure red 29, orange 60, yellow 110, green 142, cyan 195, blue 264, magenta 328 degrees. Foliage lies
# at 110 to 135, clear skies at 230 to 260, skin and wood at 40 to 80.
_COLOURS = {
    "red": ("red, from crimson to vermilion, not pale", {"hue": (3, 42), "light": (0, 0.76), "chroma": (0.09, 1)}),
    "orange": ("orange, light and vivid", {"hue": (38, 78), "light": (0.58, 1), "chroma": (0.09, 1)}),
    "yellow": ("yellow, not dark", {"hue": (78, 118), "light": (0.6, 1), "chroma": (0.07, 1)}),
    "green": ("green, from olive to sea green", {"hue": (113, 172), "chroma": (0.04, 1)}),
    "aqua": ("aqua, turquoise and cyan", {"hue": (168, 220), "chroma": (0.04, 1)}),
    "blue": ("blue, from sky blue to navy", {"hue": (222, 288), "chroma": (0.035, 1)}),
    "purple": ("purple and violet", {"hue": (286, 330), "chroma": (0.05, 1)}),
    "magenta": ("magenta and fuchsia, vivid", {"hue": (320, 5), "chroma": (0.12, 1)}),
    "pink": ("pink: light and not quite vivid reds and magentas",
             {"hue": (325, 30), "light": (0.62, 1), "chroma": (0.04, 0.26)}),
    "brown": ("brown: dark or dull orange", {"hue": (30, 100), "light": (0.2, 0.6), "chroma": (0.035, 0.17)}),
    "white": ("white and nearly white, without colour", {"light": (0.86, 1), "chroma": (0, 0.045)}),
    "grey": ("grey, neither white nor black", {"light": (0.3, 0.86), "chroma": (0, 0.03)}),
    "black": ("black and nearly black", {"light": (0, 0.3), "chroma": (0, 0.06)}),
}
_TONES = {"shadows": "the dark parts", "midtones": "neither dark nor light parts", "highlights": "the light parts"}
_ABOUT_AREAS = {"middle": "an ellipse in the middle", "corners": "the four corners", "edges": "the outer 12%"}


def _tone(image, index):
    return tones(image)[index]


RULES = (
    {("tone", name): Rule(partial(_tone, index=index), about) for index, (name, about) in enumerate(_TONES.items())}
    | {("colour", name): Rule(partial(colour, **window), about) for name, (about, window) in _COLOURS.items()}
    | {("area", name): Rule(partial(area, positions=(name,)),
                            _ABOUT_AREAS.get(name, f"the {name}" + ("" if "third" in name else " half")))
       for name in AREAS}
)
