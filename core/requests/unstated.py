"""Wishes without a command for an attribute: a thing that is wished for or disliked, and a general "make it better"."""
from dataclasses import replace

from core.requests.clauses import first, is_thing
from core.requests.found import Found
from core.requests.words import Word


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


def general_wish(words: list[Word], others: bool) -> list[Found]:
    """Return the wish to enhance the photo, if a part of a sentence asks for it and names no thing to mend.

    `others`: whether the sentence has other wishes. After those, "and beautiful" only describes the wished result.
    """
    word = first(words, "better")
    if word is None or (others and not word.roles & {"enhances", "repair"}) or (
            any(map(is_thing, words)) and not ("enhances" in word.roles or word.text == "better")):
        return []
    return [Found("enhance", 1, word)]
