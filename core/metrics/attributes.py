"""Attributes of a picture that requests ask to change, such as light and contrast, as one number each.

All measures take (B, 3, H, W), float, sRGB in [0, 1], and return (B,). They are differentiable almost everywhere. A
larger number is more of the attribute. MEASURES has a row for each name of `core.requests.wish.LOOKS`: its measure, the
smallest move that counts, and the operators that move it. ATTRIBUTES holds the five measures of the obedience tests,
under the short names of RetouchReq's intents.
"""
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from core.colour import decode, srgb_to_lab, srgb_to_oklch
from core.filters import box_mean
from core.operators import colours, functions
from core.operators.detail import noise_level
from core.operators.layers import base_maps, centres, enlarge, local_minimum, luma, radius_of
from core.requests.wish import COLOURS


def mean_luminance(image):
    """Return the mean of .27 R + .67 G + .06 B, in [0, 1]: the luminance that the operators use."""
    return functions.luminance(image).mean((1, 2))


def lightness(image):
    """Return the mean lightness L*, in [0, 100]: how bright the picture looks."""
    return _lightness(srgb_to_lab(image))


def contrast(image):
    """Return the spread (standard deviation) of the lightness L*, in [0, 50]."""
    return _contrast(srgb_to_lab(image))


def chroma(image):
    """Return the mean distance from grey in the a*b* plane, >= 0: how colourful the picture is."""
    return _chroma(srgb_to_lab(image))


def warmth(image):
    """Return the mean b*: positive is yellow, negative is blue."""
    return _warmth(srgb_to_lab(image))


def magenta(image):
    """Return the mean a*: positive is magenta, negative is green."""
    return _magenta(srgb_to_lab(image))


def colour(image, name):
    """Return 100 times the mean Oklab chroma of the pixels in the hue window of a colour of COLOURS.

    The window is the colour's band in the colour mixer, `core.operators.colours.band_weights`. Pixels outside the
    window count as 0, so that both a larger area and a stronger colour are more.
    """
    lch = srgb_to_oklch(image)
    weights = torch.zeros(8, 1, dtype=image.dtype, device=image.device)
    weights[list(colours.BANDS).index(name)] = 1
    window, = colours.band_values(lch[:, 2:], weights.T.expand(len(image), -1))
    return 100 * (window * lch[:, 1:2]).mean((1, 2, 3))


def sharpness(image):
    """Return the high-frequency energy: the mean square of the luminance's Laplacian."""
    return functions.laplacian(functions.luminance(image).unsqueeze(1)).square().mean((1, 2, 3))


def detail(image):
    """Return log10 of the high-frequency energy per variance of L*: sharpness apart from brightness and contrast.

    `sharpness` grows with the square of exposure or contrast, although nothing gets sharper; `detail` does not.
    """
    return _detail(srgb_to_lab(image))


def local_contrast(image):
    """Return 100 times the mean distance of the luma from its base layer, a guided filter of 2% of the long edge."""
    grey = luma(image)
    slope, offset = (enlarge(part, image.shape[-2:]) for part in base_maps(image, 0.02, 0.02))
    return 100 * (grey - slope * grey - offset).abs().mean((1, 2, 3))


def evenness(image):
    """Return 100 times the local share of the contrast: the spread of L* about its mean over 10% of the long edge.

    The value is large if all areas have their own contrast and no area is much lighter than the others: the HDR look.
    """
    light = srgb_to_lab(image)[:, :1]
    local = light - box_mean(light, radius_of(image, 0.05))
    return 100 * local.abs().mean((1, 2, 3)) / (light.std((1, 2, 3), correction=0) + 1)


def haze(image):
    """Return 100 times the mean dark channel (He, Sun and Tang 2009) per mean luma: the strength of a grey veil."""
    dark = local_minimum(image.amin(1, keepdim=True), radius_of(image, 0.01))
    return 100 * dark.mean((1, 2, 3)) / (luma(image).mean((1, 2, 3)) + 0.01)


def noise(image):
    """Return the standard deviation of the luma's noise in per cent, see `core.operators.detail.noise_level`."""
    return 100 * noise_level(image).view(-1)


