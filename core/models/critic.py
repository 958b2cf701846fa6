"""The critic: tells from a photo, a candidate and the words whether the edit fits.

A patch discriminator asks of each place whether it looks real; an edit that does not fit looks as real as one that
does. So the critic measures what edits change, the statistics of the whole picture at several scales, and holds them
against what the words ask for.
"""
from dataclasses import dataclass

import torch
from torch import nn

from core.models.language import RequestEncoder, WordAttention
from core.models.network import Network

LAYERS = ((24, 4, 4), (48, 3, 2), (96, 3, 2))   # width, kernel and stride; the first looks at each pixel once
GAIN = 4                # an edit differs from its photo by a few tenths of the range: brought to the photo's spread
SLOPE = 0.2             # of leaky ReLUs, as discriminators have them (Radford et al. 2016)


@dataclass(frozen=True)
class CriticConfig:
    """Everything needed to rebuild the network (its weights apart)."""

    words: tuple[str, ...]
    hidden_size: int = 256       # of the LSTM that reads
    cond_nc: int = 512           # of the space in which words and edit meet
    vector_size: int = 300
    fixed_vectors: bool = True
    use_attention: bool = True   # look for what was seen among the words, not only at their summary


class Critic(Network):
    """(photo, candidate, request) -> score: a logit, above 0 where the edit fits. Reads by an encoder of its own."""

    Config = CriticConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` are those of the words."""
        super().__init__()
        self.config = config
        hidden, joint = config.hidden_size, config.cond_nc
        self.read = RequestEncoder(len(config.words), config.vector_size, hidden, vectors, config.fixed_vectors)
        widths = [6, *(width for width, _, _ in LAYERS)]   # the photo, and what was done to it
        self.layers = nn.ModuleList(nn.Conv2d(before, after, kernel, stride, (kernel - stride + 1) // 2)
                                    for before, (after, kernel, stride) in zip(widths[:-1], LAYERS, strict=True))
        self.see = nn.Sequential(nn.Linear(2 * sum(widths), joint), nn.LeakyReLU(SLOPE), nn.Linear(joint, joint))
        self.look_up = nn.Linear(joint, hidden) if config.use_attention else None
        self.attend = WordAttention(hidden) if config.use_attention else None
        self.understand = nn.Linear(2 * hidden if config.use_attention else hidden, joint)
        self.judge = nn.Sequential(nn.Linear(3 * joint, joint), nn.LeakyReLU(SLOPE), nn.Linear(joint, 1))

    def forward(self, source, candidate, request_ids):
        """Return scores (B,).

        Args: `source`, `candidate` (B, 3, H, W) in [0, 1], from 4 pixels a side; `request_ids` (B, L), 0 = padding.
        """
        return self.fit(source, candidate, *self.read(request_ids))

    def fit(self, source, candidate, words, present, asked):
        """Return the scores (B,) for what `read` returns of the requests: a search asks often and reads once."""
        seen = self.see(self.statistics(source, candidate))
        if self.attend is not None:
            context, _ = self.attend(self.look_up(seen)[:, None], words, present)
            asked = torch.cat((asked, context[:, 0]), 1)
        asked = self.understand(asked)
        return self.judge(torch.cat((seen, asked, seen * asked), 1))[:, 0]

    def statistics(self, source, candidate):
        """Return mean and spread (B, 2 S) of each channel of photo and edit at each scale.

        Nothing is normalised on the way: that would take away the brightness and contrast that edits change.
        """
        maps = torch.cat((2 * source - 1, GAIN * (candidate - source)), 1)
        found = [*moments(maps)]
        for layer in self.layers:
            maps = nn.functional.leaky_relu(layer(maps), SLOPE)
            found += moments(maps)
        return torch.cat(found, 1)


def moments(maps):
    """Return mean and spread over places, both (B, C), of maps (B, C, H, W); smooth also where a map is flat."""
    places = maps.flatten(2)
    mean = places.mean(2)
    apart = places - mean[..., None]
    return mean, (torch.linalg.vecdot(apart, apart) / places.shape[2] + 1e-6).sqrt()   # `var` takes twice as long
