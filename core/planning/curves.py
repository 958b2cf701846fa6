"""Tone curves from functions: the weights that make the executor's piecewise-linear curve follow one."""
import numpy as np

from core.operators.functions import CURVE_STEPS

LEVELS = np.linspace(0, 1, CURVE_STEPS + 1)   # where the pieces of a curve meet


def curve_weights(function):
    """Return the 8 weights (mean 1) of the curve that meets a rising `function` at the nine LEVELS.

    Args: `function`, a callable on arrays in [0, 1] with f(0) = 0 < f(1); it is scaled to end at 1.
    """
    heights = function(LEVELS)
    return np.diff(heights) * CURVE_STEPS / heights[-1]
