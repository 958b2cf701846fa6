"""The photometric descriptor of a picture: the numbers that a histogram shows, scaled to about unit size."""
import torch
from torch import nn

from core.colour import srgb_to_lab
from core.operators import functions

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 8                                                       # bins of each histogram
RANGES = ((0.0, 100.0), (-50.0, 50.0), (-50.0, 50.0), (0.0, 70.0))   # of the histograms of L*, a*, b* and chroma
CLIPPED = 1.5 / 255                                            # a value nearer than this to 0 or 1 counts as clipped
DESCRIPTOR = len(RANGES) * (len(QUANTILES) + BINS + 2) + 2 * 3 + 1 + 2


def describe(image):
    """Return the descriptor (B, DESCRIPTOR) of `image` (B, 3, H, W), sRGB in [0, 1].

    The descriptor holds, in this order: quantiles, histogram, mean and standard deviation of L*, a*, b* and chroma,
    taken at a quarter of the picture's side (at full size if a side is below 8 pixels); the shares of clipped pixels,
    dark and bright, in each channel; sharpness (log10 of the mean square of the Laplacian); and the grey-world cast
    (logarithms of the ratios of mean red and mean blue to mean green).
    """
    small = nn.functional.avg_pool2d(image, 4) if min(image.shape[-2:]) >= 8 else image
    lab = srgb_to_lab(small).flatten(2)                                                        # (B, 3, N)
    values = torch.cat((lab, torch.hypot(lab[:, 1], lab[:, 2])[:, None]), 1)                  # (B, 4, N)
    low, high = lab.new_tensor(RANGES).t()[..., None]                                         # (4, 1) each
    scaled = (values - low) / (high - low)
    quantiles = scaled.sort(-1).values[..., [round(q * (scaled.shape[-1] - 1)) for q in QUANTILES]]
    position = scaled.clamp(0, 1)[..., None] * (BINS - 1)                                     # triangular bins
    histogram = (1 - (position - torch.arange(BINS, device=image.device)).abs()).clamp(min=0).mean(2)
    spread = scaled.std(-1, correction=0)
    clipped = torch.cat(((image < CLIPPED).float().mean((2, 3)), (image > 1 - CLIPPED).float().mean((2, 3))), 1)
    fine = functions.laplacian(functions.luminance(image)[:, None]).square().mean((1, 2, 3))
    mean = image.mean((2, 3)).clamp(min=1e-3).log()
    return torch.cat((
        (4 * quantiles - 2).flatten(1), (8 * histogram - 1).flatten(1),
        4 * scaled.mean(-1) - 2, 8 * spread - 1, 4 * clipped,
        0.5 * (fine[:, None] + 1e-6).log10() + 1.5, 4 * (mean[:, ::2] - mean[:, 1:2]),
    ), 1)
