"""Layers of a picture at a scale of the picture: base layers by a guided filter, and strips of rows for large pictures.

A radius is a share of the long edge, so a preview and the full size have the same layers. The coefficients of a base
layer are computed on a reduced picture (fast guided filter: He and Sun 2015, "Fast Guided Filter") and interpolated,
which takes little memory. Pictures are (B, C, H, W).
"""
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import torch
import torch.nn.functional as F

from core.filters import guided_coefficients
from core.matrices import LUMA
from core.operators.constants import REDUCED_RADIUS
from core.threads import threads

STRIP = 1 << 18                      # pixels of a strip of rows: a strip and its temporaries fit a cache of a few MB


def luma(image: torch.Tensor) -> torch.Tensor:
    """Return .2126 R + .7152 G + .0722 B, (B, 1, ...)."""
    return (image.new_tensor([LUMA]) @ image.flatten(2)).unflatten(2, image.shape[2:])   # faster than sums


def param(params: torch.Tensor, index: int, image: torch.Tensor) -> torch.Tensor:
    """Return parameter `index` of each sample, shaped (B, 1, 1, ...) so that it broadcasts over `image`."""
    return params[:, index].reshape(-1, *[1] * (image.dim() - 1))


def smooth_step(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Return the smooth step from 0 at `low` to 1 at `high`: 3 t^2 - 2 t^3."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def radius_of(image: torch.Tensor, share: float) -> int:
    """Return the radius in pixels, at least 1, of a `share` of the long edge."""
    return max(1, round(share * max(image.shape[-2:])))


def reduce(image: torch.Tensor, radius: int) -> tuple[torch.Tensor, int]:
    """Return the picture reduced by area means for a filter of `radius` pixels, and the radius in the result."""
    factor = max(1, radius // REDUCED_RADIUS)
    if factor == 1:
        return image, radius
    size = [max(1, round(side / factor)) for side in image.shape[-2:]]
    return F.interpolate(image, size=size, mode="area"), max(1, round(radius / factor))


def base_maps(image: torch.Tensor, share: float, epsilon: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return slope and offset (B, 1, h, w), at reduced size, of the base layer of the luma: `slope * luma + offset`."""
    small, radius = reduce(image, radius_of(image, share))
    grey = luma(small)
    return guided_coefficients(grey, grey, radius, epsilon)


def enlarge(small: torch.Tensor, size: tuple[int, int], top: int = 0, bottom: int | None = None) -> torch.Tensor:
    """Interpolate maps (B, C, h, w) linearly to the rows from `top` to `bottom` of a picture of `size` (H, W)."""
    bottom, count = size[0] if bottom is None else bottom, small.shape[-2]
    if small.shape[-2:] == tuple(size):
        return small[..., top:bottom, :]
    place = ((torch.arange(top, bottom, dtype=torch.float64) + 0.5) * (count / size[0]) - 0.5).clamp(0, count - 1)
    lower = place.long().clamp(max=max(count - 2, 0))
    share, lower = (place - lower).to(small)[:, None], lower.to(small.device)
    rows = torch.lerp(small.index_select(-2, lower), small.index_select(-2, (lower + 1).clamp(max=count - 1)), share)
    return F.interpolate(rows.flatten(1, 2), size=size[1], mode="linear").unflatten(1, rows.shape[1:3])


def by_rows(work: Callable[..., torch.Tensor], image: torch.Tensor, *maps: torch.Tensor, halo: int = 0) -> torch.Tensor:
    """Return `work(image, *maps)`; a large picture is worked on in strips of rows, by several threads.

    Args:
        work: a function of (B, 3, H, W) and maps (B, C, H, W) that depends only on pixels up to `halo` rows away.
        maps: (B, C, h, w) of any size; `work` gets them enlarged to the picture.
    """
    height, width = image.shape[-2:]
    rows = max(1, STRIP // width, 4 * halo)
    recorded = torch.is_grad_enabled() and any(part.requires_grad for part in (image, *maps))
    if recorded or height <= rows or image.device.type != "cpu":
        return work(image, *(enlarge(small, (height, width)) for small in maps))
    result = torch.empty_like(image)

    def strip(top):
        bottom = min(top + rows, height)
        above, below = max(top - halo, 0), min(bottom + halo, height)
        done = work(image[..., above:below, :], *(enlarge(small, (height, width), above, below) for small in maps))
        result[..., top:bottom, :] = done[..., top - above:done.shape[-2] - (below - bottom), :]
    in_parallel(strip, range(0, height, rows))
    return result


def in_parallel(work: Callable, items: Iterable) -> list:
    """Return [work(item), ...] without gradients; as many threads as PyTorch has work on one item each."""
    def alone(item):
        with torch.inference_mode():
            return work(item)
    workers = torch.get_num_threads()
    with threads(1), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(alone, items))


def gaussian(image: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Blur (B, C, H, W) by a Gaussian of `sigma` (B,) pixels, differentiable in both; 0 keeps the picture.

    The samples of a Gaussian narrower than a pixel have less than its variance; its neighbours get the rest.
    """
    sigma = sigma.to(image)[:, None]
    reach = max(4, math.ceil(3 * float(sigma.detach().amax())))
    squares = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device).square()
    kernels = torch.exp(-squares / (2 * sigma.clamp_min(0.05).square()))
    kernels = kernels / kernels.sum(1, keepdim=True)
    missing = (sigma.square() - kernels @ squares[:, None]) * (sigma < 1)
    kernels = (kernels + missing * ((squares == 1) / 2 - (squares == 0).to(image))).unbind(1)
    for dim, padding in ((-1, (reach, reach, 0, 0)), (-2, (0, 0, reach, reach))):
        length, padded = image.shape[dim], F.pad(image, padding, mode="replicate")
        image = sum(padded.narrow(dim, start, length) * weight.view(-1, 1, 1, 1)
                    for start, weight in enumerate(kernels))
    return image


def blurred(image: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return the Gaussian blur by `sigma` (B,) pixels, (B, C, h, w), reduced where that changes under .01 of contrast.

    `enlarge` brings the result to the picture's size. Area means over f pixels and linear interpolation blur, too, by a
    variance of f^2 / 12 and of f^2 / 6, which the Gaussian of the reduced picture leaves out.
    """
    factor = max(1, int(float(sigma.detach().amin()) / 1.5))
    if factor == 1:
        return gaussian(image, sigma)
    small = F.interpolate(image, size=[max(1, round(side / factor)) for side in image.shape[-2:]], mode="area")
    return gaussian(small, (sigma.square() / factor**2 - 0.25).clamp_min(0).sqrt())


def local_minimum(image: torch.Tensor, radius: int) -> torch.Tensor:
    """Return the minimum over a square window of (2 radius + 1) pixels, (B, C, H, W)."""
    window = 2 * radius + 1
    image = F.pad(image, (radius,) * 4, mode="replicate")
    for dim in (-1, -2):
        span = 1   # pixels of which each value is the minimum; max_pool2d takes 15 times as long
        while span < window:
            shift = min(span, window - span)
            length = image.shape[dim] - shift
            image, span = torch.minimum(image.narrow(dim, 0, length), image.narrow(dim, shift, length)), span + shift
    return image


def centres(length: int, like: torch.Tensor) -> torch.Tensor:
    """Return the places (length,) of pixel centres from -1 to 1."""
    return (torch.arange(length, dtype=like.dtype, device=like.device) + 0.5) * (2 / length) - 1
