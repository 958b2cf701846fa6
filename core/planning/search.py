"""The beam search over operators and their parameters, in batches of images.

Sets with operators of the develop panel have a search of their own (core/planning/panel.py).

Its goal (core/planning/goals.py) is a known target or a judge that scores an image. With a target, the search edits a
mosaic of small patches, which is enough for a fit and cheap; the final choice of steps uses the whole image. A judge
always gets whole images. The children of a plan are its moves: an operator of the options, applied everywhere, or, in
the search with masks (core/planning/masked.py), inside one mask.
"""
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch

from core.operators import END, NONE, START, TABLE, OperatorVocab, Plan, Step, apply, execute_batch, trace
from core.planning.action_sets import ActionOptions
from core.planning.goals import Judge, Judged, KnownTarget, descend
from core.planning.panel import PanelSearch

PATCHES, PATCH, HALO = 8, 4, 1   # 8 x 8 patches of 4 x 4 pixels; each has a margin for operators with a radius
FIRST = len((NONE, START, END))  # ids of a search: the special tokens, then its moves
SHORTER = 0.01                   # the search takes a shorter plan if its cost is at most this share higher
POLISH_RATE = 0.03               # first step size of the polishing


@dataclass(frozen=True)
class Planned:
    """A plan and len(plan) + 1 mean absolute distances to the target: before the plan and after each of its steps."""

    plan: Plan
    distances: tuple[float, ...]

    @property
    def l1_input(self) -> float:
        """The distance of the input."""
        return self.distances[0]

    @property
    def l1_output(self) -> float:
        """The distance of the result."""
        return self.distances[-1]

    @property
    def gains(self) -> tuple[float, ...]:
        """The decrease of the distance by each step."""
        return tuple(before - after for before, after in pairwise(self.distances))


Move = tuple[str, torch.Tensor | None]   # an operator, and the mask (1, 1, h, w) that limits it; None is everywhere


@dataclass
class Beams:
    """Candidate plans of B pairs, K each: ids of moves (B, K, T), parameters (B, K, T, P), costs (B, K)."""

    ops: torch.Tensor
    params: torch.Tensor
    cost: torch.Tensor

    def select(self, pairs: torch.Tensor) -> "Beams":
        """Return the beams of `pairs`, a mask (B,) or indices."""
        return Beams(self.ops[pairs], self.params[pairs], self.cost[pairs])

    def append(self, parent: torch.Tensor, op: torch.Tensor, params: torch.Tensor, cost: torch.Tensor) -> "Beams":
        """Return beams (B, K'): each is the plan `parent` (B, K'), an index into K, with one more step."""
        rows = torch.arange(len(parent), device=parent.device)[:, None]
        return Beams(torch.cat((self.ops[rows, parent], op[..., None]), -1),
                     torch.cat((self.params[rows, parent], params[:, :, None]), -2), cost)


@torch.no_grad()
def plan_pairs(before: torch.Tensor, after: torch.Tensor, options: ActionOptions,
               names: Sequence[str] | None = None) -> list[Planned]:
    """Find for each pair the plan that brings `before` nearest to `after`.

    Args:
        before, after: (B, 3, H, W) in [0, 1].
        options: ActionOptions.
        names: B strings that seed the random choices of `epsilon`, so that results do not depend on the batch.

    Returns: a list of B `Planned`; the plan is empty for a pair whose distance is below `options.tolerance`.
    """
    if any(TABLE[name].structure == "smooth" for name in options.operators):
        return _plan_with_panel(before, after, options)
    vocab = _vocab(options)
    initial = (before - after).abs().mean((1, 2, 3))
    results = [Planned(Plan(), (value,)) for value in initial.tolist()]
    active = (initial >= options.tolerance).nonzero().squeeze(1)
    if not len(active):
        return results
    sampled = options.optimizer == "fit"
    rows, columns, valid = _mosaic(*before.shape[-2:], sampled, before.device)
    small = [picture[active][..., rows[:, None], columns] for picture in (before, after)]
    chance = chances(options, len(options.operators), [names[i] if names else str(i) for i in active.tolist()])
    goal = KnownTarget(small[1], valid, options.optimizer, options.tolerance)
    ops, params = search(everywhere(options), options, goal, small[0], chance.to(before.device))
    if sampled and ops.any():   # empty plans have nothing to polish
        params = polish(vocab, ops, params, small[0], goal)
    for index, pair_ops, pair_params in zip(active.tolist(), ops, params, strict=True):
        plan = to_plan(vocab, pair_ops, pair_params)
        results[index] = shorten(plan, before[index], after[index], options)
    return results


def _plan_with_panel(before, after, options):
    """Do the work of `plan_pairs` for operators that are fitted by Gauss-Newton steps."""
    search = PanelSearch(options)
    ops, params = search.plan(before, after)
    return [shorten(to_plan(search.vocab, *found), *pair, options)
            for *found, pair in zip(ops, params, zip(before, after, strict=True), strict=True)]


