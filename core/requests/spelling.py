"""Spelling: the corrector that finds the word behind a slip of the finger, and the misspeller that makes such slips."""
import difflib
import re
from collections.abc import Iterable

import numpy as np

from core.requests.grammar import choose

SIMILAR, SHORTEST = 0.75, 3       # defaults of Corrector
SHORT, SIMILAR_SHORT = 4, 0.66    # words of up to so many letters are compared with those of the same length only
_TURNS = re.compile("(un|de|dis|over|under|in|non)")   # these change the meaning of a word, so they are no slip
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {key: row[max(at - 1, 0):at] + row[at + 1:at + 2] for row in _ROWS for at, key in enumerate(row)}


class Corrector:
    """Finds the known word that a word misspells. Corrections are remembered."""

    def __init__(self, words: Iterable[str], similar: float = SIMILAR, shortest: int = SHORTEST,
                 same_initial: bool = False):
        """Take the known words.

        Args:
            words: the known words, in lower case.
            similar: least similarity (difflib's ratio) of a misspelt word and the known one.
            shortest: letters; shorter words are neither corrected nor the correction of another.
            same_initial: whether the first letter is always right. Without it, a word is never corrected to one with
                another prefix that turns the meaning: "oversaturated" is no slip of "saturated".
        """
        self.similar, self.shortest, self.same_initial = similar, shortest, same_initial
        self._known = dict.fromkeys(words)   # in their order
        self._words = [word for word in self._known if len(word) >= shortest]
        self._corrected = {}

    def __call__(self, word: str) -> str:
        """Return the known word that `word` is a slip of, or `word` itself where there is none."""
        if word not in self._corrected:
            self._corrected[word] = word if word in self._known or not word.isalpha() else self._nearest(word)
        return self._corrected[word]

    def _nearest(self, word):
        if len(word) < self.shortest:
            return word
        words, similar = self._words, self.similar
        if len(word) <= SHORT:
            words, similar = [other for other in words if len(other) == len(word)], SIMILAR_SHORT
        if self.same_initial:
            words = [other for other in words if other[0] == word[0]]
        found = next(iter(difflib.get_close_matches(word, words, 1, similar)), word)
        return found if self.same_initial or _turn(found) == _turn(word) else word


def _turn(word):
    found = _TURNS.match(word)
    return found and found[0]


def misspell(sentence: str, rng: np.random.Generator) -> str:
    """Return the sentence with a slip of the finger in one or two of its words of four letters or more."""
    words = sentence.split(" ")
    long = [index for index, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    for index in rng.permutation(long)[:rng.integers(1, 3)]:
        word, at = words[index], int(rng.integers(1, len(words[index]) - 1))   # the first letter is mostly right
        before, letter, after = word[:at], word[at], word[at + 1:]
        near = choose(rng, _NEAR.get(letter.lower(), letter))
        slips = (after[0] + letter + after[1:], after, letter + letter + after, near + after)
        words[index] = before + choose(rng, slips)
    return " ".join(words)
