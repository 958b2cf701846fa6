"""Stuff: the sky of a photo by the sky head that ships, water and plants by rule, and more by the user's stuff head.

By rule, each kind of stuff has a score per pixel, from colour, texture and height. Pixels of a high score are seeds,
GrabCut grows them to borders of colour, and rules on the grown region give its confidence. The thresholds are set by
hand. A head gives each pixel its class. The sky head (`data/sky`) replaces the rule of the sky, and the user's stuff
head (`core/train_stuff.py`) the rules of all classes that it knows.
"""
import functools
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import maximum_filter1d

from core.colour import to_oklab
from core.filters import guided_coefficients
from core.metrics.regions import mask_iou
from core.models.stuff_head import SIDE as HEAD_SIDE
from core.models.stuff_head import StuffHead, presence
from core.regions.rules import rises
from core.regions.segments import Segment
from core.requests.place_words import wholes

SIDE = 256              # pixels: the long edge of the picture on which the rules work
LEAST = 0.4             # the least confidence of a stuff that is there
SURE_ODDS = 2           # logarithm of the odds of a class from which a head's pixel is sure
# Of the sky head, chosen on coco100: the least presence of a sky, the odds of sure pixels, and the least chance and IoU
# with the head's sky at which the rule's mask is taken.
SKY_LEAST, SKY_ODDS, SKY_CHANCE, SKY_IOU = 0.75, 3, 0.9, 0.6
RADIUS, EPSILON = 4, 1e-4   # of the guided filter that refines a mask
STREAK = 7              # pixels: the side of the window in which texture is measured
_ONES = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class _Look:
    """Maps (h, w) of a small picture: what the rules look at."""

    rgb: np.ndarray        # (h, w, 3) uint8
    light: np.ndarray      # Oklab lightness in [0, 1]
    chroma: np.ndarray     # Oklab chroma in [0, .4]
    saturation: np.ndarray   # chroma / (lightness + .1)
    hue: np.ndarray        # OKLCh hue in degrees
    texture: np.ndarray    # mean length of the gradient of Oklab per pixel, colour counted twice, in a small window
    streaks: np.ndarray    # share of the gradient's energy that is vertical, as of horizontal lines, in [0, 1]
    down: np.ndarray       # 0 at the top of the picture, 1 at the bottom


def find_stuff(image: torch.Tensor, head: StuffHead | None = None, sky_head: StuffHead | None = None) -> list[Segment]:
    """Return the stuff of a photo (3, H, W), sRGB in [0, 1], as Segments.

    Without a head, their names are "sky", "water" and "plants". With one, they are the head's classes, such as "grass"
    and "trees", and the rules find only stuff that the head does not know. The masks have the photo's size, and the
    score is a confidence in [0, 1]. A stuff that is not there is left out. Masks overlap at their borders only.

    Args:
        head: the user's stuff head, or None.
        sky_head: finds the sky, unless `head` knows it; None leaves the sky to the rule.
    """
    known = set() if head is None else set(head.classes)
    rules = {name: rule for name, rule in _RULES.items()
             if name not in known and not known.issuperset(_parts_of(name) or {name})}
    masks = [] if head is None else _by_head(image, head)
    if rules:
        look = _look(image)
        taken = np.any([np.zeros(look.light.shape, bool), *(mask for _, mask, _, _ in masks)], 0)
        for name, rule in rules.items():
            source = "rule"
            if name == "sky" and sky_head is not None:
                rule, source = functools.partial(_sky_by_head, image, sky_head), "sky head"
            mask, score = rule(look, taken)
            if score >= LEAST:
                taken = taken | mask
                masks.append((name, mask, score, source))
    return [Segment(name, _refined(mask, image), score, source) for name, mask, score, source in masks]


def _parts_of(name):
    return {part for part, whole in wholes().items() if whole == name}


def _by_head(image, head):
    """Return (name, mask (h, w), score, source) of each class of a head that a photo (3, H, W) shows.

    A pixel belongs to its likeliest class. GrabCut moves the border of the sky to a border of colour.
    """
    chances = _chances(image, head)
    best, found = chances.argmax(0), []
    for label, name in enumerate(head.classes[1:], 1):
        mask = best == label
        score = presence(float(chances[label][mask].mean()), float(mask.mean())) if mask.any() else 0.0
        if not mask.any() or score < head.least[label]:
            continue
        if name == "sky":
            mask = _at_colours(_look(image), chances[label], mask, SURE_ODDS)
        found.append((name, mask, score, "stuff head"))
    return found