@torch.no_grad()
def plan_by_judge(before: torch.Tensor, judge: Judge, options: ActionOptions) -> list[Plan]:
    """Find for each image the plan whose result has the least cost by a judge; no target is known.

    Args:
        before: (B, 3, H, W) in [0, 1].
        judge: a callable (image (N, 3, H, W), rows (N,)) -> cost (N,) above 0, differentiable in the image; image i
            is an edit of before[rows[i]].
        options: ActionOptions; the judge's cost takes the place of L1, and `tolerance` and `optimizer` are ignored.

    Returns: a list of B Plan.
    """
    vocab, rows = _vocab(options), torch.arange(len(before), device=before.device)
    goal, chance = Judged(judge, rows), chances(options, len(options.operators), map(str, rows.tolist()))
    ops, params = search(everywhere(options), options, goal, before, chance.to(before.device))
    if ops.any():
        params = polish(vocab, ops, params, before, goal)
    return [_without_idle(to_plan(vocab, ops[i], params[i]), before[i],
                          lambda image, i=i: goal.at(rows[i:i + 1]).cost(image[None]).item(), options)[0]
            for i in rows.tolist()]


def _vocab(options):
    return OperatorVocab((NONE, START, END, *options.operators))


def everywhere(options: ActionOptions) -> list[Move]:
    """Return the moves of a search without masks; their ids are those of the vocabulary of the options' operators."""
    return [(name, None) for name in options.operators]


def _mosaic(height, width, sampled, device):
    """Return the rows (h,) and columns (w,) of the pixels that the search edits, and which of them count (h, w)."""
    def axis(length):
        block = PATCH + 2 * HALO
        if not sampled or length <= PATCHES * block:
            return torch.arange(length), torch.ones(length, dtype=torch.bool)
        starts = torch.linspace(0, length - block, PATCHES).round().long()
        inside = torch.zeros(block, dtype=torch.bool)
        inside[HALO:-HALO] = True
        return (starts[:, None] + torch.arange(block)).flatten(), inside.repeat(PATCHES)
    (rows, valid_rows), (columns, valid_columns) = axis(height), axis(width)
    return rows.to(device), columns.to(device), (valid_rows[:, None] & valid_columns).to(device)


def chances(options: ActionOptions, moves: int, names: Iterable[str]) -> torch.Tensor:
    """Return (B, max_steps, moves): random scores in [-1, 0) at steps that epsilon makes random, 0 elsewhere.

    Args: `moves` is the number of moves; `names` are B strings that seed the random numbers.
    """
    draws = []
    for name in names:
        generator = torch.Generator().manual_seed(zlib.crc32(f"{options.seed} {name}".encode()))
        strikes = torch.rand(options.max_steps, 1, generator=generator) < options.epsilon
        draws.append(torch.where(strikes, torch.rand(options.max_steps, moves, generator=generator) - 1, 0))
    return torch.stack(draws)


