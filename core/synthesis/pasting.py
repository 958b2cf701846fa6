"""Pasting: a thing is cut from a photo and put into another one, whose true pixels behind the thing are then known."""
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from core.colour import encode, from_oklab, to_oklab
from core.regions.segments import Segment
from core.synthesis.parts import SOFT
from core.synthesis.seams import OUTER, is_seamless

SHARES = (0.015, 0.07)        # of the picture, that a pasted thing covers
LARGEST, ENLARGED = 0.6, 1.2  # most of the picture's width or height; most by which a thing is enlarged
SOURCES = (0.008, 0.3)        # of its own photo, that a thing covers which is cut out
WHOLE = 0.9                   # least share of its largest piece, so that a thing which is cut in two is left
MATCHED = 0.5                 # share of the difference of the photos' mean colours by which a thing moves
VISIBLE = 0.06                # least mean absolute change of the pixels that a thing covers
COARSE = 8                    # pixels per cell of the grid on which places are searched
PLACES = 16                   # most places that are tried for a thing
FURNITURE = {"dining table", "bed", "couch", "sink", "toilet", "oven", "refrigerator", "tv"}   # look odd elsewhere


@dataclass(frozen=True, eq=False)
class Cutout:
    """A thing that was cut out with a margin of its photo.

    Args:
        name: the class.
        pixels: (h, w, 3) float32, sRGB in [0, 1].
        inside: bool (h, w), the thing's pixels.
        colour: the mean Oklab colour of its photo.
    """

    name: str
    pixels: np.ndarray
    inside: np.ndarray
    colour: np.ndarray


@dataclass(frozen=True, eq=False)
class Pasted:
    """A photo (3, H, W) with a pasted thing; `covered`, bool (H, W), holds all pixels that the thing changed."""

    image: torch.Tensor
    covered: np.ndarray
    name: str


def is_source(segment: Segment) -> bool:
    """Return whether a thing can be cut out: whole, not at the frame, and of a fitting size and class."""
    inside = segment.mask > 0.5
    if not segment.thing or segment.name in FURNITURE or not SOURCES[0] <= segment.share <= SOURCES[1]:
        return False
    if inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any():
        return False
    solid = cv2.erode(np.uint8(inside), np.ones((5, 5), np.uint8))   # thin bridges between pieces do not count
    _, _, statistics, _ = cv2.connectedComponentsWithStats(solid)
    return bool(statistics[1:, cv2.CC_STAT_AREA].max(initial=0) >= WHOLE * max(solid.sum(), 1))


def cut_out(image: torch.Tensor, segment: Segment) -> Cutout:
    """Return a thing of a photo (3, H, W), with a margin that the seam test needs."""
    left, top, right, bottom = segment.box
    margin = 4 * OUTER
    rows, columns = slice(max(top - margin, 0), bottom + margin), slice(max(left - margin, 0), right + margin)
    pixels = image[:, rows, columns].permute(1, 2, 0).numpy()
    return Cutout(segment.name, np.ascontiguousarray(pixels), segment.mask[rows, columns] > 0.5, mean_colour(image))


def mean_colour(image: torch.Tensor) -> np.ndarray:
    """Return the mean Oklab colour of every fourth pixel of a picture (3, H, W) in both directions, (3,)."""
    return to_oklab(image[None, :, ::4, ::4])[0].mean((1, 2)).numpy()


def paste(image: torch.Tensor, free: np.ndarray, thing: Cutout, rng: np.random.Generator) -> Pasted | None:
    """Paste a thing at a random place: scaled, matched in colour, with a soft edge, and without a seam.

    Args:
        image: the photo (3, H, W), sRGB in [0, 1].
        free: bool (H, W), the pixels that the thing may cover.
        thing: the Cutout.
        rng: a numpy Generator.

    Returns: the Pasted, or None if the thing fits nowhere without a seam.
    """
    pixels, inside = _sized(thing, image.shape[-2:], rng)
    alpha = cv2.GaussianBlur(np.float32(cv2.erode(np.uint8(inside), np.ones((3, 3), np.uint8))), (0, 0), SOFT)
    alpha[alpha < 1 / 255] = 0
    if not alpha.any():
        return None
    pixels = _matched(pixels, thing.colour, mean_colour(image))
    for top, left in _places(free, alpha > 0, rng):
        area = (slice(top, top + alpha.shape[0]), slice(left, left + alpha.shape[1]))
        under = image[(slice(None), *area)].permute(1, 2, 0).numpy()
        over = torch.from_numpy(under + alpha[..., None] * (pixels - under)).permute(2, 0, 1)
        change = np.abs(over.permute(1, 2, 0).numpy() - under)[alpha > 0].mean()
        if change >= VISIBLE and is_seamless(over, torch.from_numpy(pixels).permute(2, 0, 1), inside):
            result = image.clone()
            result[(slice(None), *area)] = over
            covered = np.zeros(image.shape[-2:], bool)
            covered[area] = alpha > 0
            return Pasted(result, covered, thing.name)
    return None


def _sized(thing, size, rng):
    """Return pixels and mask of a thing at a random size for a picture (height, width), mirrored or not."""
    height, width = size
    scale = np.sqrt(rng.uniform(*SHARES) * height * width / thing.inside.sum())
    scale = min(scale, ENLARGED, LARGEST * height / thing.inside.shape[0], LARGEST * width / thing.inside.shape[1])
    to = tuple(max(round(edge * scale), 1) for edge in thing.inside.shape[::-1])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(thing.pixels, to, interpolation=how)
    inside = cv2.resize(np.float32(thing.inside), to, interpolation=how) > 0.5
    flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
    return np.ascontiguousarray(pixels[:, flip]), np.ascontiguousarray(inside[:, flip])


def _matched(pixels, own, other):
    """Return pixels (h, w, 3) whose Oklab colours are moved from their photo's mean towards another photo's."""
    lab = to_oklab(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    lab += MATCHED * torch.from_numpy(other - own).view(1, 3, 1, 1)
    return np.ascontiguousarray(encode(from_oklab(lab))[0].clamp(0, 1).permute(1, 2, 0).numpy())


def _places(free, footprint, rng):
    """Yield at most PLACES corners (top, left) at which a footprint (h, w) covers free pixels only."""
    height, width = footprint.shape
    rows, columns = np.arange(0, free.shape[0] - height + 1, COARSE), np.arange(0, free.shape[1] - width + 1, COARSE)
    taken = ~free
    total = cv2.integral(np.uint8(taken))
    corners = []
    for top in rows:   # the box is mostly free, or else the footprint cannot be
        counts = total[top + height, columns + width] - total[top, columns + width] - total[
            top + height, columns] + total[top, columns]
        corners += [(top, left) for left in columns[counts <= height * width - footprint.sum()]]
    found = 0
    for index in rng.permutation(len(corners)):
        top, left = corners[index]
        if not (taken[top:top + height, left:left + width] & footprint).any():
            yield int(top), int(left)
            found += 1
            if found == PLACES:
                return
