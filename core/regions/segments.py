"""Segments: named parts of one photo with soft masks; the picture of a region."""
from dataclasses import dataclass

import cv2
import numpy as np
import torch


@dataclass(frozen=True, eq=False)
class Segment:
    """A named part of a photo.

    Args:
        name: the class, such as "dog" or "sky", or the rule, such as "shadows".
        mask: (h, w), float32 in [0, 1], in the photo's aspect ratio, at any size; 1 is inside.
        score: the confidence in [0, 1].
        source: where the mask comes from: "rule", "sky head", "stuff head", "detector", "subject mask", "truth" or
            "file".
        thing: whether the class is countable.
        words: the words of the request that chose the segment.
        remark: a sentence on the choice, such as the number of equal candidates; empty if there is nothing to say.
    """

    name: str
    mask: np.ndarray
    score: float = 1.0
    source: str = "rule"
    thing: bool = False
    words: str = ""
    remark: str = ""

    @property
    def share(self) -> float:
        """The share of the picture that the segment covers, in [0, 1]."""
        return float(self.mask.mean())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The smallest box of the mask, cut at .5: left, top, right, bottom in pixels, the latter two exclusive.

        The box of a segment without pixels is (0, 0, 0, 0).
        """
        return _box(self.mask > 0.5)


def filled(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the box of a region, (3, h, w); each pixel outside the region repeats the nearest pixel inside.

    Args: `image` (3, H, W); `mask` (H, W) in [0, 1], cut at .5. A region without pixels gives the whole image.
    """
    return image.flatten(1)[:, _shown(mask)]


def seen_through(mask: torch.Tensor) -> torch.Tensor:
    """Return for each pixel of `filled`, enlarged to the size of the image, the index of the pixel that it shows.

    Args: `mask` (H, W) in [0, 1], cut at .5. Returns: (H, W), indices into the H W pixels of the image.
    """
    shown = _shown(mask)
    rows, columns = (torch.arange(side) * part // side for side, part in zip(mask.shape, shown.shape, strict=True))
    return shown[rows[:, None], columns]


def _shown(mask):
    """Return for each pixel of the box of a region the index of the nearest pixel inside the region, (h, w)."""
    inside = mask.numpy() > 0.5
    pixels = np.arange(inside.size).reshape(inside.shape)
    if not inside.any():
        return torch.from_numpy(pixels)
    left, top, right, bottom = _box(inside)
    inside, pixels = inside[top:bottom, left:right], pixels[top:bottom, left:right]
    _, labels = cv2.distanceTransformWithLabels((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5,
                                                labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels[inside]] = pixels[inside]   # the label of a pixel inside is its own
    return torch.from_numpy(nearest[labels])


def _box(inside):
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
