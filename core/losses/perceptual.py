"""The perceptual distance: the difference of two pictures in the features of a network trained on ImageNet.

The network is VGG-19 if its weights are on this machine (the weights are never downloaded). Otherwise the network is
EfficientNet-Lite0, and the run names this stand-in.
"""
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from core.files import FOREIGN, UserError, read_tensors
from core.pretrained import find_weights, lite0_stages

WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)   # of the five levels, fine to coarse (Wang et al. 2018, pix2pixHD)
PUBLISHED = "vgg19-dcbb9e9d.pth"              # torchvision's file name, which ends in the first digits of the SHA-256
DIGITS = "dcbb9e9d"
RELUS = (1, 6, 11, 20, 29)                    # relu1_1 ... relu5_1 among the layers of VGG-19
BLOCKS = (0, 2, 4, 10, 15)                    # EfficientNet-Lite0's last blocks at 1/2, 1/4, 1/8, 1/16, 1/32 side
STAND_IN = "EfficientNet-Lite0 (stand-in)"


class PerceptualLoss(nn.Module):
    """The weighted mean absolute difference of five levels of features (Johnson et al. 2016).

    `levels` is a frozen network from (B, 3, H, W), normalised by `mean` and `std`, to a list of five maps.
    """

    def __init__(self, levels, mean, std):
        super().__init__()
        self.levels = levels.eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1))

    def train(self, mode=True):
        """Stay in eval mode: the distance must not change during training."""
        return super().train(False)

    def forward(self, image, target):
        """Return the distance of images to targets, both (B, 3, H, W) in [0, 1]; only `image` gets a gradient."""
        with torch.no_grad():
            wanted = self.levels((target - self.mean) / self.std)
        found = self.levels((image - self.mean) / self.std)
        return sum(weight * F.l1_loss(a, b) for weight, a, b in zip(WEIGHTS, found, wanted, strict=True))


def load_perceptual(weights=None):
    """Load the perceptual distance.

    Args: `weights`, a file with torchvision's VGG-19, or None for the file in torch hub's cache; if the cache has none,
    the stand-in is loaded.

    Returns: (a PerceptualLoss, its name: "VGG-19" on the published weights, "VGG-19(<file name>)" on others, or
    "EfficientNet-Lite0 (stand-in)"). Raises UserError where a given file cannot be used.
    """
    found = find_weights(weights, (PUBLISHED,), DIGITS, "give the file of the VGG-19 weights itself")
    if found is None:
        return PerceptualLoss(_Lite0(), (127 / 255,) * 3, (128 / 255,) * 3), STAND_IN
    loss = PerceptualLoss(_Vgg19(found.path), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))   # of ImageNet
    return loss, found.name("VGG-19")


class _Vgg19(nn.Module):
    """VGG-19 up to relu5_1, cut after the first activation of each of its five stages."""

    def __init__(self, path):
        super().__init__()
        from torchvision.models import vgg19
        with torch.device("meta"):   # skips the random initialisation, which takes long
            layers = vgg19(init_weights=False).features
        try:
            saved = read_tensors(path)
            layers.load_state_dict({key.removeprefix("features."): value for key, value in saved.items()
                                    if key.startswith("features.")}, assign=True)
        except FOREIGN as error:
            raise UserError(f"{path}: not torchvision's VGG-19 weights; give {PUBLISHED}, or leave the flag out"
                            ) from error
        ends = [relu + 1 for relu in RELUS]
        self.stages = nn.ModuleList(layers[start:end] for start, end in pairwise((0, *ends)))

    def forward(self, image):
        return _levels(image, self.stages)


class _Lite0(nn.Module):
    """EfficientNet-Lite0 with its ImageNet weights, cut after the last block of each resolution."""

    def __init__(self):
        super().__init__()
        self.stages = lite0_stages(BLOCKS)

    def forward(self, image):
        return _levels(image, self.stages)


def _levels(image, stages):
    """Return the outputs of all stages; each stage takes the output of the previous stage."""
    levels = []
    for stage in stages:
        image = stage(image)
        levels.append(image)
    return levels
