"""The stuff head: a linear map from features of EfficientNet-Lite0 to kinds of stuff, such as sky, grass and walls.

The backbone is frozen and has the ImageNet weights of its package. Its maps at strides 8, 16 and 32 are brought to
stride 8, and a 1x1 convolution reads the class of each cell; the photo is read at two sizes. A head for the sky ships
(`data/sky`). `core/train_stuff.py` trains one on a panoptic set and puts it into FILE, where the finder takes it from.
"""
import functools
import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from core.files import FOREIGN, UserError, read_tensors, replacing
from core.models import shipped
from core.pretrained import lite0_stages

FILE = shipped.FOLDER / "stuff.pt"   # the user's head
SKY = "sky.pt"                 # the sky head that ships
SIDE = 640                     # pixels: long edge of the photos that the head is trained on
LEAST_SIDE = 32                # pixels: the least side from which the backbone has a cell at stride 32
ENDS = 4, 10, 15               # the last blocks of strides 8, 16 and 32
CHANNELS = 40, 112, 320        # of these blocks
LEAST_SHARE, USUAL_SHARE = 0.01, 0.05   # shares of the photo: the smallest region, an ordinary region
OTHER = "other"                # the class of all things, and of stuff that is no class of its own
CLASSES = ("sky", "water", "grass", "trees", "sand", "snow", "ground", "road", "wall", "building", "floor")


class StuffHead(nn.Module):
    """Maps of the backbone to logits; `classes` are the names of its outputs, the first one is OTHER."""

    def __init__(self, classes: Sequence[str] = (OTHER, *CLASSES)) -> None:
        super().__init__()
        self.classes, self.about = tuple(classes), {}
        self.linear = nn.Linear(sum(CHANNELS), len(self.classes))
        self.register_buffer("least", torch.full((len(self.classes),), 0.5))   # presence of a class that is there

    def forward(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return logits (B, C, h, w) at stride 8 of the maps of `read_maps`.

        The 1x1 convolution is done before the maps are enlarged, which gives the same and takes a fraction of the time.
        """
        logits = 0
        for level, weight in zip(maps, self.linear.weight.split(CHANNELS, 1), strict=True):
            logits = logits + _enlarged(F.conv2d(level, weight[..., None, None]), maps[0])
        return logits + self.linear.bias[:, None, None]

    @torch.no_grad()
    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Return logits (C, h, w) at stride 8 of a photo (3, H, W), sRGB in [0, 1], of about SIDE pixels.

        They are the mean over the photo and the photo at half its size.
        """
        whole, half = self(read_maps(image)), self(read_maps(halved(image)))
        return ((whole + _enlarged(half, whole)) / 2)[0]

    @torch.no_grad()
    def take_in(self, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        """Change the weights of a head for features (x - mean) / deviation into those of a head for the features x."""
        self.linear.weight /= deviation
        self.linear.bias -= self.linear.weight @ mean

    def save(self, path: str | Path, **about) -> None:
        """Write the head, with plain values `about` its training, which `load` puts into the attribute `about`."""
        with replacing(path) as file:
            torch.save({"classes": list(self.classes), "about": self.about | about, "weights": self.state_dict()}, file)

    @classmethod
    def load(cls, path: str | Path) -> "StuffHead":
        """Read a head, in eval mode. Raises UserError if the file is missing, damaged, or no head."""
        try:
            saved = read_tensors(path)
            head = cls([str(name) for name in saved["classes"]])
            head.load_state_dict(saved["weights"])
            head.about = dict(saved["about"])
            if head.classes[:1] != (OTHER,) or not set(head.classes[1:]) <= set(CLASSES):
                raise ValueError(f"classes {head.classes}")
            if not all(value.isfinite().all() for value in head.state_dict().values()):
                raise ValueError("weights that are not finite")
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}); train a stuff head with core/train_stuff.py"
                            ) from error
        except FOREIGN as error:
            raise UserError(f"{path}: is no stuff head, or is damaged; train one with core/train_stuff.py, or remove "
                            "the file") from error
        return head.eval().requires_grad_(False)


def load_head() -> StuffHead | None:
    """Return the user's head, or None without one. Raises UserError if FILE is no head."""
    try:
        state = FILE.stat()
    except OSError:
        return None
    return _loaded(FILE, state.st_mtime_ns, state.st_size)


@functools.lru_cache(1)
def _loaded(path, *_):   # a head that is trained anew is read again
    return StuffHead.load(path)


@functools.cache
def load_sky_head() -> StuffHead | None:
    """Return the sky head that ships, or None if the file was removed. Raises UserError if it has another checksum."""
    if not (shipped.FOLDER / SKY).exists():
        return None
    return StuffHead.load(shipped.shipped_file(SKY, "take the file from the repository, or remove it: then the rule "
                                               "finds the sky"))


@torch.no_grad()
def read_maps(image: torch.Tensor) -> list[torch.Tensor]:
    """Return the maps (1, C, h, w) of a photo (3, H, W), sRGB in [0, 1], at strides 8, 16 and 32.

    A side below LEAST_SIDE pixels is enlarged. Raises UserError if the packages of the backbone are missing.
    """
    maps, x = [], (255 * image[None] - 127) / 128
    if min(x.shape[2:]) < LEAST_SIDE:
        x = F.interpolate(x, [max(edge, LEAST_SIDE) for edge in x.shape[2:]], mode="bilinear")
    for stage in _backbone():
        x = stage(x)
        maps.append(x)
    return maps


@functools.cache
def _backbone():
    return lite0_stages(ENDS, "the stuff head").eval()


def halved(image: torch.Tensor) -> torch.Tensor:
    """Return a photo (3, H, W) at half its size."""
    return F.interpolate(image[None], [max(edge // 2, 1) for edge in image.shape[1:]], mode="area")[0]


def presence(chance: float, share: float) -> float:
    """Return how surely a photo shows a class: the mean chance of its region, more for a large one, in [0, 1].

    A head takes small regions for a class more often than large ones. `share` is that of the region in the photo.
    """
    if share < LEAST_SHARE:
        return 0.0
    return min(max(chance + 0.1 * min(math.log(share / USUAL_SHARE), 1), 0.0), 1.0)


def stack(maps: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the maps of a photo as features (sum(CHANNELS), h, w) of each cell, at stride 8."""
    return torch.cat([_enlarged(level, maps[0]) for level in maps], 1)[0]


def _enlarged(level, like):
    return F.interpolate(level, like.shape[-2:], mode="bilinear")
