"""The classifier of locality: does an operator of a request edit a part of the photo, or all of it?"""
from dataclasses import dataclass

import torch
from torch import nn

from core.models.language import RequestEncoder
from core.models.network import Network


@dataclass(frozen=True)
class LocalityConfig:
    """Everything needed to rebuild the network, except its weights. `operators` gives the ids of the operators."""

    words: tuple[str, ...]
    operators: tuple[str, ...]
    whole: int = 432            # features of the photo
    hidden_size: int = 256
    vector_size: int = 300
    fixed_vectors: bool = True
    dropout: float = 0.2
    image_blind: bool = False   # the photo is not looked at


class Locality(Network):
    """Words attended by weights of each operator, the operator, and the photo's features, joined by an MLP."""

    Config = LocalityConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` are the word vectors, or None."""
        super().__init__()
        self.config, hidden = config, config.hidden_size
        self.request_encoder = RequestEncoder.of(config, vectors, config.dropout)
        self.word_attention = nn.Linear(hidden, len(config.operators))
        self.operator_vectors = nn.Embedding(len(config.operators), hidden)
        self.photo_projection = None if config.image_blind else nn.Sequential(
            nn.LayerNorm(config.whole), nn.Linear(config.whole, hidden), nn.ReLU(), nn.Dropout(config.dropout))
        self.head = nn.Sequential(nn.Linear((3 if config.image_blind else 4) * hidden, hidden), nn.ReLU(),
                                  nn.Dropout(config.dropout), nn.Linear(hidden, 1))

    def forward(self, batch):
        """Return logits (B,) that operators are local: `batch` has the fields of `LocalitySet`."""
        states, present, summary = self.request_encoder(batch["request_ids"])
        logits = self.word_attention(states)[torch.arange(len(states)), :, batch["operator"]]     # (B, L)
        weights = logits.masked_fill(~present, -torch.inf).softmax(-1)
        known = [summary, (weights[:, None] @ states)[:, 0], self.operator_vectors(batch["operator"])]
        if self.photo_projection is not None:
            known.append(self.photo_projection(batch["whole"]))
        return self.head(torch.cat(known, -1))[:, 0]
