"""Kernels of the operators of `functions` and `light`; see `kernels.table` for the arguments of a kernel."""
import numpy as np

from core.operators import constants
from core.operators.compiled import compiled, fused
from core.operators.kernels.arithmetic import (
    EPSILON,
    KERNEL,
    at_least,
    at_most,
    decode,
    encode,
    exp2,
    f4,
    half_versine,
    inlined,
    kernel,
    largest,
    luma,
    luminance,
    mixed,
    power,
    smallest,
    smooth_step,
)

KNEE = f4(constants.KNEE)


@kernel
def brightness(old, rows, maps, params, place):
    gain = f4(1) + params[0]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        scale = at_most(gain, f4(1) / at_least(largest(r, g, b), EPSILON))
        rows[0, i], rows[1, i], rows[2, i] = r * scale, g * scale, b * scale


@kernel
def contrast(old, rows, maps, params, place):
    amount = params[0]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        lum = luminance(r, g, b)
        scale = (f4(1) - amount) + amount * half_versine(lum) / (lum + EPSILON)
        rows[0, i], rows[1, i], rows[2, i] = r * scale, g * scale, b * scale


@kernel
def saturation(old, rows, maps, params, place):
    factor = at_least(f4(1) + params[0], f4(0))
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        value = largest(r, g, b)
        scale = at_most(factor, value / at_least(value - smallest(r, g, b), EPSILON))
        rows[0, i], rows[1, i], rows[2, i] = mixed(value, r, scale), mixed(value, g, scale), mixed(value, b, scale)


def bends(weights: np.ndarray) -> np.ndarray:
    """Return the first slope and the changes of slope of tone curves (C, 8), flat; see `functions.curve`."""
    slopes = weights / np.maximum(weights.mean(1, keepdims=True), constants.EPSILON)
    return np.diff(slopes, axis=1, prepend=0).ravel()


@kernel
def curves(old, rows, maps, params, place):
    """Apply a piecewise-linear curve to each channel: a sum of bends is as fast as one look-up."""
    for c in range(3):
        first = c * 8 if len(params) > 8 else 0
        p0, p1, p2, p3 = params[first], params[first + 1], params[first + 2], params[first + 3]
        p4, p5, p6, p7 = params[first + 4], params[first + 5], params[first + 6], params[first + 7]
        for i in range(rows.shape[1]):
            x = rows[c, i]
            y = p0 * x
            y += p1 * at_least(x - f4(0.125), f4(0))
            y += p2 * at_least(x - f4(0.25), f4(0))
            y += p3 * at_least(x - f4(0.375), f4(0))
            y += p4 * at_least(x - f4(0.5), f4(0))
            y += p5 * at_least(x - f4(0.625), f4(0))
            y += p6 * at_least(x - f4(0.75), f4(0))
            rows[c, i] = y + p7 * at_least(x - f4(0.875), f4(0))


@compiled(arguments=KERNEL)
def sharpness(old, rows, maps, params, place):
    """Add p times the Laplacian; the border of the tile is replicated.

    The terms are added in the order of `functions.laplacian`, so that values halfway between two levels of 8 bits,
    which p = .5 often gives, are rounded alike.
    """
    amount, width = params[0], place[2]
    height = rows.shape[1] // width
    for c in range(3):
        for y in range(height):
            above, below = max(y - 1, 0) * width, min(y + 1, height - 1) * width
            up, here, down = old[c, above:above + width], old[c, y * width:(y + 1) * width], old[c, below:below + width]
            line = rows[c, y * width:(y + 1) * width]
            for x in range(width - 2):   # slices and this range let LLVM vectorise the loop
                v = here[x + 1]
                line[x + 1] = v + amount * (f4(4) * v - up[x + 1] - down[x + 1] - here[x] - here[x + 2])
            for x in (0, width - 1):
                v, before, after = here[x], here[max(x - 1, 0)], here[min(x + 1, width - 1)]
                line[x] = v + amount * (f4(4) * v - up[x] - down[x] - before - after)


@kernel
def scaled(old, rows, maps, params, place):
    """Multiply and add: x p + q."""
    factor, offset = params[0], params[1]
    for c in range(3):
        for i in range(rows.shape[1]):
            rows[c, i] = rows[c, i] * factor + offset


@compiled(arguments=KERNEL)   # rounds as `functions.luminance`: at p = 1 one colour of 8 bits in 100 is half a level
def black_and_white(old, rows, maps, params, place):
    share = params[0]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        grey = fused(f4(0.06), b, fused(f4(0.67), g, f4(0.27) * r))
        rows[0, i], rows[1, i], rows[2, i] = r + share * (grey - r), g + share * (grey - g), b + share * (grey - b)


@kernel
def sepia(old, rows, maps, params, place):
    share = params[0]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        grey = luma(r, g, b)
        rows[0, i], rows[1, i] = mixed(r, grey * f4(1.07), share), mixed(g, grey * f4(0.94), share)
        rows[2, i] = mixed(b, grey * f4(0.75), share)


@compiled(arguments=KERNEL)
def fade(old, rows, maps, params, place):
    share = params[0]
    for c in range(3):
        for i in range(rows.shape[1]):
            rows[c, i] = mixed(rows[c, i], f4(0.12) + f4(0.8) * rows[c, i], share)


@kernel
def exposure_soft(old, rows, maps, params, place):
    gain = exp2(params[0])
    for i in range(rows.shape[1]):
        r, g, b = decode(rows[0, i]), decode(rows[1, i]), decode(rows[2, i])
        peak = largest(r, g, b) * gain
        scale = gain * (shoulder(peak, gain) / at_least(peak, EPSILON))
        rows[0, i], rows[1, i], rows[2, i] = encode(r * scale), encode(g * scale), encode(b * scale)


