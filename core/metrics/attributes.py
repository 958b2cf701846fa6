"""Attributes of a picture that requests ask to change, such as brightness and contrast, as one number each.

All functions take (B, 3, H, W), float, sRGB in [0, 1], and return (B,). A larger number is more of the attribute.
"""
import torch

from core.colour import srgb_to_lab
from core.operators import functions


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


def sharpness(image):
    """Return the high-frequency energy: the mean square of the luminance's Laplacian."""
    return functions.laplacian(functions.luminance(image).unsqueeze(1)).square().mean((1, 2, 3))


def detail(image):
    """Return log10 of the high-frequency energy per variance of L*: sharpness apart from brightness and contrast.

    `sharpness` grows with the square of exposure or contrast, although nothing gets sharper; `detail` does not.
    """
    return _detail(srgb_to_lab(image))


def look(image, names=None):
    """Return {name: (B,)} of the five ATTRIBUTES, or of those in `names`, from one conversion to L*a*b*."""
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


def _detail(lab):
    fine = functions.laplacian(lab[:, :1]).square().mean((1, 2, 3))
    spread = lab[:, 0].var((1, 2), correction=0)
    floor = 1e-4   # in L* squared; it makes the detail of a constant picture 0 instead of undefined
    return ((fine + floor) / (spread + floor)).log10()


# The names are those of RetouchReq's intents.
ATTRIBUTES = {"bright": lightness, "contrast": contrast, "sat": chroma, "warm": warmth, "sharp": detail}
_OF_LAB = {"bright": _lightness, "contrast": _contrast, "sat": _chroma, "warm": _warmth, "sharp": _detail}
