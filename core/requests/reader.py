"""The reader: turns the words of a request into wishes, by the rules in keywords.toml.

The rules cover directions, degrees, complaints ("it is too dark"), provisos ("don't touch the contrast"), several
wishes in a request, and typing errors. They are written by hand, not learnt.
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
MOST_PERCENT = 1_000_000     # larger numbers are clipped, so that every degree is finite
SIMILAR, SHORTEST = 0.8, 5   # stricter than the defaults of `Corrector`, because the rules know few words


def read_wishes(request: str) -> list[Wish]:
    """Return the wishes of a request, any text, in the order of their words; an empty list if no rule applies.

    The list may hold several wishes for one attribute ("make it darker. no, brighter"); then the last one counts.
    """
    rules, text, readings = _rules(), request.lower().replace("colour", "color"), []
    text = re.sub(r"['’`]", "", text)
    for phrase, meaning in rules.phrases:
        text = phrase.sub(meaning, text)
    for sentence in re.split(r"[.;:!?]+(?!\d)", text):
        found = _SentenceReader(rules).read(sentence)
        # Nouns without a direction count only in a sentence without other wishes; there they ask for more.
        readings += [reading for reading in found if not reading.waits] or found
    return [Wish(reading.attribute, reading.sign, reading.degree) for reading in readings]


@dataclass
class _Reading:
    """A wish that later words of the sentence may change; `waits` marks a noun that has no direction yet."""

    attribute: str
    sign: int
    degree: str | int | float = "plain"
    waits: bool = False


class _SentenceReader:
    """Reads the words of one sentence from left to right; its fields hold the state that earlier words have set."""

    def __init__(self, rules):
        self.rules, self.readings = rules, []
        self.direction = 0       # 1 after "increase", -1 after "reduce": applies to the next nouns
        self.complains = False   # after "it is": a state is a complaint
        self.commands = False    # after "make it": a state is a wish
        self.keeps = False       # after "don't touch": attributes are to be kept
        self.turned = self.negated = False       # after "less" or "too"; after "not"
        self.part, self.degree = 0, "plain"      # index of the first reading in this part of the sentence; its degree

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
        """Update the state by a word that has roles and the word after it."""
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
        """Give the direction to the waiting nouns ("the contrast is low"), or to the next nouns if no noun waits."""
        waiting = [reading for reading in self.readings[self.part:] if reading.waits]
        for reading in waiting:
            reading.sign, reading.waits = reading.sign * direction, False
        self.direction = 0 if waiting else direction
        self.complains = self.turned = self.negated = False

    def _take(self, kind, attribute, sign):
        """Add a reading for a word that names an attribute."""
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
        if kind != "nouns":   # "less brightness and contrast": "less" applies to both nouns
            self.turned = self.negated = False

    def _end_part(self):
        for reading in self.readings[self.part:]:
            reading.degree = self.degree
        self.part, self.degree = len(self.readings), "plain"


@functools.cache
def _rules():
    """Return the rules of keywords.toml as a namespace: tables keyed by word, phrase patterns, and a corrector."""
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
