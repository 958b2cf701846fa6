"""Votes: the rules and the tagger vote on each wish of a request."""
from collections.abc import Sequence
from dataclasses import replace

from core.requests.places import read_place
from core.requests.region_phrases import RegionPhrase, region_phrases
from core.requests.wish import CASTS, FAMILY, MENDED, OF_THINGS, REPAIRS, SOMEWHERE, Guess, Wish
from core.requests.words import split

# Least probabilities by the tagger, chosen on the dev split and on real requests; the second where the rules know the
# words of the request:
BACKED = 0.3, 0.1    # of the attribute of a wish of the rules
SURE = 0.9, 0.95     # of a wish that the rules do not find, or find in the other direction
LIKELY = 0.5         # of a wish in a request where the rules find none
# Of a place: above LIMITED, a wish without a place in the rules gets one; below WHOLE, an unknown place is none.
LIMITED, WHOLE = 0.7, 0.2


def vote(request: str, wishes: Sequence[Wish], guesses: Sequence[Guess], known: bool = False) -> list[Wish]:
    """Return the wishes of a request, from the `wishes` of the rules and the `guesses` of the tagger.

    A wish of the rules counts if a guess of at least BACKED has its attribute, or repairs it, unless the tagger is SURE
    of the other direction; "keep it" needs no guess. A guess without a wish of the rules counts if it is SURE, or
    LIKELY if the rules find no wish at all. If nothing is left, the wishes of the rules count. The tagger decides
    whether a wish is for a part of the photo. It gives the degree, too, unless the words of the request are `known` to
    the rules. Numbers and the words of places come from the rules.
    """
    said = set().union(*(_axes(wish.attribute, wish.sign) for wish in wishes))
    own = [guess for guess in guesses if guess.probability >= (SURE[known] if wishes else LIKELY)
           and not _is_said(guess, said)]
    kept = [wish for wish in wishes if not any(_share(wish, guess) for guess in own) and (wish.sign == 0 or any(
        (_share(wish, guess) or _mends(guess, wish)) and guess.probability >= BACKED[known] for guess in guesses))]
    if not kept and not own:
        return list(wishes)
    found = [_adjusted(request, wish, guesses, known) for wish in kept]
    found += [_completed(request, guess, wishes) for guess in own]
    asked = {FAMILY.get(wish.attribute, wish.attribute) for wish in found if wish.attribute not in REPAIRS}
    found = [wish for wish in found if MENDED.get(wish.attribute) not in asked]
    found = [wish for wish in found if wish.attribute != "unchanged"] or found[:1]
    return list(dict.fromkeys(sorted(found, key=lambda wish: wish.span or (0, 0))))


def says(wish: Wish, guess: Guess) -> bool:
    """Return whether a guess names the attribute and the direction of a wish; casts are compared on their axes."""
    return bool(_axes(wish.attribute, wish.sign) & _axes(guess.attribute, guess.sign))


def _is_said(guess, said):
    """Return whether wishes on the axes `said` include a guess; of a cast, one axis is enough, if none contradicts."""
    axes = _axes(guess.attribute, guess.sign)
    return axes <= said or (bool(axes & said) and not {(axis, -sign) for axis, sign in axes} & said)


def _share(wish, guess):
    """Return whether a guess names the attribute of a wish, in any direction."""
    return not dict(_axes(wish.attribute, 1)).keys().isdisjoint(dict(_axes(guess.attribute, 1)))


def _mends(guess, wish):
    """Return whether a guess is the repair of the attribute of a wish: "correct the over exposure" has a direction."""
    return MENDED.get(guess.attribute) == FAMILY.get(wish.attribute, wish.attribute)


def _axes(attribute, sign):
    """Return the attributes and signs of a wish: a colour is a cast on its axes, and all repairs are the same."""
    if attribute in REPAIRS:
        return {("enhance", sign)}
    return {(axis, turn * sign) for axis, turn in CASTS.get(attribute, ((attribute, 1),))}


def _adjusted(request, wish, guesses, known):
    """Return a wish of the rules as the tagger sees its degree and place, see `vote`."""
    guess = max((guess for guess in guesses if says(wish, guess) and guess.probability >= LIKELY),
                key=lambda guess: guess.probability, default=None)
    if guess is None:
        return wish
    if isinstance(wish.degree, str) and not known:
        wish = replace(wish, degree=guess.degree)
    if wish.attribute in OF_THINGS:
        return wish
    if wish.where is None and guess.limited > LIMITED:
        return replace(wish, where=_place(request, guess))
    if wish.where and guess.limited < WHOLE and read_place(wish.where).kind == "unknown":
        return replace(wish, where=None)
    return wish


def _completed(request, guess, wishes):
    """Return a guess as a Wish, with the number and the place that the rules find for its attribute."""
    wish = guess.wish
    same = next((other for other in wishes if other.attribute == wish.attribute), None)
    if same and not isinstance(same.degree, str):
        wish = replace(wish, degree=same.degree, unit=same.unit)
    if same and same.where:   # the tagger tells that a place is named, but not which one
        return replace(wish, where=same.where)
    if wish.attribute.endswith(" background"):
        return replace(wish, where="the background")
    if wish.attribute in OF_THINGS:   # a guess that is not sure removes nothing
        return replace(wish, where=_place(request, guess) if guess.probability >= min(SURE) else None)
    return replace(wish, where=_place(request, guess)) if wish.where else wish


def _place(request: str, guess: Guess) -> str | None:
    """Return the words of the place of a guess: the region phrase next to its words, if possible a known one.

    Without a region phrase the place is SOMEWHERE, which is found in no photo, so that a wish for a part of the photo
    does not change all of it; a thing then has no name.
    """
    phrases = [phrase for words in split(request) for phrase in region_phrases(request, words)
               if phrase.sound and not phrase.colouring and phrase.place.kind != "photo"]

    def far(phrase: RegionPhrase) -> tuple[bool, int]:
        return not phrase.known, max(guess.span[0] - phrase.end, phrase.start - guess.span[1])
    nearest = min(phrases, key=far, default=None)
    if nearest is None:
        return None if guess.attribute in OF_THINGS else SOMEWHERE
    return request[nearest.start:nearest.end]