def _chances(image, head):
    """Return the chances (C, h, w) of a head's classes in a photo (3, H, W)."""
    logits = head.logits(_resized(image[None], HEAD_SIDE)[0])
    size = _resized(image[:1][None], SIDE).shape[-2:]
    return F.interpolate(logits[None], size, mode="bilinear", antialias=True)[0].softmax(0).numpy()


def _at_colours(look, chance, mask, sure):
    """Return a mask (h, w) whose border GrabCut moved to a border of colour, where the chance (h, w) is not sure."""
    odds = cv2.blur(np.log((chance + 1e-6) / (1 - chance + 1e-6)), (3, 3))
    grown = _grown(look, odds, odds > sure, np.zeros_like(mask), sure=-sure, floor=1)
    return grown if grown.any() else mask


def _sky_by_head(image, head, look, taken):
    """Return the sky's mask (h, w) and its confidence, by the sky head and the rule.

    The head decides whether there is a sky, and where. It sees cells of 8 pixels. If the rule finds the same sky, its
    mask is taken, because its border is finer.
    """
    chance = _chances(image, head)[1]
    mask = chance > 0.5
    score = presence(float(chance[mask].mean()), float(mask.mean())) if mask.any() else 0.0
    if score < SKY_LEAST:
        return mask, 0.0
    mask = _at_colours(look, chance, mask, SKY_ODDS)
    ruled, sure = _sky(look, taken)
    if sure >= LEAST and chance[ruled].mean() >= SKY_CHANCE and mask_iou(ruled, mask) >= SKY_IOU:
        mask = ruled
    return mask & ~taken, score


def find_sky(image: torch.Tensor) -> Segment | None:
    """Return the sky of a photo (3, H, W), sRGB in [0, 1], or None."""
    return _first("sky", image)


def find_water(image: torch.Tensor) -> Segment | None:
    """Return the water of a photo (3, H, W), sRGB in [0, 1], or None."""
    return _first("water", image)


def find_plants(image: torch.Tensor) -> Segment | None:
    """Return the trees, grass and flowers of a photo (3, H, W), sRGB in [0, 1], or None."""
    return _first("plants", image)


def _first(name, image):
    return next((segment for segment in find_stuff(image) if segment.name == name), None)


def _look(image):
    """Return the _Look of a photo (3, H, W)."""
    small = _resized(image[None], SIDE)
    light, green_red, blue_yellow = to_oklab(small)[0].numpy()
    across = vertical = 0
    for channel, weight in ((light, 1), (green_red, 4), (blue_yellow, 4)):
        soft = cv2.GaussianBlur(channel, (0, 0), 1)
        across = across + weight * (cv2.Sobel(soft, -1, 1, 0) / 8) ** 2
        vertical = vertical + weight * (cv2.Sobel(soft, -1, 0, 1) / 8) ** 2
    across, vertical, texture = (cv2.boxFilter(energy, -1, (STREAK, STREAK))
                                 for energy in (across, vertical, np.sqrt(across + vertical)))
    height, width = light.shape
    chroma = np.hypot(green_red, blue_yellow)
    return _Look(
        rgb=np.ascontiguousarray((small[0] * 255).round().byte().permute(1, 2, 0).numpy()), light=light,
        chroma=chroma, saturation=chroma / (light + 0.1), hue=np.degrees(np.arctan2(blue_yellow, green_red)) % 360,
        texture=texture, streaks=vertical / (across + vertical + 1e-8),
        down=np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], width, 1))


def _resized(image, side):
    """Return a picture (1, C, H, W) with a long edge of at most `side` pixels."""
    scale = side / max(image.shape[-2:])
    size = [max(round(edge * scale), 1) for edge in image.shape[-2:]]
    return image if scale >= 1 else F.interpolate(image, size, mode="area")


def _rise(x, low, high):
    return rises(torch.as_tensor(x), low, high).numpy()


def _hues(look, low, high, soft=20):
    """Return 1 for hues between two angles in degrees, with ramps outside them."""
    away = np.abs((look.hue - (low + high) / 2 + 180) % 360 - 180) - (high - low) / 2
    return 1 - _rise(away, 0, soft)


