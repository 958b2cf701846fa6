"""The critic (self-discriminator): scores whether an edit of a photo fits the words of a request.

A patch discriminator scores whether each patch looks real, but an edit that does not fit the request looks as real as
an edit that does. Edits change the statistics of a picture. Therefore the critic measures statistics of the whole
picture at several scales, and compares the statistics with the request.
"""
from dataclasses import dataclass

import torch
from torch import nn

from core.models.language import RequestEncoder, WordAttention
from core.models.network import Network

LAYERS = ((24, 4, 4), (48, 3, 2), (96, 3, 2))   # width, kernel, stride; the first layer's patches do not overlap
GAIN = 4                # scales the difference of edit and photo, a few tenths of the range, to the photo's spread
SLOPE = 0.2             # of the leaky ReLUs, as in the discriminator of DCGAN (Radford et al. 2016)


@dataclass(frozen=True)
class CriticConfig:
    """Everything needed to rebuild the network, except its weights."""

    words: tuple[str, ...]
    hidden_size: int = 256       # size of the request encoder's LSTM
    cond_nc: int = 512           # size of the joint space of words and edit
    vector_size: int = 300
    fixed_vectors: bool = True
    use_attention: bool = True   # attend over the words, in addition to their summary


class Critic(Network):
    """(photo, candidate, request) -> score: a logit, above 0 where the edit fits."""

    Config = CriticConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` (len(words) - 4, D) are the word vectors, or None."""
        super().__init__()
        self.config = config
        hidden, joint = config.hidden_size, config.cond_nc
        self.request_encoder = RequestEncoder.of(config, vectors)
        widths = [6, *(width for width, _, _ in LAYERS)]   # first the photo and its difference from the edit
        self.layers = nn.ModuleList(nn.Conv2d(before, after, kernel, stride, (kernel - stride + 1) // 2)
                                    for before, (after, kernel, stride) in zip(widths[:-1], LAYERS, strict=True))
        self.visual_projection = nn.Sequential(nn.Linear(2 * sum(widths), joint), nn.LeakyReLU(SLOPE),
                                               nn.Linear(joint, joint))
        self.query_projection = nn.Linear(joint, hidden) if config.use_attention else None
        self.attention = WordAttention(hidden) if config.use_attention else None
        self.request_projection = nn.Linear(2 * hidden if config.use_attention else hidden, joint)
        self.score_head = nn.Sequential(nn.Linear(3 * joint, joint), nn.LeakyReLU(SLOPE), nn.Linear(joint, 1))

    def forward(self, source, candidate, request_ids):
        """Return scores (B,).

        Args: `source`, `candidate` (B, 3, H, W) in [0, 1], at least 4 pixels a side; `request_ids` (B, L), 0 = padding.
        """
        return self.score(source, candidate, *self.request_encoder(request_ids))

    def score(self, source, candidate, words, present, summary):
        """Return scores (B,) for encoded requests, so that a search encodes a request once for many candidates.

        Args: `source`, `candidate` as for `forward`; `words`, `present`, `summary` as `request_encoder` returns them.
        """
        seen = self.visual_projection(self.statistics(source, candidate))
        if self.attention is not None:
            context, _ = self.attention(self.query_projection(seen)[:, None], words, present)
            summary = torch.cat((summary, context[:, 0]), 1)
        asked = self.request_projection(summary)
        return self.score_head(torch.cat((seen, asked, seen * asked), 1))[:, 0]

    def statistics(self, source, candidate):
        """Return the mean and standard deviation (B, 2 S) of all S channels: those of the input and of each layer.

        The layers have no norm, because a norm would remove the brightness and contrast that edits change.
        """
        maps = torch.cat((2 * source - 1, GAIN * (candidate - source)), 1)
        found = [*moments(maps)]
        for layer in self.layers:
            maps = nn.functional.leaky_relu(layer(maps), SLOPE)
            found += moments(maps)
        return torch.cat(found, 1)


def moments(maps):
    """Return mean and standard deviation over pixels, both (B, C), of (B, C, H, W); smooth if a map is constant."""
    places = maps.flatten(2)
    mean = places.mean(2)
    apart = places - mean[..., None]
    return mean, (torch.linalg.vecdot(apart, apart) / places.shape[2] + 1e-6).sqrt()   # twice as fast as `var`
