"""A bank of learnt edits, weighted by the words (Wang, Williams and Kang 2018): which edit and how much of it is said,
what an edit does to pixels is not.
"""
from dataclasses import dataclass

import torch
from torch import nn

from core.models.gan.generators import make_trunk
from core.models.language import RequestEncoder
from core.models.network import Network


@dataclass(frozen=True)
class FilterBankConfig:
    """Everything needed to rebuild the network (its weights apart)."""

    words: tuple[str, ...]
    net: str = "unet_128"
    num_G: int = 5
    bucket: bool = False         # one edit of the bank for each request, instead of a mixture
    ngf: int = 64
    norm: str = "batch"
    hidden_size: int = 256
    vector_size: int = 300
    fixed_vectors: bool = True


class FilterBank(Network):
    """`num_G` trunks without words, and a sentence encoder that says how much of each: the mean of their pictures.

    A bucket model takes the one of the largest weight; its gradient is that of the weights (straight-through).
    """

    Config = FilterBankConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` are those of the words."""
        super().__init__()
        self.config = config
        self.read = RequestEncoder(len(config.words), config.vector_size, config.hidden_size, vectors,
                                   config.fixed_vectors)
        self.choose = nn.Linear(config.hidden_size, config.num_G)
        self.bank = nn.ModuleList(make_trunk(config.net, config.ngf, config.norm) for _ in range(config.num_G))

    @property
    def divisor(self):
        """The number that the sides of a picture are padded to a multiple of."""
        return self.bank[0].divisor

    def weights(self, request_ids):
        """Return how much of each edit is asked for: (N, num_G), at least 0, with the sum 1."""
        weights = self.choose(self.read(request_ids)[2]).softmax(1)
        if self.config.bucket:
            chosen = nn.functional.one_hot(weights.argmax(1), self.config.num_G).to(weights)
            weights = chosen + (weights - weights.detach() if self.training else 0)
        return weights

    def forward(self, image, request_ids):
        """Edit pictures (B, 3, H, W) in [0, 1] by requests (N, L), B = N or 1; return (N, 3, H, W) in [0, 1]."""
        pictures = torch.stack([edit(image) for edit in self.bank], 1)
        return (self.weights(request_ids)[:, :, None, None, None] * pictures).sum(1)
