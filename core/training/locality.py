"""Functions that the scripts of locality share: samples, the baseline, and measuring."""
from pathlib import Path

import numpy as np
import torch

from core.datasets.features import FeatureReader
from core.datasets.locality import LocalitySet, read_uses
from core.engine.data import data_root
from core.metrics.regions import with_interval
from core.metrics.roc import pooled_roc, roc_interval


def load_uses(options, language, phase, image_blind):
    """Return the LocalitySet of a phase; without photos if the network does not look at them."""
    root = Path(data_root(options))
    operators = operators_of(language)
    reader = None if image_blind else FeatureReader(root / "images", Path(options.output) / "cache").whole
    return LocalitySet(read_uses(root, phase, options.session, operators, options.data_mode), language.vocab, operators,
                       reader)


def operators_of(language):
    """Return the names of the operators of a vocabulary; their positions are the ids."""
    return tuple(name for name in language.operators.names if name[0] != "<")


@torch.no_grad()
def probabilities(network, dataset, device, batch_size=256):
    """Return the probability that each use is local, (n,)."""
    network.eval()
    found = []
    for first in range(0, len(dataset), batch_size):
        batch = torch.utils.data.default_collate([dataset[index] for index in
                                                  range(first, min(first + batch_size, len(dataset)))])
        found.append(network({name: value.to(device) for name, value in batch.items()}).sigmoid().cpu())
    return torch.cat(found).numpy()


def by_operator(train, dataset):
    """Return the baseline that knows the operator only: its share of local uses in the training data, (n,)."""
    shares = {operator: train.local[train.operators == operator].mean().item()
              for operator in train.operators.unique().tolist()}
    return np.array([shares.get(operator, 0.5) for operator in dataset.operators.tolist()])


def measure(predicted, dataset):
    """Return {"ROC", "accuracy" at probability .5}, each [value, low, high]."""
    labels, photos = dataset.local.numpy() > 0.5, [use.source for use in dataset.uses]
    rows, truth = [np.array([one]) for one in predicted], [np.array([one]) for one in labels]
    interval = roc_interval(rows, truth, photos) or (None, None)
    return {"ROC": [pooled_roc(rows, truth), *interval],
            "accuracy": with_interval((predicted > 0.5) == labels, photos)}
