"""Source photos of the synthetic data: photos in installed packages under free licences, or a folder."""
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.datasets.annotations import PHASES
from core.datasets.images import image_size, load_image
from core.files import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")
MIN_SIDE = 64  # pixels; a smaller photo has no crop worth editing
SPLIT_SEED = 0  # fixed, so that the split of a folder does not depend on the seed of the edits


@dataclass(frozen=True)
class Photo:
    """A photo of one phase; `load()` returns its pixels, uint8 (H, W, 3), sRGB."""

    name: str
    phase: str
    load: Callable
    author: str
    licence: str
    source: str


def bundled():
    """Return the photos in the wheels of scikit-image and scikit-learn; nothing is downloaded.

    Authors and licences are from the docs of these packages. The photo hubble_deep_field belongs to train,
    because a test on a nearly black picture tells little.
    """
    return [
        Photo("astronaut", "train", _skimage("astronaut"), "NASA", "public domain", "https://flic.kr/p/r9qvLn"),
        Photo("rocket", "train", _skimage("rocket"), "SpaceX", "public domain",
              "https://www.flickr.com/photos/spacexphotos/16511594820/"),
        Photo("hubble_deep_field", "train", _skimage("hubble_deep_field"), "NASA", "public domain",
              "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/"),
        Photo("china", "train", _sklearn("china.jpg"), "danielbuechele", "CC BY 2.0",
              "https://www.flickr.com/photos/danielbuechele/6061409035/"),
        Photo("flower", "train", _sklearn("flower.jpg"), "vultilion", "CC BY 2.0",
              "https://www.flickr.com/photos/vultilion/6056698931/"),
        Photo("coffee", "val", _skimage("coffee"), "Rachel Michetti, courtesy of Pikolo Espresso Bar", "CC0",
              "scikit-image"),
        Photo("chelsea", "test", _skimage("chelsea"), "Stefan van der Walt", "CC0", "scikit-image"),
    ]


def from_folder(folder, flag="--photos"):
    """Return the photos of a folder, about 70/10/20 per cent of them in train/val/test and at least one in each.

    Args: `flag`, the flag that gave `folder`; error sentences start with it.
    Raises UserError for a missing folder, fewer than three photos, a broken file or a photo that is too small.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{flag} {folder}: no such folder")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if len(paths) < len(PHASES):
        raise UserError(f"{flag} {folder}: has {len(paths)} photo(s) ({', '.join(SUFFIXES)}), needs at least "
                        f"{len(PHASES)}, because train, val and test share no photo")
    for path in paths:  # reads the headers only; finds bad files before a long run
        height, width = image_size(path)
        if min(height, width) < MIN_SIDE:
            raise UserError(f"{path}: {width} x {height} is too small, needs {MIN_SIDE} pixels a side; remove it")
    load = functools.lru_cache(maxsize=8)(load_image)  # photos of cameras are large, so only a few are kept
    held_out = {"val": max(1, round(len(paths) * 0.1)), "test": max(1, round(len(paths) * 0.2))}
    phases = [phase for phase, count in held_out.items() for _ in range(count)]
    phases += ["train"] * (len(paths) - len(phases))
    order = np.random.default_rng(SPLIT_SEED).permutation(len(paths))
    return [Photo(path.name, phases[order[i]], functools.partial(load, path), "not stated", "not stated", "user")
            for i, path in enumerate(paths)]


def _skimage(name):
    def load():
        from skimage import data
        return np.array(getattr(data, name)())
    return functools.lru_cache(maxsize=1)(load)


def _sklearn(name):
    def load():
        from sklearn.datasets import load_sample_image
        return np.array(load_sample_image(name))
    return functools.lru_cache(maxsize=1)(load)
