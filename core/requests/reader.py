"""The reader: turns the words of a request into wishes, by the rules in keywords.toml and by a learned tagger.

The rules cover directions, degrees and numbers, complaints ("it is too dark"), attributes to be kept ("don't touch the
contrast"), purposes ("so that one can read it"), several wishes, places, and wishes that LDIE cannot grant. They are
written by hand, not learnt. The tagger votes with them on each wish.
"""
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.requests.clauses import is_thing
from core.requests.found import STATED, Found
from core.requests.painting import paintings
from core.requests.sentences import SentenceReader
from core.requests.votes import says, vote
from core.requests.wish import CASTS, FAMILY, MENDED, OF_THINGS, REPAIRS, Guess, Wish
from core.requests.words import Word, language_of, split

KNOWN = 0.95        # the rules know a request if they know at least this share of its words
STRANGE = 4         # a sentence with this many things and unknown words, without a request, is a tale
_POINTED = re.compile(r"(?:please |can you |could you |just )*(?:remove|erase|delete|get rid of|take out) "
                      r"(?:it|this|that|them|him|her)(?:,? please)?[.!?]*")
Tagger = Callable[[str], Sequence[Guess]]


@dataclass(frozen=True)
class Reading:
    """The reader's result for a request.

    `not_understood` are the words that the reader does not know. `language` is the language in which the request seems
    to be written, if it is not English. `contradictions` are the attributes that the request asks both to raise and to
    lower; they are not among the wishes. `confidence` is the least probability that the tagger gives to one of the
    wishes, or None if the rules decided alone.
    """

    wishes: tuple[Wish, ...] = ()
    not_understood: tuple[str, ...] = ()
    language: str | None = None
    contradictions: tuple[str, ...] = ()
    confidence: float | None = None


def read(request: str, tagger: Tagger | None = None) -> Reading:
    """Return the Reading of a request, any text. A request in a language other than English gets no wishes.

    The rules decide if they find a contradiction. Otherwise the rules and `tagger`, if one is given, vote on each wish,
    see `core.requests.votes`. A request without a word that the rules know is not guessed.
    """
    reading, words = _by_rules(request)
    decided = reading.language or reading.contradictions or not any(word.entry or word.roles for word in words)
    if tagger is None or decided:
        return reading
    if not (guesses := tagger(request)):
        return reading
    known = sum(not word.unknown for word in words) >= KNOWN * len(words)
    wishes = vote(request, reading.wishes, guesses, known)
    chances = [max((guess.probability for guess in guesses if says(wish, guess)), default=0.0) for wish in wishes]
    guessed = any(wish.direction not in {other.direction for other in reading.wishes} for wish in wishes)
    return replace(reading, wishes=tuple(wishes), not_understood=() if guessed else reading.not_understood,
                   confidence=min(chances, default=None))


@functools.lru_cache(1000)   # the planner, the gate and mending read the same request
def _by_rules(request: str) -> tuple[Reading, tuple[Word, ...]]:
    """Return the Reading of a request by the rules alone, and its words without commas."""
    if language := language_of(request):
        return Reading(language=language), ()
    sentences = split(request)
    found, unknown, contradictions = [], [], []
    tales, spoken, painted = [], [], paintings(request)
    sentences = [[word for word in words if not any(one.start <= word.start < one.end for one in painted)]
                 for words in sentences]
    for words in filter(None, sentences):
        reader = SentenceReader(request, found, spoken)
        spoken += words
        here, found = reader.read(words), reader.earlier
        both = set() if any("corrects" in word.roles for word in words) else _both_ways(here)
        contradictions += sorted(both)
        here = [replace(one, told=not _asks(words)) for one in here if one.attribute not in both]
        found += here
        tales += here if _is_tale(words) else []
        unknown += [] if here else [word.text for word in words if word.unknown or "thing" in word.roles]
    found = [one for one in found if one not in tales] or found
    if painted:
        found = [one for one in found if one.firm and not one.waits and one.attribute != "unchanged"]
    rest = any("rests" in word.roles for words in sentences for word in words)
    wishes = [Wish(attribute, sign, one.degree, one.where, one.unit, one.span)
              for one in map(_measured, _without_doubles(found, rest)) for attribute, sign in _axes(one)]
    if any(one.named for one in painted):   # "replace the background with a white background"
        wishes = [wish for wish in wishes if wish.attribute != "background"]
    if painted and not any(wish.attribute in ("background", "replacement") for wish in wishes):   # no step to a beach
        one = max(painted, key=lambda one: one.where != "the background")   # "remove the background, isolate the dog"
        wishes.append(Wish(one.attribute, where=one.where, span=(one.start, one.end)))
    if not wishes and _POINTED.fullmatch(request.lower().strip()):
        wishes = [Wish("removal", span=(0, len(request)))]   # a mask or the words of --region tell what to remove
    reading = Reading(tuple(wishes), tuple(dict.fromkeys(unknown)), None, tuple(contradictions))
    return reading, tuple(word for sentence in sentences for word in sentence if word.text not in ",&")