def _sky(look, taken):
    """Return the sky's mask (h, w) and its confidence.

    A clear sky is blue and not dark, clouds are light and grey, an evening sky is light and warm. A sky is smooth, and
    touches the upper edge.
    """
    coloured = _rise(look.chroma, 0.02, 0.05)
    blue = _hues(look, 205, 275) * _rise(look.light, 0.3, 0.55)
    warm = _hues(look, 20, 110) * _rise(look.light, 0.6, 0.9)
    grey = _rise(look.light, 0.6, 0.9)
    tint = np.where(blue > 0, 3.5 * blue - 1.5, 2.3 * warm - 2)
    score = ((1 - coloured) * (2.4 * grey - 1.2) + coloured * tint
             + 1.2 * (1 - _rise(look.texture, 0.004, 0.03)) - 1 + 0.8 * (1 - 2 * look.down))
    seeds = _parts(score > 0.4, lambda left, top, right, bottom: top <= 0.04)
    mask = _grown(look, score, seeds, taken, sure=-1.5, floor=0.1)
    mask = _near_seeds(mask, seeds)
    if not mask.any():
        return mask, 0.0
    upper, light = mask[:max(len(mask) // 50, 1)].any(0).mean(), look.light[mask].mean()
    lighter = light - np.median(look.light[~mask]) if not mask.all() else 0
    spans = 0.5 * _rise(upper, 0.8, 0.95) * _rise(lighter, 0.15, 0.3)   # a roof of light can be a sky of any colour
    tinted = (coloured * np.maximum(blue, spans * warm))[mask].mean()
    inside = cv2.erode(mask.astype(np.uint8), np.ones((5, 5))) > 0
    texture = look.texture[inside].mean() if inside.any() else 1
    return mask, _all(_rise(score[mask].mean() + spans, 0.75, 1.15), _rise(_thickness(mask), 0.05, 0.15),
                      1 - _rise(texture, 0.010, 0.022), _rise(upper, 0.05, 0.3),
                      _rise(light + 0.5 * tinted, 0.72, 0.84))   # a sky without colour is light


def _plants(look, taken):
    """Return the mask (h, w) of trees, grass and flowers' leaves, and its confidence.

    Leaves are green to yellow-green and not vivid; leaves in the shade are dark and have little colour. Trees and grass
    have texture, unlike painted walls and cloth. They go on outside the frame or end at the sky, unlike a salad.
    """
    rough = _rise(look.texture, 0.015, 0.03)
    olive = _hues(look, 90, 108, 8) * _rise(look.saturation, 0.07, 0.13)   # as of autumn leaves, but also of lamplight
    leaves = np.maximum(_hues(look, 108, 160, 12), 0.8 * rough * olive)
    green = leaves * _rise(look.saturation, 0.03, 0.09) * (1 - 0.7 * _rise(look.chroma, 0.17, 0.22))
    lit = _rise(look.light, 0.1, 0.3) * (1 - _rise(look.light, 0.85, 0.95))
    score = 4 * green * lit + 0.8 * _rise(look.texture, 0.003, 0.015) - 2
    score = cv2.boxFilter(score, -1, (5, 5))
    seeds = _parts((score > 0.6) & ~taken, lambda left, top, right, bottom: True)
    mask = _grown(look, score, seeds, taken, sure=-1.2, floor=1)
    if not mask.any():
        return mask, 0.0
    under_sky = (cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))) > 0) & taken
    frame = sum(side.mean() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1], under_sky.any(0)))
    return mask, _all(_rise(score[mask].mean(), 0.1, 1.1), _rise(mask.mean(), 0.02, 0.1),
                      _rise(frame + mask.mean(), 0.2, 0.5))