def zone(image, low, high):
    """Return the mean L* of the pixels between two quantiles of L*, such as 0 and .25 for the darkest quarter."""
    light = srgb_to_lab(image)[:, 0].flatten(1).sort(1).values
    count = light.shape[1]
    return light[:, min(int(low * count), count - 1):max(math.ceil(high * count), 1)].mean(1)


def fade(image):
    """Return 100 minus the range of L*, between the darkest and the lightest 2% of the pixels."""
    return 100 - zone(image, 0.98, 1) + zone(image, 0, 0.02)


def vignette(image):
    """Return the difference of mean L* between the middle and the corners; it is positive if the corners are darker.

    The distance from the centre is 0 at the centre and 1 at the corners; it is below .5 in the middle, and above .75 in
    the corners.
    """
    height, width = image.shape[-2:]
    y, x = centres(height, image)[:, None], centres(width, image)
    distance = torch.sqrt((x * x + y * y) / 2)
    light = srgb_to_lab(image)[:, 0]
    middle, corners = distance <= max(0.5, distance.min()), distance >= min(0.75, distance.max())
    return light[:, middle].mean(1) - light[:, corners].mean(1)


def greyness(image):
    """Return minus the mean distance from grey in the a*b* plane: 0 for black and white."""
    return -chroma(image)


def brownness(image):
    """Return minus the mean distance in the a*b* plane from a brown print of the same luma: 0 for sepia."""
    brown = colours.sepia(image, image.new_ones(len(image), 1)).clamp(0, 1)
    apart = (srgb_to_lab(image) - srgb_to_lab(brown))[:, 1:]
    return -torch.hypot(*apart.unbind(1)).mean((1, 2))


def linear_luminance(image):
    """Return the mean luminance of linear light (Rec. 709 weights), in [0, 1]; one stop of exposure doubles it."""
    return luma(decode(image)).mean((1, 2, 3))


def measured(image, names):
    """Return {name: (B,)} of the attributes `names` of MEASURES; those of L*a*b* come from one conversion."""
    lab = srgb_to_lab(image) if any(name in _OF_LAB_BY_NAME for name in names) else None
    return {name: _OF_LAB_BY_NAME[name](lab) if name in _OF_LAB_BY_NAME else MEASURES[name].of(image)
            for name in names}


def look(image, names=None):
    """Return {name: (B,)} of the five ATTRIBUTES, or of `names` (CASTS, too), from one conversion to L*a*b*."""
    lab = srgb_to_lab(image)
    return {name: _OF_LAB[name](lab) for name in (ATTRIBUTES if names is None else names)}


def _lightness(lab):
    return lab[:, 0].mean((1, 2))


def _contrast(lab):
    return lab[:, 0].std((1, 2), correction=0)


def _chroma(lab):
    return torch.hypot(lab[:, 1], lab[:, 2]).mean((1, 2))


def _warmth(lab):
    return lab[:, 2].mean((1, 2))


def _cast(lab, degrees):
    """Return the mean a*b* in the direction of a hue angle: the strength of a tint of this hue."""
    angle = math.radians(degrees)
    return math.cos(angle) * lab[:, 1].mean((1, 2)) + math.sin(angle) * lab[:, 2].mean((1, 2))


def _magenta(lab):
    return lab[:, 1].mean((1, 2))


def _detail(lab):
    fine = functions.laplacian(lab[:, :1]).square().mean((1, 2, 3))
    spread = lab[:, 0].var((1, 2), correction=0)
    floor = 1e-4   # in L* squared; it makes the detail of a constant picture 0 instead of undefined
    return ((fine + floor) / (spread + floor)).log10()


# The names are those of RetouchReq's intents.
ATTRIBUTES = {"bright": lightness, "contrast": contrast, "sat": chroma, "warm": warmth, "sharp": detail}
_OF_LAB = {"bright": _lightness, "contrast": _contrast, "sat": _chroma, "warm": _warmth, "sharp": _detail}
# Tints by hue angle; yellow and blue are the ends of the temperature, green and magenta nearly those of green-magenta.
CASTS = {f"{name}_cast": degrees for name, degrees in {"red": 30, "orange": 60, "yellow": 90, "green": 165, "aqua": 210,
                                                       "blue": 270, "purple": 310, "magenta": 345}.items()}
