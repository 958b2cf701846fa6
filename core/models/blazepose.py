"""The mask of BlazePose lite, which marks the person that a picture is centred on (Bazarevsky et al. 2020).

MediaPipe's model for pose landmarks (BlazePose GHUM lite) is this network with further outputs, the landmarks. The
encoder has the inverted residual blocks of MobileNetV2; batch normalisation is folded into the convolutions.
data/detectors/README.md says where the weights come from.
"""
import functools

import torch
import torch.nn.functional as F
from torch import nn

from core.models.shipped import read_shipped

FILE = "blazepose_lite.pt"
SIDE = 256              # the size of the square pictures that the network was trained on; the only size that it takes
WIDTH, FINE = 32, 8     # channels of the decoder: up to a quarter of the size, and from half of it
# Blocks of the encoder, by the level of the pyramid that they end: outputs, widening, kernel, stride. A block with as
# many outputs as inputs adds its input.
BLOCKS = (((16, 4, 3, 2), (16, 6, 3, 1)),
          ((24, 6, 5, 2), (24, 6, 5, 1)),
          ((40, 6, 3, 2), (40, 6, 3, 1), (40, 6, 3, 1), (56, 6, 5, 1), (56, 6, 5, 1), (56, 6, 5, 1)),
          ((96, 6, 5, 2), *((96, 6, 5, 1),) * 3))


def _conv(inputs, outputs, kernel=1, stride=1, groups=1, active=True):
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
    return nn.Sequential(layer, nn.ReLU6(inplace=True)) if active else layer


def _separable(inputs, outputs, active=True):
    return nn.Sequential(_conv(inputs, inputs, 3, groups=inputs), _conv(inputs, outputs, active=active))


class Inverted(nn.Module):
    """An inverted residual block: widen, filter each channel, narrow; (B, inputs, H, W) to (B, outputs, H/s, W/s)."""

    def __init__(self, inputs: int, outputs: int, widening: int, kernel: int, stride: int):
        super().__init__()
        wide = inputs * widening
        self.added = inputs == outputs
        self.layers = nn.Sequential(_conv(inputs, wide), _conv(wide, wide, kernel, stride, wide),
                                    _conv(wide, outputs, active=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) + x if self.added else self.layers(x)


class Refining(nn.Module):
    """A residual block with a separable convolution: (B, C, H, W) to the same shape."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = _separable(channels, channels, active=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu6(x + self.layers(x))


class BlazePose(nn.Module):
    """BlazePose lite's mask: an encoder of inverted residual blocks and a decoder with a skip connection per level.

    The order in which the constructor makes the convolutions is the order in which the published graph runs them;
    `prepro/convert_detectors.py` relies on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 24, 3, 2), _conv(24, 24, 3, groups=24), _conv(24, FINE, active=False))
        inputs, levels = FINE, []
        for blocks in BLOCKS:
            level = []
            for outputs, *shape in blocks:
                level.append(Inverted(inputs, outputs, *shape))
                inputs = outputs
            levels.append(nn.Sequential(*level))
        self.levels = nn.ModuleList(levels)
        wide = 6 * inputs
        self.deepest = nn.Sequential(_conv(inputs, wide), _conv(wide, wide, 3, groups=wide), _separable(wide, WIDTH))
        self.skips = nn.ModuleList(_separable(blocks[-1][0], WIDTH) for blocks in BLOCKS[-2::-1])
        self.narrow = _separable(WIDTH, FINE)
        self.finest = Refining(FINE)
        self.middle = nn.Sequential(Refining(FINE), Refining(FINE))
        self.last = nn.Sequential(Refining(FINE), Refining(FINE))
        self.mask = _conv(FINE, 1, 3, active=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the mask (B, 1, SIDE, SIDE) in [0, 1] of the person in pictures (B, 3, SIDE, SIDE), RGB in [0, 1]."""
        fine = x = self.stem(image.contiguous(memory_format=torch.channels_last))
        levels = []
        for level in self.levels:
            x = level(x)
            levels.append(x)
        x = self.deepest(levels.pop())
        for skip in self.skips:
            x = _doubled(x) + skip(levels.pop())
        x = self.middle(_doubled(self.narrow(x)) + self.finest(fine))
        return self.mask(self.last(_doubled(x))).sigmoid()


def _doubled(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear")


@functools.cache
def blazepose() -> BlazePose:
    """Return BlazePose with the weights that ship, in eval mode. Raises UserError if the file is missing or changed."""
    network = BlazePose()
    network.load_state_dict(read_shipped(FILE))
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)   # twice as fast on CPUs
