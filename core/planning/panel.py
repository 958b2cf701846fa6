"""The search with the develop panel: smooth operators, fitted by Gauss-Newton steps through the executor.

1. Colour: a beam search adds point-wise operators, fitted on a sample of the pixels. After each new step all steps of
   a plan are fitted together.
2. Areas: operators that see more than a pixel, such as clarity, are put in front of the plan, fitted on the picture.
3. The colour steps are fitted once more, on a sample of the picture that the areas give.
"""
import numpy as np
import torch
import torch.nn.functional as F

from core.operators import END, NONE, START, OperatorVocab, apply_batch, execute_batch
from core.planning.action_sets import ActionOptions
from core.planning.refine import Scales, distance, refine

SAMPLES = 32          # the colour steps are fitted on a grid of 32 x 32 pixels
COLOUR_STEPS = 4      # most steps on colour, so that a plan of five has room for detail
ROUNDS = 2            # Gauss-Newton steps for all steps of a plan together
FEWEST = 0.01         # share of the pixels between two knots of a curve that makes both knots firm
STARTS = (0.3, 0.7)   # further starts: shares of the range of parameters without an effect of their own, as a radius


class PanelSearch:
    """The search for the pairs of a batch; `options` are ActionOptions whose operators are smooth."""

    def __init__(self, options: ActionOptions) -> None:
        self.options = options
        self.vocab = OperatorVocab((NONE, START, END, *options.operators))
        self.point_wise = [index for index, row in self.vocab.operators if row.radius == 0]
        self.areas = [index for index, row in self.vocab.operators if row.radius != 0]
        self.scales = Scales.of(self.vocab)

    def plan(self, before: torch.Tensor, after: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return plans as ids (N, T) and parameters (N, T, P), padded with NONE, for pairs (N, 3, H, W)."""
        few, goal = _sample(before), _sample(after)
        ops, params = self._colours(few, goal)
        if not self.areas:
            return ops, self._straighten(ops, params, few)
        front, values = self._areas(ops, params, before, after)
        if self.point_wise and front.any():
            few = _sample(execute_batch(self.vocab, front, before, values))
            params, _ = refine(self.vocab, ops, params, few, goal, self.scales, ROUNDS)
        return torch.cat((front, ops), 1), torch.cat((values, self._straighten(ops, params, few)), 1)

    def _colours(self, before, after):
        """Return the best plans of point-wise operators that a beam search finds, each step of which gains enough."""
        longest = min(COLOUR_STEPS, self.options.max_steps) if self.areas else self.options.max_steps
        best_ops = before.new_zeros(len(before), longest if self.point_wise else 0, dtype=torch.long)
        best_params = before.new_zeros(*best_ops.shape, self.vocab.max_params)
        least = distance(before, after)
        allowed = self.options.min_gain * least
        going = (least >= self.options.tolerance).nonzero().squeeze(1)
        ops, params, images = best_ops[going, None, :0], best_params[going, None, :0], before[going, None]
        for position in range(best_ops.shape[1]):
            if not len(going):
                break
            ops, params = self._extend(ops, params, images, after[going])
            width = ops.shape[1]
            steps, values = ops.flatten(0, 1), params.flatten(0, 1)
            start, goal = (picture[going].repeat_interleave(width, 0) for picture in (before, after))
            values, cost = refine(self.vocab, steps, values, start, goal, self.scales, ROUNDS if position else 1)
            images = execute_batch(self.vocab, steps, start, values).unflatten(0, (-1, width))
            params = values.view_as(params)
            cost, first = cost.view(-1, width).min(1)
            gained = least[going] - cost >= allowed[going]
            rows, first = going[gained], first[gained]
            best_ops[rows, :position + 1], best_params[rows, :position + 1] = ops[gained, first], params[gained, first]
            least[rows] = cost[gained]
            more = gained & (cost >= self.options.tolerance)
            going, ops, params, images = going[more], ops[more], params[more], images[more]
        return best_ops, best_params

    def _extend(self, ops, params, images, after):
        """Return the best `beam` extensions by one step of the plans `ops` (N, K, T), whose results are `images`."""
        count, width = ops.shape[:2]
        fits = [self._fit(index, images.flatten(0, 1), after.repeat_interleave(width, 0)) for index in self.point_wise]
        costs = torch.stack([cost.view(count, width) for _, cost in fits], 2)                     # (N, K, O)
        fitted = torch.stack([found.view(count, width, -1) for found, _ in fits], 2)              # (N, K, O, P)
        steps = torch.tensor(self.point_wise, device=ops.device)
        used = (ops[..., None] == steps).any(2)
        keys = (2.0 ** ops.double()).sum(2)[..., None] + 2.0 ** steps.double()                    # sets of operators
        for plan in range(1, width):   # the same operators in another order are no other plan
            used[:, plan] |= (keys[:, plan, :, None] == keys[:, :plan].flatten(1)[:, None]).any(-1)
        costs = costs.masked_fill(used, torch.inf).flatten(1)
        chosen = costs.topk(min(self.options.beam, costs.shape[1]), largest=False).indices
        parent, step = chosen // len(steps), chosen % len(steps)
        pair = torch.arange(count, device=ops.device)[:, None]
        return (torch.cat((ops[pair, parent], steps[step][..., None]), 2),
                torch.cat((params[pair, parent], fitted[pair, parent, step][:, :, None]), 2))

    def _areas(self, ops, params, before, after):
        """Return steps (N, T) of operators on areas, and their parameters, that improve the plans when put in front."""
        front, values = ops[:, :0], params[:, :0]
        least = distance(execute_batch(self.vocab, ops, before, params), after)
        allowed = self.options.min_gain * distance(before, after)
        going = torch.arange(len(before), device=before.device)
        for _ in range(self.options.max_steps):
            room = ((front[going] > 0).sum(1) + (ops[going] > 0).sum(1) < self.options.max_steps)
            going = going[room & (least[going] >= self.options.tolerance)]
            if not len(going):
                break
            image = execute_batch(self.vocab, front[going], before[going], values[going])
            fits = [self._fit(index, image, after[going], ops[going], params[going]) for index in self.areas]
            costs = torch.stack([cost.masked_fill((front[going] == index).any(1), torch.inf)
                                 for (_, cost), index in zip(fits, self.areas, strict=True)])
            chosen = costs.argmin(0)
            steps = torch.cat((torch.tensor(self.areas, device=ops.device)[chosen][:, None], ops[going]), 1)
            found = torch.stack([found for found, _ in fits])[chosen, torch.arange(len(going), device=ops.device)]
            found, cost = refine(self.vocab, steps, torch.cat((found[:, None], params[going]), 1), image, after[going],
                                 self.scales.only(*self.areas))
            gained = least[going] - cost >= allowed[going]
            going = going[gained]
            front, values = F.pad(front, (0, 1)), F.pad(values, (0, 0, 0, 1))
            front[going, -1], values[going, -1], least[going] = steps[gained, 0], found[gained, 0], cost[gained]
        return front, values

    def _straighten(self, ops, params, image):
        """Make tone curves straight where few pixels lie, so that another photo is not posterised there.

        A knot keeps its height if a cell beside it has a share of FEWEST of the pixels, or if it is the first or last.
        """
        params = params.clone()
        for position in range(ops.shape[1]):
            for pair, index in enumerate(ops[:, position].tolist()):
                row = self.vocab[index]
                if row is None or not row.curves or row.structure == "curve":   # such curves have slopes, not heights
                    continue
                values = params[pair, position, :row.n_params].view(row.curves, -1)
                for heights, levels in zip(values, image[pair].reshape(row.curves, -1), strict=True):
                    full = torch.histc(levels, len(heights) - 1, 0, 1) >= FEWEST * levels.numel()
                    firm = F.pad(full, (1, 0), value=True) | F.pad(full, (0, 1), value=True)
                    knots = np.arange(len(heights))
                    heights.copy_(torch.from_numpy(np.interp(knots, knots[firm.cpu()], heights[firm].cpu())))
            image = apply_batch(self.vocab, ops[:, position], image, params[:, position])
        return params

    def _fit(self, index, image, target, ops=None, params=None):
        """Fit an operator that comes before the steps `ops` (N, T), if any; return parameters (N, P) and costs (N,)."""
        row, only = self.vocab[index], self.scales.only(index)
        steps = torch.full((len(image), 1), index, device=image.device)
        starts = [row.neutral, *(torch.where(row.effect, row.neutral, row.low + share * (row.high - row.low))
                                 for share in STARTS if not row.effect.all())]
        found = []
        for start in starts:
            values = F.pad(start.to(image), (0, self.vocab.max_params - row.n_params)).expand(len(image), 1, -1)
            plan = (steps, values) if ops is None else (torch.cat((steps, ops), 1), torch.cat((values, params), 1))
            found.append(refine(self.vocab, *plan, image, target, only))
        params, costs = map(torch.stack, zip(*found, strict=True))
        least, best = costs.min(0)
        return params[best, torch.arange(len(image), device=image.device), 0], least


def _sample(picture):
    """Return the pixels of a grid of at most SAMPLES rows and columns."""
    rows, columns = (torch.linspace(0, side - 1, min(side, SAMPLES)).round().long() for side in picture.shape[-2:])
    return picture[..., rows[:, None], columns]
