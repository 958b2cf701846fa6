"""Spelling: a corrector of typing errors, and a function that makes typing errors."""
import difflib
import re
from collections.abc import Iterable
from string import ascii_lowercase

import numpy as np

from core.requests.grammar import choose

SIMILAR, SHORTEST = 0.75, 3       # defaults of Corrector
SHORT, SIMILAR_SHORT = 4, 0.66    # words of up to SHORT letters are compared with words of the same length only
_TURNS = re.compile("(un|de|dis|over|under|in|non)")   # prefixes that change the meaning, so they are no typing errors
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {key: row[max(at - 1, 0):at] + row[at + 1:at + 2] for row in _ROWS for at, key in enumerate(row)}


class Corrector:
    """Maps a misspelt word to the known word that is meant. Corrections are cached."""

    def __init__(self, words: Iterable[str], similar: float = SIMILAR, shortest: int = SHORTEST,
                 same_initial: bool = False) -> None:
        """Store the known words and the limits of a correction.

        Args:
            words: the known words, in lower case.
            similar: least similarity (difflib's ratio) of a misspelt word and its correction.
            shortest: letters; shorter words are never corrected and never used as a correction.
            same_initial: whether a correction must keep the first letter. If False, a correction keeps a prefix that
                changes the meaning: "oversaturated" is never corrected to "saturated".
        """
        self.similar, self.shortest, self.same_initial = similar, shortest, same_initial
        self._known = dict.fromkeys(words)   # keeps their order
        self._words = [word for word in self._known if len(word) >= shortest]
        self._corrected = {}

    def __call__(self, word: str) -> str:
        """Return the known word most similar to `word`, or `word` itself if it is known or no word is similar."""
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


class SlipCorrector:
    """Maps a word with one slip of the keys to the known word that is meant; other unknown words stay as they are.

    A slip is letters in the wrong order between the right first and last letter, a letter that is missing, doubled or
    too many, or a letter whose key lies next to the right key. `Corrector` also joins words that only look alike
    ("tiles" and "tilts"), so it suits a closed vocabulary; this class suits a vocabulary with few words of a language.
    """

    def __init__(self, words: Iterable[str], ordinary: Iterable[str] = ()) -> None:
        """Store the known words, in lower case, and `ordinary` words of the language that are never corrected."""
        self._known, self._ordinary = set(words), set(ordinary)
        self._mixed = {_letters(word): word for word in sorted(self._known) if len(word) > SHORT + 1}

    def __call__(self, word: str) -> str:
        """Return the known word of which `word` is a slip, or `word` itself if it is known or there is none."""
        if word in self._known or word in self._ordinary or not word.isalpha() or len(word) < SHORT:
            return word
        return next((other for other in _slips(word) if other in self._known), self._mixed.get(_letters(word), word))


def _letters(word):
    """Return a key: first letter, last letter, and all letters sorted. Words with mixed letters have the same key."""
    return word[0], word[-1], "".join(sorted(word))


def _slips(word):
    """Yield the words of which `word` is one slip, likely slips first; the first letter stays, or is swapped."""
    short = len(word) <= SHORT
    pairs = [(word[:at], word[at:]) for at in range(1, len(word) + 1)]
    yield from (before + after[1] + after[0] + after[2:] for before, after in pairs if len(after) > 1)
    yield re.sub(r"(.)\1{2,}", r"\1\1", word)
    yield re.sub(r"(.)\1+", r"\1", word)
    if short:
        return
    yield from (before + before[-1] + after for before, after in pairs)
    yield word[1] + word[0] + word[2:]
    inside = pairs if len(word) > SHORT + 1 else pairs[:-1]   # "shade" is no slip of "shaded"
    yield from (before + letter + after for before, after in inside for letter in ascii_lowercase)
    if len(word) > SHORT + 1:
        yield from (before + after[1:] for before, after in pairs[:-1])
    yield from (before + near + after[1:] for before, after in pairs[:-1] for near in _NEAR.get(after[0], ""))


def misspell(sentence: str, rng: np.random.Generator) -> str:
    """Return the sentence with a typing error in one or two of its words of four letters or more."""
    words = sentence.split(" ")
    long = [index for index, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    for index in rng.permutation(long)[:rng.integers(1, 3)]:
        word, at = words[index], int(rng.integers(1, len(words[index]) - 1))   # people rarely mistype the first letter
        before, letter, after = word[:at], word[at], word[at + 1:]
        near = choose(rng, _NEAR.get(letter.lower(), letter))
        slips = (after[0] + letter + after[1:], after, letter + letter + after, near + after)
        words[index] = before + choose(rng, slips)
    return " ".join(words)
