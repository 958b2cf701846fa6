"""Fusion of a sentence with the features of a picture, in three ways that trials compare.

Each way is a module (features (B, C, H, W), sentence (N, S)) -> (N, C, H, W), where B is N, or 1 to use one picture
with all sentences.
"""
import torch
from torch import nn

from core.models.gan.blocks import build_norm


class Concat(nn.Module):
    """Concatenate the sentence as channels that are constant over the picture, and mix all channels by a convolution.

    The words add a constant to each channel. An instance norm subtracts that constant again, so with norm "instance" a
    network cannot distinguish sentences (except at the border); batch norm, or none, keeps the constant.
    """

    def __init__(self, channels, sentence_size, cond_nc, norm):
        super().__init__()
        self.sentence_projection = nn.Linear(sentence_size, cond_nc)
        self.mixing_block = nn.Sequential(
            nn.Conv2d(channels + cond_nc, channels, 3, padding=1, padding_mode="replicate", bias=norm == "none"),
            build_norm(norm, channels), nn.ReLU())

    def forward(self, features, sentence):
        condition = self.sentence_projection(sentence)[:, :, None, None]
        height, width = features.shape[2:]
        tiled = condition.expand(-1, -1, height, width)
        return self.mixing_block(torch.cat((features.expand(len(condition), -1, -1, -1), tiled), 1))


class FiLM(nn.Module):
    """Scale and shift of each channel, predicted from the sentence (Perez et al. 2018), after any normalisation."""

    def __init__(self, channels, sentence_size, cond_nc, norm):
        super().__init__()
        self.sentence_projection = nn.Sequential(nn.Linear(sentence_size, cond_nc), nn.ReLU(),
                                                 nn.Linear(cond_nc, 2 * channels))

    def forward(self, features, sentence):
        scale, shift = self.sentence_projection(sentence)[:, :, None, None].chunk(2, 1)
        return ((1 + scale) * features + shift).relu()


class LowRankBilinear(nn.Module):
    """Low-rank bilinear pooling, P (tanh(U x) * tanh(V s)) + b of rank `cond_nc` (Kim et al. 2017), added to x.

    The pooling multiplies image and sentence features at every pixel. The sum with x is the bilinear residual layer of
    Mao et al. 2019.
    """

    def __init__(self, channels, sentence_size, cond_nc, norm):
        super().__init__()
        self.image_projection = nn.Conv2d(channels, cond_nc, 1)
        self.sentence_projection = nn.Linear(sentence_size, cond_nc)
        self.output_projection = nn.Conv2d(cond_nc, channels, 1)

    def forward(self, features, sentence):
        condition = self.sentence_projection(sentence).tanh()[:, :, None, None]
        return features + self.output_projection(self.image_projection(features).tanh() * condition)


FUSIONS = {"lowrank_BP": LowRankBilinear, "concat": Concat, "FiLM": FiLM}
