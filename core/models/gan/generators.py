"""Image generators: from a picture, and what a sentence says, straight to pixels.

A trunk is the part between pictures: `UNet`, `ResNet`, `LocalEnhancer`, built by its name. A `Generator` is a trunk
with a sentence encoder of its own. All are fully convolutional: they pad a picture to a size that they can halve as
often as they must, and crop back.
"""
import re
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from core.files import UserError
from core.models.gan.fusion import FUSIONS, normalise
from core.models.language import RequestEncoder
from core.models.network import Network


@dataclass(frozen=True)
class GeneratorConfig:
    """Everything needed to rebuild the network (its weights apart)."""

    words: tuple[str, ...]
    net: str = "resnet_7blocks"
    fusion: str = "concat"
    ngf: int = 64                # channels at full size
    norm: str = "instance"
    cond_nc: int = 512           # numbers that the sentence becomes where it meets the picture
    hidden_size: int = 256
    vector_size: int = 300
    fixed_vectors: bool = True


class Generator(Network):
    """A trunk that is told a sentence: (image, request) -> image."""

    Config = GeneratorConfig

    def __init__(self, config, vectors=None):
        """Build the network; `vectors` are those of the words."""
        super().__init__()
        self.config = config
        self.read = RequestEncoder(len(config.words), config.vector_size, config.hidden_size, vectors,
                                   config.fixed_vectors)

        def fuse(channels, norm):
            return FUSIONS[config.fusion](channels, config.hidden_size, config.cond_nc, norm)
        self.trunk = make_trunk(config.net, config.ngf, config.norm, fuse)

    @property
    def divisor(self):
        """The number that the sides of a picture are padded to a multiple of."""
        return self.trunk.divisor

    def forward(self, image, request_ids):
        """Edit pictures (B, 3, H, W) in [0, 1] by requests (N, L), B = N or 1; return (N, 3, H, W) in [0, 1]."""
        return self.trunk(image, self.read(request_ids)[2])


