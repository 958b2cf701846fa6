"""Expressions: words that name exactly one true segment of a photo, checked against the other segments.

An expression names the class, and a trait if other segments share the class. Its truth is judged by simple measures
of boxes and mean colours, apart from those by which `core.finding` chooses.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import cycle

import cv2
import numpy as np
import torch

from core.colour import ciede2000, srgb_to_lab
from core.regions.segments import Segment

GROUPS = ("class", "colour", "position", "relation", "size", "count")
LEAST, SEEN = 0.01, 0.001    # shares of the picture: of a named segment, and of one that counts as a rival
APART = 0.1                  # of the picture's width or height, by which positions must differ
DIFFERENT = 15.0             # CIEDE2000 between the mean colours of a segment and of each rival
OWN, OTHER = 0.3, 1 / 3      # least share of a segment that has its colour; of it, the most that each rival may have
STEP = 3                     # pixels: every third one tells the colours
TWICE = 1.5                  # ratio of the areas of the largest segment and the next
TOUCH = 0.008                # of the long edge: the gap of a thing that a person holds
NEAR, AWAY = 0.03, 0.06      # of the long edge: gaps of a segment that is next to another, and of one that is not
SUPPORTS = {"dining table", "bed", "couch", "bench", "chair", "boat", "horse", "motorcycle", "bicycle", "skateboard",
            "surfboard", "snowboard", "counter", "shelf", "road", "ground", "sand", "snow", "floor", "plants", "stairs"}
HANDHELD = {"umbrella", "handbag", "suitcase", "frisbee", "kite", "baseball bat", "skateboard", "surfboard",
            "tennis racket", "bottle", "wine glass", "cup", "knife", "banana", "apple", "sandwich", "hot dog", "pizza",
            "donut", "cell phone", "book", "teddy bear", "toothbrush", "remote"}

NOUNS = {   # what people call a class, if not by its name alone
    "person": ("person", "man"), "couch": ("couch", "sofa"), "tv": ("tv", "television"), "cup": ("cup", "mug"),
    "airplane": ("airplane", "plane"), "cell phone": ("cell phone", "phone"), "bicycle": ("bicycle", "bike"),
    "motorcycle": ("motorcycle", "motorbike"), "refrigerator": ("refrigerator", "fridge"),
    "donut": ("donut", "doughnut"), "sports ball": ("ball",), "dining table": ("table", "dining table"),
    "teddy bear": ("teddy bear",), "handbag": ("handbag", "purse"), "boat": ("boat", "ship"),
    "car": ("car", "vehicle"), "truck": ("truck", "lorry"), "mouse": ("computer mouse",),
    "orange": ("orange fruit",)}
_PLURALS = {"person": "people", "man": "men", "knife": "knives", "sheep": "sheep", "skis": "skis",
            "scissors": "scissors", "broccoli": "broccoli", "computer mouse": "computer mice"}
# Colours of things as a camera sees them: a name may stand for several.
_NAMED = {
    "red": ("c01c22", "8f1d20", "d8433a"), "orange": ("e8792a", "d9661f"), "yellow": ("ecd23a", "d9b422"),
    "green": ("3f7d35", "2f5230", "76a84c"), "blue": ("2d4f9e", "23345f", "5b8fd0"), "purple": ("6b3f8e",),
    "pink": ("e59ab0", "d9588c"), "brown": ("7a4f2e", "5b3b25", "9c6f47"), "white": ("f2f2f0", "dedede"),
    "black": ("161616", "2a2a2c"), "grey": ("8a8a8a", "a9a9a8", "6b6b6b")}


@dataclass(frozen=True)
class Expression:
    """Words for a part of a photo.

    Args:
        words: the noun phrase, such as "the dog next to the bench".
        group: one of GROUPS, the trait that makes the words unique.
        meant: the indices of the segments.
        name: the class.
    """

    words: str
    group: str
    meant: tuple[int, ...]
    name: str


def name_segments(segments: Sequence[Segment], image: torch.Tensor, crowds: Sequence[Segment] = (),
                  seed: int = 0) -> list[Expression]:
    """Return the expressions that are unique in a photo.

    Args:
        segments: the true segments; their masks have the size of the photo.
        image: the photo (3, H, W), sRGB in [0, 1].
        crowds: things that are not separated; their classes are not named.
        seed: of the choice among phrasings.
    """
    scene = _Scene(segments, image, seed)
    hidden = {crowd.name for crowd in crowds}
    found = []
    for name in dict.fromkeys(segment.name for segment in segments if segment.name not in hidden):
        members = [index for index, segment in enumerate(segments)
                   if segment.name == name and segment.share >= SEEN]
        named = [index for index in members if segments[index].share >= LEAST]
        if len(members) == 1 and named:
            found.append(Expression(f"the {scene.noun(name)}", "class", (members[0],), name))
        elif named and all(segments[index].thing for index in members):
            if len(named) == len(members):
                found.append(Expression(scene.together(name, len(members)), "count", tuple(members), name))
            for index in named:
                rivals = [other for other in members if other != index]
                found += [Expression(said, group, (index,), name) for group, said in scene.traits(index, rivals)]
    return found


class _Scene:
    """The boxes, areas and mean colours of the segments of a photo, and the phrasings that are in turn."""

    def __init__(self, segments, image, seed):
        self.segments = segments
        height, width = image.shape[-2:]
        self.long = max(height, width)
        boxes = np.array([segment.box for segment in segments], float).reshape(-1, 4)
        self.boxes = boxes / self.long
        self.x, self.y = (boxes[:, 0] + boxes[:, 2]) / 2 / width, (boxes[:, 1] + boxes[:, 3]) / 2 / height
        self.area = [segment.share for segment in segments]
        self.lab = srgb_to_lab(image[None])[0]
        rng = np.random.default_rng(seed)
        self._turns = {}
        self._start = rng.integers(0, 1000)

    def pick(self, *phrasings):
        """Return the phrasing whose turn it is."""
        turns = self._turns.setdefault(phrasings, cycle(np.roll(np.arange(len(phrasings)), self._start).tolist()))
        return phrasings[next(turns)]

    def traits(self, index, rivals):
        """Yield (group, words) for each trait that tells a segment from its rivals."""
        for group, words in (("colour", self.colour), ("position", self.position), ("size", self.size)):
            if said := words(index, rivals):
                yield group, said
        yield from (("relation", said) for said in self.relations(index, rivals))

    def noun(self, name):
        """Return a noun for a class, in turn."""
        return self.pick(*NOUNS.get(name, (name,)))

    def together(self, name, count):
        """Return words for all `count` things of a class."""
        noun = self.noun(name)
        many = _PLURALS.get(noun) or _plural(noun)
        if count == 2:
            return f"both {many}"
        return f"all the {many}" if many == noun else self.pick(f"the {many}", f"all the {many}")

    def mean_colour(self, index):
        inside = torch.from_numpy(self.segments[index].mask > 0.5)
        return self.lab[:, inside].mean(1)

    def colour(self, index, rivals):
        """Return "the red car" if much of it is red, little of each rival is, and their mean colours differ."""
        own = self.mean_colour(index)
        if min(_difference(own, self.mean_colour(other)) for other in rivals) <= DIFFERENT:
            return None
        shares = self.colour_shares(index)
        most = np.max([self.colour_shares(other) for other in rivals], axis=0)
        clear = np.where((shares >= OWN) & (most <= OTHER * shares), shares, 0)
        if not clear.any():
            return None
        name, noun = list(_NAMED)[clear.argmax()], self.noun(self.segments[index].name)
        return f"the {noun} in {name}" if self.segments[index].name == "person" else f"the {name} {noun}"

    def colour_shares(self, index):
        """Return the share of a segment's pixels that has each colour of _NAMED, (n,)."""
        inside = self.segments[index].mask[::STEP, ::STEP] > 0.5
        return np.bincount(self.colours[inside], minlength=len(_NAMED)) / max(inside.sum(), 1)

    @cached_property
    def colours(self):
        """The index in _NAMED of the colour of every STEP-th pixel in both directions."""
        return nearest_colours(self.lab[:, ::STEP, ::STEP]).numpy()

    def position(self, index, rivals):
        """Return words for the first, second or middle one of a row, left to right or top to bottom."""
        noun = self.noun(self.segments[index].name)
        for places, (first, last) in ((self.x, ("left", "right")), (self.y, ("top", "bottom"))):
            order = sorted([index, *rivals], key=lambda one: places[one])
            gaps = np.diff([places[one] for one in order])
            at = order.index(index)
            sure = [at == 0 or gaps[at - 1] > APART, at == len(order) - 1 or gaps[at] > APART]
            if not all(sure):
                continue
            if at in (0, len(order) - 1):
                side = first if at == 0 else last
                if side in ("top", "bottom"):
                    return self.pick(f"the {noun} at the {side}", f"the {side} {noun}")
                return self.pick(f"the {noun} on the {side}", f"the {side} {noun}", f"the {side}most {noun}",
                                 f"the {noun} on the far {side}")
            if first == "left" and min(gaps) > APART:
                if len(order) == 3:
                    return self.pick(f"the {noun} in the middle", f"the middle {noun}")
                if at in (1, len(order) - 2):
                    return f"the second {noun} from the {first if at == 1 else last}"
        return None

    def size(self, index, rivals):
        """Return "the largest dog" if it is the largest by far."""
        if self.area[index] < TWICE * max(self.area[rival] for rival in rivals):
            return None
        return self.pick("the largest {}", "the biggest {}").format(self.noun(self.segments[index].name))

    def relations(self, index, rivals):
        """Yield words for relations to segments of other classes without rivals, if they hold for no rival."""
        own, names = self.segments[index].name, [segment.name for segment in self.segments]
        for other, segment in enumerate(self.segments):
            if segment.name == own or names.count(segment.name) > 1:
                continue
            for name, (fits, holds, fails) in _RELATIONS.items():
                if fits(self.segments[index], segment) and holds(self, index, other) and all(
                        fails(self, rival, other) for rival in rivals):
                    phrase = self.pick("next to", "beside", "near") if name == "next to" else name
                    yield f"the {self.noun(own)} {phrase} the {self.noun(segment.name)}"
                    break

    def gap(self, one, other):
        """Return the least distance between two segments, as a share of the long edge."""
        mask = np.uint8(self.segments[other].mask <= 0.5)
        return cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[
            self.segments[one].mask > 0.5].min() / self.long

    def resting(self, one, other):
        """Return the share of a segment's lower edge beneath which the other one lies."""
        mask, under = (self.segments[index].mask > 0.5 for index in (one, other))
        columns = np.flatnonzero(mask.any(0))
        feet = len(mask) - 1 - mask[::-1, columns].argmax(0)
        below = np.minimum(feet + round(0.008 * self.long) + 1, len(mask) - 1)
        return under[below, columns].mean()

    def over(self, one, other):
        """Return how far a box's lower edge is above the upper edge of another that it overlaps sideways; else -1."""
        left, _, right, bottom = self.boxes[one]
        overlap = min(right, self.boxes[other][2]) - max(left, self.boxes[other][0])
        return self.boxes[other][1] - bottom if overlap > 0 else -1.0

    def lower(self, one, other):
        """Return by how much a box ends lower than another that it overlaps sideways; else -1."""
        left, _, right, bottom = self.boxes[one]
        overlap = min(right, self.boxes[other][2]) - max(left, self.boxes[other][0])
        return bottom - self.boxes[other][3] if overlap > 0 else -1.0


