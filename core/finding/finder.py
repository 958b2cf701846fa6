"""The finder: words and a photo to regions. It knows rules, detectors and the subject mask, and never guesses."""
import functools
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from core.files import UserError
from core.filters import guided_coefficients, preview
from core.finding.choose import choose, masked
from core.finding.people import NAME as PERSON
from core.finding.stuff import find_stuff
from core.finding.subject import find_subject
from core.finding.things import BOX, detect, held, in_front, mask_of, rivals, without
from core.models.stuff_head import load_head, load_sky_head
from core.operators.layers import enlarge, luma
from core.regions.mask import Mask
from core.regions.segments import Segment
from core.requests.places import Place, read_place

SIDE = 640             # pixels: long edge of the picture in which regions are sought
LEAST_SIDE = 16        # pixels: shortest edge of a photo with regions
MASK_SIDE = 2048       # pixels: long edge of the masks of a plan; larger photos interpolate their soft edges
RADIUS, EDGE = 0.01, 1e-3   # guided filter of a mask: its radius as a share of the long edge; variance of a flat window
# Standard deviation of a mask's soft edge, as a share of the long edge. Areas, and things without a known outline, end
# in a gradient; other things at their edge.
# Growth of a hole around a thing, as a share of the long edge; masks of people are tight.
HOLE, HOLES = 0.01, {PERSON: 0.015, BOX: 0.03}
LOOSE = 0.3            # value of a soft mask from which a pixel belongs to a hole
FEATHER, FEATHERS = 0.002, {"area": 0.04, "tone": 0.01, "colour": 0.004, BOX: 0.03}
# Things of rooms: a photo with one of them, found at least as surely, has no sky, only blue or white walls.
ROOMS = {"bed", "couch", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "microwave", "oven",
         "toaster", "sink", "refrigerator", "book", "vase"}
SURE = 0.35
KEPT = 4               # photos whose regions are kept in memory


class NotFound(UserError):
    """The error for words that name no region of the photo."""

    code = 3


class Finder:
    """Finds regions of one photo (3, H, W), sRGB in [0, 1]; each detector runs once, when it is needed."""

    def __init__(self, photo: torch.Tensor) -> None:
        self.image, self._masked = preview(photo, SIDE), {}

    @functools.cached_property
    def detections(self):
        """The things that the detector sees, as boxes."""
        return detect(self.image)

    @functools.cached_property
    def stuff(self) -> list[Segment]:
        """Sky, water and plants, or the stuff that the user's head finds; no sky and water in a room.

        Things in front of stuff are no part of it.
        """
        room = any(found.name in ROOMS and found.score >= SURE for found in self.detections)
        found = [segment for segment in find_stuff(self.image, load_head(), load_sky_head())
                 if not (room and segment.name in ("sky", "water"))]
        return [without(segment, [self._thing(index) for index in in_front(self.detections, segment.mask)])
                for segment in found]

    @functools.cached_property
    def subject(self) -> Segment | None:
        """The main subject, or None if nothing stands out."""
        return find_subject(self.image, self.detections)

    def _thing(self, index):
        if index not in self._masked:
            near, front = ([self._thing(other) for other in of(self.detections, index)]
                           for of in (rivals, held))
            self._masked[index] = without(mask_of(self.image, self.detections[index], near), front)
        return self._masked[index]

    def things(self, name: str | None = None) -> list[Segment]:
        """Return the things of a class, or all things; masks are made for these only."""
        return [self._thing(index) for index, found in enumerate(self.detections) if name in (None, found.name)]

    def segments(self) -> list[Segment]:
        """Return all segments of the photo: things, stuff, and the subject; none of a tiny photo."""
        if min(self.image.shape[-2:]) < LEAST_SIDE:
            return []
        return [*self.things(), *self.stuff, *filter(None, [self.subject])]

    def find(self, place: Place | str) -> Segment:
        """Return the segment that a place means; its mask has the size of `image`. Raises NotFound with a sentence."""
        place = read_place(place) if isinstance(place, str) else place
        height, width = self.image.shape[-2:]
        if min(height, width) < LEAST_SIDE:
            raise NotFound(f"regions are sought in photos of at least {LEAST_SIDE} pixels a side, this one has "
                           f"{width}x{height}")
        segments = [segment for part in _parts(place) for segment in self._candidates(part)]
        choice = choose(place, segments, self.image)
        found = masked(choice, place, self.image)
        if found is None:
            raise NotFound(choice.remark or f'"{place.words}" was not found')
        return replace(found, remark=choice.remark or "")

    def _candidates(self, part):
        if part.kind == "thing":
            return self.things(part.name)
        if part.kind == "stuff":
            return self.stuff
        return [self.subject] if part.kind in ("subject", "background") and self.subject else []


def finder_of(photo: torch.Tensor) -> Finder:
    """Return the Finder of a photo (3, H, W); the last photos keep theirs, so that a follow-up costs nothing."""
    small = preview(photo, SIDE).contiguous()
    key = hashlib.sha256(small.numpy().tobytes()).digest()
    _kept[key] = finder = _kept.pop(key, None) or Finder(small)
    while len(_kept) > KEPT:
        _kept.pop(next(iter(_kept)), None)   # the photo that was asked for longest ago
    return finder


_kept = {}


def _parts(place: Place) -> Iterator[Place]:
    """Yield a place and all places that it mentions."""
    yield place
    for other in (place.to, *place.but, *place.also):
        if other is not None:
            yield from _parts(other)


def hole_for(segment: Segment, photo: torch.Tensor) -> Mask:
    """Return the mask of a removal: the segment, grown by a margin, because rests of a thing at its edge are seen.

    The margin is a share of the long edge of the photo (3, H, W); it is wider for things without a known outline.
    """
    size = tuple(preview(photo, MASK_SIDE).shape[-2:])
    mask = torch.from_numpy(np.ascontiguousarray(segment.mask))[None, None]
    inside = F.interpolate(mask, size, mode="bilinear", antialias=True)[0, 0].numpy() > LOOSE
    radius = max(round(HOLES.get(segment.source, HOLES.get(segment.name, HOLE)) * max(size)), 2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return Mask.from_array(cv2.dilate(np.uint8(inside), kernel), region=segment.words)


def mask_for(segment: Segment, photo: torch.Tensor, kind: str = "thing") -> Mask:
    """Return the mask of a plan for a segment: fitted to the edges of the photo (3, H, W), with a soft edge.

    `kind` is the kind of the Place that names the segment; areas and tones keep their shape and get a wider soft edge.
    The guided filter's coefficients are computed at the size of the segment's mask and enlarged (He and Sun 2015, "Fast
    Guided Filter"). For several regions of one large photo, give its preview of MASK_SIDE pixels, which is made once.
    """
    kind = BOX if segment.source == BOX else kind
    photo = preview(photo, MASK_SIDE)
    mask = torch.from_numpy(np.ascontiguousarray(segment.mask))[None, None]
    size = tuple(photo.shape[-2:])
    if kind in FEATHERS or max(size) <= max(mask.shape):
        soft = F.interpolate(mask, size, mode="bilinear", antialias=True)
    else:
        small = F.interpolate(photo[None], mask.shape[-2:], mode="area")
        radius = max(round(RADIUS * max(mask.shape)), 1)
        slope, offset = guided_coefficients(mask, luma(small), radius, EDGE)
        soft = enlarge(slope, size) * luma(photo[None]) + enlarge(offset, size)
    return Mask.from_array(soft[0, 0].numpy(), FEATHERS.get(kind, FEATHER), segment.words)
