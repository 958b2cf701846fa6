"""How far one picture is from another: L1, SSIM, PSNR and the colour difference CIEDE2000.

All take two batches (B, 3, H, W), float, sRGB in [0, 1], and return one value per image, (B,). They raise
ValueError where the shapes differ: a picture is resized at the door, never while it is measured.
"""
import math

import torch
import torch.nn.functional as F

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
    # The formula needs the two variances only as a sum, so four blurred maps do instead of five. They are differences
    # of nearly equal numbers, which half precision would lose.
    with torch.autocast(a.device.type, enabled=False):
        mean_a, mean_b, squares, product = _blur(torch.stack((a, b, a * a + b * b, a * b)))
    mean_product, mean_squares = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
    luminance = (2 * mean_product + C1) / (mean_squares + C1)
    structure = (2 * (product - mean_product) + C2) / (squares - mean_squares + C2)
    return (luminance * structure).mean((1, 2, 3))


def delta_e(a, b):
    """Return the mean and the maximum over the pixels of CIEDE2000, two tensors (B,); about 1 is just visible."""
    from kornia.color import rgb_to_lab
    _check(a, b)
    difference = ciede2000(rgb_to_lab(a), rgb_to_lab(b)).flatten(1)
    return difference.mean(1), difference.amax(1)


def ciede2000(a, b):
    """Return the colour difference CIEDE2000 of each pixel, (B, H, W), of two Lab pictures (B, 3, H, W).

    Sharma et al. 2005, "The CIEDE2000 Color-Difference Formula", with all parametric weights 1. About half the
    time that scikit-image takes.
    """
    (light_a, *ab_a), (light_b, *ab_b) = a.unbind(1), b.unbind(1)
    mean_chroma = (torch.hypot(*ab_a) + torch.hypot(*ab_b)) / 2
    stretch = 1.5 - 0.5 * _bend(mean_chroma)
    ab_a, ab_b = ((x * stretch, y) for x, y in (ab_a, ab_b))
    chroma_a, chroma_b = torch.hypot(*ab_a), torch.hypot(*ab_b)
    hue_a, hue_b = (torch.atan2(y, x) for x, y in (ab_a, ab_b))

    chroma = (chroma_a + chroma_b) / 2
    turn = torch.remainder(hue_b - hue_a + math.pi, 2 * math.pi) - math.pi
    hue = torch.where(chroma_a * chroma_b > 0, hue_a + turn / 2, hue_a + hue_b)   # a grey has no hue of its own
    d_light, d_chroma = light_b - light_a, chroma_b - chroma_a
    d_hue = 2 * (chroma_a * chroma_b).sqrt() * torch.sin(turn / 2)

    offset = ((light_a + light_b) / 2 - 50).square()
    degrees = torch.remainder(hue.rad2deg(), 360)
    shape = (1 - 0.17 * torch.cos(hue - math.radians(30)) + 0.24 * torch.cos(2 * hue)
             + 0.32 * torch.cos(3 * hue + math.radians(6)) - 0.20 * torch.cos(4 * hue - math.radians(63)))
    d_light = d_light / (1 + 0.015 * offset / (20 + offset).sqrt())
    d_chroma = d_chroma / (1 + 0.045 * chroma)
    d_hue = d_hue / (1 + 0.015 * chroma * shape)
    rotation = -2 * _bend(chroma) * torch.sin(math.radians(60) * torch.exp(-((degrees - 275) / 25).square()))
    squared = d_light.square() + d_chroma.square() + d_hue.square() + rotation * d_chroma * d_hue
    return squared.clamp_min(0).sqrt()


def _bend(chroma):
    """Return sqrt(C^7 / (C^7 + 25^7)), from 0 for greys to 1 for vivid colours."""
    seventh = (chroma / 25).pow(7)
    return (seventh / (seventh + 1)).sqrt()


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
