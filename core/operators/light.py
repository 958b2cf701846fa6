"""The develop panel, light: exposure, zones of luminance, contrast, tone curve.

As in `functions`, each operator takes `image` (B, 3, H, W) of sRGB values in [0, 1] and `params` (B, n), and returns
the edited image, neither masked nor clipped. All are differentiable in image and parameters almost everywhere.
Operators with a base layer change the local contrast little and give edges no halo.
"""
import torch

from core.colour import decode, encode
from core.operators.constants import BASE, BASE_VARIANCE, EPSILON, KNEE
from core.operators.layers import base_maps, by_rows, luma, param, smooth_step


def exposure_soft(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Change the exposure by p stops in linear light, with a smooth shoulder in place of clipping.

    The largest channel m becomes f(2^p m), see `shoulder`; the other channels keep their ratio to it, so hue and
    saturation are kept.

    Example:
        >>> greys = torch.tensor([0.25, 0.9, 1.0]).expand(1, 3, 3)
        >>> exposure_soft(greys, torch.tensor([[1.0]]))[0, 0].double().round(decimals=2).tolist()   # nothing clips
        [0.35, 0.97, 1.0]
    """
    linear, gain = decode(image), torch.exp2(param(params, 0, image))
    peak = linear.amax(1, keepdim=True) * gain
    return encode(linear * gain * (shoulder(peak, gain) / peak.clamp_min(EPSILON)))


def shoulder(level: torch.Tensor, reach: torch.Tensor) -> torch.Tensor:
    """Compress linear light from [0, reach] into [0, 1], increasing and with slope 1 up to the knee t = .4.

    With u = (y - t) / (reach - t) and k = (reach - 1) / (1 - t), f(y) = t + (1 - t) (1 + k) u / (1 + k u) above t.
    A reach below 1 compresses nothing.
    """
    reach = reach.clamp_min(1)
    k = (reach - 1) / (1 - KNEE)
    u = ((level - KNEE) / (reach - KNEE)).clamp_min(0)
    return torch.minimum(level, KNEE + (1 - KNEE) * (1 + k) * u / (1 + k * u))


def _zone(image, params, stops, weight, bent=True):
    """Change the exposure by p `stops` times `weight` of the base layer; pixels of one area get the same gain.

    Gain and shoulder apply to the linear light of the largest channel; the encoded channels keep their ratio to it.
    Without `bent`, there is no shoulder: the lightest tones may clip.
    """
    amount = stops * params

    def work(rows, slope, offset):
        peak = rows.amax(1, keepdim=True).clamp_min(EPSILON)
        gain = torch.exp2(param(amount, 0, rows) * weight(slope * luma(rows) + offset))
        level = decode(peak) * gain
        return rows * (encode(shoulder(level, gain) if bent else level) / peak)
    return by_rows(work, image, *base_maps(image, BASE, BASE_VARIANCE))


def highlights(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Lighten or darken the light half of the picture by .8 p w stops, where w is 0 at base .5 and largest near .9.

    White moves less (w = .6), so that darker highlights give snow and clouds contrast instead of one grey.

    Example:
        >>> greys = torch.tensor([0.25, 0.9]).expand(1, 3, 1, 2)
        >>> highlights(greys, torch.tensor([[-1.0]]))[0, 0, 0].double().round(decimals=2).tolist()
        [0.25, 0.75]
    """
    return _zone(image, params, 0.8, lambda base: smooth_step(base, 0.5, 1.0) * (1 - 0.4 * smooth_step(base, 0.8, 1.0)))


def shadows(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Lighten or darken the dark half of the picture by up to 2 p stops: weight 1 at base 0, 0 at base .5.

    Example:
        >>> greys = torch.tensor([0.1, 0.9]).expand(1, 3, 1, 2)
        >>> shadows(greys, torch.tensor([[1.0]]))[0, 0, 0].double().round(decimals=2).tolist()
        [0.2, 0.9]
    """
    return _zone(image, params, 2.0, lambda base: 1 - smooth_step(base, 0.0, 0.5))


def whites(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Move the white end of the picture by up to .6 p stops: weight 0 at base .7, 1 at base 1. p > 0 clips.

    Example:
        >>> greys = torch.tensor([0.5, 1.0]).expand(1, 3, 1, 2)
        >>> whites(greys, torch.tensor([[-1.0]]))[0, 0, 0].double().round(decimals=2).tolist()
        [0.5, 0.83]
    """
    return _zone(image, params, 0.6, lambda base: smooth_step(base, 0.7, 1.0), bent=False)


def blacks(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Move the black end of the picture: x + .08 p w(base), where w falls from 1 at base 0 to 0 at base .3.

    Example:
        >>> greys = torch.tensor([0.0, 0.5]).expand(1, 3, 1, 2)
        >>> blacks(greys, torch.tensor([[1.0]]))[0, 0, 0].double().round(decimals=2).tolist()
        [0.08, 0.5]
    """
    def work(rows, slope, offset):
        return rows + 0.08 * param(params, 0, rows) * (1 - smooth_step(slope * luma(rows) + offset, 0.0, 0.3))
    return by_rows(work, image, *base_maps(image, BASE, BASE_VARIANCE))


def contrast_pivot(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Steepen or flatten the tones about a pivot: amount p and pivot c, such as the photo's own middle.

    With g = 2^p, luma y becomes c (y / c)^g below the pivot and 1 - (1 - c) ((1 - y) / (1 - c))^g above it: an S-curve
    with the fixed points 0, c and 1, smooth at c. The channels keep their ratio to the luma, but where the largest
    would leave the gamut they move towards the luma instead.

    Example:
        >>> greys = torch.tensor([0.2, 0.5, 0.8]).expand(1, 3, 3)
        >>> contrast_pivot(greys, torch.tensor([[0.5, 0.5]]))[0, 0].double().round(decimals=2).tolist()
        [0.14, 0.5, 0.86]
    """
    pivot, power = param(params, 1, image), torch.exp2(param(params, 0, image))
    grey, peak = luma(image), image.amax(1, keepdim=True)
    low = pivot * (grey / pivot).clamp(EPSILON, 1) ** power
    high = 1 - (1 - pivot) * ((1 - grey) / (1 - pivot)).clamp(EPSILON, 1) ** power
    toned = torch.lerp(low, high, (grey > pivot).to(grey))   # torch.where is much slower
    ratio = torch.minimum(toned / grey.clamp_min(EPSILON), (1 - toned) / (peak - grey).clamp_min(EPSILON))
    return toned + (image - grey) * ratio.clamp(0, 4)


def middle(image: torch.Tensor) -> torch.Tensor:
    """Return the pivot (B,) about which `contrast_pivot` keeps the mean L* of each picture (B, 3, H, W).

    A small amount p moves the luma y by p times a derivative d(y, c), and L* by about y^-.2 times as much. The mean of
    the latter falls with c, so its root is found by bisection.
    """
    grey = luma(image).flatten(1).clamp(1e-3, 1 - 1e-3)
    weight = grey ** -0.2
    low, high = grey.new_full((len(grey), 1), 0.1), grey.new_full((len(grey), 1), 0.9)
    for _ in range(20):
        pivot = (low + high) / 2
        below, above = grey * (grey / pivot).log(), -(1 - grey) * ((1 - grey) / (1 - pivot)).log()
        rises = (torch.where(grey < pivot, below, above) * weight).mean(1, keepdim=True) > 0
        low, high = torch.where(rises, pivot, low), torch.where(rises, high, pivot)
    return pivot[:, 0]


def tone_curve_smooth(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Apply a smooth tone curve to all channels; `params` (B, 5) are its heights at 0, .25, .5, .75 and 1.

    The curve is a cubic Hermite spline whose inner slopes are the harmonic means of the chords (Fritsch and Butland
    1984), so it is C1 and monotone. A height below an earlier one is raised to it.

    Example:
        >>> greys = torch.tensor([0.25, 0.5]).expand(1, 3, 2)
        >>> tone_curve_smooth(greys, torch.tensor([[0.0, 0.125, 0.5, 0.75, 1.0]]))[0, 0].tolist()
        [0.125, 0.5]
    """
    return _spline(image, params[:, None])


def channel_curves(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Apply a smooth tone curve to each channel, see `tone_curve_smooth`; `params` (B, 27): nine heights of R, G and B.

    The heights are those at 0, 1/8, ..., 1.

    Example:
        >>> line, red = [step / 8 for step in range(9)], [0.0] * 5 + [0.25, 0.5, 0.75, 1.0]
        >>> channel_curves(torch.full((1, 3, 1), 0.75), torch.tensor([red + line + line])).flatten().tolist()
        [0.5, 0.75, 0.75]
    """
    return _spline(image, params.unflatten(1, (3, -1)))


def _spline(image, heights):
    """Apply monotone splines with evenly spaced knots of `heights` (B, C, K), C = 1 (for all channels) or 3."""
    heights = heights.cummax(2).values
    cells = heights.shape[2] - 1
    chords = heights.diff(dim=2)                                                             # rise of each cell
    inner = 2 * chords[..., :-1] * chords[..., 1:] / (chords[..., :-1] + chords[..., 1:]).clamp_min(EPSILON)
    slopes = torch.cat((chords[..., :1], inner, chords[..., -1:]), 2)
    start, rise, fall = heights[..., :-1], slopes[..., :-1], slopes[..., 1:]
    cubic = (start, rise, 3 * chords - 2 * rise - fall, rise + fall - 2 * chords)   # coefficients of t^0 to t^3
    cell = (image.detach() * cells).int().clamp_(0, cells - 1)
    t = image * cells - cell
    tables = torch.arange(len(image) * heights.shape[1], dtype=torch.int32, device=image.device) * cells
    rows = (cell + tables.view(len(image), -1, *[1] * (image.dim() - 2))).flatten()
    c0, c1, c2, c3 = (values.reshape(-1).index_select(0, rows).view_as(image) for values in cubic)
    return torch.addcmul(c0, torch.addcmul(c1, torch.addcmul(c2, c3, t), t), t)


def fade(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Lift the blacks and lower the whites, like a faded print: lerp(x, .12 + .8 x, p).

    Example:
        >>> ends = torch.tensor([0.0, 1.0]).expand(1, 3, 2)
        >>> fade(ends, torch.tensor([[1.0]]))[0, 0].double().round(decimals=2).tolist()
        [0.12, 0.92]
    """
    return torch.lerp(image, 0.12 + 0.8 * image, param(params, 0, image))


def lightness(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Mix with white (p > 0) or black (p < 0): the HSL lightness becomes L + p (1 - L), or L (1 + p).

    Example:
        >>> red = torch.tensor([0.5, 0.0, 0.0]).reshape(1, 3, 1)
        >>> lightness(red, torch.tensor([[0.5]])).flatten().tolist()
        [0.75, 0.5, 0.5]
    """
    amount = param(params, 0, image)
    return torch.where(amount > 0, image + amount * (1 - image), image * (1 + amount))
