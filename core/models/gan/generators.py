"""Image generators: networks from a picture and a sentence directly to pixels.

A trunk is the image-to-image part: `UNet`, `ResNet` or `LocalEnhancer`, built by its name. A `Generator` is a trunk and
a request encoder. All are fully convolutional: they pad a picture until its sides can be halved as often as the trunk
halves them, and crop the result.
"""
import re
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from core.files import UserError
from core.models.gan.blocks import (
    SLOPE,
    ResidualBlock,
    build_norm,
    conv_block,
    downsampling_block,
    output_convolution,
    upsampling_block,
)
from core.models.gan.fusion import FUSIONS
from core.models.language import RequestEncoder
from core.models.network import Network


@dataclass(frozen=True)
class GeneratorConfig:
    """Everything needed to rebuild the network, except its weights."""

    words: tuple[str, ...]
    net: str = "resnet_7blocks"
    fusion: str = "concat"
    ngf: int = 64                # channels at full size
    norm: str = "instance"
    cond_nc: int = 512           # size of the sentence's projection in the fusion
    hidden_size: int = 256
    vector_size: int = 300
    fixed_vectors: bool = True


class Generator(Network):
    """A trunk conditioned on a sentence: (image, request) -> image."""

    Config = GeneratorConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` (len(words) - 4, D) are the word vectors, or None."""
        super().__init__()
        self.config = config
        self.request_encoder = RequestEncoder.of(config, vectors)

        def fuse(channels, norm):
            return FUSIONS[config.fusion](channels, config.hidden_size, config.cond_nc, norm)
        self.trunk = build_trunk(config.net, config.ngf, config.norm, fuse)

    @property
    def divisor(self):
        """The sides of a picture are padded to a multiple of this number."""
        return self.trunk.divisor

    def forward(self, image, request_ids):
        """Edit pictures (B, 3, H, W) in [0, 1] by requests (N, L), B = N or 1; return (N, 3, H, W) in [0, 1]."""
        return self.trunk(image, self.request_encoder(request_ids)[2])


class Trunk(nn.Module):
    """Image-to-image network: pictures in [0, 1] to pictures of the same size in [0, 1].

    `translate` works on padded pictures in [-1, 1]: their sides are multiples of `divisor` and at least `smallest`.
    """

    divisor = smallest = 1

    def forward(self, image, sentence=None):
        """Translate pictures (B, 3, H, W) by sentences (N, S), B = N or 1; return (N, 3, H, W).

        Raises UserError where batch norm trains on a single picture.
        """
        if self.training and len(image) == 1 and any(isinstance(part, nn.BatchNorm2d) for part in self.modules()):
            raise UserError("--batch_size 1: batch norm has no statistics of a single picture; give 2 or more, or "
                            "--norm_G instance")
        height, width = image.shape[2:]
        below, right = (max(-(-side // self.divisor) * self.divisor, self.smallest) - side for side in (height, width))
        padded = F.pad(2 * image - 1, (0, right, 0, below), mode="replicate")
        result = self.translate(padded, sentence).tanh()
        return (result[:, :, :height, :width].to(image.dtype) + 1) / 2

    def translate(self, image, sentence):
        """Return the output (N, 3, H, W) of the last convolution, before the tanh."""
        raise NotImplementedError


class UNet(Trunk):
    """pix2pix's U-Net (Isola et al. 2017): halvings, fusion with the sentence at the smallest size, and doublings.

    unet_128 halves seven times: a thumbnail of 128 px becomes one pixel.
    """

    def __init__(self, halvings, ngf, norm, fuse=None):
        super().__init__()
        self.divisor = self.smallest = 2 ** halvings
        widths = [min(2 ** level, 8) * ngf for level in range(halvings)]
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            first, last = level == 0, level == halvings - 1
            kept = "none" if first or last else norm   # one pixel has no variance to normalise
            self.down_blocks.append(nn.Sequential(
                *([] if first else [nn.LeakyReLU(SLOPE)]),
                nn.Conv2d(3 if first else widths[level - 1], width, 4, 2, 1, bias=kept == "none"),
                build_norm(kept, width)))
            kept, out = ("none", 3) if first else (norm, widths[level - 1])
            self.up_blocks.append(nn.Sequential(
                nn.ReLU(), nn.ConvTranspose2d(width if last else 2 * width, out, 4, 2, 1, bias=kept == "none"),
                build_norm(kept, out)))
        self.fusion = fuse(widths[-1], "none") if fuse else None

    def translate(self, image, sentence):
        seen = [image]
        for block in self.down_blocks:
            seen.append(block(seen[-1]))
        features = self.fusion(seen[-1], sentence) if self.fusion else seen[-1]
        for level in reversed(range(len(self.up_blocks))):
            features = self.up_blocks[level](features)
            if level:
                features = torch.cat((features, seen[level].expand(len(features), -1, -1, -1)), 1)
        return features


class ResNet(Trunk):
    """A few halvings, fusion with the sentence, residual blocks, and as many doublings (Johnson et al. 2016).

    With two halvings this trunk is pix2pix's ResNet, with four it is pix2pixHD's global generator (Wang et al. 2018).
    """

    def __init__(self, blocks, halvings, ngf, norm, fuse=None):
        super().__init__()
        self.divisor, self.smallest = 2 ** halvings, 2 ** (halvings + 1)   # one pixel has no variance to normalise
        widths = [ngf * 2 ** level for level in range(halvings + 1)]
        pairs = list(pairwise(widths))
        self.encoder = nn.Sequential(*conv_block(3, ngf, norm, 7),
                                     *(layer for before, after in pairs
                                       for layer in downsampling_block(before, after, norm)))
        self.fusion = fuse(widths[-1], norm) if fuse else None
        self.blocks = nn.Sequential(*(ResidualBlock(widths[-1], norm) for _ in range(blocks)))
        self.decoder = nn.Sequential(*(layer for before, after in reversed(pairs)
                                       for layer in upsampling_block(after, before, norm)))
        self.output = output_convolution(ngf)

    def features(self, image, sentence):
        """Return the input (N, ngf, H, W) of the last convolution."""
        features = self.encoder(image)
        return self.decoder(self.blocks(self.fusion(features, sentence) if self.fusion else features))

    def translate(self, image, sentence):
        return self.output(self.features(image, sentence))


class LocalEnhancer(Trunk):
    """pix2pixHD's local enhancer: the global generator at half the size, and details at the full size."""

    def __init__(self, blocks, ngf, norm, fuse=None, enhancing=3):
        super().__init__()
        self.global_generator = ResNet(blocks, 4, ngf, norm, fuse)
        del self.global_generator.output   # only its features are used
        self.divisor, self.smallest = 2 * self.global_generator.divisor, 2 * self.global_generator.smallest
        width = max(ngf // 2, 1)
        self.encoder = nn.Sequential(*conv_block(3, width, norm, 7), *downsampling_block(width, ngf, norm))
        self.decoder = nn.Sequential(*(ResidualBlock(ngf, norm) for _ in range(enhancing)),
                                     *upsampling_block(ngf, width, norm))
        self.output = output_convolution(width)

    def translate(self, image, sentence):
        small = F.avg_pool2d(image, 3, 2, 1, count_include_pad=False)
        return self.output(self.decoder(self.encoder(image) + self.global_generator.features(small, sentence)))


def build_trunk(net, ngf, norm, fuse=None):
    """Build a trunk by its name: unet_128, resnet_7blocks, global_9blocks or local_9blocks, also with other numbers.

    Args:
        ngf: channels at full size; norm: instance, batch or none.
        fuse: a callable (channels, norm) -> module of core.models.gan.fusion; None for a trunk without a sentence.

    Raises UserError for an unknown name.
    """
    if found := re.fullmatch(r"unet_(\d+)", net):
        side = int(found[1])
        if 8 <= side <= 1024 and side & (side - 1) == 0:
            return UNet(side.bit_length() - 1, ngf, norm, fuse)
    elif found := re.fullmatch(r"(resnet|global|local)_(\d+)blocks", net):
        kind, blocks = found[1], int(found[2])
        if kind == "local":
            return LocalEnhancer(blocks, ngf, norm, fuse)
        return ResNet(blocks, 2 if kind == "resnet" else 4, ngf, norm, fuse)
    raise UserError(f"generator {net!r} is unknown; give unet_128 (or another power of two from 8 to 1024), "
                    f"resnet_7blocks, global_9blocks or local_9blocks (or another number of blocks)")
