"""The goals of a search. A goal gives the cost of an image, and the parameters of an operator with the least cost.

A goal works on N images at once, (N, 3, h, w) in [0, 1]. `at(rows)` returns the goal for other images, the i-th of
which belongs to pair rows[i]. The search ends at a cost below `tolerance` and polishes its plan in `rounds` steps.
"""
from collections.abc import Callable

import torch

from core.operators import Operator, apply
from core.operators.functions import CURVE_STEPS
from core.planning.fits import fit
from core.planning.minimisers import minimise

SAMPLES = 9    # number of parameter samples per operator that a judge compares; polishing improves the best one
REACH = 2.5    # range of the samples before squashing; it covers most of the bounds
GAMMA = 0.5    # standard deviation of log gamma of sampled tone curves
FITTED = 1024  # most pixels inside a mask on which an operator is fitted
Judge = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]   # (images (N, 3, h, w), rows (N,)) -> costs (N,)


class KnownTarget:
    """The goal of a known target: the cost is the L1 distance, and parameters are fitted by their structure."""

    rounds = 60

    def __init__(self, target: torch.Tensor, valid: torch.Tensor, optimizer: str, tolerance: float) -> None:
        """Set the target (N, 3, h, w); `valid`, bool (h, w), marks the pixels that count.

        `optimizer` and `tolerance` are those of ActionOptions.
        """
        self.target, self.valid, self.optimizer, self.tolerance = target, valid, optimizer, tolerance

    def at(self, rows: torch.Tensor) -> "KnownTarget":
        return KnownTarget(self.target[rows], self.valid, self.optimizer, self.tolerance)

    def cost(self, image: torch.Tensor) -> torch.Tensor:
        """Return the mean absolute distance (N,) over the valid pixels of `image` (N, 3, h, w)."""
        return ((image - self.target).abs().mean(-3) * self.valid).sum((-2, -1)) / self.valid.sum()

    def params(self, operator: Operator, image: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return the parameters (N, n) of `operator` that bring `image` (N, 3, h, w) nearest to the target.

        With a `mask` (1, 1, h, w), only the pixels inside count.
        """
        valid = self.valid if mask is None else thinned(self.valid & (mask[0, 0] > 0.5))
        if not operator.params or not valid.any():
            return operator.neutral.to(image).expand(len(image), -1)
        if self.optimizer == "fit":
            return fit(operator, image, self.target, valid)
        return minimise(self.optimizer, operator, image, self.target, valid)


class Judged:
    """The goal of a judge: parameters are the best of a few samples; polishing follows the judge's gradient."""

    tolerance, rounds = 0.0, 30   # costs are above 0, so the search never ends early

    def __init__(self, judge: Judge, rows: torch.Tensor) -> None:
        """Set the judge, a callable (image (N, 3, h, w), rows (N,)) -> cost (N,).

        Its costs must be above 0 and differentiable in the image. `rows` are the indices of the images' pairs.
        """
        self.judge, self.rows = judge, rows

    def at(self, rows: torch.Tensor) -> "Judged":
        return Judged(self.judge, self.rows[rows])

    def cost(self, image: torch.Tensor) -> torch.Tensor:
        """Return the judge's cost (N,) of `image` (N, 3, h, w)."""
        return self.judge(image, self.rows)

    def params(self, operator: Operator, image: torch.Tensor, mask: None = None) -> torch.Tensor:
        """Return the parameters (N, n) of `operator` with the least cost on `image` (N, 3, h, w) among `samples`."""
        tried = samples(operator).to(image)
        costs = torch.stack([self.cost(apply(operator, image, params.expand(len(image), -1))) for params in tried])
        return tried[costs.argmin(0)]


def thinned(valid: torch.Tensor) -> torch.Tensor:
    """Return `valid`, bool (h, w), with at most about FITTED of its pixels, evenly spread."""
    places = valid.flatten().nonzero().squeeze(1)
    stride = -(-len(places) // FITTED) | 1   # an odd stride visits all columns of a picture whose side is even
    return torch.zeros_like(valid.flatten()).index_fill(0, places[::stride], True).view_as(valid)


def samples(operator: Operator, count: int = SAMPLES) -> torch.Tensor:
    """Return parameters (count, n): the neutral ones first, the others spread over the operator's range.

    Sampled tone curves are x^gamma with a random gamma per channel, because slopes sampled independently give curves
    that nobody would use. The samples are the same in each call.
    """
    if operator.structure == "curve":
        draws = torch.randn(count - 1, operator.n_params // CURVE_STEPS, 1, generator=torch.Generator().manual_seed(0))
        knots = torch.linspace(0, 1, CURVE_STEPS + 1)
        found = (knots ** (GAMMA * draws).exp()).diff(dim=-1).flatten(1)
    else:
        found = operator.squash(torch.linspace(-REACH, REACH, count - 1)[:, None].expand(-1, operator.n_params))
    return operator.normalise(torch.cat((operator.neutral.to(found)[None], found)))


def descend(params: torch.Tensor, cost: Callable[[torch.Tensor], torch.Tensor],
            project: Callable[[torch.Tensor], torch.Tensor], rounds: int, rate: float) -> torch.Tensor:
    """Improve parameters by Adam (Kingma and Ba 2015), each row independently; no row's cost increases.

    Args:
        params: (N, ...).
        cost: a callable params -> (N,), differentiable.
        project: a callable that brings parameters back into their bounds.
        rounds: number of steps.
        rate: size of the first step; it falls linearly to 0.

    Returns: the best parameters seen, of the same shape.
    """
    best, best_cost = params.clone(), params.new_full((len(params),), torch.inf)
    mean, square = torch.zeros_like(params), torch.zeros_like(params)
    for count in range(1, rounds + 2):
        with torch.enable_grad():
            variable = params.detach().requires_grad_()
            costs = cost(variable)
            slope, = torch.autograd.grad(costs.sum(), variable)
        better = costs.detach() < best_cost
        best[better], best_cost[better] = params[better], costs.detach()[better]
        mean.lerp_(slope, 0.1)
        square.lerp_(slope.square(), 0.01)
        step = rate * (1 - (count - 1) / rounds)
        params = project(params - step * (mean / (1 - 0.9 ** count)) / ((square / (1 - 0.99 ** count)).sqrt() + 1e-8))
    return best
