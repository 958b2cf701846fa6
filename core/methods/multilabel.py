"""Trained multi-label classifiers, the requests that they are trained and tested on, and their answers."""
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from core.datasets import PieceVocab, WordVocab, get_source
from core.datasets.annotations import pair_name
from core.datasets.images import Thumbnails
from core.datasets.operator_labels import OperatorLabels, operators_of
from core.engine.checkpoints import load_checkpoint, tested_network
from core.engine.data import data_root
from core.files import UserError, naming
from core.methods.planner import THUMBNAIL
from core.models.multilabel import OperatorClassifier
from core.pretrained import minilm_folder
from core.synthesis.synth import record_plans

BATCH = 256   # requests that are classified at once


def load_labels(options: Mapping, phase: str, vocab: WordVocab | PieceVocab, names: Sequence[str], merge: bool = False,
                with_photos: bool = True) -> OperatorLabels:
    """Return the OperatorLabels of a phase: one sample for each request. Raises UserError.

    Args: `vocab` of the words, `names` of the operators that are labels, `merge` see `operators_of`. The operators of
    a synthetic set are those of the plans that made it.
    """
    reader = get_source(options.dataset).reader
    path, entries = reader.read(data_root(options), phase, options.session, options.data_mode or reader.every)
    if "operator" in entries[0]:
        with naming(path):
            used = [operators_of(entry, merge) for entry in entries]
    elif (path.parents[1] / "op_record.json").exists():
        plans = record_plans(path.parents[1])
        used = [{step.op for step in plans[pair_name(entry)]} for entry in entries]
    else:
        raise UserError(f"{path}: its entries have no field 'operator', so there are no labels; give a set in GIER's "
                        f"format, or a synthetic one")
    photos = None
    if with_photos:
        photos = Thumbnails(path.parents[1] / "images", [entry["input"] for entry in entries], THUMBNAIL,
                            f"{options.output}/cache")
    return OperatorLabels(entries, used, names, vocab, photos)


def load_classifier(path: str | Path,
                    experiment: str) -> tuple[OperatorClassifier, WordVocab | PieceVocab, Mapping]:
    """Return (a trained OperatorClassifier in eval mode, its vocabulary, its training flags). Raises UserError."""
    state = load_checkpoint(path, experiment)
    saved = tested_network(state)
    minilm = minilm_folder() if OperatorClassifier.read_config(saved, path).lang_encoder == "minilm" else None
    network = OperatorClassifier.from_checkpoint(saved, path, minilm=minilm).eval().requires_grad_(False)
    with naming(path):
        vocab = PieceVocab() if minilm else WordVocab(network.config.words)
    return network, vocab, state.get("options", {})


@torch.no_grad()
def classify(network: OperatorClassifier, samples: OperatorLabels, device: str | torch.device = "cpu",
             order: np.ndarray | None = None) -> np.ndarray:
    """Return probabilities (N, K) float64 of the labels of OperatorLabels; the network is set to eval mode.

    `order`, N indices, gives each sample the request of another one.
    """
    network.eval()
    requests = samples.request_ids if order is None else samples.request_ids[order]
    found = []
    for start, batch in zip(range(0, len(samples), BATCH), DataLoader(samples, BATCH), strict=True):
        image = batch["input"].to(device) if "input" in batch else None
        found.append(network(requests[start:start + BATCH].to(device), image).sigmoid().double().cpu())
    return torch.cat(found).numpy()


def shuffled(count: int, seed: int = 0) -> np.ndarray:
    """Return a permutation (count,) that gives each sample the request of another one."""
    circle, order = np.random.default_rng(seed).permutation(count), np.empty(count, int)
    order[circle] = np.roll(circle, 1)
    return order
