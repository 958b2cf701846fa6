"""Traits of segments that words refer to: colour, position, size, and relations between two segments.

Every score is in [0, 1]. Lengths are in units of the picture's long edge; y grows downwards.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch

from core.regions.rules import RULES
from core.regions.segments import Segment

TOUCH, BESIDE, FAR = 0.02, 0.08, 0.3   # distances at which the score of contact, nearness and direction falls to 1/e
COARSE = 160                           # long edge in pixels of the masks whose distances are measured
OFF_CENTRE = 0.5                       # what prominence loses from the centre of the picture to a corner


def fit(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a mask in [0, 1] at another size: a side shrinks by area averaging and grows by linear interpolation."""
    if mask.shape == (height, width):
        return mask
    smaller = height * width < mask.size
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


@dataclass(frozen=True, eq=False)
class Seen:
    """A segment as it lies in a picture of `height` x `width` pixels."""

    segment: Segment
    height: int
    width: int

    @cached_property
    def mask(self) -> np.ndarray:
        """The soft mask at the picture's size."""
        return fit(self.segment.mask, self.height, self.width)

    @cached_property
    def inside(self) -> np.ndarray:
        """The mask cut at .5, bool."""
        return self.mask > 0.5

    @cached_property
    def area(self) -> float:
        """The share of the picture, in [0, 1]."""
        return np.count_nonzero(self.inside) / self.inside.size

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        long = max(self.height, self.width)
        return tuple(edge / long for edge in Segment(self.segment.name, self.mask).box)

    @cached_property
    def centre(self) -> tuple[float, float]:
        """The mean place x, y of the mask's pixels."""
        sums = [self.inside.sum(axis) for axis in (0, 1)]
        return tuple(float((one * (np.arange(len(one)) + 0.5)).sum() / max(one.sum(), 1)) / max(self.height, self.width)
                     for one in sums)

    @cached_property
    def coarse(self) -> np.ndarray:
        """The mask's pixels at a long edge of at most COARSE pixels, bool; at least one is inside."""
        scale = min(COARSE / max(self.height, self.width), 1)
        small = fit(self.mask, *(max(round(side * scale), 1) for side in (self.height, self.width)))
        return small >= min(0.5, small.max())

    @cached_property
    def distance(self) -> np.ndarray:
        """The distance of each pixel of `coarse` from the segment."""
        away = cv2.distanceTransform(np.uint8(~self.coarse), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return away / max(self.coarse.shape)

    @cached_property
    def prominence(self) -> float:
        """How much a segment catches the eye: its area, less away from the centre of the picture."""
        long = max(self.height, self.width)
        middle = self.width / long / 2, self.height / long / 2
        off = np.hypot(self.centre[0] - middle[0], self.centre[1] - middle[1]) / np.hypot(*middle)
        return self.area * (1 - OFF_CENTRE * float(off))


# ------------------------------------------------------------ traits of several candidates, compared with each other

def colours(seen: Sequence[Seen], name: str, image: torch.Tensor) -> np.ndarray:
    """Return the share of each segment that has the colour `name`, one of COLOUR_NAMES."""
    mask = RULES["colour", name].function(image).numpy()
    return np.array([(one.mask * mask).sum() / max(one.mask.sum(), 1e-6) for one in seen])


def sizes(seen: Sequence[Seen], sign: int) -> np.ndarray:
    """Return 1 for the largest segment and less for smaller ones, by area; the reverse for sign -1."""
    areas = np.array([max(one.area, 1e-6) for one in seen])
    return areas / areas.max() if sign > 0 else areas.min() / areas


def positions(seen: Sequence[Seen], names: Sequence[str]) -> np.ndarray:
    """Return how far each segment lies towards the positions, compared with the others.

    The extreme segment has 1, the opposite one 0. A single segment is measured by the picture: 1 at its border.
    """
    return np.mean([_toward(seen, name) for name in names], axis=0)


def _toward(seen, name):
    long = max(seen[0].height, seen[0].width)
    right, bottom = seen[0].width / long, seen[0].height / long
    x, y = np.array([one.centre for one in seen]).T
    if name in ("left", "right"):
        place = _spread(x, right)
        return place if name == "right" else 1 - place
    if name in ("top", "bottom"):
        place = _spread(y, bottom)
        return place if name == "bottom" else 1 - place
    if name == "middle":
        middle = np.median(x) if len(seen) > 2 else right / 2
        off = np.abs(x - middle) + 0.1 * np.abs(y - (np.median(y) if len(seen) > 2 else bottom / 2))
        return 1 - off / max(off.max(), right / 2)
    feet = _spread(np.array([one.box[3] for one in seen]), bottom)      # front: lower in the picture, and larger
    near = (feet + _spread(np.sqrt([one.area for one in seen]), 1)) / 2
    return near if name == "front" else 1 - near


def _spread(values, whole):
    """Return values as shares of the way from the least to the largest; a single one as a share of `whole`."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high - low > 1e-9 else np.clip(values / whole, 0, 1)


def lies(one: Seen, position: str) -> bool:
    """Return whether a segment's centre lies in the part of the picture that a position names, by itself."""
    long = max(one.height, one.width)
    x, y = one.centre[0] * long / one.width, one.centre[1] * long / one.height
    return {"left": x < 0.5, "right": x > 0.5, "top": y < 0.5, "bottom": y > 0.5, "front": y > 0.5, "back": y < 0.5,
            "middle": 0.25 < x < 0.75}[position]


# ------------------------------------------------------------ relations between two segments

def near(one: Seen, other: Seen) -> float:
    """Return how near two segments are to each other: their gap, and a little their centres."""
    apart = np.hypot(one.centre[0] - other.centre[0], one.centre[1] - other.centre[1])
    return _gap(one, other, BESIDE) * float(1 - 0.3 * min(apart, 1))


def above(one: Seen, other: Seen) -> float:
    """Return whether a segment is higher than another, and not far to its side."""
    heights = (one.box[3] - one.box[1] + other.box[3] - other.box[1]) / 2
    rise = np.clip((other.centre[1] - one.centre[1]) / max(heights, 1e-6), 0, 1)
    return float(rise) * _aligned(one, other) * _gap(one, other, FAR)


def below(one: Seen, other: Seen) -> float:
    """Return whether a segment is lower than another, and not far to its side."""
    return above(other, one)


def inside(one: Seen, other: Seen) -> float:
    """Return how much of a segment's surroundings belong to the other, or how much of its box lies in the other's."""
    ring = cv2.dilate(np.uint8(one.coarse), np.ones((5, 5), np.uint8)).astype(bool) & ~one.coarse
    around = other.coarse[ring].mean() if ring.any() else 0
    return max(float(around), 0.7 * _contained(one.box, other.box) * _gap(one, other, TOUCH))


def on(one: Seen, other: Seen) -> float:
    """Return how much of a segment rests on the other: the other is below its lower edge, or around it."""
    rows = len(one.coarse)
    x = np.flatnonzero(one.coarse.any(0))
    feet = rows - 1 - one.coarse[::-1, x].argmax(0)
    under = np.mean([other.coarse[np.minimum(feet + step, rows - 1), x] for step in (1, 2, 3)])
    return max(float(under), 0.8 * inside(one, other))


def holding(one: Seen, other: Seen) -> float:
    """Return whether a segment touches another that lies within its box, or nearly so."""
    left, top, right, bottom = one.box
    margin = 0.15 * (right - left), 0.15 * (bottom - top)
    reach = left - margin[0], top - margin[1], right + margin[0], bottom + margin[1]
    return _gap(one, other, TOUCH) * (0.2 + 0.8 * _contained(other.box, reach))


def behind(one: Seen, other: Seen) -> float:
    """Return whether a segment ends higher in the picture than another that it is close to."""
    return float(np.clip((other.box[3] - one.box[3]) / 0.1, 0, 1)) * _aligned(one, other) * _gap(one, other, FAR)


def before(one: Seen, other: Seen) -> float:
    """Return whether a segment ends lower in the picture than another that it is close to."""
    return behind(other, one)


RELATIONS: dict[str, Callable[[Seen, Seen], float]] = {   # the names of core.requests.places
    "near": near, "above": above, "below": below, "in": inside, "holding": holding, "on": on, "behind": behind,
    "in front of": before}


def _gap(one, other, scale):
    """Return 1 for segments that touch, falling by 1/e with each `scale` between them."""
    return float(np.exp(-max(other.distance[one.coarse].min() - 1.5 / COARSE, 0) / scale))


def _aligned(one, other):
    """Return 1 for segments above each other, down to .3 for those beside each other."""
    overlap = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    least = min(one.box[2] - one.box[0], other.box[2] - other.box[0])
    return 0.3 + 0.7 * float(np.clip(overlap / max(least, 1e-6), 0, 1))


def _contained(box, other):
    """Return the share of a box that lies in another box."""
    width = max(min(box[2], other[2]) - max(box[0], other[0]), 0)
    height = max(min(box[3], other[3]) - max(box[1], other[1]), 0)
    return width * height / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)
