"""Scores of a reader of requests: the wishes that it finds are compared with those of labelled sentences.

A wish counts as found if attribute and sign agree. Labels and readers name casts in different ways ("a blue tint" is a
temperature or a colour), so wishes are compared by their `meaning`.
"""
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.files import UserError
from core.metrics.bootstrap import RESAMPLES
from core.requests.places import read_place
from core.requests.reader import Reading
from core.requests.wish import FILLS, GEOMETRY, LEVELS, LOOKS, OF_THINGS, REPAIRS, Wish

PARTS = {"all": slice(None), "even": slice(0, None, 2), "odd": slice(1, None, 2)}   # positions of a labelled set
FIVE = ("light", "contrast", "saturation", "temperature", "sharpness")
SUPPORTED = (*LOOKS, *REPAIRS, *GEOMETRY)
# Attributes of the labels whose `what` is not the name of an attribute.
NAMES = {"bright": "light", "exposure": "light", "sat": "saturation", "warm": "temperature", "pink": "magenta",
         "cyan": "aqua", "sharp": "sharpness", "bw": "black and white", "crop": "crop", "zoom": "crop",
         "remove": "removal", "add": "adding", "swap": "replacement", "replace_bg": "background",
         "white_bg": "white background", "retouch_skin": "retouching", "deform": "deformation",
         "none": "unchanged"}
_AXES = {"yellow": ("temperature", 1), "blue": ("temperature", -1), "green": ("green-magenta", -1),
         "magenta": ("green-magenta", 1), "straighten": ("rotate", 1), "aqua": ("red", -1), "orange": ("red", 1),
         "transparent background": ("white background", 1)}
# A cast between the axes is read as a wish on both, by the same words: signs of temperature and green-magenta.
_BETWEEN = {(1, 1): ("red", 1), (-1, -1): ("red", -1), (-1, 1): ("purple", 1), (1, -1): ("purple", -1)}
_ONE_SIDED = ("rotate", "flip", "black and white", "sepia", "unchanged", *OF_THINGS)


@dataclass(frozen=True)
class Labelled:
    """A request with the wishes that a person read in it, its kind, whether that person was sure, and its data set."""

    request: str
    kind: str
    wishes: tuple[Wish, ...]
    sure: bool = True
    source: str = ""


def of_label(row: Mapping) -> Labelled:
    """Return a row of a labelled set: {"request", "kind", "sure", "wishes": [{"what", "sign", "degree", "where"}]}.

    `from`, if the row has it, names the data set of the request. Wishes with a `what` that LDIE has no name for
    ("other") are left out. "max" is strong; a sign of 0 is 1. A removed background counts as a white one.
    """
    wishes = []
    for label in row["wishes"]:
        if label["what"] == "blur_bg":
            label = label | {"what": "sharp", "sign": -1, "where": label["where"] or "the background"}
        name = NAMES.get(label["what"], label["what"])
        if name == "removal" and read_place(label["where"] or "").kind == "background":
            name = "white background"
        if name in (*SUPPORTED, *OF_THINGS, "unchanged"):
            wishes.append(Wish(name, label["sign"] or 1, _degree(label["degree"]), label["where"]))
    return Labelled(row["request"], row["kind"], tuple(wishes), row.get("sure", True), row.get("from", ""))


def _degree(text):
    text = "strong" if text == "max" else text
    return text if text in LEVELS else float(str(text).rstrip("%"))


