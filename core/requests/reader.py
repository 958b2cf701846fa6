"""The reader: from a request in words to wishes, by the page of rules in keywords.toml beside this file.

The rules know directions, degrees, complaints ("it is too dark"), things to be kept ("don't touch the contrast"),
several wishes, and typing errors. Nothing in them is learnt.
"""
import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from types import SimpleNamespace

from core.requests.spelling import Corrector
from core.requests.wish import Wish

KINDS = ("nouns", "changes", "states", "faults")
MOST_PERCENT = 1_000_000     # a larger number is read as this one, so that every degree is finite
SIMILAR, SHORTEST = 0.8, 5   # see `Corrector`: rules are few, and their short words resemble too many others


def read_wishes(request: str) -> list[Wish]:
    """Return the wishes of a request, any text, in the order of their words; an empty list where no rule fits.

    An attribute may occur more than once: "make it darker. no, brighter". Then the last wish counts.
    """
    rules, text, readings = _rules(), request.lower().replace("colour", "color"), []
    text = re.sub(r"['’`]", "", text)
    for phrase, meaning in rules.phrases:
        text = phrase.sub(meaning, text)
    for sentence in re.split(r"[.;:!?]+(?!\d)", text):
        found = _SentenceReader(rules).read(sentence)
        readings += [reading for reading in found if not reading.waits] or found   # a bare "contrast" asks for more
    return [Wish(reading.attribute, reading.sign, reading.degree) for reading in readings]


@dataclass
class _Reading:
    """A wish while its sentence is being read; `waits` marks a noun that no word has given a direction yet."""

    attribute: str
    sign: int
    degree: str | int | float = "plain"
    waits: bool = False


class _SentenceReader:
    """Reads the words of one sentence from left to right, and keeps the mood that earlier words have set."""

    def __init__(self, rules):
        self.rules, self.readings = rules, []
        self.direction = 0       # of "increase" or "reduce": for the nouns that follow
        self.complains = False   # after "it is": a state is not wanted
        self.commands = False    # after "make it": a state is wanted
        self.keeps = False       # after "don't touch": nothing is wanted
        self.turned = self.negated = False       # by "less" or "too", and by "not"
        self.part, self.degree = 0, "plain"      # the first reading and the degree of this part of the sentence

    def read(self, sentence):
        """Return the readings of a sentence."""
        words = re.findall(r"\d+(?:\.\d+)? ?%|[a-z-]+|,", sentence)
        for word, following in pairwise([*map(self.rules.correct, words), ","]):
            if self.rules.roles.get(word):
                self._note(word, self.rules.roles[word], following)
            elif word.endswith("%"):
                percent = min(float(word.rstrip("% ")), MOST_PERCENT)
                self.degree = int(percent) if percent == int(percent) else percent
            if word in self.rules.lexicon and not self.keeps:
                self._take(*self.rules.lexicon[word])
        self._end_part()
        return self.readings

    def _note(self, word, roles, following):
        """Change the mood by a word that names no attribute."""
        if "joint" in roles:
            self._end_part()
            self.commands = False
        if "resume" in roles or ("joint" in roles and following in self.rules.beginnings):
            self.keeps = False
        if "keep" in roles:
            self.keeps, self.direction = True, 0
        if "command" in roles:
            self.commands, self.complains, self.direction = True, False, 0
        if "complain" in roles:
            self.complains = not self.commands
        self.turned |= "turn" in roles
        self.negated |= "negate" in roles
        for level in roles & {"slight", "strong"}:
            self.degree = level
        for role, direction in (("raise", 1), ("lower", -1), ("high", 1), ("low", -1)):
            if role in roles:
                complaint = role in ("high", "low") and (self.complains or self.turned) and not self.negated
                self._direct(-direction if complaint else direction)

    def _direct(self, direction):
        """Give a direction to the nouns that wait for one ("the contrast is low"), or else to those that follow."""
        waiting = [reading for reading in self.readings[self.part:] if reading.waits]
        for reading in waiting:
            reading.sign, reading.waits = reading.sign * direction, False
        self.direction = 0 if waiting else direction
        self.complains = self.turned = self.negated = False

    def _take(self, kind, attribute, sign):
        """Add the reading of a word that names an attribute."""
        turned = self.turned != self.negated
        if kind == "nouns":
            sign *= -1 if self.turned else self.direction or 1
        elif kind == "changes":
            sign *= -1 if turned else 1
        elif kind == "states":
            complaint = self.complains and not self.direction
            sign *= -1 if (self.turned or complaint) != self.negated else self.direction or 1
        waits = kind == "nouns" and not self.direction and not self.turned
        self.readings.append(_Reading(attribute, sign, waits=waits))
        if kind != "nouns":   # "less brightness and contrast" is less of both
            self.turned = self.negated = False

    def _end_part(self):
        for reading in self.readings[self.part:]:
            reading.degree = self.degree
        self.part, self.degree = len(self.readings), "plain"


@functools.cache
def _rules():
    """Return keywords.toml as a namespace: the tables by word, the patterns of its phrases, and a corrector."""
    page = tomllib.loads(files("core.requests").joinpath("keywords.toml").read_text(encoding="utf-8"))
    lexicon = {word: (kind, attribute, {"more": 1, "less": -1}[side])
               for kind in KINDS for attribute, sides in page[kind].items()
               for side, words in sides.items() for word in words.split()}
    roles = {}
    for role, words in page["roles"].items():
        for word in words.split():
            roles.setdefault(word, set()).add(role)
    beginnings = {word for word, (kind, *_) in lexicon.items() if kind == "changes"} | {
        word for word, does in roles.items() if does & {"raise", "lower", "command"}}
    phrases = [(re.compile(rf"\b{phrase}s?\b"), meaning) for phrase, meaning in page["phrases"].items()]
    correct = Corrector((*lexicon, *roles), SIMILAR, SHORTEST, same_initial=True)
    return SimpleNamespace(lexicon=lexicon, roles=roles, beginnings=beginnings, phrases=phrases, correct=correct)
