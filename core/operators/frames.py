"""Arithmetic of the operators of geometry, which the PyTorch functions and the kernels share."""
import math

SMALLEST = 0.02   # share of a side that a crop leaves at least


def span(first: float, last: float, side: int) -> tuple[int, int]:
    """Return the first pixel and the one after the last that a crop leaves of `side` pixels.

    Args: `first` and `last`, the shares that are cut off at the two ends.
    """
    start = min(round(first * side), side - 1)
    least = min(side - start, max(1, round(SMALLEST * side)))
    return start, max(round((1 - last) * side), start + least)


def turns(angle: float) -> tuple[int, float]:
    """Return the nearest number of quarter turns to an angle in degrees, and the rest in radians."""
    quarters = round(angle / 90)
    return quarters, math.radians(angle - 90 * quarters)


def straightening(rest: float, height: int, width: int) -> tuple[float, float, float, float]:
    """Return the matrix (a, b, c, d) from a place of the straightened picture to its place before it was turned.

    Places are those of `layers.centres`: (x, y) comes from (a x - b y, c x + d y). The result is the largest picture of
    the same shape without an empty corner.
    """
    ratio = max(width / height, height / width)
    zoom = abs(math.cos(rest)) + ratio * abs(math.sin(rest))   # the corners of the crop then touch the border
    cos, sin = math.cos(rest) / zoom, math.sin(rest) / zoom
    return cos, sin * height / width, sin * width / height, cos
