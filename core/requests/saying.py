"""Wishes to words: a plain request that the reader turns back into the same wishes."""
from collections.abc import Iterable

from core.requests.wish import COLOURS, Wish

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


def _said(wish):
    form = _OTHERS.get(wish.direction) or "{} " + f"{'more' if wish.sign > 0 else 'less'} {wish.attribute}"
    after = form.endswith("{}")
    degree = "a lot" if after and wish.level == "strong" else DEGREES[wish.level]
    return " ".join(form.format(degree).split())
