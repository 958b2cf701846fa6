"""Fits: find the parameters of one operator from a pair; each structure of operators has its own fit.

A fit takes N images and their targets, (N, 3, H, W), and `valid`, bool (H, W), the pixels that count. It returns
the parameters (N, n_params) that (nearly) minimise the L1 distance. A batch is one computation without a loop.
"""
import torch

from core.operators import END, NONE, START, Operator, OperatorVocab
from core.operators.functions import CURVE_STEPS
from core.planning.refine import Scales, refine

GRID = 17          # points of each level of a scalar search
IRLS_ROUNDS = 4
SMOOTH_ROUNDS, SMOOTH_PIXELS = 3, 256   # Gauss-Newton steps from neutral, and the most pixels that they look at
IRLS_FLOOR = 4e-3  # about one 8-bit level: smaller residuals count as noise
RIDGE = 1e-3       # pulls the knots of a curve towards the identity where there are few pixels


def fit(operator: Operator, image: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Return the parameters (N, n) of `operator` that bring `image` nearest to `target`, within its bounds."""
    return FITS.get(operator.structure, fit_smooth)(operator, image, target, valid)


def pick(image: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Return the valid pixels of (N, 3, H, W) as a list (N, 3, M)."""
    return image.flatten(2)[..., valid.flatten()]


def fit_linear(operator: Operator, image: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Fit an operator x + p d: the L1 optimum before clipping is the median of (y - x) / d with weights |d|."""
    ones = torch.ones(len(image), 1, dtype=image.dtype, device=image.device)
    direction = pick(operator.function(image, ones) - image, valid).flatten(1)
    residual = pick(target - image, valid).flatten(1)
    ratio = residual / torch.where(direction.abs() > 1e-6, direction, torch.inf)
    return operator.normalise(weighted_median(ratio, direction.abs())[:, None])


def weighted_median(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted median (N,) of each row of `values` (N, M) with `weights` (N, M)."""
    values, order = values.sort(-1)
    reached = weights.gather(-1, order).cumsum(-1)
    index = torch.searchsorted(reached, reached[:, -1:] / 2).clamp_max(values.shape[-1] - 1)
    return values.gather(-1, index).squeeze(-1)


def fit_scalar(operator: Operator, image: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Fit one number by a grid over the bounds, then by two finer grids around the best point."""
    pixels, goal = pick(image, valid), pick(target, valid)
    low, high = operator.params[0].low, operator.params[0].high
    centre = torch.full((len(pixels), 1), (low + high) / 2, dtype=image.dtype, device=image.device)
    reach, stride = (high - low) / 2, 4
    for _ in range(3):
        offsets = torch.linspace(-reach, reach, GRID, dtype=image.dtype, device=image.device)
        grid = (centre + offsets).clamp(low, high)
        x, y = pixels[..., ::stride], goal[..., ::stride]  # the coarse level needs few pixels
        tried = operator.function(x.repeat_interleave(GRID, 0), grid.reshape(-1, 1)).clamp(0, 1)
        distance = (tried.unflatten(0, (-1, GRID)) - y[:, None]).abs().mean((2, 3))
        centre = grid.gather(1, distance.argmin(1, keepdim=True))
        reach, stride = 1.2 * reach / (GRID // 2), max(stride // 2, 1)
    return centre


def fit_curve(operator: Operator, image: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Fit tone curves: a curve is linear in its knots' heights, so iteratively reweighted least squares fits the L1.

    The knots are then made monotone (slopes >= 0). Each channel has its own fit, or one fit pools all channels.
    """
    curves = operator.n_params // CURVE_STEPS
    x, y = pick(image, valid), pick(target, valid)
    if curves == 1:
        x, y = x.flatten(1)[:, None], y.flatten(1)[:, None]
    knots = torch.arange(1, CURVE_STEPS + 1, dtype=x.dtype, device=x.device)
    hats = (1 - (x[..., None] * CURVE_STEPS - knots).abs()).clamp_min(0)  # (N, C, M, 8); the knot at 0 is fixed
    inner, y = hats[..., :-1], y - hats[..., -1]                           # the knot at 1 is fixed, too
    identity = knots[:-1] / CURVE_STEPS
    heights = identity.expand(*x.shape[:2], -1)
    ridge = RIDGE * x.shape[-1] * torch.eye(CURVE_STEPS - 1, dtype=x.dtype, device=x.device) / IRLS_FLOOR
    for _ in range(IRLS_ROUNDS):
        residual = y - (inner @ heights[..., None]).squeeze(-1)
        weighted = inner / residual.abs().clamp_min(IRLS_FLOOR)[..., None]
        gram = weighted.transpose(-1, -2) @ inner + ridge
        moment = (weighted.transpose(-1, -2) @ y[..., None]).squeeze(-1) + ridge @ identity
        heights = torch.linalg.solve(gram, moment)
    return operator.normalise(_slopes(heights).flatten(1))


def _slopes(heights):
    """Turn inner knot heights (..., 7) into slopes (..., 8) >= 0, by the mean of both monotone envelopes."""
    heights = heights.clamp(0, 1)
    below = heights.flip(-1).cummin(-1).values.flip(-1)
    monotone = (heights.cummax(-1).values + below) / 2
    ends = monotone.new_zeros(*monotone.shape[:-1], 1)
    return torch.cat((ends, monotone, ends + 1), -1).diff(dim=-1)


def fit_smooth(operator: Operator, image: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Fit an operator of the develop panel by Gauss-Newton steps from neutral.

    A point-wise operator is fitted on SMOOTH_PIXELS of the valid pixels, any other operator on the whole picture.
    """
    vocab = OperatorVocab((NONE, START, END, operator.name))
    if operator.radius == 0:
        image, target = (pick(picture, valid) for picture in (image, target))
        stride = -(-image.shape[2] // SMOOTH_PIXELS)
        image, target = image[..., None, ::stride], target[..., None, ::stride]
    ops = torch.full((len(image), 1), vocab.ids[operator.name], device=image.device)
    neutral = operator.neutral.to(image).expand(len(image), 1, -1)
    return refine(vocab, ops, neutral, image, target, Scales.of(vocab), SMOOTH_ROUNDS)[0][:, 0]


FITS = {"linear": fit_linear, "scalar": fit_scalar, "curve": fit_curve}   # the other structure is "smooth"
