"""Arithmetic of the kernels: float32 functions of one pixel, which numba inlines and LLVM vectorises.

A literal such as 0.5 is a float64 to numba, and so would be its products; `f4(0.5)` is not. NaN stays NaN. Powers are
computed from polynomials for log2 and exp2, with relative errors below 1e-6.
"""
import math

import numpy as np

from core import matrices
from core.operators.compiled import bits_of, compiled, float_of

f4, i4 = np.float32, np.int32
EPSILON = f4(1e-6)
TAU = f4(math.tau)
_ROUND = f4(1.5 * 2**23)   # added to a float32 below 2^22, it leaves the nearest whole number in the lowest bits

inlined = compiled(fastmath={"contract"}, forceinline=True, cache=False)   # a product and a sum may be rounded once
KERNEL = "f2 f2 f2 f1 q1"                                     # the arguments of a kernel, see `kernels.table`
kernel = compiled(arguments=KERNEL, fastmath={"contract"})


@inlined
def at_least(x, low):
    return low if x < low else x


@inlined
def at_most(x, high):
    return high if x > high else x


@inlined
def clipped(x):
    return at_most(at_least(x, f4(0)), f4(1))


@inlined
def largest(r, g, b):
    return at_least(at_least(r, g), b)


@inlined
def smallest(r, g, b):
    return at_most(at_most(r, g), b)


@inlined
def mixed(x, y, share):
    """As torch.lerp, exact at both ends."""
    return x + share * (y - x) if share < f4(0.5) else y - (y - x) * (f4(1) - share)


@inlined
def rounded(x):
    """Return the nearest int32 of a float32 between -2^22 and 2^22; halves go to the even number."""
    return bits_of(x + _ROUND) - bits_of(_ROUND)


@inlined
def smooth_step(x, low, high):
    t = clipped((x - low) * (f4(1) / (high - low)))
    return t * t * (f4(3) - f4(2) * t)


@inlined
def log2(x):
    """Return the logarithm of x >= 1e-37."""
    bits = bits_of(x)
    exponent = (bits - i4(0x3F2AAAAB)) >> i4(23)                  # x = 2^exponent (1 + f), f from -1/3 to 1/3
    f = float_of(bits - (exponent << i4(23))) - f4(1)
    p = f4(0.2032371919)
    p = p * f + f4(-0.2222205604)
    p = p * f + f4(0.2016990014)
    p = p * f + f4(-0.2367866407)
    p = p * f + f4(0.2887182899)
    p = p * f + f4(-0.3607895627)
    p = p * f + f4(0.480895817)
    p = p * f + f4(-0.7213465413)
    p = p * f + f4(1.442695047)
    return f4(exponent) + (f * p + (x - x))                       # x - x is NaN for NaN and infinity


@inlined
def exp2(x):
    """Return 2^x of x from -126 to 126; x outside counts as the nearest of these."""
    x = at_most(at_least(x, f4(-126)), f4(126))
    whole = x + _ROUND
    f = x - (whole - _ROUND)
    p = f4(0.0001546973201)
    p = p * f + f4(0.001340043217)
    p = p * f + f4(0.009618025603)
    p = p * f + f4(0.05550327214)
    p = p * f + f4(0.2402265121)
    p = p * f + f4(0.6931472067)
    p = p * f + f4(1)
    return float_of(bits_of(p) + ((bits_of(whole) - bits_of(_ROUND)) << i4(23))) + (x - x)


@inlined
def exponential(x):
    return exp2(x * f4(1 / math.log(2)))


@inlined
def power(x, exponent, least):
    """Return x^exponent of values of at least `least`; smaller ones count as `least`."""
    return exp2(exponent * log2(at_least(x, least)))


@inlined
def saturating(z):
    """Return (1 - exp(-z)) / z of z > 0."""
    p = f4(0.0001291868667)
    p = p * z + f4(-0.001301107315)
    p = p * z + f4(0.008275879694)
    p = p * z + f4(-0.0416470443)
    p = p * z + f4(0.166663449)
    p = p * z + f4(-0.4999998012)
    p = p * z + f4(1)
    return p if z < f4(1) else (f4(1) - exponential(-z)) / z


@inlined
def half_versine(x):
    """Return (1 - cos(pi x)) / 2 of x from 0 to 1."""
    half = f4(0.5) * x                                             # (1 - cos 2a) / 2 = sin^2 a
    s = half * half
    p = f4(-0.007028386397)
    p = p * s + f4(0.08205040181)
    p = p * s + f4(-0.5992521978)
    p = p * s + f4(2.550163319)
    p = p * s + f4(-5.167712765)
    p = p * s + f4(math.pi)
    return half * half * p * p


@inlined
def angle(y, x):
    """Return atan2(y, x) in radians, from -pi to pi."""
    across, along = abs(y), abs(x)
    high, low = at_least(across, along), at_most(across, along)
    t = low / at_least(high, f4(1e-37))
    s = t * t
    p = f4(0.002834064299)
    p = p * s + f4(-0.0160050305)
    p = p * s + f4(0.04258760747)
    p = p * s + f4(-0.07495445443)
    p = p * s + f4(0.106367541)
    p = p * s + f4(-0.1420257051)
    p = p * s + f4(0.1999248358)
    p = p * s + f4(-0.3333306678)
    p = t * (p * s + f4(0.9999999842))
    p = f4(math.pi / 2) - p if across > along else p
    p = f4(math.pi) - p if x < f4(0) else p
    return -p if y < f4(0) else p


@inlined
def hypotenuse(x, y):
    return np.sqrt(x * x + y * y)


@inlined
def luma(r, g, b):
    return f4(0.2126) * r + f4(0.7152) * g + f4(0.0722) * b


@inlined
def luminance(r, g, b):
    return f4(0.27) * r + f4(0.67) * g + f4(0.06) * b


@inlined
def decode(x):
    """Undo the sRGB transfer curve, as `core.colour.decode`."""
    line, curve = x * f4(1 / 12.92), power((x + f4(0.055)) * f4(1 / 1.055), f4(2.4), f4(0.0904739))
    return at_most(line, f4(0.0031308)) + (curve - f4(0.0031308))


@inlined
def encode(x):
    """Apply the sRGB transfer curve, as `core.colour.encode`."""
    line, curve = x * f4(12.92), f4(1.055) * power(x, f4(1 / 2.4), f4(0.0031308))
    return at_most(line, f4(0.04045)) + (curve - f4(0.09545))


@inlined
def root(x):
    return power(x, f4(1 / 3), f4(1e-12))


def _constants(matrix):
    return tuple(tuple(f4(value) for value in row) for row in matrix)


TO_CONES, TO_OKLAB, FROM_CONES, FROM_OKLAB = map(_constants, (
    matrices.TO_CONES, matrices.TO_OKLAB, matrices.FROM_CONES, matrices.FROM_OKLAB))


@inlined
def product(matrix, x, y, z):
    """Multiply three numbers by a 3 x 3 matrix."""
    return (matrix[0][0] * x + matrix[0][1] * y + matrix[0][2] * z,
            matrix[1][0] * x + matrix[1][1] * y + matrix[1][2] * z,
            matrix[2][0] * x + matrix[2][1] * y + matrix[2][2] * z)


@inlined
def cone_roots(r, g, b):
    """Return the cube roots of the cone responses to linear light."""
    x, y, z = product(TO_CONES, r, g, b)
    return root(x), root(y), root(z)


@inlined
def from_cone_roots(x, y, z):
    """Return linear light of the cube roots of cone responses."""
    return product(FROM_CONES, x * x * x, y * y * y, z * z * z)
