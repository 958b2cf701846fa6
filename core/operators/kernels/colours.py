"""Kernels of the operators of `colours`; see `kernels.table` for the arguments of a kernel."""
import math

import numpy as np

from core import matrices
from core.operators import constants
from core.operators.compiled import compiled
from core.operators.kernels.arithmetic import (
    EPSILON,
    FROM_OKLAB,
    TAU,
    TO_OKLAB,
    angle,
    at_least,
    at_most,
    clipped,
    cone_roots,
    decode,
    encode,
    exponential,
    f4,
    from_cone_roots,
    hypotenuse,
    inlined,
    kernel,
    largest,
    luma,
    mixed,
    product,
    saturating,
    smallest,
    smooth_step,
)

BORDER, SKIN, SKIN_WIDTH = f4(constants.BORDER), f4(constants.SKIN), f4(1 / constants.SKIN_WIDTH)


def adaptation(params: np.ndarray) -> np.ndarray:
    """Return the matrix (9,) of linear RGB that changes the white balance; see `colours.white_balance`."""
    gains = np.exp(params @ np.array((constants.TEMPERATURE, constants.MAGENTA)))
    cones = np.array(matrices.BRADFORD) @ np.array(matrices.SRGB_TO_XYZ)
    cones /= cones.sum(1, keepdims=True)
    adapted = np.linalg.inv(cones) @ (gains[:, None] * cones)
    return (adapted / (adapted.sum(1) @ np.array(matrices.LUMA))).ravel()


@kernel
def white_balance(old, rows, maps, params, place):
    p0, p1, p2, p3, p4, p5, p6, p7, p8 = (params[0], params[1], params[2], params[3], params[4], params[5], params[6],
                                          params[7], params[8])
    for i in range(rows.shape[1]):
        r, g, b = decode(rows[0, i]), decode(rows[1, i]), decode(rows[2, i])
        rows[0, i] = encode(p0 * r + p1 * g + p2 * b)
        rows[1, i] = encode(p3 * r + p4 * g + p5 * b)
        rows[2, i] = encode(p6 * r + p7 * g + p8 * b)


@inlined
def border_share(r, g, b, grey):
    return at_least((largest(r, g, b) - grey) / at_least(f4(1) - grey, EPSILON),
                    (grey - smallest(r, g, b)) / at_least(grey, EPSILON))


@inlined
def allowed(before, after):
    """Return the share of a change that the gamut allows, see `colours._allowed`."""
    room, change = at_least(BORDER - before, f4(1e-4)), at_least(after - before, f4(1e-8))
    return saturating(change / room)


@kernel
def saturated(old, rows, maps, params, place):
    """Scale the Oklab chroma by 1 + p, or by 1 + p w for vibrance, see `colours._recoloured`; params: p, vibrance."""
    amount, gentle = params[0], params[1] > f4(0)
    for i in range(rows.shape[1]):
        r, g, b = decode(rows[0, i]), decode(rows[1, i]), decode(rows[2, i])
        x, y, z = cone_roots(r, g, b)
        light, across, along = product(TO_OKLAB, x, y, z)
        factor = f4(1) + amount
        if gentle:
            across += f4(1e-7)
            skin = (angle(along, across) - SKIN) * SKIN_WIDTH
            weight = exponential(hypotenuse(across, along) * f4(-1 / 0.12))
            factor = f4(1) + amount * (weight * (f4(1) - f4(0.7) * exponential(-skin * skin)))
        grey = luma(r, g, b)
        wide_r, wide_g, wide_b = from_cone_roots(mixed(light, x, factor), mixed(light, y, factor),
                                                 mixed(light, z, factor))
        scale = grey / at_least(luma(wide_r, wide_g, wide_b), EPSILON)
        scale = at_most(at_least(scale, f4(0.7)), f4(1.4))
        wide_r, wide_g, wide_b = wide_r * scale, wide_g * scale, wide_b * scale
        share = allowed(border_share(r, g, b, grey), border_share(wide_r, wide_g, wide_b, grey))
        rows[0, i], rows[1, i] = encode(mixed(r, wide_r, share)), encode(mixed(g, wide_g, share))
        rows[2, i] = encode(mixed(b, wide_b, share))


@inlined
def fitted(r, g, b, light, across, along):
    """Return sRGB of Oklab, inside the gamut as far as the colour of linear light was, see `colours._fitted`."""
    x, y, z = product(FROM_OKLAB, light, across, along)
    wide_r, wide_g, wide_b = from_cone_roots(x, y, z)
    grey = clipped(luma(wide_r, wide_g, wide_b))
    before, after = border_share(r, g, b, luma(r, g, b)), border_share(wide_r, wide_g, wide_b, grey)
    excess = at_least(after - before, f4(0)) * (f4(1) - allowed(before, after)) / at_least(after, EPSILON)
    return encode(mixed(wide_r, grey, excess)), encode(mixed(wide_g, grey, excess)), encode(mixed(wide_b, grey, excess))


