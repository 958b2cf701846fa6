"""Wishes without a command for an attribute: things, a general "make it better", and a wish that is repeated."""
from collections.abc import Sequence
from dataclasses import replace

from core.requests.clauses import first, is_thing
from core.requests.found import Found
from core.requests.locator import Locator
from core.requests.wish import OF_THINGS
from core.requests.words import Word

AGAIN = {"more": 1, "less": -1, "up": 1, "down": -1, "none": 0}   # words that repeat a wish for another place
PLACED = ("in", "into", "on", "onto", "for", "at", "to", "from")


def repeated(words: list[Word], earlier: Sequence[Found], places: Locator) -> Found | None:
    """Return the last of the `earlier` wishes for another place, if a part asks so: "..., less in the sea"."""
    said = words[1:] if words and "joint" in words[0].roles else words
    last = next((one for one in reversed(earlier) if one.attribute not in (*OF_THINGS, "unchanged")), None)
    phrase = next(iter(places.phrases_of(words)), None)
    if last is None or phrase is None or len(said) < 3 or said[0].text not in AGAIN or said[1].text not in PLACED:
        return None
    return replace(last, sign=last.pole * AGAIN[said[0].text], where=places.text(phrase), waits=False, open=False,
                   firm=True)


def thing_wished(request: str, words: list[Word]) -> list[Found]:
    """Return the wish about a thing: "I'd like a boat", "a boat instead of the car", "an ugly pole spoils it"."""
    cues = (("removal", "intrudes"), ("replacement", "swaps"), ("adding", "craves"))
    kind, cue = next(((kind, word) for kind, role in cues for word in words if role in word.roles), (None, None))
    things = [at for at, word in enumerate(words) if is_thing(word)]
    new = [at for at in things if kind == "removal" or any(
        word.text in ("a", "an", "some", "more", "our", "my") for word in words[max(at - 2, 0):at])]
    if kind is None or not new:
        return []
    where = request[words[new[0]].start:words[things[-1]].end]
    return [Found(kind, 1, replace(cue, entry=("cannot", kind, 1)), where=where, waits=True)]


def general_wish(words: list[Word], others: bool, places: Locator) -> list[Found]:
    """Return the wish to enhance the photo or a place, if a part of a sentence asks for it and names no thing to mend.

    `others`: whether the sentence has other wishes. After those, "and beautiful" only describes the wished result.
    """
    phrases = places.phrases_of(words)
    if shown := _shown(words, phrases):
        return [Found("enhance", 1, shown, where=places.text(phrases[0]), placed=True)]
    word = first(words, "better")
    adjacent = next((phrase for phrase in phrases if word and phrase.start - word.end == 1), None)
    if adjacent and adjacent.place.kind in ("background", "subject", "area"):   # "fix the background"
        return [Found("enhance", 1, word, where=places.text(adjacent), placed=True)]
    if word is None or (others and not word.roles & {"enhances", "repair"}) or (
            any(map(is_thing, words)) and not ("enhances" in word.roles or word.text == "better")):
        return []
    return [Found("enhance", 1, word, where=places.text(adjacent) if adjacent else None)]


def _shown(words, phrases):
    """Return the word of a wish for what shall be seen better: "make the cat stand out", "make the sky nicer"."""
    command = first(words, "command")
    if command is None or not phrases or phrases[0].start < command.end:
        return None
    return next((word for word in words if word.start >= phrases[0].end and ("better" in word.roles or (
        word.text == "raise" and word is words[-1]))), None)   # "stand out" is read as "raise"
