"""Boxes of segments, and the location features of MAttNet (Yu et al. 2018, "MAttNet: Modular Attention Network").

A box is (x, y, width, height) in pixels. Neighbours are indices with an explicit mask, because a row of zeros can also
be a real feature.
"""
from collections.abc import Sequence

import cv2
import numpy as np

NEAREST = 5      # neighbours of a segment that its features describe
MINOR = 0.1      # slivers are ignored if the second largest component has less than this share of the largest


def box_of(mask: np.ndarray, thing: bool = False) -> tuple[int, int, int, int]:
    """Return the smallest box (x, y, width, height) of a mask (H, W), cut at .5; slivers of a thing do not count.

    Panoptic networks leave slivers of a thing at the border of the picture, which would stretch its box; see
    `counting`. The mask itself keeps them. The box of a mask without pixels is (0, 0, 0, 0).
    """
    inside = np.uint8(np.asarray(mask) > 0.5)
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return 0, 0, 0, 0
    if thing:
        kept = counting([cv2.contourArea(contour) for contour in contours], [len(contour) for contour in contours])
        contours = [contour for contour, keep in zip(contours, kept, strict=True) if keep]
    return tuple(int(side) for side in cv2.boundingRect(np.concatenate(contours)))


def counting(areas: Sequence[float], lengths: Sequence[float]) -> np.ndarray:
    """Return which components of a thing count for its box, bool (n,), given the areas and lengths of their contours.

    If one component is by far the largest, components with an area below their length are slivers.
    """
    areas, lengths = np.asarray(areas, float), np.asarray(lengths, float)
    largest = int(areas.argmax())
    second = max(np.delete(areas, largest), default=0)
    kept = (areas >= lengths) | (second >= MINOR * areas[largest])
    kept[largest] = True
    return kept


def locations(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return MAttNet's `lfeats` (n, 5) of boxes (n, 4): left, top, right, bottom and area as shares of the picture."""
    x, y, w, h = np.asarray(boxes, np.float32).reshape(-1, 4).T
    return np.stack([x / width, y / height, (x + w - 1) / width, (y + h - 1) / height, w * h / (width * height)], 1)


def same_class(boxes: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest segments of the same class, nearest first, by the distance of the centres of the boxes.

    Returns: indices (n, NEAREST), 0 where there is no neighbour, and bool (n, NEAREST), whether there is one.
    """
    return _first(_ordered(boxes, classes, same_first=True), lambda own, other: own == other, classes)


def context(boxes: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest segments of other classes, then those of the same class; the result is as of `same_class`."""
    return _first(_ordered(boxes, classes, same_first=False), lambda own, other: True, classes)


def relative_locations(boxes: np.ndarray, indices: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the boxes of neighbours seen from each segment, (n, k, 5), 0 where there is no neighbour.

    The numbers are left, top, right and bottom, from the centre of the segment's own box in units of its width and
    height, and the ratio of the areas. For `same_class`, the rows joined are MAttNet's `dif_lfeats` (n, 25).
    """
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    x, y, w, h = (column[:, None] for column in boxes.T)
    w, h = np.maximum(w, 1), np.maximum(h, 1)   # a segment may have no pixels
    left, top, width, height = np.moveaxis(boxes[indices], 2, 0)
    mid_x, mid_y = x + w / 2, y + h / 2
    seen = np.stack([(left - mid_x) / w, (top - mid_y) / h, (left + width - mid_x) / w, (top + height - mid_y) / h,
                     width * height / (w * h)], 2)
    return (seen * present[..., None]).astype(np.float32)


def _ordered(boxes, classes, same_first):
    """Yield for each segment the others: one kind of class before the other, and each kind by distance."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    classes = np.asarray(classes)
    for own in range(len(boxes)):
        distance = np.linalg.norm(centres - centres[own], axis=1)
        second = (classes != classes[own]) if same_first else (classes == classes[own])
        order = np.lexsort((distance, second))
        yield order[order != own]


def _first(orders, fits, classes):
    """Return the first NEAREST indices of each order whose class fits, and which of them exist."""
    indices = np.zeros((len(classes), NEAREST), np.int64)
    present = np.zeros((len(classes), NEAREST), bool)
    for own, order in enumerate(orders):
        chosen = [other for other in order if fits(classes[own], classes[other])][:NEAREST]
        indices[own, :len(chosen)], present[own, :len(chosen)] = chosen, True
    return indices, present
