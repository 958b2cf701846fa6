"""The calls of Pillow that are most similar to a plan, on 8-bit pictures: a reference of the executor.

Pillow defines contrast and saturation slightly differently; other operators agree with the executor up to rounding.
"""
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

CURVE_STEPS = 8


def pillow_chain(plan, picture):
    """Execute `plan` on uint8 (H, W, 3) with Pillow; return uint8 (H, W, 3). PILLOW has the operators."""
    return np.asarray(edited(Image.fromarray(picture), [(step.op, step.params) for step in plan]))


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


def edited(image, steps):
    """Return a Pillow image after steps, each (operator, parameters)."""
    for op, params in steps:
        image = PILLOW[op](image, *params)
    return image
