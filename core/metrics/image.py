"""Comparison of two pictures: L1, SSIM, PSNR and the colour difference CIEDE2000.

All functions take two batches (B, 3, H, W), float, sRGB in [0, 1], and return one value per image, (B,). They raise
ValueError where the shapes differ: pictures are resized when they are loaded, never when they are measured.
"""
import torch
import torch.nn.functional as F

from core.colour import ciede2000, srgb_to_lab

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01 ** 2, 0.03 ** 2


def l1(a, b):
    """Return the mean absolute difference, in [0, 1]."""
    _check(a, b)
    return (a - b).abs().mean((1, 2, 3))


def psnr(a, b):
    """Return the peak signal-to-noise ratio in dB; infinite where the two are equal."""
    _check(a, b)
    return -10 * (a - b).square().mean((1, 2, 3)).log10()


def ssim(a, b):
    """Return the structural similarity, at most 1; differentiable.

    Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity", with a Gaussian
    window of 11 pixels and sigma 1.5, zeros beyond the border, averaged over pixels and channels.
    """
    _check(a, b)
    # The formula needs only the sum of the two variances, so four blurred maps are enough. The variances are
    # differences of nearly equal numbers, which half precision would lose.
    with torch.autocast(a.device.type, enabled=False):
        mean_a, mean_b, squares, product = _blur(torch.stack((a, b, a * a + b * b, a * b)))
    mean_product, mean_squares = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
    luminance = (2 * mean_product + C1) / (mean_squares + C1)
    structure = (2 * (product - mean_product) + C2) / (squares - mean_squares + C2)
    return (luminance * structure).mean((1, 2, 3))


def delta_e(a, b):
    """Return the mean and the maximum over the pixels of CIEDE2000, two tensors (B,); about 1 is just visible."""
    _check(a, b)
    difference = ciede2000(srgb_to_lab(a), srgb_to_lab(b)).flatten(1)
    return difference.mean(1), difference.amax(1)


def _blur(maps):
    """Convolve (..., H, W) with the Gaussian window, one axis after the other, zeros beyond the border."""
    offsets = torch.arange(WINDOW, dtype=maps.dtype, device=maps.device) - WINDOW // 2
    window = torch.exp(-offsets.square() / (2 * SIGMA ** 2))
    planes = maps.reshape(1, -1, *maps.shape[-2:])  # as channels of one picture: five times as fast as in a batch
    count = planes.shape[1]
    window = (window / window.sum()).expand(count, 1, 1, -1)
    planes = F.conv2d(planes, window, padding=(0, WINDOW // 2), groups=count)
    planes = F.conv2d(planes, window.mT, padding=(WINDOW // 2, 0), groups=count)
    return planes.view_as(maps)


def _check(a, b):
    if a.shape != b.shape or a.dim() != 4:
        raise ValueError(f"two batches (B, 3, H, W) of one shape are needed, got {tuple(a.shape)} and {tuple(b.shape)}")
