"""Reads the wishes of one sentence: roles of earlier words set the direction of later words."""
from dataclasses import dataclass, replace
from itertools import pairwise

from core.requests.wish import CANNOT
from core.requests.words import Word

MENDS = {"light": "exposure repair", "contrast": "contrast repair", "saturation": "saturation repair",
         "temperature": "cast repair"}
UNWANTED = ("noise", "haze")   # a request that names them without a verb asks for less
ZONES = ("highlights", "shadows", "midtones", "whites", "blacks")
NEAR = 5                       # words: largest distance of a complaint from the start of its clause


@dataclass
class Found:
    """A wish that later words of the sentence may change.

    `waits` marks a noun that has no direction yet. `firm` marks a word that certainly states a wish and does not only
    describe the photo.
    """

    attribute: str
    sign: int
    word: Word
    degree: str | int | float = "plain"
    unit: str = "%"
    where: str | None = None
    waits: bool = False
    firm: bool = True

    @property
    def kind(self) -> str | None:
        """The table of keywords.toml that holds the word, or None if no table does."""
        return self.word.entry[0] if self.word.entry else None

    @property
    def span(self) -> tuple[int, int]:
        """First and last + 1 character of the word in the request."""
        return self.word.start, self.word.end


class SentenceReader:
    """Reads the words of one sentence from left to right; the fields hold the state that earlier words set."""

    def __init__(self, request: str) -> None:
        self.request, self.found = request, []
        self.direction = 0       # 1 after "increase", -1 after "reduce": applies to the next nouns
        self.complains = False   # after "it is": a state is a complaint
        self.commands = False    # after "make it": a state is a wish
        self.keeps = False       # after "don't touch": attributes are to be kept
        self.turned = self.negated = False   # after "less" or "too"; after "not"
        self.place = None        # the last place of a part; "it" refers to this place
        self.removes = None      # kind of the last part's wish: "and the dog" continues "remove the man"

    def read(self, words: list[Word]) -> list[Found]:
        """Return the wishes of a sentence; wishes in its purpose clause count only if there are no others."""
        first, last = purpose(words)
        self._parts(words[:first] + words[last:])
        return self.found or SentenceReader(self.request)._parts(words)

    def _parts(self, words):
        """Return the wishes of all parts of a sentence; parts that share a verb share degree and place."""
        parts = [[]]
        for word in words:
            if "joint" in word.roles:
                parts.append([])
            parts[-1].append(word)
        self.turned |= _any(words[:3], "before") and _any(words[:NEAR], "complain")   # "the input is too dark"
        groups, incomplete = [[]], False   # incomplete: a verb without an object, or nouns without a verb
        for part in parts:
            first = len(self.found)
            own = self._part(part)
            if own and not (incomplete and part[0].text == "and"):
                groups.append([])
            whole = _any(part, "generic")
            words_left = [word for word in part if not word.roles & {"slight", "strong", "small"}]
            incomplete = not whole and len(words_left) == 1 if own else any(one.waits for one in self.found[first:])
            groups[-1].append((self.found[first:], whole, *degree_of(part)))
        for group in groups:
            place = next((one.where for found, *_ in reversed(group) for one in found), None)
            said = next(((degree, unit) for *_, degree, unit in group if degree is not None), ("plain", "%"))
            for found, whole, degree, unit in group:
                for one in found:
                    one.waits = one.waits and degree is None
                    one.where = one.where or (None if whole else place)
                    one.degree, one.unit = said if degree is None else (degree, unit)
        return self.found

    def _part(self, words):
        """Read a part of the sentence; return whether it has a verb of its own."""
        first = len(self.found)
        if words and "joint" in words[0].roles:
            self.commands = False
            if words[0].text == "with" or (len(words) > 1 and words[1].text in ("a", "an")):
                self.direction = 0   # "weaker colors with a cold tone"
        begins = any(word.roles & {"begins", "turns", "levels", "flips"} for word in words)
        named = any(word.entry for word in words)
        kept = _first(words, "unchanged")
        if kept and not named:
            self.found.append(Found("unchanged", 1, kept))
            return True
        if self._cannot(words, begins) or self._turns(words):
            return True
        for at, word in enumerate(words):
            self._note(word, words[at + 1] if at + 1 < len(words) else None)
            if word.entry and not _describes(words, at):
                self._take(word, *word.entry)
            elif word.unit == "stops" and not named:
                self._take(word, "nouns", "light", 1)
            for role, sign in (("upward", 1), ("downward", -1)):
                moves = role in word.roles and not (at and "complain" in words[at - 1].roles)   # "the light is off"
                for one in self.found[first:] if moves else ():   # "take the contrast down"
                    one.sign = sign if one.kind in ("nouns", None) else one.sign
        self._join(words, first)
        self._locate(words, first, begins)
        if len(self.found) == first and not self.keeps:
            self.found += _general(words, bool(self.found))
        return begins or any(word.entry and word.entry[0] == "changes" for word in words)

    def _note(self, word, following):
        """Update the state by a word that has roles and the word after it."""
        roles = word.roles
        if "resume" in roles or ("joint" in roles and following and "begins" in following.roles):
            self.keeps = False
        if "keep" in roles:
            self.keeps, self.direction = True, 0
        if "command" in roles and not (word.text == "so" and self.complains):
            self.commands, self.complains, self.direction = True, False, 0
        if "complain" in roles:
            self.complains = not self.commands
        self.turned |= "turn" in roles
        self.negated |= "negate" in roles
        for role, direction in (("raise", 1), ("lower", -1), ("high", 1), ("low", -1)):
            if role in roles:
                complaint = role in ("high", "low") and (self.complains or self.turned) and not self.negated
                self._direct(-direction if complaint else direction)

    def _direct(self, direction):
        """Give the direction to the waiting nouns ("the contrast is low"), or to the next nouns if no noun waits."""
        waiting = [one for one in self.found if one.waits]
        for one in waiting:
            one.sign, one.waits = one.sign * direction, False
        self.direction = 0 if waiting else direction
        self.complains = self.turned = self.negated = False

    def _take(self, word, kind, attribute, sign):
        """Add a wish for a word that names an attribute."""
        if self.keeps:
            self.found.append(Found(attribute, 0, word))
            return
        turned = self.turned != self.negated
        if kind == "nouns":
            sign *= -1 if self.turned else self.direction or 1
        elif kind == "changes":
            sign *= -1 if turned else 1
        elif kind == "states":
            complaint = self.complains and not self.direction
            sign *= -1 if (self.turned or complaint) != self.negated else self.direction or 1
        waits = kind == "nouns" and not self.direction and not self.turned
        firm = kind == "changes" or (self.commands if kind == "states" else not waits)
        if waits and attribute in UNWANTED:
            sign, waits = -1, False
        self.found.append(Found(attribute, sign, word, waits=waits, firm=firm))
        if kind != "nouns":   # "less brightness and contrast": "less" applies to both nouns
            self.turned = self.negated = False

    def _join(self, words, first):
        """Join the words of one wish in a part: "brighten the shadows", "more warmth in the colors"."""
        found = self.found[first:]
        light = next((one for one in found if one.attribute == "light"), None)
        zones = [one for one in found if one.attribute in ZONES]
        for one in zones:
            if light:
                one.sign, one.waits = light.sign, False
            elif one.attribute in ("shadows", "blacks") and _any(words, "deepens"):
                one.sign = -1
            elif one.attribute == "shadows" and _any(words, "removes"):
                one.sign = 1
        if zones and light:
            found.remove(light)
        soft = next((one for one in found if one.word.text.startswith("soft")), None)
        mild = [one for one in found if one.attribute in MENDS and one.kind == "nouns"]
        if soft and mild:   # "softer contrast"
            found.remove(soft)
            for one in mild:
                one.sign, one.waits, one.firm = -1, False, True
        for one in found:
            if one.waits and one.attribute in MENDS and _any(words, "repair"):
                one.attribute = "cast repair" if "hues" in one.word.roles else MENDS[one.attribute]
                one.waits = False
            if one.attribute == "grain" and one.sign < 0 and not any(word.text == "film" for word in words):
                one.attribute = "noise"
        self.found[first:] = [one for one in found if not self._belongs(one, found, words)]

    def _belongs(self, one, found, words):
        """Return whether a word belongs to another wish of its part: "warmer colors", "darken the natural light"."""
        others = [other for other in found if other is not one]
        if (one.waits or one.kind == "states") and any(
                other.attribute == one.attribute and other.kind == "changes" for other in others):
            return True
        if not others or one.attribute not in ("saturation", "cast repair") or any(
                word.text == "full" for word in words):
            return False
        before = [word.text for word in words if word.start < one.word.start and "article" not in word.roles][-1:]
        adjective = any(other.kind in ("changes", "states") for other in others)
        return one.attribute == "cast repair" or (
            "hues" in one.word.roles and (adjective or before in (["of"], ["to"], ["in"], ["for"])))

    def _locate(self, words, first, begins):
        """Limit the wishes of a part to the things that it names, or to the last place if it says "it"."""
        says = max((at for at, word in enumerate(words) if "says" in word.roles), default=-1)
        whole = max((at for at in range(1, len(words)) if _whole(words, at)), default=-1)
        things = [at for at in range(says + 1, len(words)) if _thing(words, at)]
        if things and things[-1] < whole:
            things = []   # "the subject is too dark, please lighten the photo"
        if things and len(self.found) == first and not begins and first and not self.found[-1].where and _any(
                words[:2], "limits"):
            first -= 1   # "darken it, only on the statue"
        if things:
            start = things[0]
            while start and (words[start - 1].roles & {"article", "thing"} or words[start - 1].unknown):
                start -= 1
            self.place = self.request[words[start].start:words[things[-1]].end]
        elif any("generic" in word.roles and "pronoun" not in word.roles for word in words):
            self.place = None
        refers = things or any(word.text in ("it", "them") for word in words)
        for one in self.found[first:]:
            if refers or (not begins and one.kind != "nouns"):
                one.where = self.place

    def _cannot(self, words, begins):
        """Add the wish of a part that LDIE cannot grant; return whether there is one."""
        kind, at = next(((role, at) for at, word in enumerate(words) for role in CANNOT
                         if role in word.roles and not self.keeps), (None, 0))
        after = kind in ("removal", "replacement", "adding") and not words[at].text.endswith("ed")
        if kind is None and self.removes and not begins:
            kind, after = self.removes, True
        rest = words[at + 1:] if after else words
        if kind in ("removal", "replacement", "adding") and not _object(rest):
            kind = None
        if _any(words, "backdrop") and (kind in ("removal", "replacement") or _any(words, "changing")):
            kind = "background"
        self.removes = kind if kind in ("removal", "adding") else None
        if kind is None:
            return False
        things = [word for word in rest if "thing" in word.roles or word.unknown]
        where = self.request[things[0].start:things[-1].end] if things else None
        self.found.append(Found(kind, 1, replace(words[at], entry=("cannot", kind, 1)), where=where))
        return True

    def _turns(self, words):
        """Add the wish of a part that turns the photo; return whether there is one."""
        for attribute, role in (("rotate", "turns"), ("flip", "flips"), ("straighten", "levels")):
            word = _first(words, role)
            if word and not (word.text == "level" and any(other.entry for other in words)):
                sign = -1 if attribute != "straighten" and _any(words, "counter") else 1
                self.found.append(Found(attribute, sign, replace(word, entry=("turns", attribute, sign))))
                return True
        return False


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
            word.text in ("like", "as") and following.text in ("the", "if", "though", "it", "a")):
        return not complaint   # "darken it, as it is too red" has two wishes
    if word.text == "so":
        noun = following.entry is not None and following.entry[0] == "nouns"
        return noun or _is_thing(following) or bool(following.roles & {"subject", "generic"})
    return word.text == "to" and any(other.entry for other in before) and "wants" not in before[-1].roles and (
        following.text == "where" or bool(following.roles & {"aim", "begins"}))


