"""The discriminator: tells, patch by patch and at several scales, whether a picture is an edit of its source.

It looks at the concatenated pair (source, candidate), as in pix2pixHD (Wang et al. 2018), and it may read the request.
"""
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from core.files import UserError
from core.models.language import RequestEncoder
from core.models.network import Network

NORMS = ("instance", "batch", "spectral", "none")


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Everything needed to rebuild the network (its weights apart)."""

    words: tuple[str, ...]
    vector_size: int = 300
    fixed_vectors: bool = True
    hidden_size: int = 256
    cond_nc: int = 512         # channels of the language condition
    num_D: int = 2             # scales, each of half the side
    n_layers: int = 3          # strided blocks
    ndf: int = 64              # channels of the first of them
    norm: str = "instance"
    use_words: bool = True


class PatchDiscriminator(nn.Module):
    """One scale: strided blocks, then the condition joins, one more block, and a logit for each patch."""

    def __init__(self, config):
        super().__init__()
        widths = [config.ndf * min(2 ** level, 8) for level in range(config.n_layers + 1)]
        edge = "spectral" if config.norm == "spectral" else "none"   # no statistics where pictures and words come in
        self.strided = nn.ModuleList([_block(6, widths[0], 2, edge)])
        for before, after in pairwise(widths[:-1]):
            self.strided.append(_block(before, after, 2, config.norm))
        # An instance norm here would subtract the mean of each channel over the picture, and the words with it: they
        # say the same to all its places.
        joined = edge if config.norm == "instance" else config.norm
        self.join = _block(widths[-2] + config.cond_nc * config.use_words, widths[-1], 1, joined)
        self.judge = _convolution(widths[-1], 1, 1, edge)

    def forward(self, pair, condition=None):
        """Return logits (B, 1, h, w) and the features of the n_layers + 1 blocks.

        Args: `pair` (B, 6, H, W) in [-1, 1]; `condition` (B, cond_nc) or None.
        """
        features = []
        for block in self.strided:
            pair = block(pair)
            features.append(pair)
        if condition is not None:
            tiled = condition[:, :, None, None].expand(-1, -1, *pair.shape[-2:])
            pair = torch.cat((pair, tiled), 1)
        features.append(self.join(pair))
        return self.judge(features[-1]), features


class MultiScaleDiscriminator(Network):
    """`num_D` patch discriminators, each on half the side of the one before, and one encoder of the request."""

    Config = DiscriminatorConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` are those of the words. Raises UserError for an unknown norm."""
        super().__init__()
        if config.norm not in NORMS:
            raise UserError(f"--norm_D {config.norm}: unknown; choose one of {', '.join(NORMS)}")
        self.config = config
        if config.use_words:
            self.read = RequestEncoder(len(config.words), config.vector_size, config.hidden_size, vectors,
                                       config.fixed_vectors)
            self.condition = nn.Sequential(nn.Linear(config.hidden_size, config.cond_nc), nn.LeakyReLU(0.2))
        self.scales = nn.ModuleList(PatchDiscriminator(config) for _ in range(config.num_D))

    @property
    def smallest(self):
        """The side, in pixels, of the smallest picture of which the coarsest scale sees a whole patch."""
        return 3 * 2 ** (self.config.n_layers + self.config.num_D - 1)

    def forward(self, source, candidate, request_ids=None):
        """Judge whether candidates are edits of their sources that fit the words.

        Args: `source`, `candidate` (B, 3, H, W) in [0, 1]; `request_ids` (B, L), unused where `use_words` is off.

        Returns: logits, a list over scales of (B, 1, h, w), high for real; features, a list over scales of lists of
        the n_layers + 1 blocks' outputs. Raises UserError for pictures smaller than the field, and for one picture
        with batch norm.
        """
        return self.fit(source, candidate, *(self.read(request_ids) if self.config.use_words else ()))

    def fit(self, source, candidate, words=None, present=None, asked=None):
        """Judge as `forward`, for what `read` returns of the requests: a search asks often and reads once."""
        self._refuse(source)
        condition = None if asked is None else self.condition(asked)
        pair = 2 * torch.cat((source, candidate), 1) - 1
        logits, features = [], []
        for index, scale in enumerate(self.scales):
            if index:
                pair = F.avg_pool2d(pair, 3, 2, 1, count_include_pad=False)
            judged, seen = scale(pair, condition)
            logits.append(judged)
            features.append(seen)
        return logits, features

    def _refuse(self, source):
        """Raise UserError for what cannot be judged."""
        height, width = source.shape[-2:]
        if min(height, width) < self.smallest:
            raise UserError(f"a picture of {width} x {height} pixels is smaller than the discriminator's field; give "
                            f"at least {self.smallest} pixels a side, or a smaller --num_D or --n_layers_D")
        if self.training and self.config.norm == "batch" and len(source) == 1:
            raise UserError("--batch_size 1: batch norm has no statistics of a single picture; give 2 or more, or "
                            "--norm_D instance")


def _block(before, after, stride, norm):
    """Return a convolution, its norm and an activation."""
    norms = {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d}
    layers = [norms[norm](after)] if norm in norms else []
    return nn.Sequential(_convolution(before, after, stride, norm), *layers, nn.LeakyReLU(0.2))


def _convolution(before, after, stride, norm):
    """Return a 4 x 4 convolution; without a bias where a norm would subtract it."""
    convolution = nn.Conv2d(before, after, 4, stride, 1, bias=norm not in ("instance", "batch"))
    return spectral_norm(convolution) if norm == "spectral" else convolution
