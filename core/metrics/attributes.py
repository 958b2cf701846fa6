"""What a photographer would call the look of a picture, as one number each: did an edit do what was asked?

All take (B, 3, H, W), float, sRGB in [0, 1], and return (B,). More brightness, contrast, ... is a larger number.
"""
import torch

from core.operators import functions


def mean_luminance(image):
    """Return the mean of .27 R + .67 G + .06 B, in [0, 1]: the luminance that the operators use."""
    return functions.luminance(image).mean((1, 2))


def contrast(image):
    """Return the spread (standard deviation) of the lightness L*, in [0, 50]."""
    return _lab(image)[:, 0].std((1, 2), correction=0)


def chroma(image):
    """Return the mean distance from grey in the a*b* plane, >= 0: how colourful the picture is."""
    return torch.linalg.vector_norm(_lab(image)[:, 1:], dim=1).mean((1, 2))


def warmth(image):
    """Return the mean b*: positive is yellow, negative is blue."""
    return _lab(image)[:, 2].mean((1, 2))


def sharpness(image):
    """Return the high-frequency energy: the mean square of the luminance's Laplacian."""
    return functions.laplacian(functions.luminance(image).unsqueeze(1)).square().mean((1, 2, 3))


ATTRIBUTES = {"luminance": mean_luminance, "contrast": contrast, "chroma": chroma, "warmth": warmth,
              "sharpness": sharpness}


def _lab(image):
    from kornia.color import rgb_to_lab
    return rgb_to_lab(image)
