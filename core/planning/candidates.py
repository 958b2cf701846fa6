"""The training candidates of a critic: for each pair the edit that fits its request, and several wrong edits.

    shown = candidates(batch, operators)       # the right edit first
    scores = shown.judged(critic)              # (K, B), higher where it fits better
    shown.distances                            # (K, B), the L1 between each edit and the edit that its request asks for
"""
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from core.operators import OperatorVocab, execute_batch

NEAR = 0.01    # L1: an edit within this distance of the target is not wrong; planning has the same tolerance
FAR = 0.1      # L1: all wrong edits beyond this distance have the same weight
STEPS = 3      # the most steps of a random edit
SPREAD = 2.0   # standard deviation of a random edit's parameters before squashing; edits range from invisible to black


@dataclass
class Candidates:
    """K candidate edits of each of B photos; the first candidate is the right edit.

    `kinds` are K names; `source` (B, 3, H, W); `images` (K, B, 3, H, W); `request_ids` (K, B, L) are
    the requests shown with the candidates; `distances` (K, B) is the L1 between a candidate and the edit that its
    request asks for, 0 for the right candidate and infinite if unknown.
    """

    kinds: tuple[str, ...]
    source: torch.Tensor
    images: torch.Tensor
    request_ids: torch.Tensor
    distances: torch.Tensor

    def judged(self, critic: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """Return the scores (K, B) of a critic, a callable (source, candidate, request_ids) -> (N,), by one call."""
        sources = self.source.expand_as(self.images)
        return critic(*(part.flatten(0, 1) for part in (sources, self.images, self.request_ids))).view_as(
            self.distances)

    @property
    def wrong(self) -> torch.Tensor:
        """Bool (K - 1, B) of all candidates but the right one: False if the edit is right for its request after all."""
        return self.distances[1:] > NEAR

    def weights(self, by_distance: bool = False) -> torch.Tensor:
        """Return weights (K - 1, B) of all candidates but the right one: 0 if not `wrong`, else 1.

        With `by_distance` the weight of a wrong candidate is its distance / FAR, at most 1.
        """
        return self.wrong * ((self.distances[1:] / FAR).clamp(max=1) if by_distance else 1.0)


@torch.no_grad()
def candidates(batch: dict[str, Any], vocab: OperatorVocab, random_edits: bool = True,
               **others: torch.Tensor) -> Candidates:
    """Make the candidates of a batch; torch's global RNG draws the random ones.

    If the batch has plans, the wrong edits are mixed trajectories: the pair's own plan cut short, and the plan of the
    next pair. Otherwise the unedited photo is a wrong edit. The last candidate is always the right edit with the
    request of the next pair.

    Args:
        batch: `input`, `target`, `request_ids`, and optionally `ops` and `params`, as a PairDataset gives them.
        vocab: the OperatorVocab of `ops` and of random edits.
        random_edits: whether to add random edits; a critic trained without them prefers edits that no plan makes,
            such as a black image.
        others: further wrong edits (B, 3, H, W) for the request of their pair; the keyword is the name of their kind.

    Returns: Candidates.
    """
    source, target, words = batch["input"], batch["target"], batch["request_ids"]
    next_words = words.roll(1, 0)
    asked_alike = (words == next_words).all(1)
    shown = {}
    if "ops" in batch:
        ops, params = batch["ops"][:, 1:-1], batch["params"]
        next_edit = execute_batch(vocab, ops.roll(1, 0), source, params.roll(1, 0))
        apart = distance(next_edit, target)   # between the edits that the two requests ask for
        shown["cut short"] = execute_batch(vocab, cut_short(vocab, ops), source, params)
        shown["other plan"] = next_edit
    else:
        apart = torch.full((len(source),), torch.inf, device=source.device)
        shown["unedited"] = source
    if random_edits:
        shown["random edit"] = _random_edit(vocab, source)
    shown |= others
    distances = {kind: distance(image, target) for kind, image in shown.items()}
    apart = apart.masked_fill(asked_alike, 0)
    distances |= {"other plan": apart} if "other plan" in shown else {}
    return Candidates(
        ("right", *shown, "other words"), source, torch.stack((target, *shown.values(), target)),
        torch.stack((*[words] * (len(shown) + 1), next_words)),
        torch.stack((torch.zeros_like(apart), *distances.values(), apart)))


def distance(image: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute distance (B,) between two batches of images (B, 3, H, W)."""
    return (image - target).abs().mean((1, 2, 3))


def cut_short(vocab: OperatorVocab, ops: torch.Tensor) -> torch.Tensor:
    """Return `ops` (B, T) with a random number of steps, at least one, removed from the end of each plan; 0 pads."""
    count = torch.isin(ops, torch.tensor([index for index, _ in vocab.operators], device=ops.device)).sum(1)
    kept = (torch.rand(len(ops)).to(ops.device) * count).long()   # 0 to count - 1
    return ops * (torch.arange(ops.shape[1], device=ops.device) < kept[:, None])


def _random_edit(vocab, source):
    ops, params = random_steps(vocab, len(source), source.device)
    return execute_batch(vocab, ops, source, params)


def random_steps(vocab: OperatorVocab, count: int, device: torch.device | str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return operator ids (count, STEPS), padded with 0, and parameters (count, STEPS, P) of random global edits."""
    rows = vocab.plannable
    chosen = torch.tensor([index for index, _ in rows])
    ops = chosen[torch.randint(len(rows), (count, STEPS))]
    ops *= torch.arange(STEPS) <= torch.randint(STEPS, (count, 1))
    raw, params = SPREAD * torch.randn(count, STEPS, vocab.max_params), torch.zeros(count, STEPS, vocab.max_params)
    for index, operator in rows:
        places = (ops == index).nonzero(as_tuple=True)
        params[(*places, slice(operator.n_params))] = operator.squash(raw[(*places, slice(operator.n_params))])
    return ops.to(device), params.to(device)
