"""Colour spaces and the colour difference CIEDE2000. Pictures are (B, 3, ...), sRGB in [0, 1], D65."""
import math

import torch

from core.matrices import FROM_CONES, FROM_OKLAB, TO_CONES, TO_OKLAB

_TO_XYZ = torch.tensor([   # linear sRGB to CIE XYZ, each row divided by the white point D65
    [0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]) / torch.tensor(
    [[0.95047], [1.0], [1.08883]])
_TO_LAB = torch.tensor([[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]])
_LINEAR_BELOW = 0.008856   # for X, Y and Z below this value, a line replaces the cube root


def to_linear(srgb):
    """Undo the sRGB transfer curve (IEC 61966-2-1); any shape, [0, 1] to [0, 1]."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear):
    """Apply the sRGB transfer curve (IEC 61966-2-1); any shape, values outside [0, 1] are clipped first."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-8) ** (1 / 2.4) - 0.055)


def decode(image):
    """Undo the sRGB transfer curve; values outside [0, 1] are allowed, below 0 the curve is its line."""
    line, power = image * (1 / 12.92), _power((image + 0.055) * (1 / 1.055), 2.4, 0.0904739)
    return line.clamp_max(0.0031308) + (power - 0.0031308)   # each part rests on the other's side of the joint


def encode(linear):
    """Apply the sRGB transfer curve; values outside [0, 1] are allowed, so that their order and gradients survive."""
    line, power = linear * 12.92, 1.055 * _power(linear, 1 / 2.4, 0.0031308)
    return line.clamp_max(0.04045) + (power - 0.09545)   # torch.where would take three times as long


def _power(x, exponent, least):
    """Return x^exponent of values of at least `least`; smaller ones count as `least`."""
    return torch.exp2(exponent * torch.log2(x.clamp_min(least)))


def srgb_to_lab(image):
    """Return CIE L*a*b* (D65, 2 degrees) of sRGB pictures (B, 3, ...): L* in [0, 100], a* and b* about +-100.

    The result agrees with kornia's within 2e-4 and takes half the time, because powers are computed by exp2 and log2.
    """
    rgb = image.flatten(2)
    curve = torch.exp2(2.4 * torch.log2((rgb + 0.055) * (1 / 1.055)))
    xyz = _TO_XYZ.to(rgb) @ torch.where(rgb <= 0.04045, rgb * (1 / 12.92), curve)
    root = torch.exp2(torch.log2(xyz.clamp_min(_LINEAR_BELOW)) * (1 / 3))
    lab = _TO_LAB.to(rgb) @ torch.where(xyz > _LINEAR_BELOW, root, 7.787 * xyz + 4 / 29)
    return (lab - lab.new_tensor([16.0, 0.0, 0.0])[:, None]).view_as(image)


def to_oklab(image):
    """Return Oklab (B, 3, ...) of sRGB pictures: lightness in [0, 1], a and b about +-.4. Ottosson 2020."""
    return linear_to_oklab(decode(image))


def linear_to_oklab(linear):
    """Return Oklab (B, 3, ...) of linear light of at least 0."""
    return roots_to_oklab(cone_roots(linear))


def from_oklab(lab):
    """Return linear light (B, 3, ...) of Oklab; colours outside sRGB leave [0, 1]."""
    return from_cone_roots(oklab_to_roots(lab))


def cone_roots(linear):
    """Return the cube roots (B, 3, ...) of the cone responses to linear light; a grey has three equal roots.

    Oklab is a linear map of them, so that `lerp(lightness, roots, f)` has f times the chroma.
    """
    return _power(_mix(TO_CONES, linear), 1 / 3, 1e-12)   # at least 1e-12: finite slopes at black


def from_cone_roots(roots):
    """Return linear light (B, 3, ...) of the cube roots of cone responses."""
    return _mix(FROM_CONES, roots * roots * roots)


def roots_to_oklab(roots):
    """Return Oklab (B, 3, ...) of the cube roots of cone responses."""
    return _mix(TO_OKLAB, roots)


def oklab_to_roots(lab):
    """Return the cube roots (B, 3, ...) of cone responses of Oklab."""
    return _mix(FROM_OKLAB, lab)


def srgb_to_oklch(image):
    """Return OKLCh (B, 3, ...): lightness in [0, 1], chroma in [0, .4], hue in radians, (-pi, pi]. Ottosson 2020."""
    light, green_red, blue_yellow = to_oklab(image).unbind(1)
    return torch.stack((light, torch.hypot(green_red, blue_yellow), torch.atan2(blue_yellow, green_red)), 1)


def oklch_to_srgb(lch):
    """Return sRGB (B, 3, ...) of OKLCh; colours outside sRGB are clipped channel by channel."""
    light, chroma, hue = lch.unbind(1)
    return to_srgb(from_oklab(torch.stack((light, chroma * torch.cos(hue), chroma * torch.sin(hue)), 1)))


def _mix(matrix, image):
    """Multiply the channels of (B, 3, ...) by a 3 x 3 matrix."""
    return (torch.as_tensor(matrix, dtype=image.dtype, device=image.device) @ image.flatten(2)).view_as(image)


def ciede2000(a, b):
    """Return the colour difference CIEDE2000 of each pixel, (B, H, W), of two Lab pictures (B, 3, H, W).

    Sharma et al. 2005, "The CIEDE2000 Color-Difference Formula", with all parametric weights 1. This function
    takes about half the time of scikit-image's.
    """
    (light_a, *ab_a), (light_b, *ab_b) = a.unbind(1), b.unbind(1)
    mean_chroma = (torch.hypot(*ab_a) + torch.hypot(*ab_b)) / 2
    stretch = 1.5 - 0.5 * _bend(mean_chroma)
    ab_a, ab_b = ((x * stretch, y) for x, y in (ab_a, ab_b))
    chroma_a, chroma_b = torch.hypot(*ab_a), torch.hypot(*ab_b)
    hue_a, hue_b = (torch.atan2(y, x).remainder(2 * math.pi) for x, y in (ab_a, ab_b))

    chroma = (chroma_a + chroma_b) / 2
    turn = hue_b - hue_a
    half = math.pi + 16 * torch.finfo(turn.dtype).eps   # rounding must not swap opposite hues
    turn = turn - 2 * math.pi * (turn > half) + 2 * math.pi * (turn < -half)
    hue = torch.where(chroma_a * chroma_b > 0, hue_a + turn / 2, hue_a + hue_b)   # a grey has no hue
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
