"""Things of a photo: NanoDet finds boxes of the 80 classes of COCO, and U2Net a soft mask in the box that is asked for.

BlazePose helps with the masks of people.

Detecting is done once for a photo, and a mask is made only for the things that are asked for. The constants were chosen
on 100 photos of COCO train2017, which NanoDet was trained on.
"""
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from core.filters import guided_filter
from core.finding.people import NAME as PERSON
from core.finding.people import beside, held_by, person_mask
from core.models.nanodet import CLASSES, nanodet
from core.models.u2net import u2net
from core.regions.segments import Segment

PASSES = ((416, False), (416, True), (320, False))   # side of a square of equal area, and whether it is mirrored
LONGEST = 1024          # the longest edge of the detector's input, for very wide or tall pictures
SCORE = 0.27            # lowest mean score over the passes; on the average photo, one class above it is not there
CANDIDATE = 0.05        # lowest score of a box in one pass
SAME = 0.5              # intersection over union (IoU) above which two boxes of a class are one thing
MASK_SIDE = 160         # side of U2Net's input for a box; at 320 a mask takes four times as long
PERSON_SIDE = 128       # the same for a person, whose mask BlazePose makes, too
MARGIN = 1.1            # U2Net sees the box enlarged by this factor
BOX = "detector's box"  # the source of a mask without an outline: an ellipse in the box
LEAST, MOST = 0.2, 0.98   # the share of the box that a mask of U2Net covers; otherwise GrabCut makes the mask
LEAST_CUT = 0.3         # the least share of a mask of GrabCut, which starts from a fifth of the box
GRABCUT_SIDE = 160      # longest edge of the picture that GrabCut sees
SURELY = 0.95           # value of a mask from which GrabCut takes a pixel for the thing, and 1 minus it for the rest
SURROUNDINGS = 1.5      # GrabCut sees the box enlarged by this factor if U2Net finds nothing in it
LIKELY = 0.6            # value of the pixels of the box then
FRONT, MOST_FRONT = 0.1, 6   # share of a thing's box that stuff covers behind it, and the number of things in front
EPSILON = 1e-3          # of the guided filter, a variance of the luminance


@dataclass(frozen=True)
class Detection:
    """A thing in a photo: its class, the confidence in [0, 1], and its box: left, top, right, bottom in pixels."""

    name: str
    score: float
    box: tuple[float, float, float, float]


def find_things(image: torch.Tensor) -> list[Segment]:
    """Return the things of a photo (3, H, W), sRGB in [0, 1], with masks of its size; the most certain come first.

    Raises UserError if the weights are missing or changed.
    """
    detections = detect(image)
    masks = separate([mask_of(image, detection).mask for detection in detections])
    return [Segment(detection.name, mask, detection.score, "detector", thing=True)
            for detection, mask in zip(detections, masks, strict=True)]


def held(detections: Sequence[Detection], index: int) -> list[int]:
    """Return the indices of the things that the person with this index holds; none if it is no person."""
    if detections[index].name != PERSON:
        return []
    return held_by([found.box for found in detections], [found.name for found in detections], index)


def rivals(detections: Sequence[Detection], index: int) -> list[int]:
    """Return the indices of the things that a person's mask may mistake for the person; none if it is no person."""
    if detections[index].name != PERSON:
        return []
    return beside([found.box for found in detections], [found.name for found in detections], index,
                  held(detections, index))


def in_front(detections: Sequence[Detection], mask: np.ndarray) -> list[int]:
    """Return the indices of the things in front of stuff with a mask (H, W), such as the planes in a sky."""
    covered = {}
    for index, found in enumerate(detections):
        left, top, right, bottom = _whole(found.box, 1, *mask.shape)
        inside = mask[top:bottom, left:right]
        if inside.mean() > FRONT:
            covered[index] = float(inside.sum())
    return sorted(covered, key=covered.get, reverse=True)[:MOST_FRONT]


def without(segment: Segment, others: Sequence[Segment]) -> Segment:
    """Return a segment without other things in front of it that have an outline; masks have the photo's size."""
    mask = segment.mask
    for other in others:
        if other.source != BOX:
            mask = mask * (1 - other.mask)
    return replace(segment, mask=mask)


@torch.no_grad()
def detect(image: torch.Tensor) -> list[Detection]:
    """Return the detections in a photo (3, H, W), sRGB in [0, 1]; the most certain come first.

    The network sees the photo in several sizes and mirrored. The score of a box is the mean over the passes of the
    highest score of a box of the same class at the same place. Raises UserError if the weights are missing or changed.
    """
    passes = [_pass(image, side, mirrored) for side, mirrored in PASSES]
    scores, classes, boxes = (torch.cat(values) for values in zip(*passes, strict=True))
    kept = _best(boxes, scores, classes, SAME)
    classes, boxes = classes[kept], boxes[kept]
    scores = torch.stack([_support(classes, boxes, *found) for found in passes]).mean(0)
    order = [index for index in scores.argsort(descending=True).tolist() if scores[index] >= SCORE]
    return [Detection(CLASSES[classes[index]], float(scores[index]), tuple(boxes[index].tolist())) for index in order]


