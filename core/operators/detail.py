"""The develop panel, detail: local contrast, haze, sharpness, noise, blur.

As in `functions`, each operator takes `image` (B, 3, H, W) of sRGB values in [0, 1] and `params` (B, n), and returns
the edited image, neither masked nor clipped. Radii are shares of the picture's long edge, so that a preview and the
full size look alike. All operators are differentiable in image and parameters almost everywhere.
"""
import itertools
import math

import torch
import torch.nn.functional as F

from core.filters import box_mean, guided_coefficients
from core.matrices import LUMA
from core.operators.constants import DARKEST, EPSILON, HALO, NOISE
from core.operators.layers import (
    base_maps,
    blurred,
    by_rows,
    local_minimum,
    luma,
    param,
    radius_of,
    reduce,
)


def clarity(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Change the local contrast of areas: scale the distance of luma from a base layer of 2% of the long edge by 1 + p.

    The change is smaller in the deepest and the lightest tones, by the factor 4 y (1 - y).

    Example:
        >>> fine = torch.tensor([0.45, 0.55]).repeat(8).expand(1, 3, 16, 16)
        >>> clarity(fine, torch.tensor([[1.0]]))[0, 0, 8, 8:10].double().round(decimals=1).tolist()
        [0.4, 0.6]
    """
    return _local_contrast(image, params, 0.02)


def texture(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Change the local contrast of fine structures: as `clarity`, with a base layer of .5% of the long edge.

    Example:
        >>> fine = torch.tensor([0.45, 0.55]).repeat(8).expand(1, 3, 16, 16)
        >>> texture(fine, torch.tensor([[-1.0]]))[0, 0, 8, 8:10].double().round(decimals=1).tolist()
        [0.5, 0.5]
    """
    return _local_contrast(image, params, 0.005)


def _local_contrast(image, params, share):
    def work(rows, slope, offset):
        grey = luma(rows)
        detail = grey - (slope * grey + offset)
        return rows + param(params, 0, rows) * (4 * grey * (1 - grey)).clamp(0, 1) * detail
    return by_rows(work, image, *base_maps(image, share, 0.02))


def dehaze(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Remove haze (He, Sun and Tang 2009): x = J t + A (1 - t), where the dark channel gives the transmission t.

    The airlight A is the mean colour of the .1% of pixels with the largest dark channel. t is refined by a guided
    filter; p in (0, 1] removes .85 p of the haze. White walls, snow and sky look like haze to the dark channel, so t
    is at least .25, and rises where a colour is within .3 of A (Jiang et al. 2013, "Haze Removal for a Single Remote
    Sensing Image", tolerance K). A negative p adds haze: lerp(x, A, -.6 p).

    Example:
        >>> scene = torch.tensor([0.2, 0.4, 0.8, 0.8]).expand(1, 3, 1, 4)
        >>> dehaze(scene, torch.tensor([[-1.0]]))[0, 0, 0].double().round(decimals=2).tolist()   # haze of colour .8
        [0.56, 0.64, 0.8, 0.8]
    """
    small, radius = reduce(image, radius_of(image, 0.025))
    dark = local_minimum(small.amin(1, keepdim=True), radius)
    places = dark.flatten(1).topk(max(1, round(DARKEST * dark[0].numel())), 1).indices
    airlight = small.flatten(2).gather(2, places[:, None].expand(-1, 3, -1)).mean(2)[..., None, None]
    haze = local_minimum((small / airlight.clamp_min(0.05)).amin(1, keepdim=True), radius)
    maps = guided_coefficients(haze, luma(small), 4 * radius, 1e-3)

    def work(rows, slope, offset):
        amount, beyond = param(params, 0, rows), rows - airlight
        transmission = 1 - (0.85 * amount.clamp_min(0)) * (slope * luma(rows) + offset).clamp(0, 1)
        tolerance = (0.3 / beyond.abs().amax(1, keepdim=True).clamp_min(EPSILON)).clamp_min(1)
        clear = beyond / (transmission * tolerance).clamp(0.25, 1) + airlight
        return torch.lerp(clear, airlight.expand_as(rows), 0.6 * (-amount).clamp_min(0))
    return by_rows(work, image, *maps)


def sharpen_scaled(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Sharpen at a scale of the picture: amount p, and radius r in shares of the long edge.

    d is the luma minus its Gaussian blur of standard deviation r. The luma gets p d |d| / (|d| + .01), so that noise
    stays, and within .05 p of the lightest and the darkest pixel up to r away, so that halos stay small.

    Example:
        >>> edge = torch.tensor([0.25, 0.25, 0.75, 0.75]).expand(1, 3, 4, 4)
        >>> sharpen_scaled(edge, torch.tensor([[1.0, 0.25]]))[0, 0, 0].double().round(decimals=2).tolist()
        [0.23, 0.2, 0.8, 0.77]
    """
    sigma = params[:, 1] * max(image.shape[-2:])
    reaches = [max(1, round(value)) for value in sigma.tolist()]

    def work(rows, soft):
        amount, grey = param(params, 0, rows), luma(rows)
        detail = grey - soft
        detail = amount * detail * (detail.abs() / (detail.abs() + NOISE))
        low, high = (torch.cat([sign * local_minimum(sign * one[None], reach)
                                for one, reach in zip(grey, reaches, strict=True)]) for sign in (1, -1))
        return rows + (grey + detail).clamp(low - HALO * amount, high + HALO * amount) - grey
    return by_rows(work, image, blurred(luma(image), sigma), halo=max(reaches))


def denoise(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Reduce noise by guided filters along edges: of the luma by p, of the colours (R and B less luma) by q, in [0, 1].

    Details of the luma whose variance is below ten times that of the noise, see `noise_level`, and at most .004, count
    as noise, and details of the colours below four times as much. So a picture without noise keeps its details.

    Example:
        >>> noisy = 0.5 + 0.05 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> (denoise(noisy, torch.tensor([[1.0, 1.0]])).std() < 0.5 * noisy.std()).item()
        True
    """
    small, radius = reduce(image, radius_of(image, 0.004))
    grey = luma(small)
    colours, noise = small[:, ::2] - grey, (10 * noise_level(image).square()).clamp(1e-6, 0.004)
    maps = (*guided_coefficients(grey, grey, radius, noise),
            *guided_coefficients(colours, colours, 2 * radius, 4 * noise))

    def work(rows, slope, offset, colour_slope, colour_offset):
        grey = luma(rows)
        calm, colours = slope * grey + offset, rows[:, ::2] - grey
        red, blue = torch.lerp(colours, colour_slope * colours + colour_offset, param(params, 1, rows)).split(1, 1)
        green = (LUMA[0] * red + LUMA[2] * blue) * (-1 / LUMA[1])   # the weighted sum of all three is 0
        return torch.lerp(grey, calm, param(params, 0, rows)) + torch.cat((red, green, blue), 1)
    return by_rows(work, image, *maps)


def noise_level(image: torch.Tensor) -> torch.Tensor:
    """Estimate the standard deviation (B, 1, 1, 1) of the luma's noise; 0 for a picture of under 3 pixels a side.

    The filter [1 -2 1] in both directions removes slopes, and has 6 times the deviation of white noise (Immerkaer
    1996); the median of its absolute values, at about 65,000 places, is .6745 times theirs.
    """
    height, width = image.shape[-2:]
    if min(height, width) < 3:
        return image.new_zeros(len(image), 1, 1, 1)
    step = max(1, math.isqrt(height * width >> 16))
    places = [luma(image[..., down:height - 2 + down:step, right:width - 2 + right:step])
              for down, right in itertools.product(range(3), repeat=2)]
    response = sum(weight * place for weight, place in zip((1, -2, 1, -2, 4, -2, 1, -2, 1), places, strict=True))
    return response.abs().flatten(1).median(1).values.view(-1, 1, 1, 1) / (6 * 0.6745)


def gaussian_blur(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Blur by a Gaussian; the parameter is its standard deviation in shares of the long edge.

    Example:
        >>> edge = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(1, 3, 4, 4)
        >>> gaussian_blur(edge, torch.tensor([[0.02]]))[0, 0, 0].double().round(decimals=1).tolist()
        [0.0, 0.0, 1.0, 1.0]
    """
    sigma = params[:, 0] * max(image.shape[-2:])
    return by_rows(lambda rows, soft: soft, image, blurred(image, sigma))


def facet_blur(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Mix with a painting of flat facets: the filter of Kuwahara et al. 1976 with a window of .8% of the long edge.

    Each pixel becomes the mean of that one of the four windows beside it whose luma varies least.

    Example:
        >>> edge = torch.tensor([0.0, 0.0, 0.4, 1.0, 1.0]).expand(1, 3, 5, 5)
        >>> facet_blur(edge, torch.tensor([[1.0]]))[0, 0, 2].double().round(decimals=1).tolist()
        [0.0, 0.0, 0.1, 1.0, 1.0]
    """
    radius = radius_of(image, 0.004)
    small, reduced = reduce(image, radius)
    means = box_mean(torch.cat((small, luma(small).square()), 1), reduced)
    variance = means[:, 3:] - luma(means[:, :3]).square()

    def work(rows, colour, variance):
        facet, least = colour, torch.inf
        for down, right in itertools.product((-radius, radius), repeat=2):
            spread, mean = _moved(variance, down, right), _moved(colour, down, right)
            facet = torch.lerp(facet, mean, (spread < least).to(mean))
            least = spread if least is torch.inf else torch.minimum(least, spread)
        return torch.lerp(rows, facet, param(params, 0, rows))
    return by_rows(work, image, means[:, :3], variance, halo=radius)


def _moved(image, down, right):
    """Return the picture moved by some pixels; the pixels of the border are repeated."""
    far = max(abs(down), abs(right))
    padded = F.pad(image, (far,) * 4, mode="replicate")
    return padded[..., far - down:far - down + image.shape[-2], far - right:far - right + image.shape[-1]]
