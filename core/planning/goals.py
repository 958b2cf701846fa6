"""What a search strives for: the goal says what a picture costs, and which parameters of an operator cost least.

A goal is asked about N pictures at once, (N, 3, h, w) in [0, 1]; `at(rows)` is the same goal for other pictures, the
i-th of which belongs to the pair rows[i]. A search that has reached `tolerance` ends; a plan that was found is polished
in `rounds`.
"""
import torch

from core.operators import apply
from core.operators.functions import CURVE_STEPS
from core.planning.fits import fit
from core.planning.minimisers import minimise

SAMPLES = 9    # parameters of an operator that a judge is shown; polishing improves what it chose
REACH = 2.5    # of these samples, before they are squashed into the bounds: it covers most of them
GAMMA = 0.5    # of sampled tone curves: the spread of the logarithm of their exponent


class KnownTarget:
    """The target itself: what a picture costs is its L1 distance, and parameters are fitted by their structure."""

    rounds = 60

    def __init__(self, target, valid, optimizer, tolerance):
        """Strive for `target` (N, 3, h, w) where `valid`, bool (h, w), is true; see ActionOptions for the others."""
        self.target, self.valid, self.optimizer, self.tolerance = target, valid, optimizer, tolerance

    def at(self, rows):
        return KnownTarget(self.target[rows], self.valid, self.optimizer, self.tolerance)

    def cost(self, image):
        """Return (N,): the mean absolute distance over the pixels that count."""
        return ((image - self.target).abs().mean(-3) * self.valid).sum((-2, -1)) / self.valid.sum()

    def params(self, operator, image):
        """Return (N, n)."""
        if self.optimizer == "fit":
            return fit(operator, image, self.target, self.valid)
        return minimise(self.optimizer, operator, image, self.target, self.valid)


class Judged:
    """No target, but a judge: parameters are the best of a few samples; polishing follows the judge's gradient."""

    tolerance, rounds = 0.0, 30   # a judge is never content

    def __init__(self, judge, rows):
        """Strive for what `judge`, a callable (image (N, 3, h, w), rows (N,)) -> cost (N,), finds best.

        Costs are above 0 and differentiable in the image; `rows` say which pair each picture belongs to.
        """
        self.judge, self.rows = judge, rows

    def at(self, rows):
        return Judged(self.judge, self.rows[rows])

    def cost(self, image):
        """Return (N,): what the judge says."""
        return self.judge(image, self.rows)

    def params(self, operator, image):
        """Return (N, n)."""
        tried = samples(operator).to(image)
        costs = torch.stack([self.cost(apply(operator, image, params.expand(len(image), -1))) for params in tried])
        return tried[costs.argmin(0)]


def samples(operator, count=SAMPLES):
    """Return (count, n) parameters, the neutral ones first and the others spread over what the operator can do.

    Tone curves are x^gamma, for each channel another gamma, since slopes drawn one by one are no curves that anybody
    would use; the draws are the same each time.
    """
    if operator.structure == "curve":
        draws = torch.randn(count - 1, operator.n_params // CURVE_STEPS, 1, generator=torch.Generator().manual_seed(0))
        knots = torch.linspace(0, 1, CURVE_STEPS + 1)
        found = (knots ** (GAMMA * draws).exp()).diff(dim=-1).flatten(1)
    else:
        found = operator.squash(torch.linspace(-REACH, REACH, count - 1)[:, None]).expand(-1, operator.n_params)
    return operator.normalise(torch.cat((torch.full_like(found[:1], operator.neutral), found)))


def descend(params, cost, project, rounds, rate):
    """Improve parameters by Adam (Kingma and Ba 2015), each row for itself; no row becomes worse.

    Args:
        params: (N, ...).
        cost: a callable params -> (N,), differentiable.
        project: a callable that brings parameters back into their bounds.
        rounds, rate: how many steps, and the first one's size, which falls linearly to 0.

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
