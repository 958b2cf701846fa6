"""Which segments of a photo the words mean: the class, then the traits that tell its members apart."""
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from core.finding.traits import RELATIONS, Seen, colours, fit, lies, positions, sizes
from core.regions.rules import RULES, area
from core.regions.segments import Segment
from core.requests.place_words import wholes
from core.requests.places import Place

ALIKE = 0.9          # a rival whose score reaches this share of the chosen one's is an equal candidate
RIVAL = 0.3          # the same for things that no trait tells apart
FITS = 0.5           # of several things that are meant, those whose score reaches this share of the best one's
DOUBT = 0.5          # of all things of a class, those with less than this share of the best score are not meant
SURE = 2             # power of the detector's score by which the prominence of a thing counts
COLOURED = 0.04      # the least share of a segment's pixels that have its colour
SPECK = 0.02         # things smaller than this share of the largest of their class are not meant
LEAST = 0.001        # a region that covers less of the picture is no region
RELATED = 0.02       # the least score of a relation
SHADOW = "shadow", "unknown"   # name and kind of "its shadow", for which no region is found
GUARD = 2.0          # factor on the mask of a thing that is left out: pixels that may belong to it are not edited
MARGIN = 0.005       # growth of this mask, as a share of the long edge


@dataclass(frozen=True)
class Choice:
    """What a Place means in one photo.

    Args:
        segments: the chosen segments, together; empty if nothing fits.
        others: equal candidates that were not taken.
        remark: a sentence on why nothing fits, or on what was taken of several; None if there is nothing to say.
        without: segments that are left out of the chosen ones: the dog of "everything except the dog".
        score: the confidence in [0, 1]: of the detector, halved if the best rival fits just as well.
    """

    segments: tuple[Segment, ...]
    others: tuple[Segment, ...] = ()
    remark: str | None = None
    without: tuple[Segment, ...] = ()
    score: float = 1.0


class _Missing(Exception):
    """Nothing fits; the text is the remark."""


def choose(place: Place, segments: Sequence[Segment], image: torch.Tensor) -> Choice:
    """Return the segments that a Place means; the order of `segments` has no influence.

    Args:
        place: the part of the photo in words.
        segments: the things, stuff, and the segment named "subject" of the photo, from any source.
        image: the photo (3, H, W), sRGB in [0, 1].
    """
    try:
        return _Scene(segments, image).choose(place)
    except _Missing as missing:
        return Choice((), remark=str(missing), score=0.0)


def mask_of(choice: Choice, height: int, width: int) -> np.ndarray:
    """Return the soft mask (height, width) float32 of a choice: the sum of its segments, less those left out."""
    left_out = np.zeros((height, width), np.float32)
    radius = round(MARGIN * max(height, width))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    for segment in choice.without:
        mask = fit(segment.mask, height, width)
        left_out += GUARD * cv2.dilate(mask, kernel) if segment.thing else mask
    return _united(choice.segments, height, width) * (1 - np.minimum(left_out, 1))


def masked(choice: Choice, place: Place, image: torch.Tensor) -> Segment | None:
    """Return a choice as one Segment of the size of `image`, with the words of the place; None for an empty choice."""
    return _as_one(choice, place, tuple(image.shape[-2:])) if choice.segments else None


def _as_one(choice, place, size):
    sources = dict.fromkeys(segment.source for segment in (*choice.segments, *choice.without))
    whole = wholes().get(place.name)   # "the trees" are plants if grass and trees are one region
    name = whole if choice.segments[0].name == whole else place.name
    return Segment(name, mask_of(choice, *size), choice.score, " and ".join(sources),
                   all(segment.thing for segment in choice.segments), place.words)


def _united(segments, height, width):
    total = np.zeros((height, width), np.float32)
    for segment in segments:
        total += fit(segment.mask, height, width)
    return np.minimum(total, 1)


