"""Filter bank: learnt edits, weighted by the words (Wang, Williams and Kang 2018).

The sentence gives the weight of each edit. The edits themselves do not read the sentence.
"""
from dataclasses import dataclass

import torch
from torch import nn

from core.models.gan.generators import build_trunk
from core.models.language import RequestEncoder
from core.models.network import Network


@dataclass(frozen=True)
class FilterBankConfig:
    """Everything needed to rebuild the network, except its weights."""

    words: tuple[str, ...]
    net: str = "unet_128"
    num_G: int = 5
    bucket: bool = False         # take one edit of the bank for each request, instead of a mixture
    ngf: int = 64
    norm: str = "batch"
    hidden_size: int = 256
    vector_size: int = 300
    fixed_vectors: bool = True


class FilterBank(Network):
    """`num_G` trunks without words; a request encoder weights their pictures, and the result is the weighted mean.

    A bucket model takes the picture with the largest weight; the gradient passes to the weights (straight-through).
    """

    Config = FilterBankConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` (len(words) - 4, D) are the word vectors, or None."""
        super().__init__()
        self.config = config
        self.request_encoder = RequestEncoder.of(config, vectors)
        self.weight_head = nn.Linear(config.hidden_size, config.num_G)
        self.bank = nn.ModuleList(build_trunk(config.net, config.ngf, config.norm) for _ in range(config.num_G))

    @property
    def divisor(self):
        """The sides of a picture are padded to a multiple of this number."""
        return self.bank[0].divisor

    def weights(self, request_ids):
        """Return the weights (N, num_G) of the edits for requests (N, L): at least 0, with the sum 1."""
        weights = self.weight_head(self.request_encoder(request_ids)[2]).softmax(1)
        if self.config.bucket:
            chosen = nn.functional.one_hot(weights.argmax(1), self.config.num_G).to(weights)
            weights = chosen + (weights - weights.detach() if self.training else 0)
        return weights

    def forward(self, image, request_ids):
        """Edit pictures (B, 3, H, W) in [0, 1] by requests (N, L), B = N or 1; return (N, 3, H, W) in [0, 1]."""
        pictures = torch.stack([edit(image) for edit in self.bank], 1)
        return (self.weights(request_ids)[:, :, None, None, None] * pictures).sum(1)