def degree_of(words: list[Word]) -> tuple[str | int | float | None, str]:
    """Return the degree that a part names, and its unit; the degree is None if the part names none."""
    for before, word in pairwise([None, *words]):
        counts = before and (before.entry or before.text in ("by", "at", "to"))
        if word.number is not None and (word.unit or counts):
            return word.number, word.unit or "points"
    for word in reversed(words):
        for level in ("slight", "strong"):
            if level in word.roles:
                return level, "%"
    return None, "%"


def _first(words, role):
    return next((word for word in words if role in word.roles), None)


def _any(words, role):
    return _first(words, role) is not None


def _is_thing(word):
    return ("thing" in word.roles or word.unknown) and word.entry is None


def _describes(words, at):
    """Return whether an adjective only describes a thing: "the woman in the blue dress", "the dark room"."""
    if words[at].entry[0] not in ("states", "faults") or at + 1 == len(words) or not _is_thing(words[at + 1]):
        return False
    return not any(word.text in ("more", "less", "make", "too") for word in words[max(at - 2, 0):at])


def _thing(words, at):
    """Return whether the word at `at` names a part of the photo: a known thing, or an unknown word after "the"."""
    word = words[at]
    if word.entry or "generic" in word.roles:
        return False
    if "thing" in word.roles:
        return True
    before = next((words[place] for place in range(at - 1, -1, -1) if not words[place].entry), None)
    following = words[at + 1] if at + 1 < len(words) else None
    noun = following is not None and ((following.entry and following.entry[0] == "nouns") or following.unknown
                                      or "generic" in following.roles)
    return word.unknown and before is not None and "definite" in before.roles and not noun


def _whole(words, at):
    """Return whether the word at `at` is the whole photo as the object of a change: "lighten the photo"."""
    if "photo" not in words[at].roles:
        return False
    verb = next((word for word in reversed(words[:at]) if not word.roles & {"article", "generic"}), None)
    return verb is not None and verb.entry is not None and verb.entry[0] == "changes"


def _object(words):
    """Return whether the first noun of `words` is a thing, not an attribute or the whole photo."""
    for at, word in enumerate(words):
        if word.entry and not _describes(words, at):
            return False
        if _is_thing(word) and not (word.unknown and at + 1 < len(words) and words[at + 1].entry):
            return True
        if "generic" in word.roles and "pronoun" not in word.roles:
            return False
    return False


def _general(words, others):
    """Return the wish to enhance the photo, if a part of a sentence asks for it and names no thing to mend.

    `others`: whether the sentence has other wishes. After those, "and beautiful" only describes the wished result.
    """
    word = _first(words, "better")
    if word is None or (others and not word.roles & {"enhances", "repair"}) or (
            any(map(_is_thing, words)) and not ("enhances" in word.roles or word.text == "better")):
        return []
    return [Found("enhance", 1, word)]
