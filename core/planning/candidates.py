"""What a critic learns from: for each pair the edit that fits its words, and several that do not.

    shown = candidates(batch, operators)       # the right edit first
    scores = shown.judged(critic)              # (K, B), higher where it fits better
    shown.distances                            # (K, B), how far each is from what its words ask for
"""
from dataclasses import dataclass

import torch

from core.operators import execute_batch

NEAR = 0.01    # L1: what is nearer to the target is no wrong edit of it; planning stops there, too
FAR = 0.1      # L1: beyond it one wrong edit is as wrong as another
STEPS = 3      # of a random edit, at most
SPREAD = 2.0   # of its parameters, before they are squashed into their bounds: some are hardly seen, some turn black


@dataclass
class Candidates:
    """K candidates of each of B photos, the first of which is right.

    `kinds` names them; `source` (B, 3, H, W); `images` (K, B, 3, H, W); `request_ids` (K, B, L), the words with which
    each is shown; `distances` (K, B), L1 from what those words ask for: 0 for the right one, infinite where unknown.
    """

    kinds: tuple[str, ...]
    source: torch.Tensor
    images: torch.Tensor
    request_ids: torch.Tensor
    distances: torch.Tensor

    def judged(self, critic):
        """Return the scores (K, B) of a critic, a callable (source, candidate, request_ids) -> (N,), in one call."""
        sources = self.source.expand_as(self.images)
        return critic(*(part.flatten(0, 1) for part in (sources, self.images, self.request_ids))).view_as(
            self.distances)

    @property
    def wrong(self):
        """Bool (K - 1, B): which of the others are wrong; some happen to come near the target, or to be asked alike."""
        return self.distances[1:] > NEAR

    def weights(self, by_distance=False):
        """Return weights (K - 1, B) of the others: 0 where not wrong, else 1, or in (0, 1] by distance up to FAR."""
        return self.wrong * ((self.distances[1:] / FAR).clamp(max=1) if by_distance else 1.0)


@torch.no_grad()
def candidates(batch, vocab, random_edits=True, **others):
    """Make the candidates of a batch, by torch's RNG.

    With plans in the batch these are mixed trajectories: the pair's own plan cut short, and the plan of the next pair.
    Without, the photo as it was. Always the right edit with the words of the next pair.

    Args:
        batch: `input`, `target`, `request_ids`, and maybe `ops` and `params`, as a PairDataset gives them.
        vocab: the OperatorVocab of `ops`, and of random edits.
        random_edits: whether to show some; a critic that has seen none favours what no plan makes, such as black.
        others: further images (B, 3, H, W) that are wrong for the words of their pair, by the name of their kind.

    Returns: Candidates.
    """
    source, target, words = batch["input"], batch["target"], batch["request_ids"]
    next_words = words.roll(1, 0)
    asked_alike = (words == next_words).all(1)
    shown = {}
    if "ops" in batch:
        ops, params = batch["ops"][:, 1:-1], batch["params"]
        next_edit = execute_batch(vocab, ops.roll(1, 0), source, params.roll(1, 0))
        apart = distance(next_edit, target)   # from what the words of the one ask for to what those of the other do
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


def distance(image, target):
    """Return the mean absolute distance (B,) of pictures (B, 3, H, W)."""
    return (image - target).abs().mean((1, 2, 3))


def cut_short(vocab, ops):
    """Return ids (B, T) of plans that end at least one step earlier, by chance how many; the rest is padding."""
    count = torch.isin(ops, torch.tensor([index for index, _ in vocab.operators], device=ops.device)).sum(1)
    kept = (torch.rand(len(ops)).to(ops.device) * count).long()   # 0 to count - 1
    return ops * (torch.arange(ops.shape[1], device=ops.device) < kept[:, None])


def _random_edit(vocab, source):
    ops, params = random_steps(vocab, len(source), source.device)
    return execute_batch(vocab, ops, source, params)


def random_steps(vocab, count, device):
    """Return ids (count, STEPS), padded with 0, and parameters (count, STEPS, P) of random edits without masks."""
    rows = [(index, operator) for index, operator in vocab.operators if not operator.local]
    chosen = torch.tensor([index for index, _ in rows])
    ops = chosen[torch.randint(len(rows), (count, STEPS))]
    ops *= torch.arange(STEPS) <= torch.randint(STEPS, (count, 1))
    raw, params = SPREAD * torch.randn(count, STEPS, vocab.max_params), torch.zeros(count, STEPS, vocab.max_params)
    for index, operator in rows:
        places = (ops == index).nonzero(as_tuple=True)
        params[(*places, slice(operator.n_params))] = operator.squash(raw[(*places, slice(operator.n_params))])
    return ops.to(device), params.to(device)
