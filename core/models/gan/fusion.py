"""How a sentence meets the features of a picture: three ways that are compared with one another.

Each is a module (features (B, C, H, W), sentence (N, S)) -> (N, C, H, W), where B is N, or 1: one picture for all
sentences.
"""
import torch
from torch import nn


def normalise(norm, channels):
    """Return the normalisation called `norm` for a number of channels: instance, batch or none."""
    return {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d, "none": nn.Identity}[norm](channels)


class Concat(nn.Module):
    """The sentence as further channels, the same at every pixel, and a convolution that mixes them with the picture.

    What the words add is a constant of each channel. An instance norm takes it away again, so with norm "instance"
    a network cannot tell one sentence from another (up to the border): batch norm, or none, leaves it.
    """

    def __init__(self, channels, sentence_size, cond_nc, norm):
        super().__init__()
        self.words = nn.Linear(sentence_size, cond_nc)
        self.mix = nn.Sequential(
            nn.Conv2d(channels + cond_nc, channels, 3, padding=1, padding_mode="replicate", bias=norm == "none"),
            normalise(norm, channels), nn.ReLU())

    def forward(self, features, sentence):
        told = self.words(sentence)[:, :, None, None]
        height, width = features.shape[2:]
        tiled = told.expand(-1, -1, height, width)
        return self.mix(torch.cat((features.expand(len(told), -1, -1, -1), tiled), 1))


class FiLM(nn.Module):
    """Scale and shift of each channel, told by the sentence (Perez et al. 2018), behind any normalisation."""

    def __init__(self, channels, sentence_size, cond_nc, norm):
        super().__init__()
        self.words = nn.Sequential(nn.Linear(sentence_size, cond_nc), nn.ReLU(), nn.Linear(cond_nc, 2 * channels))

    def forward(self, features, sentence):
        scale, shift = self.words(sentence)[:, :, None, None].chunk(2, 1)
        return ((1 + scale) * features + shift).relu()


class LowRankBilinear(nn.Module):
    """Low-rank bilinear pooling, P (tanh(U x) * tanh(V s)) + b of rank `cond_nc` (Kim et al. 2017), added to x.

    Products of what is seen and what is said, at every pixel; added as in Mao et al. 2019, the bilinear residual layer.
    """

    def __init__(self, channels, sentence_size, cond_nc, norm):
        super().__init__()
        self.image = nn.Conv2d(channels, cond_nc, 1)
        self.words = nn.Linear(sentence_size, cond_nc)
        self.pool = nn.Conv2d(cond_nc, channels, 1)

    def forward(self, features, sentence):
        told = self.words(sentence).tanh()[:, :, None, None]
        return features + self.pool(self.image(features).tanh() * told)


FUSIONS = {"lowrank_BP": LowRankBilinear, "concat": Concat, "FiLM": FiLM}
