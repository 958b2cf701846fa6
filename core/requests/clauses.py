"""Parts of a sentence: purposes, degrees, things, and the words that make a part a wish of its own."""
from itertools import pairwise

from core.requests.found import SHADES
from core.requests.wish import COLOURS, OF_THINGS
from core.requests.words import Word

MOST_STOPS = 5   # a larger number after "exposure" is one of points
NEAR = 5   # words: largest distance of a complaint from the start of its clause


def purpose(words: list[Word]) -> tuple[int, int]:
    """Return the first and last + 1 index of a purpose, a reason or a comparison: "so that", "because", "to show".

    The purpose ends where a new command begins. Both indices are the number of words if there is no purpose.
    """
    for at, (word, following) in enumerate(pairwise(words)):
        if at and _starts_purpose(words[:at], word, following, words[at + 1:]):
            return at, next((end for end in range(at + 2, len(words) - 1) if "joint" in words[end].roles
                             and ("begins" in words[end + 1].roles or words[end + 1].text == "then")), len(words))
    return len(words), len(words)


def _starts_purpose(before, word, following, rest):
    complaint = following.text in ("it", "its", "the") and any(other.text == "too" for other in rest[:NEAR])
    if "reason" in word.roles or (
            word.text in ("like", "as") and following.text in ("the", "if", "though", "it", "a") and not (
                (word.text, following.text) == ("like", "it") and before[-1].text in ("i", "we"))):
        return not complaint   # "darken it, as it is too red" has two wishes
    if word.text == "so":
        noun = following.entry is not None and following.entry[0] == "nouns"
        return noun or is_thing(following) or bool(following.roles & {"subject", "generic"})
    return word.text == "to" and any(other.entry for other in before) and "wants" not in before[-1].roles and (
        following.text == "where" or bool(following.roles & {"aim", "begins"}))


def degree_of(words: list[Word]) -> tuple[str | int | float | None, str]:
    """Return the degree that a part names, and its unit; the degree is None if the part names none."""
    for before, word in pairwise([None, *words]):
        counts = before and (before.entry or before.text in ("by", "at", "to") or "turns" in before.roles)
        if word.number is not None and (word.unit or counts):
            stops = before and before.text == "exposure" and word.number <= MOST_STOPS   # "exposure -0.7"
            return word.number, word.unit or ("stops" if stops else "points")
    for word in reversed(words):
        for level in ("slight", "strong"):
            if level in word.roles:
                return level, "%"
    return ("strong" if has(words, "forces") else None), "%"


def first(words: list[Word], role: str) -> Word | None:
    """Return the first word with a role, or None."""
    return next((word for word in words if role in word.roles), None)


def has(words: list[Word], role: str) -> bool:
    """Return whether a word has the role."""
    return first(words, role) is not None


def is_thing(word: Word) -> bool:
    """Return whether a word is a thing: a known one, or any word that the rules do not know."""
    return ("thing" in word.roles or word.unknown) and word.entry is None


def describes(words: list[Word], at: int) -> bool:
    """Return whether an adjective only describes a thing: "the woman in the blue dress", "the dark room"."""
    if words[at].entry[0] not in ("states", "faults") or at + 1 == len(words) or not is_thing(words[at + 1]):
        return False
    if words[at].entry[1] in SHADES and has(words[at + 2:at + 3], "tints"):
        return False   # "the orange streetlight tint"
    if has(words[at + 2:at + 3], "looks"):
        return False   # "a cool night look"
    return not any(word.text in ("more", "less", "make", "too") for word in words[max(at - 2, 0):at])