class Trunk(nn.Module):
    """From pictures to pictures of the same size, both in [0, 1]; `draw` works on padded ones in [-1, 1].

    `divisor`: what the sides are padded to a multiple of; `smallest`: and to at least so many pixels.
    """

    divisor = smallest = 1

    def forward(self, image, sentence=None):
        """Translate (B, 3, H, W), told (N, S), B = N or 1; return (N, 3, H, W). Raises UserError on a batch of one."""
        if self.training and len(image) == 1 and any(isinstance(part, nn.BatchNorm2d) for part in self.modules()):
            raise UserError("--batch_size 1: batch norm has no statistics of a single picture; give 2 or more, or "
                            "--norm_G instance")
        height, width = image.shape[2:]
        below, right = (max(-(-side // self.divisor) * self.divisor, self.smallest) - side for side in (height, width))
        padded = F.pad(2 * image - 1, (0, right, 0, below), mode="replicate")
        drawn = self.draw(padded, sentence).tanh()
        return (drawn[:, :, :height, :width].to(image.dtype) + 1) / 2

    def draw(self, image, sentence):
        """Return what the last convolution gives, before the tanh."""
        raise NotImplementedError


class UNet(Trunk):
    """pix2pix's U-Net (Isola et al. 2017): halved to a point, where it meets the sentence, and doubled again.

    unet_128 halves a thumbnail of 128 px seven times.
    """

    def __init__(self, halvings, ngf, norm, fuse=None):
        super().__init__()
        self.divisor = self.smallest = 2 ** halvings
        widths = [min(2 ** level, 8) * ngf for level in range(halvings)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            first, last = level == 0, level == halvings - 1
            kept = "none" if first or last else norm   # a point has no spread to normalise
            self.down.append(nn.Sequential(
                *([] if first else [nn.LeakyReLU(0.2)]),
                nn.Conv2d(3 if first else widths[level - 1], width, 4, 2, 1, bias=kept == "none"),
                normalise(kept, width)))
            kept, out = ("none", 3) if first else (norm, widths[level - 1])
            self.up.append(nn.Sequential(
                nn.ReLU(), nn.ConvTranspose2d(width if last else 2 * width, out, 4, 2, 1, bias=kept == "none"),
                normalise(kept, out)))
        self.fuse = fuse(widths[-1], "none") if fuse else None

    def draw(self, image, sentence):
        seen = [image]
        for down in self.down:
            seen.append(down(seen[-1]))
        features = self.fuse(seen[-1], sentence) if self.fuse else seen[-1]
        for level in reversed(range(len(self.up))):
            features = self.up[level](features)
            if level:
                features = torch.cat((features, seen[level].expand(len(features), -1, -1, -1)), 1)
        return features


class ResidualBlock(nn.Module):
    """x + two convolutions of x (He et al. 2016), without an activation behind the sum (Johnson et al. 2016)."""

    def __init__(self, channels, norm):
        super().__init__()
        self.layers = nn.Sequential(*convolve(channels, channels, norm), *convolve(channels, channels, norm)[:-1])

    def forward(self, features):
        return features + self.layers(features)


class ResNet(Trunk):
    """Halved a few times, where it meets the sentence, residual blocks, and doubled again (Johnson et al. 2016).

    With two halvings pix2pix's ResNet, with four pix2pixHD's global generator (Wang et al. 2018).
    """

    def __init__(self, blocks, halvings, ngf, norm, fuse=None):
        super().__init__()
        self.divisor, self.smallest = 2 ** halvings, 2 ** (halvings + 1)   # one pixel has no spread to normalise
        widths = [ngf * 2 ** level for level in range(halvings + 1)]
        pairs = list(pairwise(widths))
        self.encode = nn.Sequential(*convolve(3, ngf, norm, 7),
                                    *(layer for before, after in pairs for layer in halve(before, after, norm)))
        self.fuse = fuse(widths[-1], norm) if fuse else None
        self.blocks = nn.Sequential(*(ResidualBlock(widths[-1], norm) for _ in range(blocks)))
        self.decode = nn.Sequential(*(layer for before, after in reversed(pairs)
                                      for layer in double(after, before, norm)))
        self.out = to_pixels(ngf)

    def features(self, image, sentence):
        """Return the features (N, ngf, H, W) that the last convolution reads."""
        features = self.encode(image)
        return self.decode(self.blocks(self.fuse(features, sentence) if self.fuse else features))

    def draw(self, image, sentence):
        return self.out(self.features(image, sentence))


class LocalEnhancer(Trunk):
    """pix2pixHD's outer generator: the global one at half the size, and what it lacks at the full size."""

    def __init__(self, blocks, ngf, norm, fuse=None, enhancing=3):
        super().__init__()
        self.inner = ResNet(blocks, 4, ngf, norm, fuse)
        del self.inner.out   # its features are used, its picture is not
        self.divisor, self.smallest = 2 * self.inner.divisor, 2 * self.inner.smallest
        width = max(ngf // 2, 1)
        self.encode = nn.Sequential(*convolve(3, width, norm, 7), *halve(width, ngf, norm))
        self.decode = nn.Sequential(*(ResidualBlock(ngf, norm) for _ in range(enhancing)), *double(ngf, width, norm))
        self.out = to_pixels(width)

    def draw(self, image, sentence):
        small = F.avg_pool2d(image, 3, 2, 1, count_include_pad=False)
        return self.out(self.decode(self.encode(image) + self.inner.features(small, sentence)))


def convolve(before, after, norm, kernel=3):
    """Return a convolution of the same size, its normalisation and activation, as a list."""
    return [nn.Conv2d(before, after, kernel, padding=kernel // 2, padding_mode="replicate", bias=norm == "none"),
            normalise(norm, after), nn.ReLU()]


def halve(before, after, norm):
    """Return the layers that halve the sides, as a list."""
    return [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=norm == "none"), normalise(norm, after), nn.ReLU()]


def double(before, after, norm):
    """Return the layers that double the sides, as a list."""
    return [nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1, bias=norm == "none"),
            normalise(norm, after), nn.ReLU()]


def to_pixels(channels):
    """Return the last convolution."""
    return nn.Conv2d(channels, 3, 7, padding=3, padding_mode="replicate")


def make_trunk(net, ngf, norm, fuse=None):
    """Build a trunk by its name: unet_128, resnet_7blocks, global_9blocks or local_9blocks; with other numbers, too.

    Args:
        ngf: channels at full size; norm: instance, batch or none.
        fuse: a callable (channels, norm) -> module of core.models.gan.fusion; None for a trunk that is told nothing.

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