def _water(look, taken):
    """Return the mask (h, w) of water, and its confidence.

    Water is blue or green-blue, lies in the lower part of the picture, is wide and reaches the left or right side. Its
    texture is fine and consists of horizontal lines. Grey water looks like a road and is not found.
    """
    blue = _hues(look, 190, 270) * _rise(look.saturation, 0.03, 0.08)
    score = (3 * blue - 2.4 + 0.7 * (2 * _rise(look.streaks, 0.4, 0.8) - 1) + _rise(look.down, 0.2, 0.6)
             - _rise(look.texture, 0.015, 0.04))
    score = cv2.boxFilter(score, -1, (9, 5))
    seeds = _parts((score > 0.5) & ~taken, lambda left, top, right, bottom: top > 0.05 and right - left > 0.25)
    mask = _grown(look, score, seeds, taken, sure=-1.5, floor=1)
    if not mask.any():
        return mask, 0.0
    borders = mask[:, 0].mean() + mask[:, -1].mean()
    return mask, _all(_rise(score[mask].mean(), 0.2, 0.9), _rise(mask.mean(), 0.02, 0.08),
                      _rise(mask.any(0).mean(), 0.4, 0.8), _rise(look.streaks[mask].mean(), 0.45, 0.6),
                      _rise(borders, 0.0, 0.15))


def _all(*evidence):
    return float(np.prod([float(part) for part in evidence]))


def _parts(mask, fits, least=0.004):
    """Return the mask's connected parts that cover `least` of the picture and whose box, in shares of it, fits."""
    height, width = mask.shape
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    kept = np.zeros(count, bool)
    for part in range(1, count):
        left, top, wide, high, pixels = boxes[part]
        kept[part] = pixels >= least * mask.size and fits(left / width, top / height, (left + wide) / width,
                                                          (top + high) / height)
    return kept[labels]


def _grown(look, score, seeds, taken, sure, floor):
    """Return the region (h, w) that GrabCut grows from seeds (Rother et al. 2004, "GrabCut").

    Pixels with a score under `sure`, taken ones, and those more than `floor` of the height below the lowest seed are
    outside. An empty mask comes back if the seeds cover under 1.5% of the picture.
    """
    if seeds.mean() < 0.015:
        return np.zeros_like(seeds)
    labels = np.where(score > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode(seeds.astype(np.uint8), _ONES) > 0] = cv2.GC_FGD
    labels[score < sure] = cv2.GC_BGD
    lowest = np.flatnonzero(seeds.any(1))[-1]
    labels[lowest + round(floor * len(seeds)) + 1:] = cv2.GC_BGD
    labels[taken] = cv2.GC_BGD
    outside = (labels == cv2.GC_BGD) | (labels == cv2.GC_PR_BGD)
    if outside.any() and not outside.all():
        cv2.setRNGSeed(0)   # GrabCut starts from a clustering with random centres
        cv2.grabCut(look.rgb, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 1, cv2.GC_INIT_WITH_MASK)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def _near_seeds(mask, seeds):
    """Return the mask's parts that hold a seed, and those above the lowest pixel of such parts, as between branches."""
    height, width = mask.shape
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    size = np.bincount(labels.ravel(), minlength=count)
    kept = np.bincount(labels.ravel(), seeds.ravel(), count) > 0
    kept[0] = False
    main = kept[labels]
    lowest = np.where(main.any(0), height - 1 - main[::-1].argmax(0), -1)
    above = np.arange(height)[:, None] <= maximum_filter1d(lowest, max(width // 8, 1))
    kept |= np.bincount(labels.ravel(), above.ravel(), count) > size / 2
    kept[0] = False
    return kept[labels]


def _thickness(mask):
    """Return the radius of the largest disc inside a mask, in shares of the short edge; discs may leave the picture."""
    padded = np.pad(mask.astype(np.uint8), 1, mode="edge")
    return cv2.distanceTransform(padded, cv2.DIST_L2, 3).max() / min(mask.shape)


def _refined(mask, image):
    """Return a small mask (h, w) as float32 (H, W) of the photo's size, with borders at the photo's edges.

    The guided filter's coefficients come from the small picture and are applied to the photo (He and Sun 2015, "Fast
    Guided Filter").
    """
    guide = image.mean(0, keepdim=True)[None]
    small, soft = _resized(guide, SIDE), torch.from_numpy(mask).float()[None, None]
    slope, offset = (F.interpolate(part, image.shape[1:], mode="bilinear")
                     for part in guided_coefficients(soft, small, RADIUS, EPSILON))
    return (slope * guide + offset).clamp(0, 1)[0, 0].numpy()


_RULES = {"sky": _sky, "water": _water, "plants": _plants}   # in this order: each leaves out the region of those before
RULED = tuple(_RULES)   # the stuff that is found without a head
