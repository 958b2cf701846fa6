"""Masks of people: where BlazePose and U2Net agree, without the things that a person holds.

U2Net marks what stands out, so it takes a held or neighbouring thing for a part of the person. BlazePose marks the body
that its picture is centred on. The constants were chosen on 100 photos of COCO train2017.
"""
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from core.models.blazepose import SIDE, blazepose

NAME = "person"
VIEWS = 1.25, 1.6       # BlazePose sees squares around the box: their side in long sides of the box
STEEP = 3               # the slope of the mask's soft edge
WORN = {"tie", "backpack"}   # things that belong to the person who wears them
HELD = 0.5              # a thing is held if its box is smaller than this share of the person's, and so much is inside
TOUCHING = 0.1          # share of the smaller box that a thing beside a person overlaps at least
LEAST, MOST = 0.01, 4   # share of the person's box that a held thing covers at least, and the number of things


@torch.no_grad()
def person_mask(image: torch.Tensor, box: Sequence[float], outer: Sequence[int], salient: np.ndarray) -> np.ndarray:
    """Return the mask (h, w) in [0, 1] of the person in a box of a photo (3, H, W), sRGB in [0, 1].

    Args:
        outer: left, top, right and bottom of the part of the photo that the mask covers; at most 1.2 boxes.
        salient: the mask (h, w) of U2Net in this part.

    Each pixel gets the median of three masks, two by BlazePose and one by U2Net; then the soft edge is made steeper.
    Raises UserError if the weights are missing or changed.
    """
    one, two = (_view(image, _square(box, factor), outer) for factor in VIEWS)
    median = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), salient))
    return np.clip(STEEP * (median - 0.5) + 0.5, 0, 1).astype(np.float32)


def held_by(boxes: Sequence[Sequence[float]], names: Sequence[str], person: int) -> list[int]:
    """Return the indices of the things that a person holds or has on the lap: small ones in the person's box.

    `boxes` and `names` are those of all things of the photo, and `person` is the index of the person.
    """
    whole = _area(boxes[person])
    sizes = {index: _area(box) for index, (box, name) in enumerate(zip(boxes, names, strict=True))
             if name not in WORN | {NAME}
             and _area(_shared(box, boxes[person])) > HELD * _area(box) and LEAST * whole <= _area(box) < HELD * whole}
    return sorted(sizes, key=sizes.get, reverse=True)[:MOST]


def beside(boxes: Sequence[Sequence[float]], names: Sequence[str], person: int, held: Sequence[int]) -> list[int]:
    """Return the indices of the things that overlap with a person and are not `held`: a seat, a horse, a motorcycle."""
    shared = {index: _area(_shared(box, boxes[person])) / max(min(_area(box), _area(boxes[person])), 1e-6)
              for index, (box, name) in enumerate(zip(boxes, names, strict=True))
              if name not in WORN | {NAME} and index not in held}
    return sorted((index for index in shared if shared[index] > TOUCHING), key=shared.get, reverse=True)[:MOST]


def _square(box, factor):
    """Return left, top, right and bottom, in whole pixels, of a square around a box; it may leave the photo."""
    half = max(box[2] - box[0], box[3] - box[1], 1) * factor / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return int(np.floor(x - half)), int(np.floor(y - half)), int(np.ceil(x + half)), int(np.ceil(y + half))


def _view(image, square, outer):
    """Return BlazePose's mask (h, w) of the part `outer` of a photo from its view of a square around this part.

    The square is black outside the photo.
    """
    height, width = image.shape[1:]
    left, top, right, bottom = max(square[0], 0), max(square[1], 0), min(square[2], width), min(square[3], height)
    part = F.pad(image[:, top:bottom, left:right],
                 (left - square[0], square[2] - right, top - square[1], square[3] - bottom))
    seen = F.interpolate(part[None], (SIDE, SIDE), mode="bilinear", antialias=True)
    mask = F.interpolate(blazepose()(seen), part.shape[1:], mode="bilinear", antialias=True)[0, 0].numpy()
    return mask[outer[1] - square[1]:outer[3] - square[1], outer[0] - square[0]:outer[2] - square[0]]


def _area(box):
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def _shared(box, other):
    return max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])
