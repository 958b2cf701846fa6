"""Reads the wishes of things of a sentence: "remove the man and the dog", "no cars", "add a boat"."""
from collections.abc import Sequence
from dataclasses import replace

from core.requests.clauses import NEAR, has, has_object, is_thing, names_thing, rids
from core.requests.found import Found
from core.requests.locator import Locator
from core.requests.place_parser import NEARER
from core.requests.place_words import tokens_of
from core.requests.region_phrases import region_phrases
from core.requests.unstated import PLACED
from core.requests.wish import OF_THINGS
from core.requests.words import Word

EVERYONE = ("everything", "everyone", "everybody")
RIDS = ("rid", "strip")   # verbs that free a thing of an attribute: "rid the wall of the green cast"
WITH_OBJECT = ("removal", "replacement", "adding")   # wishes that need the name of a thing
ORDINALS = ("first", "second", "third", "fourth", "fifth")
SPARES = ("keep", "keeping", "leave", "leaving", "spare", "sparing", "preserve", "retain", "dont")   # a removal leaves


class ThingReader:
    """Reads the parts of one sentence for wishes of things; a part may continue the wish of the part before."""

    def __init__(self, request: str, spoken: Sequence[Word]) -> None:
        """Begin a sentence of a request; `spoken` is the list of all words before a part, which the caller extends."""
        self.request, self.spoken = request, spoken
        self.last = None   # kind of the last part's wish: "and the dog" continues "remove the man"

    def read(self, words: list[Word], places: Locator, *, keeps: bool, alone: bool, begun: bool) -> Found | None:
        """Return the wish of things of a part, or None.

        Args: the `words` of the part; `places`, the Locator of the sentence; `keeps`, whether attributes are to be
        kept, so that no verb asks for a change; `alone`, whether the part continues no earlier wish; `begun`, whether
        the request has other wishes before.
        """
        kind, at, after = self._stated(words, places, keeps, alone)
        rest = words[at + 1:] if after else words
        named = self._object(words, at, places, after) if kind == "removal" else None
        if kind == "removal" and named is None and rest and rest[0].text in EVERYONE and all(
                word.roles & {"article", "place", "photo"} for word in rest[1:]):   # an exception follows
            return Found(kind, 1, replace(words[at], entry=("cannot", kind, 1)), where=rest[0].text)
        if kind == "removal":
            rest = [word for word in rest if word.text not in ORDINALS]
        if kind in WITH_OBJECT and named is None and not (
                has_object(rest) if after else has_object(list(reversed(words[:at])) or rest)):
            kind = None
        if kind is None and not any(word.entry for word in words):
            kind, at, rest = self._absent(words, places, begun)
        if kind == "removal" and has(words, "retouching"):
            kind = "retouching"
        looks = any(word.entry and word.entry[0] in ("nouns", "changes") and "soft" not in word.text for word in words)
        if (kind in ("deformation", "style", "retouching") and looks) or (
                kind == "removal" and words[at].text.startswith(RIDS) and rids(rest)):
            kind = None   # "a thinner fog", "rid the picture of noise"
        things = [word for word in rest if ("thing" in word.roles or word.unknown) and word.text not in NEARER]
        phrases = [phrase for phrase in places.phrases_of(words) if named is None]
        phrase = named or next((phrase for phrase in phrases if kind == "crop" or (things and (
            phrase.holds(things[0]) or self._follows(phrase, words[at])))), None)
        if has(words, "backdrop") and (kind in ("removal", "replacement") or has(words, "changing")) and not (
                self._is_before_backdrop(kind, rest, things) if phrase is None or not phrase.known else
                phrase.place.kind != "background" and (
                    kind == "removal" or (kind == "replacement" and self._is_said(words[at])))):
            kind = "background"   # but "remove the people in the background" is a removal
        self.last = kind if kind in ("removal", "adding") else None
        if kind is None:
            return None
        if kind == "removal" and (not any(map(is_thing, rest)) or (
                named and self.request[named.start:named.end].lower() in ("him", "her"))):
            phrase = self._referred(words) or phrase
        where = self.request[things[0].start:things[-1].end] if things else None
        where = self.request[phrase.bare:phrase.end] if phrase else where
        return Found(kind, 1, replace(words[at], entry=("cannot", kind, 1)), where=where)

    @staticmethod
    def _object(words, at, places, after):
        """Return the region phrase directly `after` the verb at `at`, or before it; None without one."""
        phrases = places.phrases_of(words, at + 1 if after else 0)
        phrase = next((phrase for phrase in phrases if after or phrase.end <= words[at].start), None)
        if phrase is None or phrase.rest or phrase.colouring or phrase.place.name == "shadow":
            return None   # "remove the shadow" is a wish for light
        following = next((word for word in words if word.start >= phrase.end), None)
        # "The sun's brightness" and "the hi-vis yellow" are attributes.
        light = following is not None and following.entry and following.entry[0] in ("nouns", "states")
        if not after:
            told = any(word.entry and not places.described(word) for word in words[:at]) or any(
                "thing" in word.roles for word in words[:at] if word.end <= phrase.start)
            return None if told else phrase   # "the curator says that the green cast must be removed"
        between = [word for word in words[at + 1:] if word.end <= phrase.start]
        return None if light or any(
            word.entry or is_thing(word) or "place" in word.roles for word in between) else phrase

    def _is_said(self, word):
        """Return whether the request has the word itself, not a phrase with its meaning: "bg" for "replace ..."."""
        return self.request[word.start:word.end].lower()[:4] == word.text[:4]

    @staticmethod
    def _is_before_backdrop(kind, rest, things):
        """Return whether a removal means an unknown thing: "the gnomes in the background"."""
        return kind == "removal" and bool(things) and "backdrop" not in things[0].roles and any(
            word.text in ("in", "on", "from") and word.start > things[0].start for word in rest)

    def _referred(self, words):
        """Return the last person who is named before a pronoun: "the man makes it unusable, take him out".

        Nobody asks to remove "my friend" by a pronoun."""
        if not any(word.text in ("him", "her", "them") for word in words):
            return None
        named = [phrase for phrase in region_phrases(self.request, self._unspared()) if phrase.sound
                 and not self.request[phrase.start:phrase.end].lower().startswith(("my ", "our "))]
        return next((phrase for phrase in reversed(named) if phrase.place.name == "person"), None)

    def _stated(self, words, places, keeps, alone):
        """Return the kind of a wish and the index of its verb or noun, and whether the thing's words follow it."""
        kind, at = next(((role, at) for at, word in enumerate(words) for role in OF_THINGS
                         if role in word.roles and not keeps), (None, 0))
        if kind is None and self.last and not alone and self._lists_a_thing(words, places):
            return self.last, at, True
        return kind, at, kind in WITH_OBJECT and not words[at].text.endswith("ed")

    def _follows(self, phrase, verb):
        """Return whether a region phrase follows the first word of a verb around it: "photoshop the lady out"."""
        return self.request[verb.start:verb.end].lower() != verb.text and (
            len(self.request[verb.start:phrase.start].split()) == 1)

    def _absent(self, words, places, begun):
        """Return the kind, the index and the words of a wish that a thing shall not be there: "no cars", "cars out"."""
        for at, word in enumerate(words):
            if "absent" in word.roles and not places.in_phrase(word) and has_object(words[at + 1:at + 4]):
                return "removal", at, words[at + 1:]
            strong = "vanishes" in word.roles and any(map(is_thing, words))
            last = 0 < at == len(words) - 1 < NEAR - 1   # "chimney gone"
            if strong or ("gone" in word.roles and any(
                    names_thing(words, before) or (last and is_thing(words[before])) for before in range(at))):
                return "removal", at, words
            alone = not any(map(is_thing, words)) and not begun
            if alone and word.roles & {"removal", "gone", "vanishes"} and any(map(is_thing, self._unspared())):
                return "removal", at, list(filter(is_thing, self._unspared()))   # "there is a fly, zap it"
        return None, 0, words

    def _lists_a_thing(self, words, places):
        """Return whether a part may add a thing to those of a removal: not "and keep the dog", "and from the left"."""
        phrases, said = places.phrases_of(words), words["joint" in words[0].roles:]
        begin = tokens_of(self.request[said[0].start:said[-1].end])[:1] if said else []
        doing = not has(said, "thing") and all(word.text.endswith("ing") for word in said)   # "kissing and hugging"
        return not (doing or has(words[:2], "keep") or any(word.text in (*PLACED, "with") for word in words[:2])
                    or has(said[:1], "repair") or any("relation" in token.senses for token in begin)
                    or (phrases and all(phrase.place.kind == "area" for phrase in phrases)))

    def _unspared(self):
        """Return the words of the sentence before its first word of SPARES, such as "keep"."""
        end = next((at for at, word in enumerate(self.spoken) if word.text in SPARES), None)
        return self.spoken[:end]
