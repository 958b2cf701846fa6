"""Multi-label classification: which operators a request asks for, with or without a look at the photo."""
from dataclasses import dataclass

import torch
from torch import nn

from core.models.language import RequestEncoder, SentenceEncoder
from core.models.network import Network
from core.models.vision import FEATURES, make_encoder


@dataclass(frozen=True)
class OperatorClassifierConfig:
    """Everything needed to rebuild the network, except its weights."""

    words: tuple[str, ...]
    operators: tuple[str, ...]
    hidden_size: int = 256
    vector_size: int = 300
    fixed_vectors: bool = True
    lang_encoder: str = "words"
    vis_encoder: str | None = None   # None: the network sees no photo
    pool_words: bool = False         # the maximum over the words' states is a feature, too
    dropout: float = 0.0
    text_blind: bool = False         # a control: the network reads an empty request instead of each request


class OperatorClassifier(Network):
    """The summary of an LSTM over the words, and a feature of the thumbnail, to a logit for each operator."""

    Config = OperatorClassifierConfig

    def __init__(self, config, vectors=None, minilm=None):
        """Build the network; `vectors` are the word vectors, or None, `minilm` the folder of the sentence encoder."""
        super().__init__()
        self.config = config
        hidden = config.hidden_size
        if config.lang_encoder == "minilm":
            self.request_encoder = SentenceEncoder(minilm, hidden, config.dropout)
        else:
            self.request_encoder = RequestEncoder.of(config, vectors, config.dropout)
        self.visual_encoder = make_encoder(config.vis_encoder) if config.vis_encoder else None
        features = hidden * (1 + config.pool_words) + FEATURES * bool(config.vis_encoder)
        self.head = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(config.dropout),
                                  nn.Linear(hidden, len(config.operators)))

    def forward(self, request_ids, image=None):
        """Return logits (B, K) of the operators of `config`.

        Args: `request_ids` (B, L), 0 = padding; `image` (B, 3, H, W) in [0, 1], which a network without a visual
        encoder ignores.
        """
        if self.config.text_blind:
            request_ids = request_ids.new_tensor([1, 2]).expand(len(request_ids), 2)   # <START> <END>
        request_ids = request_ids[:, :int((request_ids > 0).sum(1).max().clamp_min(1))]   # padding costs time
        states, present, summary = self.request_encoder(request_ids)
        features = [summary]
        if self.config.pool_words:
            features.append(states.masked_fill(~present[..., None], -torch.inf).amax(1))
        if self.visual_encoder:
            features.append(self.visual_encoder(image))
        return self.head(torch.cat(features, 1))