def read_labels(path: Path | str) -> list[Labelled]:
    """Return the requests of a labelled set, see `of_label`. Raises UserError for any other file."""
    path = Path(path)
    try:
        return [of_label(row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except OSError as error:
        raise UserError(f"--labels {path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"--labels {path}: is no list of labelled requests ({error}); each has request, kind and "
                        f"wishes with what, sign, degree and where") from error


def is_plain(sentence: Labelled) -> bool:
    """Return whether all wishes of a sure, global request are for the five attributes of the whole photo."""
    return sentence.sure and sentence.kind == "global" and all(
        wish.attribute in FIVE and wish.where is None for wish in sentence.wishes)


def meaning(wish: Wish) -> tuple[str, int]:
    """Return (attribute, sign), the same for wishes that mean the same.

    All repairs are "enhance", casts are axes, orange and the reverse of aqua are red, "straighten" is "rotate", and
    attributes of _ONE_SIDED have sign 1.
    """
    attribute, sign = wish.direction
    if attribute in REPAIRS:
        return "enhance", 1
    attribute, turn = _AXES.get(attribute, (attribute, 1))
    return attribute, 1 if attribute in _ONE_SIDED else sign * turn


def of_photo(wishes: Iterable[Wish]) -> list[Wish]:
    """Return the wishes of supported attributes for the whole photo, without attributes to be kept."""
    return [wish for wish in wishes if wish.attribute in SUPPORTED and wish.sign and wish.where is None]


def score(wanted: Sequence[Iterable[Wish]], found: Sequence[Iterable[Wish]], seed: int = 0) -> dict:
    """Compare the wishes that a reader finds in requests with the wishes of their labels.

    A wish is found if the reader has a wish with the same `meaning`; degree (as one of LEVELS) and place are compared
    for found wishes only. Several wishes of one request with the same meaning count once.

    Args: `wanted` and `found`, the wishes of each request; `seed` of the bootstrap over requests.
    Returns: the counts `requests`, `right`, `extra` (found but not wanted), `missed`; `F1`, micro-averaged over the
    wishes, and its 95% `interval`; `whole`, the share of requests without an extra or missed wish; `degree` and
    `place`, the shares of right wishes with the right degree, and with a right decision whether they are limited to a
    part of the photo. A share of nothing is None.
    """
    counts, degrees, places = [], [], []
    for asked, read in zip(wanted, found, strict=True):
        asked, read = ({meaning(wish): wish for wish in reversed(joined(wishes))} for wishes in (asked, read))
        both = asked.keys() & read.keys()
        counts.append((len(both), len(read) - len(both), len(asked) - len(both)))
        degrees += [asked[key].level == read[key].level for key in both]
        places += [_limited(asked[key]) == _limited(read[key]) for key in both]
    table = np.array(counts, dtype=int).reshape(-1, 3)
    draws = np.random.default_rng(seed).integers(0, max(1, len(table)), (RESAMPLES, len(table)))
    right, wrong = table[draws][..., 0].sum(1), table[draws][..., 1:].sum((1, 2))
    shares = 2 * right / np.maximum(2 * right + wrong, 1)
    spread = np.quantile(shares, (0.025, 0.975)).tolist() if len(table) else None
    right, extra, missed = table.sum(0).tolist()
    return {"requests": len(table), "right": right, "extra": extra, "missed": missed,
            "F1": _share(2 * right, 2 * right + extra + missed), "interval": spread,
            "whole": _share(int((table[:, 1:] == 0).all(1).sum()), len(table)),
            "degree": _share(sum(degrees), len(degrees)), "place": _share(sum(places), len(places))}


def joined(wishes: Iterable[Wish]) -> list[Wish]:
    """Return the wishes, with one for a cast between the axes in place of two wishes by the same words."""
    wishes = list(wishes)
    for one, two in itertools.pairwise(wishes):
        axes = (one.attribute, two.attribute) == ("temperature", "green-magenta")
        if axes and one.span and one.span == two.span and (one.sign, two.sign) in _BETWEEN:
            place = wishes.index(one)
            name, sign = _BETWEEN[one.sign, two.sign]
            return joined([*wishes[:place], replace(one, attribute=name, sign=sign), *wishes[place + 2:]])
    return wishes


def _limited(wish):
    """Return whether a wish is for a part of the photo; the object of a removal is no place."""
    return wish.where is not None and wish.attribute not in OF_THINGS


def _share(part, whole):
    return part / whole if whole else None


def refusals(sentences: Iterable[Labelled], readings: Iterable[Reading]) -> dict:
    """Count how many sentences the reader refuses, and how many fills it understands.

    LDIE can do a sentence with a supported wish for the whole photo; it is refused if its reading has no wish for the
    whole photo. Of the other sentences, those with a wish of FILLS can be done where the region is found; they are
    understood if the reading has the same wish, and no wish for the whole photo. LDIE cannot do the rest of the kinds
    "object" and "geometric"; they are refused if their reading has neither a fill nor a wish for the whole photo.
    """
    cannot, fills, falsely = [], [], []
    for sentence, reading in zip(sentences, readings, strict=True):
        executable = any(wish.executable for wish in reading.wishes)
        asked, read = ({meaning(wish) for wish in wishes if wish.attribute in FILLS}
                       for wishes in (sentence.wishes, reading.wishes))
        if of_photo(sentence.wishes):
            falsely.append(not executable)
        elif asked:
            fills.append(not executable and bool(asked & read))
        elif sentence.kind in ("object", "geometric"):
            cannot.append(not executable and not read)
    return {"cannot be done": len(cannot), "refused": _share(sum(cannot), len(cannot)),
            "fills": len(fills), "fills understood": _share(sum(fills), len(fills)),
            "can be done": len(falsely), "falsely refused": _share(sum(falsely), len(falsely))}