@inlined
def shoulder(level, reach):
    """Compress linear light from [0, reach] into [0, 1], see `light.shoulder`."""
    reach = at_least(reach, f4(1))
    k = (reach - f4(1)) * f4(1 / (1 - constants.KNEE))
    u = at_least((level - KNEE) / (reach - KNEE), f4(0))
    return at_most(level, KNEE + (f4(1) - KNEE) * (f4(1) + k) * u / (f4(1) + k * u))


@kernel
def zone(old, rows, maps, params, place):
    """Change the exposure of a zone of the base layer `maps[0] * luma + maps[1]`, see `light._zone`.

    Params: stops, and the zone: 0 highlights, 1 shadows, 2 whites.
    """
    stops, which = params[0], params[1]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        base = maps[0, i] * luma(r, g, b) + maps[1, i]
        light = smooth_step(base, f4(0.5), f4(1)) * (f4(1) - f4(0.4) * smooth_step(base, f4(0.8), f4(1)))
        dark, white = f4(1) - smooth_step(base, f4(0), f4(0.5)), smooth_step(base, f4(0.7), f4(1))
        weight = light if which == f4(0) else dark if which == f4(1) else white
        peak, gain = at_least(largest(r, g, b), EPSILON), exp2(stops * weight)
        level = decode(peak) * gain
        scale = encode(level if which == f4(2) else shoulder(level, gain)) / peak
        rows[0, i], rows[1, i], rows[2, i] = r * scale, g * scale, b * scale


@kernel
def blacks(old, rows, maps, params, place):
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        base = maps[0, i] * luma(r, g, b) + maps[1, i]
        change = f4(0.08) * params[0] * (f4(1) - smooth_step(base, f4(0), f4(0.3)))
        rows[0, i], rows[1, i], rows[2, i] = r + change, g + change, b + change


@kernel
def contrast_pivot(old, rows, maps, params, place):
    steep, pivot = exp2(params[0]), params[1]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        grey, peak = luma(r, g, b), largest(r, g, b)
        above = grey > pivot                                      # one power for both sides of the pivot
        side = f4(1) - pivot if above else pivot
        part = (f4(1) - grey if above else grey) / side
        bent = side * power(at_most(part, f4(1)), steep, EPSILON)
        toned = f4(1) - bent if above else bent
        ratio = at_most(toned / at_least(grey, EPSILON), (f4(1) - toned) / at_least(peak - grey, EPSILON))
        ratio = at_most(at_least(ratio, f4(0)), f4(4))
        rows[0, i], rows[1, i] = toned + (r - grey) * ratio, toned + (g - grey) * ratio
        rows[2, i] = toned + (b - grey) * ratio


def splines(heights: np.ndarray) -> np.ndarray:
    """Return the cubic coefficients of monotone splines with heights (C, K), flat; see `light._spline`."""
    heights = np.maximum.accumulate(heights, 1)
    chords = np.diff(heights, axis=1)
    inner = 2 * chords[:, :-1] * chords[:, 1:] / np.maximum(chords[:, :-1] + chords[:, 1:], constants.EPSILON)
    slopes = np.concatenate((chords[:, :1], inner, chords[:, -1:]), 1)
    rise, fall = slopes[:, :-1], slopes[:, 1:]
    return np.stack((heights[:, :-1], rise, 3 * chords - 2 * rise - fall, rise + fall - 2 * chords), 2).ravel()


@kernel
def spline_curves(old, rows, maps, params, place):
    """Apply splines: of 4 cells (16 numbers) for all channels, or of 8 cells (96 numbers) for each channel."""
    single = len(params) == 16
    cells = 4 if single else 8
    for c in range(3):
        first = 0 if single else c * 32
        for i in range(rows.shape[1]):
            x = rows[c, i] * f4(cells)
            cell = np.int32(at_most(x, f4(cells - 1)) if x > f4(0) else f4(0))
            t = x - f4(cell)
            k = first + 4 * cell
            rows[c, i] = params[k] + t * (params[k + 1] + t * (params[k + 2] + t * params[k + 3]))


@kernel
def white(old, rows, maps, params, place):
    for c in range(3):
        for i in range(rows.shape[1]):
            rows[c, i] = f4(1)


@kernel
def vignette(old, rows, maps, params, place):
    """Params: stops, start. A pixel's distance from the centre depends on its place in the picture."""
    stops, start, first, width = params[0], params[1], place[1], place[2]
    across, along = f4(2) / f4(place[4]), f4(2) / f4(place[3])
    for y in range(rows.shape[1] // width):
        v = (f4(np.int32(place[0] + y)) + f4(0.5)) * along - f4(1)
        red, green, blue = (rows[0, y * width:(y + 1) * width], rows[1, y * width:(y + 1) * width],
                            rows[2, y * width:(y + 1) * width])   # contiguous, so that LLVM vectorises the loop
        for x in range(width):
            u = (f4(np.int32(first + x)) + f4(0.5)) * across - f4(1)
            distance = np.sqrt((u * u + v * v) * f4(0.5))
            weight = at_least((distance - start) / (f4(1) - start), f4(0))
            gain = exp2(stops * weight * weight)
            red[x], green[x] = encode(decode(red[x]) * gain), encode(decode(green[x]) * gain)
            blue[x] = encode(decode(blue[x]) * gain)