def _band_weights():
    """Return the weights (8, 361) of the hues -180, -179, ..., 180 degrees in the bands; see `colours.band_weights`."""
    centres, degrees = np.array(list(constants.BANDS.values()), float)[:, None], np.arange(-180.0, 181)
    place = (degrees - centres) % 360 / ((np.roll(centres, -1, 0) - centres) % 360)
    inside, t = place < 1, np.clip(place, 0, 1)
    rise = t * t * (3 - 2 * t)
    return (1 - rise) * inside + np.roll(rise * inside, 1, 0)


_BAND_WEIGHTS = _band_weights()


def mixer(params: np.ndarray) -> np.ndarray:
    """Return three tables of 361 hues, flat: chroma along and across, and light; see `colours.hsl`."""
    turn, scale, light = params.reshape(3, 8)
    turn, scale = turn * (math.pi / 6), 1 + scale
    return (np.stack((scale * np.cos(turn) - 1, scale * np.sin(turn), 0.15 * light)) @ _BAND_WEIGHTS).ravel()


def mixer_of_greys(params: np.ndarray) -> np.ndarray:
    """Return a table of 361 hues, and the amount; see `colours.black_and_white_bands`."""
    return np.append(params[1:] @ _BAND_WEIGHTS, params[0])


def hsl(old, rows, maps, params, place):
    lab, found = np.empty_like(rows), np.empty_like(rows)
    _to_lab(rows, lab, found)
    _look_up(params, found)
    _mixed_bands(rows, lab, found)


@compiled(arguments="f2 f2 f2", fastmath={"contract"})
def _mixed_bands(rows, lab, found):
    for i in range(rows.shape[1]):
        light, across, along = lab[0, i], lab[1, i], lab[2, i]
        strength = hypotenuse(across + f4(1e-7), along)
        grey = strength / (strength + f4(0.03))
        rows[0, i], rows[1, i], rows[2, i] = fitted(
            decode(rows[0, i]), decode(rows[1, i]), decode(rows[2, i]), light + grey * found[2, i],
            across + grey * (across * found[0, i] - along * found[1, i]),
            along + grey * (across * found[1, i] + along * found[0, i]))


@compiled(arguments="f2 f2 f2", fastmath={"contract"})
def _to_lab(rows, lab, hue):
    """Write Oklab (3, n), and the hue in degrees from 0 to 360 into the first line of `hue`."""
    for i in range(rows.shape[1]):
        x, y, z = cone_roots(decode(rows[0, i]), decode(rows[1, i]), decode(rows[2, i]))
        light, across, along = product(TO_OKLAB, x, y, z)
        lab[0, i], lab[1, i], lab[2, i] = light, across, along
        hue[0, i] = angle(along, across + f4(1e-7)) * (f4(360) / TAU) + f4(180)


@compiled(arguments="f1 f2", fastmath={"contract"})   # LLVM vectorises no arithmetic beside look-ups
def _look_up(tables, found):
    """Replace the hues in the first line of `found` (T, n) by their values in tables of 361 hues, one for each line."""
    for i in range(found.shape[1]):
        degrees = found[0, i]
        k = np.int32(at_most(degrees, f4(359)) if degrees > f4(0) else f4(0))
        for t in range(len(found)):
            found[t, i] = mixed(tables[361 * t + k], tables[361 * t + k + 1], degrees - f4(k))


def black_and_white_bands(old, rows, maps, params, place):
    lab, found = np.empty_like(rows), np.empty((1, rows.shape[1]), f4)
    _to_lab(rows, lab, found)
    _look_up(params, found)
    _grey_bands(rows, lab, found, params[361])


@compiled(arguments="f2 f2 f2 f", fastmath={"contract"})
def _grey_bands(rows, lab, found, amount):
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        strength = hypotenuse(lab[1, i] + f4(1e-7), lab[2, i])
        light = clipped(lab[0, i] + f4(0.25) * (strength / (strength + f4(0.03))) * found[0, i])
        grey = encode(light * light * light)
        rows[0, i], rows[1, i], rows[2, i] = mixed(r, grey, amount), mixed(g, grey, amount), mixed(b, grey, amount)


def zones(params: np.ndarray) -> np.ndarray:
    """Return the changes of Oklab (light, across, along) of shadows, midtones and highlights; see `colour_grading`."""
    hue, strength, light = params.reshape(3, 3).T
    ink = 0.08 * strength
    return np.stack((0.1 * light, ink * np.cos(math.tau * hue), ink * np.sin(math.tau * hue)), 1).ravel()


@kernel
def colour_grading(old, rows, maps, params, place):
    for i in range(rows.shape[1]):
        r, g, b = decode(rows[0, i]), decode(rows[1, i]), decode(rows[2, i])
        x, y, z = cone_roots(r, g, b)
        light, across, along = product(TO_OKLAB, x, y, z)
        low = f4(1) - smooth_step(light, f4(0.15), f4(0.6))
        high = smooth_step(light, f4(0.55), f4(0.95))
        middle = at_least(f4(1) - low - high, f4(0))
        ink = smooth_step(light, f4(0), f4(0.3))
        rows[0, i], rows[1, i], rows[2, i] = fitted(
            r, g, b, light + (low * params[0] + middle * params[3] + high * params[6]),
            across + ink * (low * params[1] + middle * params[4] + high * params[7]),
            along + ink * (low * params[2] + middle * params[5] + high * params[8]))