def read_wishes(request: str) -> list[Wish]:
    """Return the wishes of a request, any text, in the order of their words; an empty list if no rule applies."""
    return list(read(request).wishes)


def _both_ways(found: list[Found]) -> set[str]:
    """Return the attributes that a sentence asks to raise and to lower at one place.

    Adjectives are left out, because they may describe the photo.
    """
    signs = {}
    for one in found:
        if one.sign and not one.waits and one.kind in ("changes", "nouns"):
            signs.setdefault((one.attribute, one.where), set()).add(one.sign)
    return {attribute for (attribute, _), both in signs.items() if len(both) > 1}


def _asks(words: list[Word]) -> bool:
    """Return whether a sentence asks for something or says how the photo is; other sentences only tell a story."""
    return any("pleads" in word.roles for word in words) or bool(words[0].roles & {"begins", "raise", "lower"}) or (
        any("photo" in word.roles for word in words) and any("complain" in word.roles or word.entry for word in words))


def _is_tale(words: list[Word]) -> bool:
    """Return whether a sentence tells of people and things that the rules hardly know, and neither asks nor begins."""
    asks = any("requests" in word.roles for word in words) or bool(words[0].roles & {"begins", "raise", "lower"})
    return not asks and sum(map(is_thing, words)) >= STRANGE


def _without_doubles(found: list[Found], rest: bool) -> list[Found]:
    """Return the wishes that remain after other wishes of the request replace or include some of them.

    `rest`: whether the request mentions the rest of the photo, so that "leave the rest" is no wish to change nothing.
    """
    found = [one for one in found if not one.taken_back] or found
    if not all(one.told for one in found):   # "it was a warm day. Please brighten it": the first sentence tells a story
        found = [one for one in found if one.firm or not one.told]
    found = [one for one in found if "weak" not in one.word.roles] or found   # "I cannot see them, lift the shadows"
    if any(one.attribute == "haze" and one.sign < 0 for one in found):   # "less haze, so that it gets clear"
        found = [one for one in found if one.attribute != "sharpness" or not one.word.text.startswith("clear")]
    # Nouns without a direction count only in a request without other wishes; there they ask for more.
    found = [one for one in found if not one.waits or one.attribute in STATED] or found
    if any(one.attribute in OF_THINGS for one in found):   # such requests describe things and tell stories
        found = [one for one in found if one.firm or one.attribute in STATED]
    asked = {FAMILY.get(one.attribute, one.attribute) for one in found if one.attribute not in REPAIRS}
    found = [one for one in found if MENDED.get(one.attribute) not in asked]   # "adjust the light, make it brighter"
    if len(found) > 1:   # "it is dark, fix it" asks for light only
        found = [one for one in found if one.attribute != "enhance" or "enhances" in one.word.roles or one.placed]
    commands = {one.attribute for one in found if one.kind in ("changes", "nouns")}
    found = [one for one in found if one.kind != "faults" or one.attribute not in commands]   # "too dark, brighten it"
    left = max((one.word.start for one in found if one.attribute == "unchanged" and one.firm), default=-1)
    if not rest:   # "it is dark, and I like that, leave it"
        found = [one for one in found if one.word.start > left or not _complains(one)]
    kept = {one.attribute for one in found if one.sign == 0 and one.where is None and one.kind == "changes"}
    found = [one for one in found if one.attribute not in kept or not _complains(one)]   # "dark, but don't brighten it"
    changed = {one.attribute for one in found if one.sign}   # "don't brighten it, darken it"
    found = [one for one in found if one.sign or one.where or one.attribute not in changed]
    last = {_place(one): one for one in found}   # "make it darker. no, brighter": the last one counts
    found = [one for one in found if one is last[_place(one)]]
    found = [one for one in found if one.attribute != "unchanged"] or found   # "sharpen it, change nothing else"
    if found and all(one.sign == 0 or one.attribute == "unchanged" for one in found):
        return [replace(found[0], attribute="unchanged", sign=1, where=None)]
    return found


def _complains(one: Found) -> bool:
    """Return whether a wish is a complaint: "it is dark", "a crooked horizon"."""
    return one.blamed or "slants" in one.word.roles


def _measured(one: Found) -> Found:
    """Return a wish with the degree that its word names: "rotate it by 90", "it is upside-down"."""
    if one.attribute == "rotate" and one.degree == "plain" and one.word.text == "upside-down":
        return replace(one, degree=180, unit="degrees")
    bare = one.attribute == "rotate" and one.unit == "points"
    return replace(one, unit="degrees") if bare else one


def _place(one: Found) -> tuple:
    """Return the key of which a request has one wish; "brighten all but the sky" changes and keeps an attribute."""
    return one.attribute, one.where, one.sign == 0


def _axes(one: Found) -> list[tuple[str, int]]:
    """Return attributes and signs: a colour of the whole photo is a cast, so "too blue" asks for a warmer photo.

    Casts between the axes, such as red, give a wish on both. A colour to be kept stays a colour.
    """
    if one.sign and one.where is None and one.kind != "nouns" and one.attribute in CASTS:
        return [(attribute, sign * one.sign) for attribute, sign in CASTS[one.attribute]]
    return [(one.attribute, one.sign)]
