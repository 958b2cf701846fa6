"""NanoDet-g, an object detector for the 80 classes of COCO: a CSP backbone, a path aggregation network and GFL heads.

The network is that of github.com/RangiLyu/nanodet (configuration nanodet-g) with its batch normalisation folded into
the convolutions. data/detectors/README.md says where the weights come from.
"""
import functools

import torch
import torch.nn.functional as F
from torch import nn

from core.models.shipped import read_shipped
from core.regions.classes import THINGS as CLASSES

FILE = "nanodet_g.pt"
STRIDES = 8, 16, 32
SIDE = 416              # the size of the square pictures that the network was trained on
BINS = 11               # a side of a box is an expected value over the distances 0 ... 10, in strides
MEAN_BGR = 103.53, 116.28, 123.675
DEVIATION_BGR = 57.375, 57.12, 58.395


def _conv(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.1))


class Halves(nn.Module):
    """Two convolutions of half the channels, whose outputs are concatenated: (B, C, H, W) to (B, C, H, W)."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = _conv(channels, channels // 2)
        self.second = _conv(channels // 2, channels // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        return torch.cat((self.second(x), x), 1)


class CspStage(nn.Module):
    """A cross stage partial stage: (B, C, H, W) to (B, 2 C, H / stride, W / stride)."""

    def __init__(self, channels: int, blocks: int, stride: int):
        super().__init__()
        self.enter = _conv(channels, channels, stride)
        self.blocks = nn.Sequential(*(Halves(channels) for _ in range(blocks)), _conv(channels, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        return torch.cat((self.blocks(x), x), 1)


class NanoDet(nn.Module):
    """NanoDet-g.

    The order in which the constructor makes the convolutions is the order in which the published graph runs them;
    `prepro/convert_detectors.py` relies on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 32, 2), nn.MaxPool2d(3, 2, 1), CspStage(32, 1, 1))
        self.stages = nn.ModuleList([CspStage(64, 2, 2), CspStage(128, 2, 2), CspStage(256, 3, 2)])
        self.laterals = nn.ModuleList(nn.Conv2d(channels, 128, 1) for channels in (128, 256, 512))
        self.heads = nn.ModuleList(nn.Sequential(_conv(128, 128), nn.Conv2d(128, len(CLASSES) + 4 * BINS, 1))
                                   for _ in STRIDES)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores (B, N, 80) in [0, 1] and the boxes (B, N, 4) of all cells of the three grids.

        Args:
            image: (B, 3, H, W), RGB in [0, 1]; H and W are multiples of 32.

        A box is left, top, right, bottom in pixels of `image`, not clipped. N is H W (1/64 + 1/256 + 1/1024).
        """
        x = self.stem(standardise(image))
        levels = []
        for stage, lateral in zip(self.stages, self.laterals, strict=True):
            x = stage(x)
            levels.append(lateral(x))
        for fine in (1, 0):   # top-down path
            levels[fine] = levels[fine] + _resized(levels[fine + 1], levels[fine])
        for coarse in (1, 2):   # bottom-up path
            levels[coarse] = levels[coarse] + _resized(levels[coarse - 1], levels[coarse])
        outputs = [decode(head(level), stride)
                   for head, level, stride in zip(self.heads, levels, STRIDES, strict=True)]
        scores, boxes = zip(*outputs, strict=True)
        return torch.cat(scores, 1), torch.cat(boxes, 1)


def _resized(x, like):
    return F.interpolate(x, like.shape[-2:], mode="bilinear")


def standardise(image: torch.Tensor) -> torch.Tensor:
    """Return a picture (B, 3, H, W), RGB in [0, 1], as the network's input: BGR, minus the mean, per deviation."""
    mean = image.new_tensor(MEAN_BGR)[:, None, None]
    return (255 * image.flip(1) - mean) / image.new_tensor(DEVIATION_BGR)[:, None, None]


def decode(output: torch.Tensor, stride: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the scores (B, h w, 80) and the boxes (B, h w, 4) of one grid from a head's output (B, 124, h, w).

    Each side of a box is the expected distance from the cell's centre under the softmax of BINS numbers (generalised
    focal loss, Li et al. 2020).
    """
    height, width = output.shape[-2:]
    output = output.flatten(2).transpose(1, 2)
    scores = output[..., :len(CLASSES)].sigmoid()
    bins = output[..., len(CLASSES):].unflatten(-1, (4, BINS)).softmax(-1)
    left, top, right, bottom = ((bins * torch.arange(BINS, device=bins.device)).sum(-1) * stride).unbind(-1)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    x, y = ((places.flatten().to(bins) + 0.5) * stride for places in (x, y))
    return scores, torch.stack((x - left, y - top, x + right, y + bottom), -1)


@functools.cache
def nanodet() -> NanoDet:
    """Return NanoDet-g with the weights that ship, in eval mode. Raises UserError if the file is missing or changed."""
    network = NanoDet()
    network.load_state_dict(read_shipped(FILE))
    return network.eval().requires_grad_(False)
