"""Features of segments: means over the mask of EfficientNet-Lite0's maps, colours, and places. They are cached on disk.

The features take the place of Mask R-CNN's in MAttNet: `coarse` (320 channels at a 32nd of the size) those of the
class, `fine` (112 channels at a 16th) those of attributes.
"""
import contextlib
import hashlib
import io
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from core.colour import srgb_to_lab
from core.datasets.images import load_image, to_tensor
from core.datasets.proposals import Proposals
from core.files import FOREIGN, replacing
from core.pretrained import efficientnet_lite0
from core.regions.boxes import context, locations, relative_locations, same_class

SIDE, LEAST = 512, 32      # pixels: the long edge of the picture that the network sees, and its shortest edge
FINE, COARSE = 10, 15      # blocks of the network whose outputs are taken
VERSION = 1                # of the features; a cache of another version is not read


class FeatureReader:
    """Reads the features of segments from the cache, as a dict of arrays; features that it lacks are computed."""

    def __init__(self, images: str | Path, cache: str | Path = "output/cache") -> None:
        """`images` is the folder of the photos, `cache` the folder below which features are kept."""
        self.images, self.cache, self._network = Path(images), Path(cache) / "segments", None

    def __call__(self, proposals: Proposals) -> dict[str, np.ndarray]:
        """Return {"coarse" (n, D1), "fine" (n, D2), "colour" (n, 6), "lfeats" (n, 5), "dif_lfeats" (n, 25),
        "context" int64 (n, 5), "context_present" bool (n, 5), "context_lfeats" (n, 5, 5)}, else float32.

        Features of the user replace `coarse` and `fine`. Raises UserError if the photo cannot be read.
        """
        found = self._cached(proposals.photo, proposals, lambda: self._segments(proposals) | placed(proposals))
        return found | (proposals.given or {})

    def whole(self, photo: str) -> np.ndarray:
        """Return the means (432,) of the network's maps over a photo. Raises UserError if it cannot be read."""
        def compute():
            maps = network_maps(self.network, _shrunk(self._photo(photo)))
            return {"whole": np.concatenate([values.mean((1, 2)).numpy() for values in maps.values()])}
        return self._cached(photo, None, compute)["whole"]

    def _cached(self, photo, proposals, compute):
        """Return the arrays that `compute` returns, from the cache if they are there."""
        path = self.cache / f"{self._digest(photo, proposals)}.npz"
        if path.exists():
            with contextlib.suppress(*FOREIGN), np.load(path, allow_pickle=False) as file:   # damaged: made anew
                return {name: file[name] for name in file.files}
        found = compute()
        buffer = io.BytesIO()
        np.savez(buffer, **found)
        with replacing(path) as file:
            file.write(buffer.getbuffer())
        return found

    def _digest(self, photo, proposals):
        """Return a checksum of a photo's file, and of masks with their classes."""
        path = self.images / photo
        digest = hashlib.sha256(f"{VERSION}\0{path.resolve()}".encode())
        if path.exists():
            digest.update(f"\0{path.stat().st_size}\0{path.stat().st_mtime_ns}".encode())
        for mask, name in zip(proposals.masks, proposals.names, strict=True) if proposals else ():
            digest.update(f"\0{mask.size}\0{mask.counts}\0{name}".encode())
        return digest.hexdigest()[:32]

    @property
    def network(self):
        """EfficientNet-Lite0, loaded on first use."""
        self._network = self._network or efficientnet_lite0("grounding")
        return self._network

    def _photo(self, photo):
        return to_tensor(load_image(self.images / photo))

    def _segments(self, proposals):
        return looks(self.network, self._photo(proposals.photo), proposals.arrays)


@torch.no_grad()
def looks(network: torch.nn.Module, photo: torch.Tensor, masks: np.ndarray) -> dict[str, np.ndarray]:
    """Return the features that need the pixels of a photo (3, H, W): "coarse", "fine" and "colour" of masks (n, h, w).
    """
    image = _shrunk(photo)
    found = {name: masked_means(values, masks) for name, values in network_maps(network, image).items()}
    lab = srgb_to_lab(image[None])[0] / 100
    mean, square = (masked_means(values, masks) for values in (lab, lab.square()))
    found["colour"] = np.concatenate((mean, np.sqrt(np.maximum(square - mean ** 2, 0))), 1)
    return found


def placed(proposals: Proposals) -> dict[str, np.ndarray]:
    """Return the features that need the boxes and the classes only."""
    (height, width), boxes = proposals.size, proposals.boxes
    around = context(boxes, proposals.names)
    return {"lfeats": locations(boxes, width, height).astype(np.float32),
            "dif_lfeats": relative_locations(boxes, *same_class(boxes, proposals.names)).reshape(len(boxes), -1),
            "context": around[0], "context_present": around[1], "context_lfeats": relative_locations(boxes, *around)}


@torch.no_grad()
def network_maps(network: torch.nn.Module, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return EfficientNet-Lite0's maps "fine" (112, h, w) and "coarse" (320, h / 2, w / 2) of an image (3, H, W)."""
    x = F.relu6(network._bn0(network._conv_stem((255 * image[None] - 127) / 128)))
    found = {}
    for number, block in enumerate(network._blocks[:COARSE + 1]):
        x = block(x)
        if number in (FINE, COARSE):
            found["fine" if number == FINE else "coarse"] = x[0]
    return found


def _shrunk(photo):
    """Return a photo (3, H, W) whose long edge has at most SIDE pixels, and each edge at least LEAST."""
    scale = min(SIDE / max(photo.shape[-2:]), 1)
    size = [max(round(side * scale), LEAST) for side in photo.shape[-2:]]
    return F.interpolate(photo[None], size, mode="bilinear", antialias=True)[0]


def masked_means(features: torch.Tensor, masks: np.ndarray) -> np.ndarray:
    """Return the means (n, C) of maps (C, h, w) over masks (n, H, W), which are shrunk by area averaging.

    A segment without pixels has the means of the whole map.
    """
    height, width = features.shape[-2:]
    weights = np.stack([cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
                        for mask in masks]).reshape(len(masks), -1)
    weights[weights.sum(1) == 0] = 1
    return (weights / weights.sum(1, keepdims=True)) @ features.flatten(1).numpy().T