class _Scene:
    """The segments and the pixels of one photo."""

    def __init__(self, segments, image):
        self.image, self.size = image, tuple(image.shape[-2:])
        self.seen = [Seen(segment, *self.size) for segment in segments]

    def named(self, name):
        """Return the segments of a name that have pixels, or of its parts; without them, those of its whole."""
        whole = wholes()
        seen = [seen for seen in self.seen if seen.area > 0]
        return [one for one in seen if name in (one.segment.name, whole.get(one.segment.name))] or [
            one for one in seen if name in whole and one.segment.name == whole[name]]

    def choose(self, place):
        """Return the Choice of a place with the places that are added and left out. Raises _Missing."""
        choice = self._head(place)
        lost = [other for other in place.also if (other.name, other.kind) == SHADOW]
        if lost:
            choice = replace(choice, remark="; ".join(filter(None, (choice.remark, "its shadow was not found"))))
        also = [self._one(other) for other in place.also if other not in lost]
        without = [self._one(other) for other in place.but]
        if not also and not without:
            return choice
        parts = [choice, *also, *without]
        whole = replace(
            choice, segments=(*choice.segments, *(segment for one in also for segment in one.segments)),
            without=tuple(segment for one in without for segment in one.segments),
            others=tuple(segment for one in parts for segment in one.others),
            remark="; ".join(one.remark for one in parts if one.remark) or None,
            score=min(one.score for one in parts))
        if mask_of(whole, *self.size).mean() < LEAST:
            raise _Missing(f"nothing is left of {_the(place)}")
        return whole

    def _one(self, place):
        """Return the Choice of a place without parts left out: those are subtracted from its mask already."""
        choice = self.choose(place)
        return replace(choice, segments=(_as_one(choice, place, self.size),), without=()) if choice.without \
            else choice

    def _head(self, place):
        """Return the Choice of a place without the places that are added and left out."""
        if place.kind in ("tone", "colour", "area"):
            return self._by_rule(place)
        if place.kind == "photo":
            return Choice((Segment("photo", np.ones(self.size, np.float32)),))
        if place.kind in ("subject", "background"):
            return self._subject(place)
        found = self.named(place.name)
        if not found:
            raise _Missing(_none(place.name) if place.kind != "unknown" else
                           f"{place.name!r} is not among the things that LDIE finds")
        if any(seen.segment.thing for seen in found):
            return self._things(place, found)
        return self._stuff(place, found)

    def _by_rule(self, place):
        """Return the Choice of a tone, a colour or an area, within the region that a relation names."""
        if place.kind == "area":
            mask = area(self.image, tuple(dict.fromkeys((place.name, *place.positions))))
        else:
            mask = RULES[place.kind, place.name].function(self.image)
        mask = mask.numpy()
        if place.kind != "area" and place.positions:
            mask = mask * area(self.image, place.positions).numpy()
        remark = None
        if place.to:
            within = self.choose(place.to)
            mask, remark = mask * mask_of(within, *self.size), within.remark
        if mask.mean() < LEAST:
            raise _Missing(f"the photo has no {place.name}" + (f" in {_the(place.to)}" if place.to else ""))
        return Choice((Segment(place.name, mask.astype(np.float32)),), remark=remark)

    def _subject(self, place):
        found = [seen.segment for seen in self.named("subject")]
        if not found:
            raise _Missing("no main subject was found")
        best = max(found, key=lambda segment: segment.score)
        if place.kind == "background":
            mask = 1 - fit(best.mask, *self.size)
            best = replace(best, name="background", mask=mask)
            if best.share < LEAST:
                raise _Missing("the subject fills the photo, so no background is left")
        return Choice((best,), score=best.score)

    def _stuff(self, place, found):
        """Return the Choice of stuff: all of it, or the part of it that has the colour and the position."""
        if place.colour and len(found) > 1:
            share = colours(found, place.colour, self.image)
            found = [seen for seen, one in zip(found, share, strict=True) if one >= FITS * share.max()]
        found.sort(key=_order)
        score = float(np.mean([seen.segment.score for seen in found]))
        if not place.positions:
            return Choice(tuple(seen.segment for seen in found), score=score)
        half = area(self.image, place.positions).numpy()
        parts = [replace(seen.segment, mask=(seen.mask * half).astype(np.float32)) for seen in found]
        if sum(part.share for part in parts) < LEAST:
            raise _Missing(f"no {place.name} is on the {' '.join(place.positions)}")
        return Choice(tuple(parts), score=score)

    # ------------------------------------------------------------ things

    def _things(self, place, found):
        """Return the Choice among things of one class."""
        if place.to and place.to.kind == "photo":   # "the dog in the photo" is the dog
            place = replace(place, relation=None, to=None)
        found = _without_specks(place, found)
        scores, remarks = np.ones(len(found)), []
        if place.colour:
            scores = scores * self._coloured(place, found)
        if place.relation:
            scores = scores * self._related(place, found, remarks)
        several = place.count is None
        if several or place.order:
            kept = scores >= FITS * scores.max()
            found, scores = [seen for seen, keep in zip(found, kept, strict=True) if keep], scores[kept]
        if several:
            return self._all_of(place, found, remarks)
        if place.order:
            return self._nth(place, found, remarks)
        if place.positions:
            if len(found) == 1 and not place.relation and not _lies_at(found[0], place):   # "to the left of the dog"
                raise _Missing(f"the only {place.name} that was found is not {_at(place.positions)}")
            scores = scores * positions(found, place.positions)
        if place.size:
            scores = scores * sizes(found, place.size)
        return self._best(place, found, scores, remarks)

    def _coloured(self, place, found):
        share = colours(found, place.colour, self.image)
        if share.max() < COLOURED:
            raise _Missing(f"no {place.colour} {place.name} was found" + (
                f"; the only {place.name} has another colour" if len(found) == 1 else
                f"; the {len(found)} {plural(place.name)} have other colours"))
        return share / share.max()

    def _related(self, place, found, remarks):
        """Return how well the relation holds for each thing, the best one 1; any thing that `to` can mean counts."""
        try:
            goals = self._candidates(place.to)
        except _Missing as missing:
            if len(found) > 1:
                raise _Missing(f"{missing}, so it is not clear which {place.name} is meant") from None
            remarks.append(f"{missing}; took the only {place.name}")
            return np.ones(1)
        holds = RELATIONS[place.relation]
        scores = np.array([max((holds(seen, goal) for goal in goals if goal.segment is not seen.segment), default=0)
                           for seen in found])
        if scores.max() < RELATED:
            raise _Missing(f"no {place.name} is {place.relation} {_the(place.to)}")
        return scores / scores.max()

    def _candidates(self, place):
        """Return what a reference can mean, as Seen: each thing of the class if no trait selects one."""
        plain = Place(place.name, place.kind)
        same = [seen for seen in self.named(place.name) if seen.segment.thing]
        if same and place == plain:
            return same
        choice = self.choose(place)
        return [Seen(segment, *self.size) for segment in (
            choice.segments if not choice.without else (_as_one(choice, place, self.size),))]

    def _all_of(self, place, found, remarks):
        """Return all things that are no doubtful ones; with positions, those there; with a size, those of that size."""
        surest = max(seen.segment.score for seen in found)
        found = [seen for seen in found if seen.segment.score >= DOUBT * surest]
        if place.positions:
            found = [seen for seen in found if _lies_at(seen, place)]
            if not found:
                raise _Missing(f"no {place.name} is {_at(place.positions)}")
        if place.size:
            share = sizes(found, place.size)
            found = [seen for seen, one in zip(found, share, strict=True) if one >= FITS]
        return self._chosen(sorted(found, key=_order), [], 1.0, remarks)

    def _nth(self, place, found, remarks):
        """Return the n-th thing along a position, or by size: "the second dog from the left"."""
        scores = sizes(found, place.size) if place.size else positions(found, place.positions[:1] or ("left",))
        if place.order > len(found):
            raise _Missing(f"only {_number(len(found), place.name)} found")
        ranked = _ranked(found, scores)
        return self._chosen([ranked[place.order - 1][0]], [], 1.0, remarks)

    def _best(self, place, found, scores, remarks):
        """Return the `count` best things; without a trait that tells them apart, the most prominent ones."""
        bare = not (place.colour or place.relation or place.positions or place.size)
        if bare:
            scores = np.array([seen.prominence * seen.segment.score ** SURE for seen in found])
        ranked = _ranked(found, scores)
        taken, rest = ranked[:place.count], ranked[place.count:]
        if len(taken) < place.count:
            remarks.append(f"only {_number(len(taken), place.name)} found")
        least = max(taken[-1][1], 1e-9)
        others = [seen for seen, score in rest if score >= (RIVAL if bare else ALIKE) * least]
        margin = 1 - (rest[0][1] / least if rest else 0)
        if others:
            remarks.append(_ambiguous(place, len(taken) + len(others), bare))
        return self._chosen([seen for seen, _ in taken], others, margin, remarks)

    def _chosen(self, found, others, margin, remarks):
        score = float(np.mean([seen.segment.score for seen in found])) * (0.5 + 0.5 * float(np.clip(margin, 0, 1)))
        return Choice(tuple(seen.segment for seen in found), tuple(seen.segment for seen in others),
                      "; ".join(remarks) or None, score=score)


