"""Colour spaces."""
import torch


def to_linear(srgb):
    """Undo the sRGB transfer curve (IEC 61966-2-1); any shape, [0, 1] to [0, 1]."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear):
    """Apply the sRGB transfer curve (IEC 61966-2-1); any shape, values outside [0, 1] are clipped first."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-8) ** (1 / 2.4) - 0.055)
