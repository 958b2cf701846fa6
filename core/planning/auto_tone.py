"""Auto-tone: a plan from the photo's histogram alone, without its request: levels, then a gamma towards mid grey."""
import numpy as np
import torch

from core.operators import Plan, Step
from core.operators.functions import CURVE_STEPS, luminance
from core.planning.curves import curve_weights

DARKEST, LIGHTEST = 0.01, 0.99   # quantiles of the luminance that become black and white
FARTHEST = 0.05                  # levels above 0.05 never become black, and below 0.95 never white, to keep fog
GREY, SHARE = 0.46, 0.25         # target of the mean luminance; exponent that weakens the gamma
GAMMA = (0.67, 1.5)              # bounds of the gamma
# We chose these values on training photos: a full stretch, as in some programs, increases the L1 of most photos.


def auto_tone(image: torch.Tensor) -> Plan:
    """Return the Plan of one tone curve that stretches the luminance histogram and moves its mean towards grey.

    The 1% and 99% quantiles of the luminance (within bounds) become black and white. A gamma then moves the mean
    luminance towards mid grey.

    Args: `image` (3, H, W) in [0, 1]. Returns: a Plan of one "tint" step, or an empty Plan if the curve is nearly the
    identity.
    """
    lum = luminance(image[None]).double().cpu().numpy().ravel()
    low, high = np.quantile(lum, (DARKEST, LIGHTEST))
    low, high = min(low, FARTHEST), max(high, 1 - FARTHEST)
    mean = np.clip((lum - low) / (high - low), 0, 1).mean().clip(1e-3, 1 - 1e-3)
    gamma = np.clip((np.log(GREY) / np.log(mean)) ** SHARE, *GAMMA)
    weights = curve_weights(lambda level: np.clip((level - low) / (high - low), 0, 1) ** gamma)
    if np.abs(np.cumsum(weights - 1)).max() < 0.02 * CURVE_STEPS:   # nowhere more than 2% of the range from neutral
        return Plan()
    return Plan((Step.make("tint", weights),))
