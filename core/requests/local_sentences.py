"""Sentences that ask for an edit of a part of a photo: the grammar's, and others for removal and white backgrounds."""
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.requests.grammar import choose, describe
from core.requests.places import read_place
from core.requests.templates import PLURAL
from core.requests.wish import Wish

REMOVE = (
    "remove {}", "please remove {}", "get rid of {}", "erase {}", "delete {}", "take {} out", "take {} out please",
    "could you remove {}?", "can you take {} out of the photo?", "photoshop {} out", "edit {} out of the picture",
    "i don't want {} in the photo", "make {} disappear", "i'd like to see this without {}", "clone {} out",
    "can somebody get rid of {} please?")
WHITE = (
    "make the background white", "change the background to white", "replace the background with plain white",
    "white background please", "i need a white background", "turn the background white", "paint the background white",
    "could you give it a clean white background?")
CUT_OUT = ("put {} on a white background", "cut out {} and make the rest white", "make everything but {} white",
           "only keep {}, on white")
KEEP = ("leave {} as it is", "don't touch {}", "leave {} alone", "keep {} just as it is", "do not change {}")
ASKED = {"removal": REMOVE, "background": WHITE, "unchanged": KEEP}   # attributes of wishes that are asked for alone
_AGREE = PLURAL | {"isn't": "aren't", "lacks": "lack", "doesn't": "don't"}
_PLURAL_NAMES = {"plants", "trees", "stairs", "skis", "scissors"}   # of a place that is one


def say(wishes: Sequence[Wish], words: str, rng: np.random.Generator) -> str:
    """Return a random sentence for wishes, the last of which is for the place `words`, and the others for the photo."""
    if forms := ASKED.get(wishes[-1].attribute):
        return ask(forms, rng, words)
    return describe_local([*wishes[:-1], replace(wishes[-1], where=words)], rng)


def describe_local(wishes: Sequence[Wish], rng: np.random.Generator) -> str:
    """Return a sentence for wishes as `describe` does; `where` holds words, at most of the last wish.

    Verbs agree with the words, and a change is "on" a thing, but "in" the sky.
    """
    sentence, words = describe(wishes, rng), wishes[-1].where
    if not isinstance(words, str):
        return sentence
    place = read_place(words)
    if place.kind == "thing":
        sentence = re.sub(rf"(?<!is )(?<!what )\bin (?={re.escape(words)}\b)", "on ", sentence)
    if place.count != 1 or words.startswith("all the ") or place.name in _PLURAL_NAMES:
        verbs = "|".join(sorted(_AGREE, key=len, reverse=True))
        subject = rf"(?i)(?<!in )(?<!on )(?<!of )({re.escape(words)}) ({verbs})(?!\w)"
        sentence = re.sub(subject, lambda found: f"{found[1]} {_AGREE[found[2]]}", sentence)
    return sentence


def ask(forms: Sequence[str], rng: np.random.Generator, words: str = "") -> str:
    """Return a random sentence of `forms`, filled with the words of a place."""
    sentence = choose(rng, forms).format(words)
    return sentence[0].upper() + sentence[1:] if rng.random() < 0.5 else sentence
