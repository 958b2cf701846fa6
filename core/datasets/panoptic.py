"""Photos with panoptic truth in COCO's format: each pixel belongs to one named segment, or to none.

The data set's folder holds
- `panoptic.json`: `images` {id, file_name}, `annotations` {image_id, file_name, segments_info: [{id, category_id,
  iscrowd}]} and `categories` {id, name, isthing},
- `images/`,
- `panoptic/`: a PNG for each annotation, whose pixels hold the id of their segment as R + 256 G + 65536 B; 0 is no
  segment.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from core.datasets.images import load_image, resize, to_tensor
from core.files import UserError, read_json
from core.regions.classes import canonical
from core.regions.segments import Segment

# Class of the stuff head -> names of this class in COCO; plain names also match other panoptic sets.
STUFF = {
    "sky": ("sky", "sky-other"), "water": ("water", "sea", "river", "lake", "water-other"), "grass": ("grass",),
    "trees": ("tree",), "sand": ("sand",), "snow": ("snow",), "ground": ("dirt", "gravel"),
    "road": ("road", "pavement"), "wall": ("wall", "wall-other", "wall-brick", "wall-stone", "wall-tile", "wall-wood"),
    "building": ("building", "building-other", "house"), "floor": ("floor", "floor-other", "floor-wood", "rug")}
MIXED = {"flower", "playingfield", "platform", "railroad", "roof"}   # that may be one of these classes or none
UNKNOWN = 255          # the label of pixels without a segment, and of MIXED


@dataclass(frozen=True, eq=False)
class PanopticPhoto:
    """A photo and its true segments.

    Args:
        name: the photo's file name.
        image: (3, H, W), sRGB in [0, 1].
        segments: the segments, in the order of the annotation; their source is "truth", their masks are 0 and 1. Stuff
            of one name is one segment.
        crowds: segments of things that the annotators did not separate, such as the people of a full stand.
    """

    name: str
    image: torch.Tensor
    segments: tuple[Segment, ...]
    crowds: tuple[Segment, ...] = ()


class PanopticSet:
    """The photos of a folder in COCO's panoptic format, sorted by name and decoded when they are asked for."""

    def __init__(self, root: str | Path, side: int | None = 640):
        """Read the annotations of a folder.

        Args:
            root: the folder.
            side: the long edge in pixels to which larger photos are shrunk; None keeps their size.

        Raises UserError naming file and field if the annotations cannot be read.
        """
        self.root, self.side = Path(root), side
        path = self.root / "panoptic.json"
        content = read_json(path)
        try:
            self._categories = {category["id"]: (category["name"], bool(category["isthing"]))
                                for category in content["categories"]}
            names = {image["id"]: image["file_name"] for image in content["images"]}
            rows = [(names[row["image_id"]], row["file_name"],
                     [(info["id"], info["category_id"], bool(info.get("iscrowd"))) for info in row["segments_info"]])
                    for row in content["annotations"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: not in COCO's panoptic format ({type(error).__name__}: {error}); give a folder "
                            f"with images/, panoptic/ and panoptic.json") from None
        for name, _, infos in rows:
            for number, category, _ in infos:
                if category not in self._categories:
                    raise UserError(f"{path}, segment {number} of {name}: category_id {category} is not in "
                                    f"categories; correct it")
        self._rows = sorted(rows)

    @property
    def things(self) -> list[str]:
        """The names of all classes of things, sorted."""
        return sorted(name for name, thing in self._categories.values() if thing)

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, index: int) -> str:
        """Return the file name of a photo without decoding it."""
        return self._rows[index][0]

    def __getitem__(self, index: int) -> PanopticPhoto:
        """Return a photo with its segments. Raises UserError naming the file that cannot be used."""
        name, _, infos = self._rows[index]
        photo, ids = self._load(index)
        segments, crowds = self._segments(ids, infos)
        return PanopticPhoto(name, to_tensor(photo), segments, crowds)

    def labels(self, index: int, classes: Sequence[str]) -> tuple[torch.Tensor, np.ndarray]:
        """Return a photo (3, H, W), sRGB in [0, 1], and the class of each pixel, (H, W) uint8.

        Args:
            classes: names of STUFF. The label of a class is its index here + 1. All other segments have the label 0,
                pixels without a segment, and those of MIXED, have UNKNOWN.

        Raises UserError naming the file that cannot be used.
        """
        photo, ids = self._load(index)
        known = {name: number for number, one in enumerate(classes, 1) for name in STUFF[one]}
        labels = np.full(ids.shape, UNKNOWN, np.uint8)
        for number, category, _ in self._rows[index][2]:
            name, thing = self._categories[category]
            name = name.removesuffix("-merged")
            labels[ids == number] = 0 if thing else UNKNOWN if name in MIXED else known.get(name, 0)
        return to_tensor(photo), labels

    def _load(self, index):
        """Return a photo (H, W, 3) uint8 and the ids (H, W) of its pixels."""
        name, file_name, _ = self._rows[index]
        photo, ids = load_image(self.root / "images" / name), self._ids(file_name)
        if photo.shape[:2] != ids.shape:
            raise UserError(f"{self.root / 'panoptic' / file_name}: has {ids.shape[1]} x {ids.shape[0]} pixels, the "
                            f"photo {photo.shape[1]} x {photo.shape[0]}; give the mask of this photo")
        if self.side and (scale := self.side / max(ids.shape)) < 1:
            height, width = (max(round(edge * scale), 1) for edge in ids.shape)
            photo = resize(photo, height, width)
            ids = cv2.resize(ids, (width, height), interpolation=cv2.INTER_NEAREST)
        return photo, ids

    def _ids(self, file_name):
        """Return the ids (H, W) int32 of an annotation's PNG."""
        path = self.root / "panoptic" / file_name
        try:
            with Image.open(path, formats=("PNG",)) as image:
                coded = np.asarray(image.convert("RGB")).astype(np.int32)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise UserError(f"{path}: cannot be read as a PNG ({error})") from None
        return coded @ np.array([1, 1 << 8, 1 << 16], np.int32)

    def _segments(self, ids, infos):
        """Return (segments, crowds); segments that lost all their pixels when the photo was shrunk are left out."""
        things, stuff, crowds = [], {}, []
        for number, category, crowd in infos:
            name, thing = self._categories[category]
            mask = ids == number
            if not mask.any():
                continue
            if not thing:
                name = canonical(name)
                stuff[name] = stuff[name] | mask if name in stuff else mask
            else:
                (crowds if crowd else things).append(_truth(name, mask, True))
        return (*things, *(_truth(name, mask, False) for name, mask in stuff.items())), tuple(crowds)


def _truth(name, mask, thing):
    return Segment(name, mask.astype(np.float32), 1.0, "truth", thing)
