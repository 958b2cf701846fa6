"""Fit the controls of another program to a plan, and model the effect of these controls on pixels.

Camera Raw and RawTherapee cannot be run here, so the effect of a preset is computed by our model of the program, which
follows published descriptions. Both programs are chains in a fixed order, whatever the order of the plan:

1. a point curve for each channel, a natural cubic spline, on sRGB-encoded values of the program's own primaries;
2. the program's own saturation slider, if there is one besides the chroma slider of step 3;
3. in CIELAB, a factor on the chroma, and an unsharp mask on the lightness.

The controls are fitted to the effect of the plan, not translated operator by operator. Executing the plan on greys
gives the three curves. So any sequence of brightness, contrast, exposure, hue and tint is exact on greys, clipping
included, as long as no slider changes greys that a curve has tinted. Tone curves are exact on all colours if the
program's primaries are those of sRGB. Then the sliders take the values that bring a fixed set of colours, the same for
every photo, closest to the plan. The remaining error is measured on the photo.
"""
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.exports.difference import colour_difference
from core.operators import execute

# Radius of the unsharp mask in pixels; at RADIUS, x - blur(x) is closest to the Laplacian of 4 neighbours.
RADIUS, MAX_RADIUS = 0.7, 3.0


@dataclass(frozen=True)
class Controls:
    """Settings of a program's controls.

    `curves` are three arrays (n, 2) of points in [0, 1]; `chroma` and `saturation` are sliders, whole numbers from
    -100 to 100; `amount` (percent, 0 is none) and `radius` (pixels) are those of the unsharp mask.
    """

    curves: tuple[np.ndarray, ...]
    chroma: int = 0
    saturation: int = 0
    amount: int = 0
    radius: float = RADIUS


@dataclass(frozen=True)
class Program:
    """The properties in which the programs differ.

    `encode` converts sRGB pictures to the space of the curves, `decode` converts back; `saturate(image, share)` applies
    the slider `saturation` (None: there is no such slider). Curves have up to `max_points` points on a grid of `levels`
    steps; the unsharp mask has up to `max_amount` percent.
    """

    name: str
    encode: Callable
    decode: Callable
    saturate: Callable | None
    max_points: int
    levels: int
    max_amount: int


def develop(program, controls, image):
    """Apply the model of `program` to pictures (B, 3, H, W) in [0, 1]; return pictures of the same shape and range.

    The sliders of `controls` may be tensors (B, 1, 1, 1), with one setting for each picture.
    """
    from kornia.color import lab_to_rgb, rgb_to_lab
    from kornia.filters import gaussian_blur2d
    curved = [torch.from_numpy(_spline(points)(channel.numpy())).to(image)
              for points, channel in zip(controls.curves, program.encode(image).unbind(1), strict=True)]
    image = program.decode(torch.stack(curved, 1)).clamp(0, 1)
    if program.saturate:
        image = program.saturate(image, torch.as_tensor(controls.saturation) / 100)
    chroma = torch.as_tensor(controls.chroma) / 100
    if not chroma.any() and not controls.amount:
        return image   # avoids the rounding of a conversion to CIELAB and back
    lightness, colour = rgb_to_lab(image).split([1, 2], dim=1)
    if controls.amount:
        size = 2 * math.ceil(3 * controls.radius) + 1
        blurred = gaussian_blur2d(lightness, (size, size), (controls.radius,) * 2, border_type="replicate")
        lightness = (lightness + controls.amount / 100 * (lightness - blurred)).clamp(0, 100)
    return lab_to_rgb(torch.cat([lightness, colour * (1 + chroma)], 1)).clamp(0, 1)


def fit(program, plan):
    """Return the Controls of `program` closest to `plan`, whose steps have no masks and never soften."""
    level = torch.linspace(0, 1, program.levels + 1)
    answer = program.encode(execute(plan, _single_pixels(level[:, None].expand(-1, 3))))[..., 0, 0]
    curves = tuple(_points(level.double().numpy(), channel.double().numpy(), program) for channel in answer.unbind(1))
    amount, radius = _unsharp(sum(step.params[0] for step in plan if step.op == "sharpness"), program.max_amount)
    controls = Controls(curves)   # the sliders do not depend on sharpening, which does not change single pixels
    for name in ("chroma", "saturation", "chroma") if program.saturate else ("chroma",):
        controls = replace(controls, **{name: _best_slider(program, controls, name, plan)})
    return replace(controls, amount=amount, radius=radius)


def _single_pixels(colours):
    """Shape colours (N, 3) as pictures of one pixel (N, 3, 1, 1), so that no operator sees neighbours."""
    return colours[..., None, None]


def _as_row(colours):
    """Shape colours (N, 3) as one picture (1, 3, 1, N)."""
    return colours.T[None, :, None]


def _probes():
    """Return the colours (N, 3) that the sliders are fitted to: all hues, from dark to light, grey to vivid."""
    from kornia.color import hsv_to_rgb
    hue = torch.arange(12) * (2 * torch.pi / 12)
    grid = torch.meshgrid(hue, torch.tensor([0.1, 0.25, 0.45, 0.7]), torch.tensor([0.2, 0.4, 0.6, 0.8]), indexing="ij")
    return hsv_to_rgb(_single_pixels(torch.stack(grid, -1).view(-1, 3)))[..., 0, 0]


def _best_slider(program, controls, name, plan):
    """Return the value of slider `name` with the least mean difference over the probes.

    A tie goes to the value nearest 0.
    """
    settings = sorted(range(-100, 101), key=abs)
    probes = _probes()
    target = _as_row(execute(plan, _single_pixels(probes))[..., 0, 0])
    images = _as_row(probes).expand(len(settings), -1, -1, -1)
    results = develop(program, replace(controls, **{name: torch.tensor(settings).view(-1, 1, 1, 1)}), images)
    errors = colour_difference(results, target.expand_as(results)).mean((1, 2))
    return settings[int(errors.argmin())]


def _spline(points):
    """Return the curve through points (n, 2) as a function of arrays: a natural cubic spline, clipped to [0, 1]."""
    from scipy.interpolate import CubicSpline
    spline = CubicSpline(*points.T, bc_type="natural")
    return lambda values: spline(values).clip(0, 1)


def _points(levels, values, program):
    """Return the points (n, 2) of a curve; each new point is set at the largest error of the spline so far."""
    values = np.rint(values * program.levels) / program.levels
    chosen, best, least = [0, len(levels) - 1], None, np.inf
    while len(chosen) <= program.max_points:
        points = np.stack([levels[chosen], values[chosen]], 1)
        distance = np.abs(_spline(points)(levels) - values)
        if distance.max() < least:
            best, least = points, distance.max()
        if distance.max() < 1 / program.levels:
            break
        chosen = sorted({*chosen, int(distance.argmax())})
    return best


def _unsharp(strength, max_amount):
    """Return amount (percent) and radius of the unsharp mask that acts on smooth pictures like strength x Laplacian.

    On smooth pictures, x - blur(x) with a Gaussian of radius r is -r²/2 times the Laplacian. The radius grows if the
    amount alone would exceed `max_amount`.
    """
    radius = min(max(RADIUS, math.ceil(10 * (200 * strength / max_amount)**0.5) / 10), MAX_RADIUS)
    return min(round(200 * strength / radius**2), max_amount), radius
