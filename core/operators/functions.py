"""The pixel functions of the operators: one pure function per row of the operator table.

Every function takes `image`, a float tensor (B, 3, ...) of sRGB values in [0, 1] (the trailing shape is
(H, W) for pictures; point-wise operators also take bare pixel lists (B, 3, N)), and `params` (B, n).
Every function returns the edited image, neither masked nor clipped; the executor masks and clips all results.
The functions are differentiable in image and parameters almost everywhere.
"""
import math

import torch
import torch.nn.functional as F

from core.operators.constants import CURVE_STEPS, EPSILON, LUMINANCE


def luminance(image: torch.Tensor) -> torch.Tensor:
    """Return .27 R + .67 G + .06 B, shape (B, ...), in [0, 1]."""
    red, green, blue = image.unbind(1)
    return torch.add(torch.add(LUMINANCE[0] * red, green, alpha=LUMINANCE[1]), blue, alpha=LUMINANCE[2])


def per_sample(params: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Reshape one parameter per sample, (B, 1) -> (B, 1, 1, ...), so that it broadcasts over `image`."""
    return params.reshape(-1, *[1] * (image.dim() - 1))


def brightness(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Scale the HSV value: V' = clip(V (1 + p)). RGB is multiplied by V'/V, which needs no conversion to HSV.

    Example:
        >>> pixel = torch.tensor([0.25, 0.125, 0.0]).reshape(1, 3, 1)
        >>> brightness(pixel, torch.tensor([[1.0]])).flatten().tolist()   # twice the value
        [0.5, 0.25, 0.0]
    """
    value = image.amax(1, keepdim=True)
    return image * torch.minimum(1 + per_sample(params, image), 1 / value.clamp_min(EPSILON))


def contrast(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Move luminance towards an S-curve: lerp(x, x / (lum + 1e-6) * (0.5 - 0.5 cos(pi lum)), p).

    The curve is Exposure's (Hu et al. 2018, "Exposure: A White-Box Photo Post-Processing Framework").

    Example:
        >>> greys = torch.tensor([0.25, 0.5, 0.75]).expand(1, 3, 3)
        >>> contrast(greys, torch.tensor([[1.0]]))[0, 0].double().round(decimals=2).tolist()   # mid grey stays
        [0.15, 0.5, 0.85]
    """
    lum = luminance(image).unsqueeze(1)
    amount = per_sample(params, image)
    return image * torch.addcdiv(1 - amount, 0.5 * amount * (1 - torch.cos(math.pi * lum)), lum + EPSILON)


def saturation(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Scale the HSV saturation: S' = clip(S (1 + p)). Each channel's distance from the largest channel is scaled.

    Example:
        >>> pixel = torch.tensor([0.5, 0.25, 0.0]).reshape(1, 3, 1)
        >>> saturation(pixel, torch.tensor([[-0.5]])).flatten().tolist()   # half the distances from 0.5
        [0.5, 0.375, 0.25]
    """
    value = image.amax(1, keepdim=True)
    chroma = (value - image.amin(1, keepdim=True)).clamp_min(EPSILON)
    scale = torch.minimum((1 + per_sample(params, image)).clamp_min(0), value / chroma)
    return torch.lerp(value, image, scale)


def curve(image: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Apply piecewise-linear tone curves with slopes c_i / mean(c), so that f(0) = 0 and f(1) = 1.

    Args: `weights` (B, C, 8), each >= 0 and not all 0, C = 1 (one curve for all channels) or 3.
    """
    slopes = weights / weights.mean(-1, keepdim=True).clamp_min(EPSILON)
    steps = slopes.shape[-1]
    intercepts = (slopes.cumsum(-1) - slopes - slopes * torch.arange(steps, device=image.device)) / steps
    x = image.flatten(2).flatten(0, 1)   # one row per channel of each sample; row r uses table cells from r * steps on
    rows = torch.arange(0, len(x) * steps, steps, dtype=torch.int32, device=image.device)[:, None]
    cell = (x.detach() * steps).int().clamp_(0, steps - 1).add_(rows).flatten()

    def line(table):
        return table.expand(-1, image.shape[1], -1).reshape(-1).index_select(0, cell).view_as(x)
    return torch.addcmul(line(intercepts), line(slopes), x).view_as(image)


def hue(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Apply a tone curve to each channel; `params` (B, 24): eight steps of R, then of G, then of B.

    Example:
        >>> red, neutral = [0.0] * 4 + [1.0] * 4, [1.0] * 8   # red is 0 up to 0.5, then rises to 1
        >>> hue(torch.full((1, 3, 1), 0.75), torch.tensor([red + neutral + neutral])).flatten().tolist()
        [0.5, 0.75, 0.75]
    """
    return curve(image, params.reshape(-1, 3, CURVE_STEPS))


def tint(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Apply one tone curve to all channels; `params` (B, 8).

    Example:
        >>> steep_then_flat = torch.tensor([[1.0] * 4 + [0.0] * 4])
        >>> tint(torch.tensor([0.25, 0.75]).expand(1, 3, 2), steep_then_flat)[0, 0].tolist()
        [0.5, 1.0]
    """
    return curve(image, params.reshape(-1, 1, CURVE_STEPS))


def laplacian(image: torch.Tensor) -> torch.Tensor:
    """Return 4 x - (up + down + left + right), (B, 3, H, W); the border is replicated (no flux)."""
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    return (4 * image - padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]
            - padded[..., 1:-1, :-2] - padded[..., 1:-1, 2:])


def sharpness(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Add p times the Laplacian; negative p blurs.

    Example:
        >>> edge = torch.tensor([0.25, 0.25, 0.75, 0.75]).expand(1, 3, 1, 4)
        >>> sharpness(edge, torch.tensor([[0.5]]))[0, 0, 0].tolist()   # the edge becomes steeper
        [0.25, 0.0, 1.0, 0.75]
    """
    return image + per_sample(params, image) * laplacian(image)


def exposure(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Scale by p photographic stops: x 2^p.

    Example:
        >>> greys = torch.tensor([0.125, 0.25]).expand(1, 3, 2)
        >>> exposure(greys, torch.tensor([[1.0]]))[0, 0].round(decimals=3).tolist()   # one stop doubles
        [0.25, 0.5]
    """
    return image * torch.exp2(per_sample(params, image))


def black_and_white(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Mix with the luminance: lerp(x, lum, p).

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1)
        >>> black_and_white(red, torch.tensor([[1.0]])).flatten().double().round(decimals=2).tolist()
        [0.27, 0.27, 0.27]
    """
    return image + per_sample(params, image) * (luminance(image).unsqueeze(1) - image)


def color_bg(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return a white image; the executor keeps the original pixels outside `mask`.

    Example:
        >>> color_bg(torch.zeros(1, 3, 1, 1), torch.ones(1, 1, 1, 1)).flatten().tolist()
        [1.0, 1.0, 1.0]
    """
    return torch.ones_like(image)
