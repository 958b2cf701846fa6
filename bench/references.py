"""Straightforward ways to execute a plan, kept as references of the executor.

`whole_image_chain` calls kornia as its users would: one whole-image call per operator, in floats. `tiled_chain` was the
executor before there were kernels: PyTorch functions on tiles. Both give the executor's pixels. The calls of OpenCV and
libvips and the look-up table of Pillow do about the same work on 8 bits. `pillow_chain.py` has calls of Pillow.
"""
import math

import cv2
import kornia
import numpy as np
import torch
from PIL import Image, ImageFilter

from core.datasets import to_tensor, to_uint8
from core.operators import TABLE
from core.operators.executor import apply_step
from core.operators.functions import CURVE_STEPS, EPSILON, LUMINANCE
from core.operators.layers import in_parallel

TILE = (128, 512)   # height and width


def whole_image_chain(plan, image):
    """Execute `plan` on (B, 3, H, W) in [0, 1], each operator on the whole picture; return the same shape.

    Supports brightness, contrast, saturation, hue and sharpness without masks. Raises KeyError for other operators.
    """
    for step in plan:
        image = KORNIA[step.op](image, *step.params).clamp(0, 1)
    return image


def compiled_chain(plan):
    """Return `whole_image_chain` of this plan, compiled by PyTorch, from uint8 (H, W, 3) to uint8 (H, W, 3).

    The first call compiles for half a minute, and needs a C++ compiler.
    """
    chain = torch.compile(lambda image: whole_image_chain(plan, image))

    def work(picture):
        with torch.no_grad():
            return to_uint8(chain(to_tensor(picture)[None])[0])
    return work


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
    return kornia.filters.filter2d(image, image.new_tensor([_sharpening(p)]), border_type="replicate")


KORNIA = {"brightness": _brightness, "contrast": _contrast, "saturation": _saturation, "hue": _hue,
          "sharpness": _sharpness}


def tiled_chain(plan, image):
    """Execute `plan`, whose operators all have a radius and no mask, on (1, 3, H, W) by PyTorch, tile by tile."""
    (height, width), result = image.shape[-2:], torch.empty_like(image)
    halo = sum(TABLE[step.op].radius for step in plan)

    def work(corner):
        top, left = corner
        bottom, right = min(top + TILE[0], height), min(left + TILE[1], width)
        above, before = max(top - halo, 0), max(left - halo, 0)
        tile = image[..., above:min(bottom + halo, height), before:min(right + halo, width)].contiguous()
        for step in plan:
            tile = apply_step(step, tile, None)
        result[..., top:bottom, left:right] = tile[..., top - above:bottom - above, left - before:right - before]
    in_parallel(work, [(top, left) for top in range(0, height, TILE[0]) for left in range(0, width, TILE[1])])
    return result


def opencv_chain(plan, picture):
    """Do about the work of brightness, contrast, saturation, hue and sharpness by OpenCV on uint8 (H, W, 3)."""
    values = {step.op: step.params for step in plan}
    picture = cv2.convertScaleAbs(picture, alpha=1 + values["brightness"][0])
    picture = cv2.LUT(picture, _contrast_levels(values["contrast"][0]))
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    factor = 1 + values["saturation"][0]
    picture = cv2.addWeighted(picture, factor, grey, 1 - factor, 0)
    picture = cv2.LUT(picture, _hue_levels(values["hue"])[None])
    return cv2.filter2D(picture, -1, np.float32(_sharpening(values["sharpness"][0])))


def vips_chain(plan, picture):
    """Do about the work of brightness, contrast, saturation, hue and sharpness by libvips on uint8 (H, W, 3).

    libvips computes the steps one after another on parts of the picture, with threads of its own. Raises ImportError
    without `pip install "pyvips[binary]"`.
    """
    import pyvips  # late: an optional package
    values = {step.op: step.params for step in plan}
    image = pyvips.Image.new_from_array(picture).linear(1 + values["brightness"][0], 0, uchar=True)
    image = image.maplut(pyvips.Image.new_from_array(_contrast_levels(values["contrast"][0])[None]))
    factor = 1 + values["saturation"][0]
    image = image.recomb((factor * np.eye(3) + (1 - factor) * np.tile(GREY, (3, 1))).tolist()).cast("uchar")
    image = image.maplut(pyvips.Image.new_from_array(_hue_levels(values["hue"])[None]))
    return image.conv(_sharpening(values["sharpness"][0]), precision="float").cast("uchar").numpy()


GREY = (0.299, 0.587, 0.114)   # as OpenCV's and Pillow's grey


def _contrast_levels(p):
    """Return the uint8 (256,) of all levels after contrast, as if each pixel was grey."""
    curve = 255 * (1 - np.cos(np.pi * np.arange(256) / 255)) / 2
    return np.uint8(np.arange(256) + p * (curve - np.arange(256)))


def _hue_levels(weights):
    """Return the uint8 (256, 3) of all levels of each channel after hue."""
    weights = np.reshape(weights, (3, CURVE_STEPS))
    knots = np.concatenate((np.zeros((3, 1)), weights.cumsum(1) / weights.sum(1, keepdims=True)), 1)
    levels = [np.interp(np.arange(256) / 255, np.linspace(0, 1, CURVE_STEPS + 1), heights) for heights in knots]
    return np.uint8(np.rint(255 * np.transpose(levels)))


def _sharpening(p):
    return [[0, -p, 0], [-p, 1 + 4 * p, -p], [0, -p, 0]]


def pillow_table(picture):
    """Look every pixel of uint8 (H, W, 3) up in a table of 33 colours a side, as Pillow does for point-wise plans."""
    table = ImageFilter.Color3DLUT.generate(33, lambda r, g, b: (r, g, b))
    return np.asarray(Image.fromarray(picture).filter(table))
