"""The keyword editor: a page of rules from words to fixed-strength operations; it sees no photo and learns nothing.

It is the baseline that whoever learns must beat, so it is meant well: directions, degrees, complaints ("it is too
dark"), what is to be kept ("don't touch the contrast"), several wishes and typing errors are understood. The rules
are in keywords.toml beside this file, to be read and changed.
"""
import difflib
import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from core.operators import Plan, Step
from core.operators.table import TABLE
from core.planning.curves import curve_weights

KINDS = ("nouns", "changes", "states", "faults")
SIMILAR, SHORTEST = 0.8, 5   # a longer unknown word that is so like a known one is a misspelling of it


@dataclass
class Wish:
    """What a word asks for: an effect, more (+1) or less (-1) of it, and a multiple of the plain strength."""

    effect: str
    sign: int
    strength: float = 1.0
    waits: bool = False   # a noun that nothing has given a direction


def keyword_plan(request):
    """Return the Plan that the rules find in a request, any text; empty where they find no wish in it."""
    wishes = {wish.effect: wish for wish in find_wishes(request)}   # the last word on an effect counts
    return Plan(tuple(_step(effect, wishes[effect]) for effect in _rules().effects if effect in wishes))


def find_wishes(request):
    """Return the wishes of a request as Wish values, in the order of their words."""
    rules, text, wishes = _rules(), request.lower().replace("colour", "color"), []
    text = re.sub(r"['’`]", "", text)
    for phrase, meaning in rules.phrases:
        text = phrase.sub(meaning, text)
    for sentence in re.split(r"[.;:!?]+(?!\d)", text):
        found = _Reader(rules).read(sentence)
        wishes += [wish for wish in found if not wish.waits] or found   # a bare "contrast" asks for more
    return wishes


class _Reader:
    """Reads the words of one sentence from left to right, knowing the mood that those before have left."""

    def __init__(self, rules):
        self.rules, self.wishes = rules, []
        self.direction = 0       # of "increase" or "reduce": for the nouns that follow
        self.complains = False   # after "it is": a state is not what is wanted
        self.commands = False    # after "make it": a state is what is wanted
        self.keeps = False       # after "don't touch": nothing is wanted
        self.turned = self.negated = False   # by "less" or "too", and by "not"
        self.part, self.degree = 0, 1.0      # the first wish and the degree of this part of the sentence

    def read(self, sentence):
        """Return the wishes of a sentence."""
        words = re.findall(r"\d+(?:\.\d+)? ?%|[a-z-]+|,", sentence)
        for word, following in pairwise([*(_corrected(word) for word in words), ","]):
            if self.rules.roles.get(word):
                self._note(word, self.rules.roles[word], following)
            elif word.endswith("%"):
                self.degree = float(word.rstrip("% ")) / self.rules.degrees["plain_percent"]
            if word in self.rules.lexicon and not self.keeps:
                self._wish(*self.rules.lexicon[word])
        self._end_part()
        return self.wishes

    def _note(self, word, roles, following):
        """Change the mood by a word that is about none of the effects."""
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
            self.degree = self.rules.degrees[level]
        for role, direction in (("raise", 1), ("lower", -1), ("high", 1), ("low", -1)):
            if role in roles:
                complaint = role in ("high", "low") and (self.complains or self.turned) and not self.negated
                self._direct(-direction if complaint else direction)

    def _direct(self, direction):
        """Give a direction to the nouns that wait for one ("the contrast is low"), or else to those that follow."""
        waiting = [wish for wish in self.wishes[self.part:] if wish.waits]
        for wish in waiting:
            wish.sign, wish.waits = wish.sign * direction, False
        self.direction = 0 if waiting else direction
        self.complains = self.turned = self.negated = False

    def _wish(self, kind, effect, sign):
        """Take up a word of an effect."""
        turned = self.turned != self.negated
        if kind == "nouns":
            sign *= -1 if self.turned else self.direction or 1
        elif kind == "changes":
            sign *= -1 if turned else 1
        elif kind == "states":
            complaint = self.complains and not self.direction
            sign *= -1 if (self.turned or complaint) != self.negated else self.direction or 1
        self.wishes.append(Wish(effect, sign, waits=kind == "nouns" and not self.direction and not self.turned))
        if kind != "nouns":   # "less brightness and contrast" is less of both
            self.turned = self.negated = False

    def _end_part(self):
        for wish in self.wishes[self.part:]:
            wish.strength = self.degree
        self.part, self.degree = len(self.wishes), 1.0


def _step(effect, wish):
    """Return the Step of a wish: the plain parameter times its strength, or the plain exponents to its power."""
    rule = _rules().effects[effect]
    plain = rule["up" if wish.sign > 0 else "down"]
    if TABLE[rule["op"]].structure != "curve":
        return Step.make(rule["op"], [plain * wish.strength])
    return Step.make(rule["op"], np.concatenate([
        curve_weights(lambda level, exponent=exponent: level ** exponent ** wish.strength) for exponent in plain]))


@functools.cache
def _rules():
    """Return keywords.toml as a namespace, with its words looked up by word."""
    page = tomllib.loads(files("core.planning").joinpath("keywords.toml").read_text(encoding="utf-8"))
    lexicon = {word: (kind, effect, {"more": 1, "less": -1}[side])
               for kind in KINDS for effect, sides in page[kind].items()
               for side, words in sides.items() for word in words.split()}
    roles = {}
    for role, words in page["roles"].items():
        for word in words.split():
            roles.setdefault(word, set()).add(role)
    beginnings = {word for word, (kind, *_) in lexicon.items() if kind == "changes"} | {
        word for word, does in roles.items() if does & {"raise", "lower", "command"}}
    phrases = [(re.compile(rf"\b{phrase}s?\b"), meaning) for phrase, meaning in page["phrases"].items()]
    return SimpleNamespace(effects=page["effects"], degrees=page["degrees"], lexicon=lexicon, roles=roles,
                           beginnings=beginnings, phrases=phrases)


@functools.cache
def _corrected(word):
    """Return the word of the rules that `word` misspells, or itself."""
    known = _rules().lexicon.keys() | _rules().roles.keys()
    if word in known or len(word) < SHORTEST or not word.isalpha():
        return word
    alike = [other for other in known if other[0] == word[0] and len(other) >= SHORTEST]
    return next(iter(difflib.get_close_matches(word, alike, 1, SIMILAR)), word)
