"""Wishes to words: a plain request that the reader turns back into the same wishes."""
from collections.abc import Iterable
from dataclasses import replace

from core.requests.reader import read_wishes
from core.requests.wish import COLOURS, LOOKS, REPAIRS, Wish

DEGREES = {"slight": "slightly", "plain": "", "strong": "much"}
_OTHERS = {   # attribute and sign: the phrase, and for a strong wish "a lot" behind it
    ("temperature", 1): "{} warmer", ("temperature", -1): "{} cooler",
    ("green-magenta", 1): "{} more magenta", ("green-magenta", -1): "{} more green",
    ("shadows", -1): "darken the shadows {}",
    **{(colour, sign): f"{verb} the {colour}s {{}}" for colour in COLOURS for sign, verb in ((1, "boost"),
                                                                                            (-1, "reduce"))},
    ("exposure repair", 1): "fix the exposure", ("cast repair", 1): "remove the color cast",
    ("contrast repair", 1): "fix the contrast", ("saturation repair", 1): "fix the saturation",
    ("enhance", 1): "enhance it"}


def said(wishes: Iterable[Wish]) -> str:
    """Return a request, a sentence for each wish, that the reader turns into the same wishes for the whole photo.

    Wishes must be of LOOKS or REPAIRS, with sign 1 or -1. Degrees that are numbers are said as words.
    """
    return ". ".join(_said(wish) for wish in wishes)


def without_places(request: str) -> str:
    """Return the wishes of a request for light and colour as a request for the whole photo.

    A request without such wishes, such as for a removal, is returned as it is.
    """
    wishes = {wish.attribute: replace(wish, where=None) for wish in read_wishes(request)
              if wish.sign != 0 and wish.attribute in (*LOOKS, *REPAIRS)}
    return said(wishes.values()) if wishes else request


def _said(wish):
    form = _OTHERS.get(wish.direction) or "{} " + f"{'more' if wish.sign > 0 else 'less'} {wish.attribute}"
    after = form.endswith("{}")
    degree = "a lot" if after and wish.level == "strong" else DEGREES[wish.level]
    return " ".join(form.format(degree).split())
