"""Whether a reader finds the wishes of a request with the parts of the photo that they are for.

A request is exact if the set of (attribute, sign, region) of its reading equals that of its label. Attribute and sign
are compared by their `meaning`. The region is the place that `core.finding` would look for, so words do not matter:
"the guy on the left side" and "man on the left" are one region.
"""
from collections.abc import Iterable, Iterator
from dataclasses import replace

from core.metrics.reading import Labelled, joined, meaning
from core.requests.place import Place
from core.requests.places import read_place
from core.requests.reader import Reading
from core.requests.wish import FILLS, Wish

BEHIND = ("near", "behind")   # "the background around the dog", "behind the dog"
PAINTED = FILLS[1:]   # backgrounds


def exact_places(sentences: Iterable[Labelled], readings: Iterable[Reading]) -> dict:
    """Return the number of requests whose label has a place, and the share of these requests that are exact.

    Of each wish with several places ("the sky and the sea"), each place counts as a wish of its own. Wishes to keep
    something do not count, because labels have none; exceptions belong to the region. The background has no colour, and
    the background behind a thing is everything but the thing. A painted background needs no place.
    """
    exact = [clauses(sentence.wishes) == clauses(reading.wishes)
             for sentence, reading in zip(sentences, readings, strict=True)
             if any(wish.where for wish in sentence.wishes)]
    return {"with a place": len(exact), "places exact": sum(exact) / len(exact) if exact else None}


def clauses(wishes: Iterable[Wish]) -> set[tuple[str, int, Place | None]]:
    """Return the (attribute, sign, region) of wishes; the region is None for the whole photo."""
    wishes = [wish for wish in joined(wishes) if wish.sign and wish.attribute != "unchanged"]
    return {(*meaning(wish), region) for wish in wishes for region in _regions(wish)}


def _regions(wish: Wish) -> Iterator[Place | None]:
    if not wish.where:
        yield Place("background", "background") if wish.attribute in PAINTED else None
        return
    place = read_place(wish.where)
    for one in (replace(place, also=()), *place.also):
        if one.kind == "background":
            behind = one.relation in BEHIND and one.to
            one = Place("photo", "photo", but=(one.to,)) if behind else Place("background", "background")
        yield None if one.kind == "photo" and not one.but else one