def _pass(image, side, mirrored):
    """Return scores (n,), classes (n,) and boxes (n, 4), in pixels of the image, of one pass of the network."""
    height, width = image.shape[1:]
    scale = min(side / (height * width) ** 0.5, LONGEST / max(height, width))
    size = [max(round(edge * scale / 32), 1) * 32 for edge in (height, width)]
    seen = F.interpolate(image[None], size, mode="bilinear", antialias=True)
    scores, boxes = (value[0] for value in nanodet()(seen.flip(-1) if mirrored else seen))
    if mirrored:
        boxes = torch.stack((size[1] - boxes[:, 2], boxes[:, 1], size[1] - boxes[:, 0], boxes[:, 3]), 1)
    edges = boxes.new_tensor([width, height, width, height])
    boxes = (boxes * edges / boxes.new_tensor(size[::-1] * 2)).clamp(min=0).minimum(edges)
    cells, classes = (scores > CANDIDATE).nonzero(as_tuple=True)
    scores, boxes = scores[cells, classes], boxes[cells]
    kept = _best(boxes, scores, classes, 0.6)[:300]
    return scores[kept], classes[kept], boxes[kept]


def _support(classes, boxes, pass_scores, pass_classes, pass_boxes):
    """Return for each box the highest score (n,) of a box of its class at its place in one pass, or 0."""
    same = (_overlap(boxes, pass_boxes) > SAME) & (classes[:, None] == pass_classes)
    return F.pad(torch.where(same, pass_scores, 0.0), (0, 1)).amax(1)   # padded: a pass may have no box


def _best(boxes, scores, classes, overlap):
    """Return the indices of the boxes that no better box of their class overlaps, the best first.

    torchvision has the same, but its import takes as long as torch's own.
    """
    if not len(boxes):
        return torch.zeros(0, dtype=torch.long)
    corners = torch.cat((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), 1)   # left, top, width, height
    kept = cv2.dnn.NMSBoxesBatched(corners.tolist(), scores.tolist(), classes.tolist(), 0.0, overlap)
    return torch.from_numpy(np.asarray(kept, np.int64).ravel())


def _overlap(boxes, others):
    """Return the intersection over union (n, m) of boxes (n, 4) and others (m, 4)."""
    edges = torch.minimum(boxes[:, None, 2:], others[:, 2:]) - torch.maximum(boxes[:, None, :2], others[:, :2])
    shared = edges.clamp_min(0).prod(2)
    areas, other_areas = ((part[:, 2:] - part[:, :2]).prod(1) for part in (boxes, others))
    return shared / (areas[:, None] + other_areas - shared).clamp_min(1e-9)


def mask_of(image: torch.Tensor, detection: Detection, others: Sequence[Segment] = ()) -> Segment:
    """Return the segment of a detection in a photo (3, H, W), sRGB in [0, 1]; its mask has the photo's size.

    U2Net looks at the enlarged box, and BlazePose at a person. If their mask fills almost none or all of the box, U2Net
    alone makes a person's mask, and then GrabCut any mask from the middle of the box; if that fails, too, the mask is
    the ellipse in the box, and its source is BOX. What U2Net marks does not count inside `others`, things of the photo
    with an outline. Raises UserError if the weights are missing or changed.
    """
    height, width = image.shape[1:]
    outer = _whole(detection.box, MARGIN, height, width)
    left, top, right, bottom = outer
    crop = image[:, top:bottom, left:right]
    inner = _inside(detection.box, outer)
    person = detection.name == PERSON
    salient = saliency(crop, PERSON_SIDE if person else MASK_SIDE)
    for other in others:
        salient = salient if other.source == BOX else salient * (1 - other.mask[top:bottom, left:right])
    candidates = [("detector", LEAST, lambda: salient),
                  ("detector", LEAST_CUT, lambda: _from_core(image, detection.box, outer)),
                  (BOX, 0, lambda: _ellipse(detection.box, outer))]
    if person:
        candidates.insert(0, ("detector", LEAST, lambda: person_mask(image, detection.box, outer, salient)))
    for name, least, candidate in candidates:
        source, mask = name, candidate() * inner
        if least < (mask > 0.5).sum() / max((inner > 0.5).sum(), 1) < MOST:
            break
    whole = np.zeros((height, width), np.float32)
    whole[top:bottom, left:right] = refine(mask, crop)
    return Segment(detection.name, whole, detection.score, source, thing=True)