def _without_specks(place, found):
    """Return the things of a class that are large enough to be meant; smaller ones if the words can only mean them."""
    largest = max(seen.area for seen in found)
    large = [seen for seen in found if seen.area >= SPECK * largest]
    if place.size < 0 or (len(large) == 1 and not _lies_at(large[0], place)):
        return found
    return large


def _lies_at(seen, place):
    return all(lies(seen, name) for name in place.positions)


def _ranked(found, scores):
    """Return (thing, score) from the best; of equal scores, the more prominent thing is first."""
    return sorted(zip(found, scores.tolist(), strict=True), key=lambda pair: (-round(pair[1], 6), *_order(pair[0])))


def _order(seen):
    """Return a sort key that does not depend on the order in which segments are given."""
    return -round(seen.prominence, 9), *seen.box, -seen.segment.score


# ------------------------------------------------------------ sentences

_MANY = ("plants", "trees", "skis", "scissors", "stairs")   # names in the plural
_PLURALS = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep", "broccoli": "broccoli"} | {
    name: name for name in _MANY}


def plural(name: str) -> str:
    """Return the plural of the name of a thing: "wine glass" gives "wine glasses"."""
    *before, last = name.split(" ")
    last = _PLURALS.get(last) or last + ("es" if last.endswith(("s", "x", "ch", "sh")) else "s")
    return " ".join((*before, last))


def _none(name):
    return f"no {name} {'were' if name in _MANY else 'was'} found"


def _number(count, name):
    return f"1 {name} was" if count == 1 else f"{count} {plural(name)} were"


def _at(names):
    return "in the middle" if names == ("middle",) else f"on the {' '.join(names)}"


def _the(place):
    return place.words or f"the {place.name}"


def _ambiguous(place, count, bare):
    """Return the remark on equal candidates."""
    many = plural(place.name)
    took = ("the largest" if place.count == 1 else f"the {place.count} largest") if bare else "the best one" \
        if place.count == 1 else f"the {place.count} best"
    all_of_them = f"both {many}" if count == 2 else f"all {many}"
    return f"{count} {many} fit: took {took}; say '{all_of_them}' or 'the left {place.name}'"
