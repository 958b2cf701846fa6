"""The develop panel, colour: white balance, chroma, colour bands, split toning, black and white.

As in `functions`, each operator takes `image` (B, 3, ...) of sRGB values in [0, 1] and `params` (B, n), and returns the
edited image, neither masked nor clipped. Colour is computed in linear light or in Oklab (Ottosson 2020). All operators
are point-wise, and differentiable in image and parameters almost everywhere.
"""
import math

import torch

from core.colour import (
    cone_roots,
    decode,
    encode,
    from_cone_roots,
    from_oklab,
    linear_to_oklab,
    roots_to_oklab,
    to_oklab,
)
from core.matrices import BRADFORD, LUMA, SRGB_TO_XYZ
from core.operators.constants import BANDS, BORDER, EPSILON, MAGENTA, SKIN, SKIN_WIDTH, TEMPERATURE
from core.operators.layers import luma, param, smooth_step


def white_balance(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Change the white balance: temperature p (+ warmer) and green-magenta q (+ magenta), von Kries in linear light.

    The responses of the Bradford cones (Lam 1985) are scaled by exp(.055 p + .045 q), exp(-.02 p - .09 q) and
    exp(-.28 p + .045 q), and the whole so that grey keeps its luminance. The opposite parameters undo a cast.

    Example:
        >>> grey = torch.full((1, 3, 1), 0.5)
        >>> white_balance(grey, torch.tensor([[1.0, 0.0]])).flatten().double().round(decimals=2).tolist()
        [0.54, 0.49, 0.43]
    """
    gains = (params @ params.new_tensor((TEMPERATURE, MAGENTA))).exp()
    cones = image.new_tensor(BRADFORD) @ image.new_tensor(SRGB_TO_XYZ)
    cones = cones / cones.sum(1, keepdim=True)                                    # 1 for white
    adapted = torch.linalg.inv(cones) @ (gains[:, :, None] * cones)               # (B, 3, 3), linear RGB to linear RGB
    white = adapted.sum(2) @ adapted.new_tensor(LUMA)
    return encode((adapted / white[:, None, None] @ decode(image).flatten(2)).view_as(image))


def chroma(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Scale the Oklab chroma by 1 + p; the luminance is kept, and nothing new leaves the gamut. -1 gives grey.

    Example:
        >>> skin = torch.tensor([0.8, 0.6, 0.5]).reshape(1, 3, 1)
        >>> chroma(skin, torch.tensor([[-1.0]])).flatten().double().round(decimals=2).tolist()
        [0.64, 0.64, 0.64]
    """
    linear = decode(image)
    roots = cone_roots(linear)
    return _recoloured(linear, roots, roots_to_oklab(roots)[:, :1], 1 + param(params, 0, image))


def vibrance(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Scale the Oklab chroma by 1 + p w: w is smaller where colours are strong already, and on the hues of skin.

    Example:
        >>> dull = torch.tensor([0.5, 0.55, 0.6]).reshape(1, 3, 1)
        >>> vibrance(dull, torch.tensor([[1.0]])).flatten().double().round(decimals=2).tolist()
        [0.47, 0.55, 0.64]
    """
    linear = decode(image)
    roots = cone_roots(linear)
    lab = roots_to_oklab(roots)
    strength, hue = _polar(lab)
    skin = torch.exp(((hue - SKIN) * (1 / SKIN_WIDTH)).square().neg())
    weight = torch.exp(strength * (-1 / 0.12)) * (1 - 0.7 * skin)
    return _recoloured(linear, roots, lab[:, :1], 1 + param(params, 0, image) * weight)


def _polar(lab):
    """Return the chroma and the hue in radians of Oklab, (B, 1, ...) each; the slopes are finite at grey."""
    a, b = lab[:, 1:2] + 1e-7, lab[:, 2:]
    return torch.hypot(a, b), torch.atan2(b, a)


def _recoloured(linear, roots, light, factor):
    """Return sRGB with the chroma scaled by `factor`, as far as the gamut goes; hue and luminance are kept.

    The colours are `linear` light, their `roots` those of the cones, `light` Oklab's lightness. It follows the
    luminance, which chroma would change a little. Where the gamut allows a share of the change only, the result lies
    between the two colours, which have one hue and one luminance.
    """
    grey, wide = luma(linear), from_cone_roots(torch.lerp(light, roots, factor))
    wide = wide * (grey / luma(wide).clamp_min(EPSILON)).clamp(0.7, 1.4)
    return encode(torch.lerp(linear, wide, _allowed(_border_share(linear, grey), _border_share(wide, grey))))


def _fitted(linear, lab):
    """Return sRGB of `lab`, mixed with grey of its luminance where it would leave the gamut.

    Colours that were at the gamut's border in `linear` may stay there.
    """
    wide = from_oklab(lab)
    grey = luma(wide).clamp(0, 1)
    before, after = _border_share(linear, luma(linear)), _border_share(wide, grey)
    excess = (after - before).clamp_min(0) * (1 - _allowed(before, after))
    return encode(torch.lerp(wide, grey, excess / after.clamp_min(EPSILON)))


def _allowed(before, after):
    """Return the share of a change that the gamut allows, from 1 for a small or inward change to 0.

    A colour that covered the share r0 of the way from grey to the gamut's border, and would cover r > r0, may cover
    r0 + c (1 - exp(-(r - r0) / c)) with c = .93 - r0: a smooth step that never reaches the border.
    """
    room, change = (BORDER - before).clamp_min(1e-4), (after - before).clamp_min(1e-8)
    return -torch.expm1(-change / room) * (room / change)


def _border_share(linear, grey):
    """Return the share (B, 1, ...) of the way from grey to the gamut's border that a colour covers; above 1 outside."""
    low, high = linear.amin(1, keepdim=True), linear.amax(1, keepdim=True)   # aminmax is 15 times slower
    return torch.maximum((high - grey) / (1 - grey).clamp_min(EPSILON), (grey - low) / grey.clamp_min(EPSILON))


def band_weights(degrees: torch.Tensor) -> torch.Tensor:
    """Return the weights (8, N) of hues in degrees (N,) in the bands of BANDS; they are not negative and sum to 1.

    Between the centres of two bands the weight of one falls smoothly from 1 to 0 as the other's rises.
    """
    centres = torch.tensor(list(BANDS.values()), dtype=degrees.dtype)[:, None]
    place = (degrees - centres) % 360 / ((centres.roll(-1, 0) - centres) % 360)   # in [0, 1) after the band's centre
    inside, rise = (place < 1).to(degrees), smooth_step(place, 0, 1)
    return (1 - rise) * inside + (rise * inside).roll(1, 0)


_BAND_WEIGHTS = band_weights(torch.arange(-180.0, 180, dtype=torch.float64))   # of whole degrees


def band_values(hue: torch.Tensor, *values: torch.Tensor) -> list[torch.Tensor]:
    """Interpolate values of the eight colour bands at hues in radians (B, 1, ...), from -pi to pi.

    Args: each of `values` (B, 8), for the bands of BANDS.

    Returns: a tensor (B, 1, ...) for each, interpolated in a table of whole degrees by `band_weights`.
    """
    degrees = hue * (360 / math.tau) + 180   # remainders are slow
    cell = degrees.detach().int().clamp_(0, 359)
    share = degrees - cell
    rows = (cell.flatten(1) + 361 * torch.arange(len(hue), dtype=torch.int32, device=hue.device)[:, None]).flatten()

    def between(table):
        table = torch.cat((table, table[:, :1]), 1).flatten()
        lower, upper = (table.index_select(0, place).view_as(hue) for place in (rows, rows + 1))
        return torch.lerp(lower, upper, share)
    return [between(table @ _BAND_WEIGHTS.to(table)) for table in values]


def _greyness(strength):
    """Return the factor (B, 1, ...) in [0, 1) by which effects on colour bands vanish at greys."""
    return strength / (strength + 0.03)


def hsl(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Change hue, chroma and lightness of eight colour bands; `params` (B, 24): 8 hues, 8 chromas, 8 lightnesses.

    The bands are red, orange, yellow, green, aqua, blue, purple, magenta. 1 turns a band by 30 degrees of OKLCh,
    doubles its chroma, or lightens it by .15 in Oklab. Greys stay.

    Example:
        >>> sky, blue_darker = torch.tensor([0.4, 0.6, 0.9]).reshape(1, 3, 1), torch.zeros(1, 24)
        >>> blue_darker[0, 16 + 5] = -1
        >>> hsl(sky, blue_darker).flatten().double().round(decimals=1).tolist()
        [0.3, 0.5, 0.7]
    """
    linear = decode(image)
    lab = linear_to_oklab(linear)
    strength, hue = _polar(lab)
    turn, scale, light = params.split(8, 1)
    turn, scale = turn * (math.pi / 6), 1 + scale
    along, across, light = band_values(hue, scale * turn.cos() - 1, scale * turn.sin(), 0.15 * light)
    a, b = lab[:, 1:2], lab[:, 2:]
    change = torch.cat((light, a * along - b * across, a * across + b * along), 1)
    return _fitted(linear, torch.addcmul(lab, change, _greyness(strength)))


def colour_grading(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Split toning; `params` (B, 9): hue (in turns), strength and light of shadows, of midtones, and of highlights.

    Strength 1 adds .08 of Oklab chroma at that hue of OKLCh, less near black; light 1 adds .1 of lightness. The weights
    of the three zones depend on the lightness and sum to 1.

    Example:
        >>> blue_shadows = torch.tensor([[0.72, 1.0, 0, 0, 0, 0, 0, 0, 0]])
        >>> greys = torch.tensor([0.1, 0.9]).expand(1, 3, 2)
        >>> colour_grading(greys, blue_shadows)[0, :, 0].double().round(decimals=1).tolist()
        [0.1, 0.1, 0.2]
    """
    linear = decode(image)
    lab = linear_to_oklab(linear)
    low, high = 1 - smooth_step(lab[:, :1], 0.15, 0.6), smooth_step(lab[:, :1], 0.55, 0.95)
    ink, change = 0.08 * smooth_step(lab[:, :1], 0.0, 0.3), 0
    for zone, weight in enumerate((low, (1 - low - high).clamp_min(0), high)):
        hue, strength, light = (param(params, 3 * zone + part, image) for part in range(3))
        change = change + weight * torch.cat(((0.1 * light).expand_as(ink), ink * strength * torch.cos(math.tau * hue),
                                              ink * strength * torch.sin(math.tau * hue)), 1)
    return _fitted(linear, lab + change)


def black_and_white_bands(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Black and white by a mixer; `params` (B, 9): amount, then in [-1, 1] how light each of the eight bands becomes.

    The grey has Oklab's lightness plus .25 times the weighted band values; `amount` mixes it with the colours.

    Example:
        >>> print_of = torch.tensor([[1.0, 0, 0, 0, 0, 0, -1.0, 0, 0]])   # blue becomes dark
        >>> sky = torch.tensor([0.4, 0.6, 0.9]).reshape(1, 3, 1)
        >>> black_and_white_bands(sky, print_of).flatten().double().round(decimals=1).tolist()
        [0.4, 0.4, 0.4]
    """
    lab = to_oklab(image)
    strength, hue = _polar(lab)
    mixed, = band_values(hue, params[:, 1:])
    light = lab[:, :1] + 0.25 * _greyness(strength) * mixed
    grey = encode(light.clamp(0, 1) ** 3)   # of Oklab's greys, the lightness is the cube root of linear light
    return torch.lerp(image, grey, param(params, 0, image))


def sepia(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Mix with a brown print of the luma: lerp(x, luma (1.07, .94, .75), p).

    Example:
        >>> grey = torch.full((1, 3, 1), 0.5)
        >>> sepia(grey, torch.tensor([[1.0]])).flatten().double().round(decimals=2).tolist()
        [0.54, 0.47, 0.38]
    """
    brown = image.new_tensor((1.07, 0.94, 0.75)).view(1, 3, *[1] * (image.dim() - 2))
    return torch.lerp(image, luma(image) * brown, param(params, 0, image))
