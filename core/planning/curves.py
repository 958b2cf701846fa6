"""Tone curves from functions: the weights of a piecewise-linear curve that follows a function."""
from collections.abc import Callable

import numpy as np

from core.operators.functions import CURVE_STEPS

LEVELS = np.linspace(0, 1, CURVE_STEPS + 1)   # the knots of a curve


def curve_weights(function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the 8 weights (mean 1) of the tone curve that equals an increasing `function` at the nine LEVELS.

    Args: `function`, a callable on arrays in [0, 1] with f(0) = 0 < f(1); its values are divided by f(1).
    """
    heights = function(LEVELS)
    return np.diff(heights) * CURVE_STEPS / heights[-1]
