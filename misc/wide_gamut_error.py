"""Measure the error of treating wide-gamut numbers as sRGB: the difference from an edit in sRGB.

Operators are defined on sRGB numbers; a photo in Display P3, Adobe RGB or ProPhoto is edited in its own numbers. For
each space and operator: the mean CIEDE2000 between the two results, over four pictures that scikit-image ships.

  python misc/wide_gamut_error.py --publish wide_gamut
"""
import _init_paths  # noqa: F401
import numpy as np
import torch
from skimage import data
from tabulate import tabulate

from core.engine.cli import run
from core.engine.options import Parser
from core.engine.publish import publish
from core.metrics.image import delta_e
from core.operators import Plan, Step, execute
from core.photo.profile import (
    ADOBE_GAMMA,
    ADOBE_PRIMARIES,
    P3_PRIMARIES,
    PROPHOTO_PRIMARIES,
    PROPHOTO_WHITE,
    in_srgb,
    read_space,
    rgb_profile,
)

PICTURES = (data.coffee, data.chelsea, data.astronaut, data.rocket)
SPACES = {"Display P3": rgb_profile(P3_PRIMARIES), "Adobe RGB": rgb_profile(ADOBE_PRIMARIES, gamma=ADOBE_GAMMA),
          "ProPhoto": rgb_profile(PROPHOTO_PRIMARIES, PROPHOTO_WHITE, 1.8)}
WARM = [*np.linspace(1.2, 1.0, 8), *np.ones(8), *np.linspace(0.8, 1.0, 8)]   # slopes of red, green and blue
PLANS = {name: Plan((Step.make(op, params),)) for name, op, params in (
    ("brightness +0.3", "brightness", [0.3]), ("contrast +0.4", "contrast", [0.4]),
    ("saturation +0.4", "saturation", [0.4]), ("hue, warmer", "hue", WARM), ("exposure +0.5", "exposure", [0.5]),
    ("sharpness +0.5", "sharpness", [0.5]), ("black&white", "black&white", [1.0]))}


def main():
    options = arguments().parse_args()
    rows = []
    for name, plan in PLANS.items():
        rows.append({"operator": name} | {space: float(np.mean([error(plan, picture(), read_space(profile))
                                                                for picture in PICTURES]))
                                          for space, profile in SPACES.items()})
    print(tabulate(rows, headers="keys", floatfmt=".2f"))
    publish(options, "wide_gamut", {"rows": rows})


def error(plan, picture, space):
    """Return the mean CIEDE2000 between an edit of a picture (H, W, 3) uint8 in a space's numbers and one in sRGB."""
    srgb = picture.astype(np.float32) / 255
    own = from_srgb(srgb, space)
    results = [execute(plan, torch.from_numpy(pixels).permute(2, 0, 1).contiguous()) for pixels in (own, srgb)]
    edited = torch.from_numpy(in_srgb(results[0].permute(1, 2, 0).numpy(), space)).permute(2, 0, 1)
    return delta_e(edited[None], results[1][None])[0].item()


def from_srgb(pixels, space):
    """Return sRGB pixels (H, W, 3) in the numbers of a wider space."""
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    linear = (linear @ np.linalg.inv(space.to_srgb).T).clip(0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def arguments():
    return Parser(__doc__).add_publish()


if __name__ == "__main__":
    run(main)