def _things(one, other):
    return one.name not in SUPPORTS and other.thing and other.share > max(LEAST / 2, one.share / 8)


_RELATIONS = {   # name: between which segments it is said, when it holds, and when it clearly does not
    "holding": (lambda one, other: one.name == "person" and other.name in HANDHELD,
                lambda scene, one, other: scene.gap(one, other) < TOUCH,
                lambda scene, one, other: scene.gap(one, other) > NEAR),
    "on": (lambda one, other: other.name in SUPPORTS and other.share > max(one.share, LEAST),
           lambda scene, one, other: scene.resting(one, other) > 0.6,
           lambda scene, one, other: scene.resting(one, other) < 0.2),
    "above": (_things, lambda scene, one, other: -0.05 < scene.over(one, other) < 0.3,
              lambda scene, one, other: scene.y[one] > scene.y[other]),
    "below": (_things, lambda scene, one, other: -0.05 < scene.over(other, one) < 0.3,
              lambda scene, one, other: scene.y[one] < scene.y[other]),
    "behind": (_things, lambda scene, one, other: scene.lower(other, one) > APART and scene.gap(one, other) < TOUCH,
               lambda scene, one, other: scene.gap(one, other) > AWAY),
    "in front of": (_things, lambda scene, one, other: scene.lower(one, other) > APART and
                    scene.gap(one, other) < TOUCH, lambda scene, one, other: scene.gap(one, other) > AWAY),
    "next to": (_things, lambda scene, one, other: scene.gap(one, other) < NEAR,
                lambda scene, one, other: scene.gap(one, other) > AWAY),
}


def _plural(noun):
    if noun.endswith("y"):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "ch", "sh")) else "s")


def nearest_colours(lab: torch.Tensor) -> torch.Tensor:
    """Return for each pixel of an L*a*b* picture (3, H, W) the index in _NAMED of the nearest colour, (H, W) int64."""
    distances = [torch.stack([ciede2000(lab[None], shade.view(1, 3, 1, 1).expand_as(lab[None]))[0] for shade in shades])
                 for shades in _shades()]
    return torch.stack([some.min(0).values for some in distances]).argmin(0)


@cache
def _shades():
    """Return for each colour of _NAMED its shades in L*a*b*, each (3,)."""
    return [[srgb_to_lab(torch.tensor(list(bytes.fromhex(code))).float().view(1, 3, 1) / 255)[0, :, 0]
             for code in codes] for codes in _NAMED.values()]


def _difference(one, other):
    return ciede2000(one.view(1, 3, 1, 1), other.view(1, 3, 1, 1)).item()
