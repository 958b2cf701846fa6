"""The develop panel, geometry: rotate, flip, crop. The result may have another height and width.

Each operator takes `image` (B, 3, H, W) and `params` (B, n), the same for all samples where the size would differ.
"""
import torch
import torch.nn.functional as F

from core.files import UserError
from core.operators.frames import span, straightening, turns
from core.operators.layers import STRIP, centres, in_parallel


def rotate(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Turn by p degrees, counter-clockwise: quarter turns move pixels, other angles straighten.

    After the nearest quarter turn the rest is a rotation about the centre, cropped to the largest picture of the same
    shape without an empty corner and enlarged to the size before.

    Example:
        >>> row = torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2)
        >>> rotate(row, torch.tensor([[90.0]]))[0, 0].tolist()
        [[1.0], [0.0]]
    """
    quarters, rest = turns(_one(params)[0])
    image = torch.rot90(image, quarters, (-2, -1)) if quarters else image   # rot90 copies always
    if not rest:
        return image
    height, width = image.shape[-2:]
    a, b, c, d = straightening(rest, height, width)
    x, y, step = centres(width, image), centres(height, image)[:, None], max(1, STRIP // width)

    def strip(top):
        here = y[top:top + step]
        places = torch.stack((x * a - here * b, x * c + here * d), -1)
        return F.grid_sample(image, places.expand(len(image), -1, -1, -1), "bicubic", "border", align_corners=False)
    if image.requires_grad and torch.is_grad_enabled():
        return torch.cat([strip(top) for top in range(0, height, step)], -2)
    result = torch.empty_like(image)

    def write(top):   # grid_sample uses one thread for a picture
        result[..., top:top + step, :] = strip(top)
    in_parallel(write, range(0, height, step))
    return result


def flip(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Mirror left and right if the first parameter is 1, top and bottom if the second is 1.

    Example:
        >>> row = torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2)
        >>> flip(row, torch.tensor([[1.0, 0.0]]))[0, 0].tolist()
        [[1.0, 0.0]]
    """
    return torch.flip(image, [dim for dim, value in zip((-1, -2), _one(params), strict=True) if value >= 0.5])


def crop(image: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
    """Cut shares of the width and the height off: left, top, right, bottom; at least 2% of each side are left.

    Example:
        >>> row = torch.tensor([0.0, 0.25, 0.5, 1.0]).expand(1, 3, 1, 4)
        >>> crop(row, torch.tensor([[0.25, 0.0, 0.5, 0.0]]))[0, 0].tolist()
        [[0.25]]
    """
    height, width = image.shape[-2:]
    left, top, right, bottom = _one(params)
    columns, rows = (slice(*span(first, last, side)) for first, last, side in
                     ((left, right, width), (top, bottom, height)))
    return image[..., rows, columns]


def _one(params):
    """Return the parameters of a batch, all of which must be the same, as a list. Raises UserError."""
    if (params != params[:1]).any():
        raise UserError("an operator that changes the size needs the same parameters for all pictures of a batch")
    return params[0].tolist()
