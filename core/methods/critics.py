"""Trained critics, and their scores of right and wrong edits."""
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from core.datasets import WordVocab
from core.engine.checkpoints import load_checkpoint
from core.files import naming
from core.models.critic import Critic
from core.operators import OperatorVocab
from core.planning.candidates import Candidates, candidates

BATCH = 32                                 # pairs judged at once, each with all its candidates
LEVELLED = ("classification", "triplet")   # objectives for which a score of 0 separates right from wrong edits


def load_critic(path: Path | str, experiment: str) -> tuple[Critic, WordVocab, dict[str, Any]]:
    """Return a trained critic, its WordVocab, and its training flags. Raises UserError as `load_checkpoint` does."""
    state = load_checkpoint(path, experiment)
    critic = Critic.from_checkpoint(state["model"], path).eval().requires_grad_(False)
    with naming(path):
        return critic, WordVocab(critic.config.words), state.get("options", {})


@torch.no_grad()
def judge_pairs(critic: Critic, dataset: Dataset, operators: OperatorVocab, device: str = "cpu",
                seed: int = 0) -> Iterator[tuple[dict[str, Any], Candidates, torch.Tensor]]:
    """Yield (batch, Candidates, scores (K, B)) of a data set; equal seeds give equal random candidates."""
    critic.eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for batch in DataLoader(dataset, BATCH):
            batch |= {key: value.to(device) for key, value in batch.items() if torch.is_tensor(value)}
            shown = candidates(batch, operators)
            yield batch, shown, shown.judged(critic)


def area(right: Sequence[float], wrong: Sequence[float]) -> float | None:
    """Return the area under the ROC curve of two lists of scores, or None where one is empty."""
    from sklearn.metrics import roc_auc_score
    if not right or not wrong:
        return None
    return float(roc_auc_score([1] * len(right) + [0] * len(wrong), [*right, *wrong]))
