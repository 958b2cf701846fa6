"""Auto-tone: what a photo's own histogram asks for, whatever the words: levels, then a gamma towards mid grey."""
import numpy as np

from core.operators import Plan, Step
from core.operators.functions import CURVE_STEPS, luminance
from core.planning.curves import curve_weights

DARKEST, LIGHTEST = 0.01, 0.99   # shares of the pixels that become black and white
FARTHEST = 0.05                  # a photo of fog stays one: black comes from below 0.05, white from above 0.95
GREY, SHARE = 0.46, 0.25         # the mean luminance that is aimed at, and the share of the way that is gone
GAMMA = (0.67, 1.5)              # the bounds of the gamma
# Bounds and shares were picked on training photos: stretching fully, as some programs do, costs L1 on most of them.


def auto_tone(image):
    """Return the Plan of one tone curve that stretches the luminance histogram and moves its mean towards grey.

    The 1% and 99% quantiles of the luminance (within bounds) become black and white; what lies between follows a
    power that leads from the photo's mean towards mid grey.

    Args: `image` (3, H, W) in [0, 1]. Returns: a Plan of one "tint" step, or of none where nothing is to be done.
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
