"""The patch discriminator at several scales: it scores whether a picture is a real edit of its source.

Its input is the concatenated pair (source, candidate), as in pix2pixHD (Wang et al. 2018), and optionally the request.
"""
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from core.files import UserError
from core.models.gan.blocks import SLOPE, patch_block, patch_convolution
from core.models.language import RequestEncoder
from core.models.network import Network

NORMS = ("instance", "batch", "spectral", "none")


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Everything needed to rebuild the network, except its weights."""

    words: tuple[str, ...]
    vector_size: int = 300
    fixed_vectors: bool = True
    hidden_size: int = 256
    cond_nc: int = 512         # channels of the language condition
    num_D: int = 2             # number of scales, each at half the side of the one before
    n_layers: int = 3          # strided blocks
    ndf: int = 64              # channels of the first strided block
    norm: str = "instance"
    use_words: bool = True


class PatchDiscriminator(nn.Module):
    """One scale: strided blocks, concatenation of the condition, one more block, and a logit for each patch."""

    def __init__(self, config):
        super().__init__()
        widths = [config.ndf * min(2 ** level, 8) for level in range(config.n_layers + 1)]
        edge = "spectral" if config.norm == "spectral" else "none"   # the first and last layers are not normalised
        self.strided_blocks = nn.ModuleList([patch_block(6, widths[0], 2, edge)])
        for before, after in pairwise(widths[:-1]):
            self.strided_blocks.append(patch_block(before, after, 2, config.norm))
        # An instance norm here would subtract the mean of each channel over the picture, and thereby the condition,
        # which is constant over the picture.
        joined = edge if config.norm == "instance" else config.norm
        self.joint_block = patch_block(widths[-2] + config.cond_nc * config.use_words, widths[-1], 1, joined)
        self.logit_head = patch_convolution(widths[-1], 1, 1, edge)

    def forward(self, pair, condition=None):
        """Return logits (B, 1, h, w) and the features of the n_layers + 1 blocks.

        Args: `pair` (B, 6, H, W) in [-1, 1]; `condition` (B, cond_nc) or None.
        """
        features = []
        for block in self.strided_blocks:
            pair = block(pair)
            features.append(pair)
        if condition is not None:
            tiled = condition[:, :, None, None].expand(-1, -1, *pair.shape[-2:])
            pair = torch.cat((pair, tiled), 1)
        features.append(self.joint_block(pair))
        return self.logit_head(features[-1]), features


class MultiScaleDiscriminator(Network):
    """`num_D` patch discriminators, each at half the side of the one before, and one request encoder."""

    Config = DiscriminatorConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` are the word vectors, or None. Raises UserError for an unknown norm."""
        super().__init__()
        if config.norm not in NORMS:
            raise UserError(f"--norm_D {config.norm}: unknown; choose one of {', '.join(NORMS)}")
        self.config = config
        if config.use_words:
            self.request_encoder = RequestEncoder.of(config, vectors)
            self.request_projection = nn.Sequential(nn.Linear(config.hidden_size, config.cond_nc), nn.LeakyReLU(SLOPE))
        self.scales = nn.ModuleList(PatchDiscriminator(config) for _ in range(config.num_D))

    @property
    def smallest(self):
        """The smallest side of a picture, in pixels, at which the coarsest scale sees a whole patch."""
        return 3 * 2 ** (self.config.n_layers + self.config.num_D - 1)

    def forward(self, source, candidate, request_ids=None):
        """Score whether candidates are real edits of their sources that fit the words.

        Args: `source`, `candidate` (B, 3, H, W) in [0, 1]; `request_ids` (B, L), unused where `use_words` is off.

        Returns: logits, a list over scales of (B, 1, h, w), high for real; features, a list over scales of lists of
        the n_layers + 1 blocks' outputs. Raises UserError for pictures smaller than `smallest`, and for a training
        batch of one picture with batch norm.
        """
        return self.score(source, candidate, *(self.request_encoder(request_ids) if self.config.use_words else ()))

    def score(self, source, candidate, words=None, present=None, summary=None):
        """Return logits and features as `forward` does, for requests that `request_encoder` has encoded.

        So a search encodes a request once for many candidates. Without `use_words`, the encoded request is None.
        """
        self._refuse(source)
        condition = None if summary is None else self.request_projection(summary)
        pair = 2 * torch.cat((source, candidate), 1) - 1
        logits, features = [], []
        for index, scale in enumerate(self.scales):
            if index:
                pair = F.avg_pool2d(pair, 3, 2, 1, count_include_pad=False)
            scale_logits, scale_features = scale(pair, condition)
            logits.append(scale_logits)
            features.append(scale_features)
        return logits, features

    def _refuse(self, source):
        """Raise UserError for pictures that the network cannot take."""
        height, width = source.shape[-2:]
        if min(height, width) < self.smallest:
            raise UserError(f"a picture of {width} x {height} pixels is too small for the discriminator; give at "
                            f"least {self.smallest} pixels a side, or a smaller --num_D or --n_layers_D")
        if self.training and self.config.norm == "batch" and len(source) == 1:
            raise UserError("--batch_size 1: batch norm has no statistics of a single picture; give 2 or more, or "
                            "--norm_D instance")