def refine(mask: np.ndarray, image: torch.Tensor) -> np.ndarray:
    """Return a mask (h, w) in [0, 1] whose edges follow those of the picture (3, h, w), by the guided filter."""
    radius = max(round(max(mask.shape) / 50), 1)
    luminance = image.mean(0)[None, None]
    soft = guided_filter(torch.from_numpy(np.ascontiguousarray(mask))[None, None], luminance, radius, EPSILON)
    return soft[0, 0].clamp(0, 1).numpy().astype(np.float32)


def separate(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return masks that sum up to at most 1 at each pixel.

    Of two things that overlap, the smaller is taken to be in front: a person's tie, the cup on a table. Each mask
    keeps the part that the masks in front of it leave.
    """
    left, result = 1.0, list(masks)
    for index in sorted(range(len(result)), key=lambda index: result[index].sum()):
        result[index] = np.minimum(result[index], left).astype(np.float32)
        left = left - result[index]
    return result


@torch.no_grad()
def saliency(image: torch.Tensor, side: int = MASK_SIDE) -> np.ndarray:
    """Return the mask (H, W) in [0, 1] of U2Net, which sees the picture (3, H, W) as a square of `side` pixels."""
    seen = F.interpolate(image[None], (side, side), mode="bilinear", antialias=True)
    return F.interpolate(u2net()(seen), image.shape[1:], mode="bilinear", antialias=True)[0, 0].numpy()


def _from_core(image, box, outer):
    """Return GrabCut's mask of the part `outer` of a photo: the middle of the box is inside, its surroundings not."""
    left, top, right, bottom = around = _whole(box, SURROUNDINGS, *image.shape[1:])
    inner = _inside(box, around)
    half = [(3 * one + two) / 4 for one, two in zip(box, (*box[2:], *box[:2]), strict=True)]
    seen = np.maximum(LIKELY * inner, _ellipse(half, around)).astype(np.float32)
    mask = _grabcut(image[:, top:bottom, left:right], seen, inner, rounds=3)
    return mask[outer[1] - top:outer[3] - top, outer[0] - left:outer[2] - left]


def _grabcut(crop, seen, inner, rounds=2):
    """Return GrabCut's mask (h, w) of a picture (3, h, w).

    `seen` (h, w) in [0, 1] tells how surely a pixel belongs to the thing; pixels outside `inner` do not.
    """
    height, width = seen.shape
    scale = min(GRABCUT_SIDE / max(height, width), 1)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    picture, seen, inner = (cv2.resize(array, size, interpolation=cv2.INTER_AREA) for array in (
        (255 * crop.permute(1, 2, 0)).byte().numpy(), seen, inner))
    labels = np.where(seen > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[seen > SURELY] = cv2.GC_FGD
    labels[(seen < 1 - SURELY) | (inner < 0.5)] = cv2.GC_BGD
    outside = (labels == cv2.GC_BGD) | (labels == cv2.GC_PR_BGD)
    if outside.any() and not outside.all():
        cv2.setRNGSeed(0)   # the colour models start from random samples
        cv2.grabCut(picture, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    mask = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.float32)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)


def _whole(box, factor, height, width):
    """Return a box enlarged by `factor` about its centre, in whole pixels of the picture, at least one a side."""
    spans = []
    for low, high, edge in ((box[0], box[2], width), (box[1], box[3], height)):
        more = (high - low) * (factor - 1) / 2
        start = min(max(int(low - more), 0), edge - 1)
        spans.append((start, min(max(int(np.ceil(high + more)), start + 1), edge)))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom


def _inside(box, outer):
    """Return a mask (h, w) of the part `outer` of a photo that is 1 in the box and falls to 0 over one pixel."""
    left, top, right, bottom = outer
    x = np.clip(np.minimum(np.arange(left, right) + 1.5 - box[0], box[2] + 0.5 - np.arange(left, right)), 0, 1)
    y = np.clip(np.minimum(np.arange(top, bottom) + 1.5 - box[1], box[3] + 0.5 - np.arange(top, bottom)), 0, 1)
    return (y[:, None] * x).astype(np.float32)


def _ellipse(box, outer):
    """Return a mask (h, w) of the part `outer` of a photo that is 1 in the ellipse of the box."""
    left, top, right, bottom = outer
    x = (np.arange(left, right) + 0.5 - (box[0] + box[2]) / 2) / max((box[2] - box[0]) / 2, 0.5)
    y = (np.arange(top, bottom) + 0.5 - (box[1] + box[3]) / 2) / max((box[3] - box[1]) / 2, 0.5)
    return (y[:, None] ** 2 + x ** 2 <= 1).astype(np.float32)