def names_thing(words: list[Word], at: int) -> bool:
    """Return whether the word at `at` names a part of the photo: a known thing, or an unknown word after "the"."""
    word = words[at]
    if word.entry or "generic" in word.roles:
        return False
    if at + 1 < len(words) and "photo" in words[at + 1].roles:
        return False   # "my snow picture"
    if "thing" in word.roles:
        return True
    before = next((words[place] for place in range(at - 1, -1, -1) if not words[place].entry), None)
    following = words[at + 1] if at + 1 < len(words) else None
    noun = following is not None and ((following.entry and following.entry[0] == "nouns") or following.unknown
                                      or "generic" in following.roles)
    return word.unknown and before is not None and "definite" in before.roles and not noun


def names_photo(words: list[Word], at: int) -> bool:
    """Return whether the word at `at` is the whole photo as the object of a change: "lighten the photo"."""
    if "photo" not in words[at].roles:
        return False
    verb = next((word for word in reversed(words[:at]) if not word.roles & {"article", "generic"}), None)
    return verb is not None and verb.entry is not None and verb.entry[0] == "changes"


def has_object(words: list[Word]) -> bool:
    """Return whether the first noun of `words` is a thing, not an attribute or the whole photo."""
    for at, word in enumerate(words):
        if word.entry and not describes(words, at):
            return False
        if is_thing(word) and not (word.unknown and at + 1 < len(words) and words[at + 1].entry):
            return True
        if "generic" in word.roles and "pronoun" not in word.roles:
            return False
    return False


def is_noun(words: list[Word], at: int) -> bool:
    """Return whether an adjective that names a colour is used as a noun: "the blue of the sky", "blue down"."""
    before, following = words[at - 1] if at else None, words[at + 1] if at + 1 < len(words) else None
    if words[at].entry[1] not in COLOURS or words[at].text.endswith("ish") or (following is not None and (
            is_thing(following) or "photo" in following.roles or following.entry)):
        return False
    if before is None or "joint" in before.roles:
        return following is not None and not following.roles & {"complain", "slight", "strong"}
    owned = following is None and before.unknown and before.text.endswith("s")   # "the wall's yellow"
    return owned or bool(before.roles & {"definite", "raise", "lower"}) or before.text in (
        "less", "of", "much", "any", "in")


def adds_tint(words: list[Word], at: int) -> bool:
    """Return whether a tint is to be added: "a warm tint, please"; "the blue cast" and "it has a tint" are faults."""
    noun = first(words[at + 1:at + 3], "tints")
    known = any("definite" in word.roles for word in words[max(at - 2, 0):at])
    return not known and not tells_fault(words) and not noun.text.startswith(("cast", "ting", "spill"))


def tells_fault(words: list[Word]) -> bool:
    """Return whether a part tells how a fault came about, or dislikes it: "the tube gave it a nasty blue tint"."""
    told = has(words, "tells") or any(word.text in ("have", "shows", "added") for word in words[1:])
    return has(words, "dislikes") or (told and not has(words, "hopes"))


def forbids(words: list[Word]) -> bool:
    """Return whether a part forbids a change and names no attribute: "please don't crop it"."""
    at = next((at for at, word in enumerate(words) if "forbids" in word.roles), len(words))
    verbs = {"begins", "raise", "lower", "turns", "flips", "levels", "better", "repair", *OF_THINGS}
    return any(word.roles & verbs for word in words[at + 1:at + 4])


def is_inside(words: list[Word], noun: Word) -> bool:
    """Return whether a noun names a place: "in the shadows"."""
    before = [word.text for word in words if word.end <= noun.start and "article" not in word.roles][-1:]
    return before in (["in"], ["from"], ["of"])


def rids(words: list[Word]) -> bool:
    """Return whether a thing is freed of an attribute: "rid the wall of the green cast"."""
    return any(before.text == "of" and any(word.entry for word in words[at + 1:at + 4])
               for at, before in enumerate(words))


def direction_of(words: list[Word]) -> int:
    """Return 1 or -1 if a part without an attribute asks for more or for less, else 0."""
    for word in words:
        if "raise" in word.roles or "upward" in word.roles:
            return 1
        if word.roles & {"lower", "downward", "turn"}:
            return -1
    return 0
