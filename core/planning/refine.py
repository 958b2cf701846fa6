"""Gauss-Newton: fit all parameters of a batch of plans together, towards known targets.

Residuals are weighted so that least squares minimise the L1 distance (iteratively reweighted least squares). Each
parameter has a small price for its distance from neutral, so parameters that few pixels depend on stay near neutral,
and a plan fits other photos, too.
"""
from dataclasses import dataclass, replace

import torch

from core.operators import OperatorVocab, apply_batch, execute_batch

FLOOR = 4e-3               # about one 8-bit level: smaller residuals count as noise
PRICE = 1e-3               # of a parameter at one range from neutral: as much as this L1
ROUGHNESS = 0.1            # of a second difference of 1 between the knots of a curve: as much as this L1
DIFFERENCE = 2e-3          # step of a finite difference, in ranges
STEPS = (1.0, 0.4)         # shares of a Gauss-Newton step that are tried


@dataclass(frozen=True)
class Scales:
    """Bounds and neutral values (V, P) of the parameters of a vocabulary; a parameter with `reach` 0 is not fitted."""

    low: torch.Tensor
    high: torch.Tensor
    neutral: torch.Tensor
    reach: torch.Tensor
    price: torch.Tensor   # (V, P, P), the quadratic form of the price on distances from neutral

    @classmethod
    def of(cls, vocab: OperatorVocab) -> "Scales":
        """Return the Scales of a vocabulary."""
        low, high, neutral = (torch.zeros(len(vocab), vocab.max_params) for _ in range(3))
        price = PRICE * torch.eye(vocab.max_params).repeat(len(vocab), 1, 1)
        for index, row in vocab.operators:
            if row.curves:
                bends = torch.eye(row.n_params // row.curves).diff(n=2, dim=0)
                rough = torch.block_diag(*[ROUGHNESS * bends.mT @ bends] * row.curves)
                price[index, :row.n_params, :row.n_params] += rough
            for table, values in ((low, row.low), (high, row.high), (neutral, row.neutral)):
                table[index, :row.n_params] = values
        return cls(low, high, neutral, high - low, price)

    def only(self, *indices: int) -> "Scales":
        """Return the Scales for a fit of the operators with the ids `indices` alone."""
        chosen = torch.isin(torch.arange(len(self.reach)), torch.tensor(indices))
        return replace(self, reach=self.reach * chosen[:, None])


def refine(vocab: OperatorVocab, ops: torch.Tensor, params: torch.Tensor, before: torch.Tensor, target: torch.Tensor,
           scales: Scales, rounds: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Improve all parameters of each plan together; no plan's L1 increases.

    Args:
        vocab: the OperatorVocab of `ops`.
        ops: (N, T) ids, padded with 0; params: (N, T, P).
        before, target: (N, 3, h, w).
        scales: bounds of the parameters.
        rounds: number of Gauss-Newton steps.

    Returns: parameters (N, T, P), and the L1 (N,) of their results.
    """
    low, high = scales.low[ops], scales.high[ops]
    for _ in range(rounds):
        result, slopes, used = jacobian(vocab, ops, params, before, scales)
        step = _step(vocab, ops, params, (target - result).flatten(1), slopes, used, scales)
        tried = [params, *((params + share * step).clamp(low, high) for share in STEPS)]
        costs = torch.stack([distance(result, target),
                             *(distance(execute_batch(vocab, ops, before, values), target) for values in tried[1:])])
        least, best = costs.min(0)
        params = torch.stack(tried)[best, torch.arange(len(params), device=params.device)]
    return params, least


def distance(image: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute difference (N,) of images (N, 3, h, w)."""
    return (image - target).abs().mean((1, 2, 3))


def jacobian(vocab: OperatorVocab, ops: torch.Tensor, params: torch.Tensor, before: torch.Tensor,
             scales: Scales) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the results of plans and their derivatives by finite differences, in ranges of the parameters.

    Args: `ops` (N, T), `params` (N, T, P), `before` (N, 3, h, w).

    Returns: results (N, 3, h, w); derivatives (N, Q, 3 h w), padded with 0, Q the most parameters of a plan; and the
    places (N, Q) of these parameters among the T P of a plan, -1 for padding.
    """
    count, length = ops.shape
    reach = scales.reach[ops]
    sign = torch.where(params + DIFFERENCE * reach > scales.high[ops], -1, 1)
    image, images = before, before[:0]                      # results of the plans, of the plans with a moved parameter
    rows = places = ops.new_zeros(0)                        # the sample and the moved parameter of each of `images`
    for position in range(length):
        sample, param = reach[:, position].nonzero(as_tuple=True)
        moved = params[sample, position].clone()
        moved[torch.arange(len(sample)), param] += (DIFFERENCE * sign * reach)[sample, position, param]
        images = torch.cat((images, image[sample]))
        values = torch.cat((params[rows, position], moved))
        rows = torch.cat((rows, sample))
        places = torch.cat((places, position * params.shape[-1] + param))
        if len(rows):
            images = apply_batch(vocab, ops[rows, position], images, values)
        image = apply_batch(vocab, ops[:, position], image, params[:, position])
    order = rows.argsort(stable=True)
    rows, places = rows[order], places[order]
    counts = torch.bincount(rows, minlength=count)
    column = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
    most = int(counts.max()) if len(rows) else 0
    used = places.new_full((count, most), -1)
    used[rows, column] = places
    slopes = before.new_zeros(count, most, before[0].numel())
    direction = sign.flatten(1)[rows, places][:, None] / DIFFERENCE
    slopes[rows, column] = (images[order].flatten(1) - image.flatten(1)[rows]) * direction
    return image, slopes, used


def _step(vocab, ops, params, residual, slopes, used, scales):
    """Return the Gauss-Newton step (N, T, P) of reweighted least squares with a price on the distance from neutral."""
    weights = 1 / residual.abs().clamp_min(FLOOR)
    weighted = slopes * weights[:, None]
    reach, neutral = scales.reach[ops], scales.neutral[ops]
    distance = ((params - neutral) / reach.clamp_min(1e-6)).flatten(1)
    known = used >= 0
    places, count = used.clamp_min(0), residual.shape[1]
    price = torch.stack([torch.block_diag(*steps) for steps in scales.price[ops]])              # (N, T P, T P)
    moment = (weighted @ residual[..., None] - count * (price @ distance[..., None]).gather(1, places[..., None]))
    moment = (moment * known[..., None]).squeeze(-1)
    price = price.gather(1, places[..., None].expand(-1, -1, price.shape[2]))
    price = price.gather(2, places[:, None].expand(-1, places.shape[1], -1))
    gram = weighted @ slopes.transpose(1, 2) + count * price * (known[..., None] & known[:, None])
    gram.diagonal(dim1=1, dim2=2).masked_fill_(~known, 1.0)
    solved = torch.linalg.solve(gram, moment)
    step = torch.zeros_like(distance)
    rows = torch.arange(len(step), device=step.device)[:, None].expand_as(used)
    step[rows[known], used[known]] = solved[known]
    return step.view_as(params) * reach
