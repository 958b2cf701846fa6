"""The develop panel, effects: vignette, grain, edges, radial blur.

As in `functions`, each operator takes `image` (B, 3, H, W) of sRGB values in [0, 1] and `params` (B, n), and returns
the edited image, neither masked nor clipped.
"""
import kornia
import torch
import torch.nn.functional as F

from core.colour import decode, encode
from core.operators.constants import BLURRED_SIDE, DOUBLINGS, REDUCED_RADIUS
from core.operators.layers import by_rows, centres, luma, param, reduce


def vignette(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Lighten or darken the corners: p stops at the corners, falling to 0 at the distance r from the centre.

    The distance is 0 at the centre and 1 at the corners; beyond r the stops grow with ((d - r) / (1 - r))^2.

    Example:
        >>> grey = torch.full((1, 3, 3, 3), 0.5)
        >>> vignette(grey, torch.tensor([[-1.0, 0.3]]))[0, 0, 1].double().round(decimals=2).tolist()
        [0.49, 0.5, 0.49]
    """
    height, width = image.shape[-2:]
    y, x = centres(height, image)[:, None], centres(width, image)
    distance = torch.sqrt((x * x + y * y) / 2)[None, None]

    def work(rows, distance):
        start = param(params, 1, rows)
        weight = ((distance - start) / (1 - start)).clamp_min(0).square()
        return encode(decode(rows) * torch.exp2(param(params, 0, rows) * weight))
    return by_rows(work, image, distance)


def grain(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Add film grain: amount p and a whole number, the seed; the same seed and size give the same grain.

    The luma gets .1 p times Gaussian noise, weighted by 4 y (1 - y), at least .1.

    Example:
        >>> grey, params = torch.full((1, 3, 4, 4), 0.5), torch.tensor([[1.0, 7.0]])
        >>> torch.equal(grain(grey, params), grain(grey, params))
        True
    """
    noise = torch.stack([torch.randn(1, *image.shape[-2:], generator=torch.Generator().manual_seed(round(seed)))
                         for seed in params[:, 1].tolist()]).to(image)

    def work(rows, noise):
        grey = luma(rows)
        return rows + 0.1 * param(params, 0, rows) * noise * (4 * grey * (1 - grey)).clamp_min(0.1)
    return by_rows(work, image, noise)


def edge(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Mix with a drawing of the edges, black on white: 1 minus four times the Sobel gradient of the luma.

    Example:
        >>> edge(torch.full((1, 3, 3, 3), 0.5), torch.tensor([[1.0]]))[0, 0, 1].double().round(decimals=2).tolist()
        [1.0, 1.0, 1.0]
    """
    def work(rows):
        drawn = (1 - 4 * kornia.filters.sobel(luma(rows), eps=1e-12)).clamp_min(0)
        return torch.lerp(rows, drawn.expand_as(rows), param(params, 0, rows))
    return by_rows(work, image, halo=2)


def radial_blur(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Blur along circles about the centre: the mean of 32 copies turned by up to p / 2 degrees each way.

    Pictures of 3,000 pixels or more are blurred at a reduced size.

    Example:
        >>> grey = torch.full((1, 3, 4, 4), 0.5)
        >>> radial_blur(grey, torch.tensor([[10.0]]))[0, 0, 0].double().round(decimals=2).tolist()
        [0.5, 0.5, 0.5, 0.5]
    """
    small, _ = reduce(image, max(image.shape[-2:]) // BLURRED_SIDE * REDUCED_RADIUS)
    angle = torch.deg2rad(params[:, 0])
    for power in range(1, DOUBLINGS + 1):   # the mean of a picture and a turned copy, whose angle halves
        turn = angle * 0.5 ** (power + 1)
        small = _turned(torch.cat((small, small)), torch.cat((turn, -turn))).unflatten(0, (2, -1)).mean(0)
    return by_rows(lambda rows, soft: soft, image, small)


def _turned(image, angle):
    """Turn (B, 3, H, W) about the centre by `angle` (B,) in radians; beyond the border the picture is mirrored."""
    height, width = image.shape[-2:]
    cos, sin, nothing = angle.cos(), angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack((cos, -sin * (height / width), nothing, sin * (width / height), cos, nothing), 1)
    grid = F.affine_grid(matrix.view(-1, 2, 3), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
