"""Two straightforward ways to execute a plan, kept as references of the executor.

`whole_image_chain` calls kornia as its users would: one whole-image call per operator, in floats. It gives the
executor's pixels. `pillow_chain` uses the most similar calls of Pillow, on 8-bit pictures. Pillow defines contrast and
saturation slightly differently; the other operators agree with the executor up to rounding.
"""
import math

import kornia
import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter

from core.operators.functions import CURVE_STEPS, EPSILON, LUMINANCE


def whole_image_chain(plan, image):
    """Execute `plan` on (B, 3, H, W) in [0, 1], each operator on the whole picture; return the same shape.

    Supports brightness, contrast, saturation, hue and sharpness without masks. Raises KeyError for other operators.
    """
    for step in plan:
        image = KORNIA[step.op](image, *step.params).clamp(0, 1)
    return image


def _scale_hsv(image, channel, factor):
    hsv = list(kornia.color.rgb_to_hsv(image).unbind(1))
    hsv[channel] = (hsv[channel] * factor).clamp(0, 1)
    return kornia.color.hsv_to_rgb(torch.stack(hsv, 1))


def _brightness(image, p):
    return _scale_hsv(image, 2, 1 + p)


def _contrast(image, p):
    lum = (image * image.new_tensor(LUMINANCE)[:, None, None]).sum(1, keepdim=True)
    return torch.lerp(image, image / (lum + EPSILON) * (0.5 - 0.5 * torch.cos(math.pi * lum)), p)


def _saturation(image, p):
    return _scale_hsv(image, 1, 1 + p)


def _hue(image, *weights):
    """Add up the eight pieces of each channel's curve (Hu et al. 2018, as published)."""
    curves = image.new_tensor(weights).reshape(3, CURVE_STEPS)
    total = torch.zeros_like(image)
    for i in range(CURVE_STEPS):
        total += (image - i / CURVE_STEPS).clamp(0, 1 / CURVE_STEPS) * curves[:, i, None, None]
    return total * CURVE_STEPS / curves.sum(1)[:, None, None]


def _sharpness(image, p):
    kernel = image.new_tensor([[[0, -p, 0], [-p, 1 + 4 * p, -p], [0, -p, 0]]])
    return kornia.filters.filter2d(image, kernel, border_type="replicate")


KORNIA = {"brightness": _brightness, "contrast": _contrast, "saturation": _saturation, "hue": _hue,
          "sharpness": _sharpness}


def pillow_chain(plan, picture):
    """Execute `plan` on uint8 (H, W, 3) with Pillow; return uint8 (H, W, 3). Operators as in `whole_image_chain`."""
    image = Image.fromarray(picture)
    for step in plan:
        image = PILLOW[step.op](image, *step.params)
    return np.asarray(image)


def _enhanced(enhancer):
    return lambda image, p: enhancer(image).enhance(1 + p)


def _pillow_hue(image, *weights):
    curves = np.reshape(weights, (3, CURVE_STEPS))
    knots = np.concatenate((np.zeros((3, 1)), curves.cumsum(1) / curves.sum(1, keepdims=True)), 1)
    levels = [np.interp(np.arange(256) / 255, np.linspace(0, 1, CURVE_STEPS + 1), heights) for heights in knots]
    return image.point(np.rint(255 * np.concatenate(levels)).astype(int).tolist())


def _pillow_sharpness(image, p):
    return image.filter(ImageFilter.Kernel((3, 3), (0, -p, 0, -p, 1 + 4 * p, -p, 0, -p, 0), scale=1))


PILLOW = {"brightness": _enhanced(ImageEnhance.Brightness), "contrast": _enhanced(ImageEnhance.Contrast),
          "saturation": _enhanced(ImageEnhance.Color), "hue": _pillow_hue, "sharpness": _pillow_sharpness}
