"""Reads the words of a place by the lists of places.toml: `read_place("the man on the left")`."""
from dataclasses import replace

from core.requests.place import COLOUR_NAMES, KINDS, POSITIONS, RELATIONS, Place
from core.requests.place_parser import PlaceParser
from core.requests.place_words import tokens_of

__all__ = ["COLOUR_NAMES", "KINDS", "POSITIONS", "RELATIONS", "Place", "read_place"]
MOST_TOKENS = 60    # later words of a place are not read
SKIPPED = {"article", "polite", "main", "all", "and", "except", "relation"}   # senses of words that are no names


def read_place(words: str) -> Place:
    """Return the Place that a region phrase means, any text: "the second man from the left", "everything but the sky".

    Words that LDIE does not know, and parts that it cannot find, give a place of kind "unknown" that is named by the
    noun. Articles, politeness, and words for the photo itself ("in the picture") do not count.
    """
    words = " ".join(words.split())
    tokens = tokens_of(words)[:MOST_TOKENS]
    parser = PlaceParser(tokens)
    parser.opening()
    place = parser.place()
    if place is None:
        named = [token.text for token in tokens if token.text[0].isalpha() and not token.senses.keys() & SKIPPED]
        place = Place(named[-1] if named else words.lower(), "unknown")
    return replace(place, words=words)
