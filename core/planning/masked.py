"""The search with masks: each child of a plan is an operator, applied everywhere or inside one mask of the pair.

It edits whole pictures, because a mosaic of patches misses small regions, and takes one pair at a time, because pairs
differ in their masks. An operator is fitted on the pixels inside its mask. The cost is the L1 distance of the whole
picture; the tolerance holds inside the masks, so it is smaller by the share of the picture that they cover.
"""
from collections.abc import Sequence
from dataclasses import replace

import torch

from core.operators import END, NONE, START, TABLE, Mask, OperatorVocab, Plan, Step
from core.planning.action_sets import ActionOptions
from core.planning.goals import KnownTarget
from core.planning.search import FIRST, Planned, chances, polish, search, shorten

MOST_MASKS = 6   # masks that a search tries: those whose pixels change most


@torch.no_grad()
def plan_inside(before: torch.Tensor, after: torch.Tensor, masks: Sequence[Mask], options: ActionOptions,
                name: str = "") -> Planned:
    """Find the plan that brings `before` nearest to `after`, with steps that may be limited to one of `masks`.

    Args:
        before, after: (3, H, W) in [0, 1].
        masks: the masks that steps may have; those inside which the pair does not change are not tried.
        options: ActionOptions; local operators, such as inpaint_obj, are tried inside masks only.
        name: seeds the random choices of `epsilon`.

    Returns: a Planned; its distances are those of the whole picture.
    """
    areas = _changed(before, after, masks, options.tolerance)
    whole = before.new_ones(1, 1, *before.shape[1:])
    share = torch.cat([area for _, area in areas] or [whole]).amax(0).mean().item()
    options = replace(options, tolerance=options.tolerance * share)
    if (before - after).abs().mean() < options.tolerance:
        return Planned(Plan(), ((before - after).abs().mean().item(),))
    moves = [(op, mask, area) for mask, area in [(None, whole), *areas] for op in options.operators
             if mask is not None or not TABLE[op].local]
    goal = KnownTarget(after[None], whole[0, 0] > 0, options.optimizer, options.tolerance)
    found, params = search([(op, area) for op, _, area in moves], options, goal, before[None],
                           chances(options, len(moves), [name]).to(before.device))
    chosen = [moves[index - FIRST] for index in found[0].tolist() if index]
    params = params[:, :len(chosen)]
    if options.optimizer == "fit" and len(chosen) > 1:   # a single step has been fitted already
        vocab = OperatorVocab((NONE, START, END, *options.operators))
        ops = torch.tensor([[vocab.ids[op] for op, _, _ in chosen]], device=before.device)
        params = polish(vocab, ops, params, before[None], goal, torch.stack([area for _, _, area in chosen], 1))
    plan = Plan(tuple(Step.make(op, values[:TABLE[op].n_params].cpu(), mask)
                      for (op, mask, _), values in zip(chosen, params[0], strict=True)))
    return shorten(plan, before, after, options)


def _changed(before, after, masks, least):
    """Return the pairs (Mask, its tensor (1, 1, H, W)) inside which the mean change is `least`, largest change first.

    At most MOST_MASKS are returned.
    """
    change, found = (before - after).abs().mean(0), []
    for mask in dict.fromkeys(masks):
        area = mask.tensor(*change.shape).to(before)
        total = (change * area[0, 0]).sum().item()
        if total >= least * area.sum().item() > 0:
            found.append((total, mask, area))
    return [(mask, area) for _, mask, area in sorted(found, key=lambda entry: -entry[0])[:MOST_MASKS]]
