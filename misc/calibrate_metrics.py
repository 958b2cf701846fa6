"""Compare LDIE's metrics with scikit-image's on fixed pictures, for several definitions of each metric.

A pair is a picture that scikit-image ships and a changed copy. This script computes the figures of docs/metrics.md.

  python misc/calibrate_metrics.py --publish metrics
"""
import _init_paths  # noqa: F401
import numpy as np
import torch
from skimage import color, data, filters, metrics, util
from tabulate import tabulate

from core.engine.cli import run
from core.engine.options import Parser
from core.engine.publish import publish
from core.metrics.image import delta_e, l1, psnr, ssim

PAIRS = {   # name: (picture, change of a float RGB picture in [0, 1])
    "coffee, brighter": lambda: (data.coffee(), lambda x: x * 1.2),
    "astronaut, blurred": lambda: (data.astronaut(), lambda x: filters.gaussian(x, 2, channel_axis=-1)),
    "chelsea, noise": lambda: (data.chelsea(), lambda x: x + np.random.default_rng(0).normal(0, 0.05, x.shape)),
    "coffee, without colour": lambda: (data.coffee(), lambda x: np.repeat(color.rgb2gray(x)[..., None], 3, 2)),
}
SSIM = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}   # Wang et al. 2004


def main():
    options = arguments().parse_args()
    rows = [row for name, make in PAIRS.items() for row in compare(name, *make())]
    print(tabulate(rows, headers="keys", floatfmt=".4f"))
    publish(options, "calibration", {"rows": rows})


def compare(name, picture, change):
    """Yield one row for each metric and definition: LDIE's value, scikit-image's, and their difference."""
    before = util.img_as_float(picture)
    after = np.clip(change(before), 0, 1)
    x, y = (torch.from_numpy(image).permute(2, 0, 1)[None] for image in (before, after))
    ours = {"L1": l1(x, y), "PSNR": psnr(x, y), "SSIM": ssim(x, y), "CIEDE2000": delta_e(x, y)[0]}
    # skimage cuts its Gaussian window at 3.5 sigma (11 pixels). Its mean leaves out the border; `whole` includes it.
    _, whole = metrics.structural_similarity(before, after, channel_axis=-1, full=True, **SSIM)
    luma = [color.rgb2ycbcr(image)[..., 0] / 255 for image in (before, after)]
    definitions = [
        ("L1", "mean absolute difference", np.abs(before - after).mean()),
        ("PSNR", "of all pixels and channels", metrics.peak_signal_noise_ratio(before, after, data_range=1)),
        ("SSIM", "Gaussian window, border reflected, RGB", whole.mean()),
        ("SSIM", "Gaussian window, border cropped, RGB",
         metrics.structural_similarity(before, after, channel_axis=-1, **SSIM)),
        ("SSIM", "Gaussian window, border cropped, luma (Y)", metrics.structural_similarity(*luma, **SSIM)),
        ("SSIM", "uniform window of 7 (scikit-image's default), RGB",
         metrics.structural_similarity(before, after, channel_axis=-1, data_range=1)),
        ("CIEDE2000", "Lab at D65",
         color.deltaE_ciede2000(*(color.rgb2lab(image) for image in (before, after))).mean())]
    for metric, definition, reference in definitions:
        value = ours[metric].item()
        yield {"pair": name, "metric": metric, "LDIE": value, "scikit-image": definition, "value": float(reference),
               "difference": value - float(reference)}


def arguments():
    return Parser(__doc__).add_publish()


if __name__ == "__main__":
    run(main)