def search(moves: Sequence[Move], options: ActionOptions, goal: KnownTarget | Judged, before: torch.Tensor,
           chance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the best plan of each pair as ids of moves (B, T) and parameters (B, T, P).

    The id of a move is its index + FIRST; 0 pads the plans.

    Args:
        moves: the children of a plan; none is used twice in a plan.
        options: ActionOptions.
        goal: the goal of the B pairs.
        before: (B, 3, h, w).
        chance: the result of `chances`.
    """
    widest = max(TABLE[name].n_params for name, _ in moves)
    beams = Beams(before.new_zeros(len(before), 1, 0, dtype=torch.long),
                  before.new_zeros(len(before), 1, 0, widest), goal.cost(before)[:, None])
    image = before[:, None]
    alive = torch.arange(len(before), device=before.device)   # pairs above the tolerance
    levels = [(alive, beams)]
    for step in range(min(options.max_steps, len(options.operators if options.fixed_order else moves))):
        edited, params, cost = _expand(moves, options, goal.at(alive.repeat_interleave(image.shape[1])), beams, image,
                                       step)
        luck = chance[alive, None, step]
        score = torch.where(luck < 0, luck, cost).masked_fill(cost.isinf(), torch.inf).flatten(1)
        keep = score.topk(min(options.beam, score.shape[1]), largest=False).indices   # (B, K')
        parent, op = keep // len(moves), keep % len(moves)
        pair = torch.arange(len(alive), device=alive.device)[:, None]
        beams = beams.append(parent, op + FIRST, params[pair, parent, op], cost[pair, parent, op])
        levels.append((alive, beams))
        going = beams.cost.amin(1) >= goal.tolerance
        if not going.any():
            break
        alive, beams = alive[going], beams.select(going)
        image = torch.stack(edited, 2)[pair, parent, op][going]
    return _choose(levels, len(before))


def _expand(moves, options, goal, beams, image, step):
    """Try each move on each beam; return M images (B, K, 3, h, w), params (B, K, M, P) and costs (B, K, M)."""
    pairs, width = image.shape[:2]
    flat = image.flatten(0, 1)
    edited, params, costs = [], flat.new_zeros(pairs, width, len(moves), beams.params.shape[-1]), []
    for position, (name, mask) in enumerate(moves):
        operator = TABLE[name]
        found = goal.params(operator, flat, mask)
        result = apply(operator, flat, found, None if mask is None else mask.expand(len(flat), -1, -1, -1))
        used = (beams.ops == position + FIRST).any(-1)
        if options.fixed_order:
            used = used | (name != options.operators[step])
        costs.append(goal.cost(result).unflatten(0, (pairs, width)).masked_fill(used | beams.cost.isinf(), torch.inf))
        params[:, :, position, :operator.n_params] = found.unflatten(0, (pairs, width))
        edited.append(result.unflatten(0, (pairs, width)))
    return edited, params, torch.stack(costs, -1)


def _choose(levels, pairs):
    """Return for each pair the shortest plan whose cost is within SHORTER of the least cost of all lengths.

    The plans are ids (B, T) and parameters (B, T, P). Each of `levels` holds the beams of one length and their pairs.
    """
    longest, width = levels[-1][1].ops.shape[-1], levels[-1][1].params.shape[-1]
    costs = levels[0][1].cost.new_full((len(levels), pairs), torch.inf)
    ops = levels[0][0].new_zeros(len(levels), pairs, longest)
    params = costs.new_zeros(len(levels), pairs, longest, width)
    for length, (alive, beams) in enumerate(levels):
        row, best = torch.arange(len(alive), device=alive.device), beams.cost.argmin(1)
        costs[length, alive] = beams.cost[row, best]
        ops[length, alive, :length] = beams.ops[row, best]
        params[length, alive, :length] = beams.params[row, best]
    near = costs <= (1 + SHORTER) * costs.amin(0)
    shortest, pair = near.int().argmax(0), torch.arange(pairs, device=ops.device)
    return ops[shortest, pair], params[shortest, pair]


def polish(vocab: OperatorVocab, ops: torch.Tensor, params: torch.Tensor, before: torch.Tensor,
           goal: KnownTarget | Judged, masks: torch.Tensor | None = None) -> torch.Tensor:
    """Improve all parameters of each plan together, by descent through the executor; no plan's cost increases.

    Args: `ops` (B, T) ids, `params` (B, T, P), `before` (B, 3, h, w), a goal for these images, and `masks` of the
    steps (B, T, 1, h, w).

    Returns: parameters (B, T, P).
    """
    def cost(values):
        return goal.cost(execute_batch(vocab, ops, before, values, masks))
    return descend(params, cost, lambda values: _project(vocab, ops, values), goal.rounds, POLISH_RATE)


def _project(vocab, ops, params):
    """Bring `params` (B, T, P) back into the bounds of their operators, in place, and return them."""
    for index, operator in vocab.operators:
        rows = ops == index
        if rows.any():
            values = params[rows]
            values[:, :operator.n_params] = operator.normalise(values[:, :operator.n_params])
            params[rows] = values
    return params


def to_plan(vocab: OperatorVocab, ops: torch.Tensor, params: torch.Tensor) -> Plan:
    """Return the Plan of ids (T,) and parameters (T, P); special tokens are left out."""
    steps = []
    for index, values in zip(ops.tolist(), params, strict=True):
        operator = vocab[index]
        if operator is not None:
            steps.append(Step.make(operator.name, values[:operator.n_params].cpu()))
    return Plan(tuple(steps))


def shorten(plan: Plan, before: torch.Tensor, after: torch.Tensor, options: ActionOptions) -> Planned:
    """Return a Planned without the steps that reduce the distance by less than `min_gain` of its initial value.

    Args: `before`, `after` (3, H, W), the whole images.
    """
    plan, along = _without_idle(plan, before, lambda image: (image - after).abs().mean().item(), options)
    return Planned(plan, tuple(along))


def _without_idle(plan, before, cost, options):
    """Return the plan without the steps that gain too little, and a list of the costs before it and after each step.

    Args: `before` (3, H, W); `cost`, a callable from an image of this shape to a number.
    """
    def costs(candidate):
        return [cost(image) for image in (before, *trace(candidate, before))]
    along = costs(plan)
    allowed = options.min_gain * along[0]
    while len(plan):
        shorter = [Plan(plan.steps[:i] + plan.steps[i + 1:]) for i in range(len(plan))]
        reached = [costs(candidate) for candidate in shorter]
        least = min(range(len(shorter)), key=lambda i: reached[i][-1])
        if reached[least][-1] - along[-1] >= allowed:
            break
        plan, along = shorter[least], reached[least]
    if along[-1] >= along[0]:   # the plan improves the mosaic but not the whole image
        plan, along = Plan(), along[:1]
    return plan, along