_OF_LAB |= {name: partial(_cast, degrees=degrees) for name, degrees in CASTS.items()}
_OF_LAB_BY_NAME = {"light": _lightness, "contrast": _contrast, "saturation": _chroma, "temperature": _warmth,
                   "green-magenta": _magenta, "sharpness": _detail}
# The quantities that "by 30%" multiplies by 1.3. Stops are log2 of the ratio of the light.
AMOUNTS = {"light": linear_luminance, "contrast": contrast, "saturation": chroma}


@dataclass(frozen=True)
class Measure:
    """How an attribute is measured, and the operators that move it.

    `visible` is the smallest move that counts, in the units of `of`. `operators` are the operators of the panel that
    serve a wish for the attribute, the preferred one first; `others` are those of the notebook that move it. `whole` is
    the least value that a plain wish for more must reach, for attributes that a picture has entirely or not.
    """

    of: Callable[[torch.Tensor], torch.Tensor]
    visible: float
    operators: tuple[str, ...]
    others: tuple[str, ...] = ()
    whole: float | None = None


# A difference of about 1 in CIELAB is just visible side by side, so the mean L*, a* and b* must move by 1. If the
# standard deviation grows by 0.5, the values one deviation above and below the mean move apart by 1. Half of a usual
# photo is nearly grey, so 0.5 in mean chroma is about 1 in the coloured half. Fine detail is visibly stronger if its
# amplitude grows by about a tenth, which is 0.08 in log10 of its energy. The other thresholds are about the move that
# one just visible step of the attribute's operator makes (docs/strengths.md), or half of the slight one if the operator
# changes few pixels.
MEASURES = {
    "light": Measure(lightness, 1.0, ("exposure_soft", "lightness", "tone_curve_smooth"),
                     ("brightness", "exposure", "tint")),
    "contrast": Measure(contrast, 0.5, ("contrast_pivot", "tone_curve_smooth"), ("contrast", "tint")),
    "saturation": Measure(chroma, 0.5, ("chroma", "vibrance"), ("saturation",)),
    "temperature": Measure(warmth, 1.0, ("white_balance",), ("hue",)),
    "green-magenta": Measure(magenta, 1.0, ("white_balance",), ("hue",)),
    **{name: Measure(partial(colour, name=name), 0.1, ("hsl", "colour_grading"), ("hue",)) for name in COLOURS},
    "sharpness": Measure(detail, 0.08, ("sharpen_scaled", "texture", "gaussian_blur"), ("sharpness",)),
    "clarity": Measure(local_contrast, 0.1, ("clarity",)),
    "haze": Measure(haze, 1.0, ("dehaze",)),
    "noise": Measure(noise, 0.05, ("denoise", "grain")),
    "highlights": Measure(partial(zone, low=0.75, high=1), 0.5, ("highlights", "whites")),
    "shadows": Measure(partial(zone, low=0, high=0.25), 0.5, ("shadows", "blacks")),
    "midtones": Measure(partial(zone, low=0.25, high=0.75), 0.5, ("tone_curve_smooth",)),
    "whites": Measure(partial(zone, low=0.98, high=1), 0.5, ("whites", "highlights")),
    "blacks": Measure(partial(zone, low=0, high=0.02), 0.5, ("blacks", "shadows")),
    "fade": Measure(fade, 1.0, ("fade", "blacks", "whites")),
    "vignette": Measure(vignette, 1.0, ("vignette",)),
    "black and white": Measure(greyness, 0.5, ("black_and_white", "chroma"), ("black&white",), whole=-1.0),
    "sepia": Measure(brownness, 0.5, ("sepia", "chroma"), whole=-3.0),
    "grain": Measure(noise, 0.05, ("grain", "denoise")),
    "hdr": Measure(evenness, 0.5, ("clarity", "dehaze")),
}
