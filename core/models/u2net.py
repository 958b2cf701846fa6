"""U2Net-p, which finds the salient object of a picture (Qin et al. 2020, "Going Deeper with Nested U-Structure").

The network is that of github.com/xuebinqin/U-2-Net (U2NETP) with its batch normalisation folded into the convolutions.
data/detectors/README.md says where the weights come from.
"""
import functools

import torch
import torch.nn.functional as F
from torch import nn

from core.models.shipped import read_shipped

FILE = "u2net_p.pt"
SIDE = 320              # the size of the square pictures that the network was trained on
MEAN = 0.485, 0.456, 0.406
DEVIATION = 0.229, 0.224, 0.225
CHANNELS, INNER = 64, 16


def _conv(inputs, outputs, dilation=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation), nn.ReLU(inplace=True))


def _resized(x, like):
    return F.interpolate(x, like.shape[-2:], mode="bilinear")


class ResidualU(nn.Module):
    """A small U-Net with a skip connection around it: (B, inputs, H, W) to (B, CHANNELS, H, W).

    Args:
        depth: the number of encoder layers; the last is dilated.
        dilated: the layers are dilated 1, 2, 4, ... in place of pooling.
    """

    def __init__(self, inputs: int, depth: int, dilated: bool = False):
        super().__init__()
        self.pooled = not dilated
        dilations = [2 ** level if dilated else 1 for level in range(depth - 1)]
        self.enter = _conv(inputs, CHANNELS)
        self.down = nn.ModuleList([*(_conv(INNER if level else CHANNELS, INNER, dilation)
                                     for level, dilation in enumerate(dilations)),
                                   _conv(INNER, INNER, 2 ** (depth - 1) if dilated else 2)])
        self.up = nn.ModuleList(_conv(2 * INNER, INNER if level else CHANNELS, dilations[level])
                                for level in reversed(range(depth - 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        entered = x = self.enter(x)
        skips = []
        for layer in self.down:
            if self.pooled and 0 < len(skips) < len(self.down) - 1:
                x = F.max_pool2d(x, 2, ceil_mode=True)
            x = layer(x)
            skips.append(x)
        skips.pop()
        for layer in self.up:
            skip = skips.pop()
            x = layer(torch.cat((_resized(x, skip), skip), 1))
        return x + entered


class U2Net(nn.Module):
    """U2Net-p: an encoder and a decoder of `ResidualU` blocks, and a side output of each level.

    The order in which the constructor makes the convolutions is the order in which the published graph runs them;
    `prepro/convert_detectors.py` relies on it.
    """

    def __init__(self) -> None:
        super().__init__()
        shapes = [(7,), (6,), (5,), (4,), (4, True), (4, True)]   # depth, dilated
        self.encoder = nn.ModuleList(ResidualU(CHANNELS if level else 3, *shape) for level, shape in enumerate(shapes))
        self.decoder = nn.ModuleList(ResidualU(2 * CHANNELS, *shape) for shape in reversed(shapes[:-1]))
        self.sides = nn.ModuleList(nn.Conv2d(CHANNELS, 1, 3, padding=1) for _ in shapes)
        self.join = nn.Conv2d(len(shapes), 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the saliency (B, 1, H, W) in [0, 1] of pictures (B, 3, H, W), RGB in [0, 1], trained at SIDE."""
        x = standardise(image).contiguous(memory_format=torch.channels_last)
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(F.max_pool2d(x, 2, ceil_mode=True) if level else x)
            skips.append(x)
        levels = [skips.pop()]
        for block in self.decoder:
            skip = skips.pop()
            x = block(torch.cat((_resized(x, skip), skip), 1))
            levels.append(x)
        sides = [_resized(side(level), image) for side, level in zip(self.sides, reversed(levels), strict=True)]
        return self.join(torch.cat(sides, 1)).sigmoid()


def standardise(image: torch.Tensor) -> torch.Tensor:
    """Return pictures (B, 3, H, W), RGB in [0, 1], as the network's input: per the largest value, mean, deviation."""
    image = image / image.amax((1, 2, 3), keepdim=True).clamp(min=1e-6)
    return (image - image.new_tensor(MEAN)[:, None, None]) / image.new_tensor(DEVIATION)[:, None, None]


@functools.cache
def u2net() -> U2Net:
    """Return U2Net-p with the weights that ship, in eval mode. Raises UserError if the file is missing or changed."""
    network = U2Net()
    network.load_state_dict(read_shipped(FILE))
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)   # a fifth faster on CPUs
