"""The places of a sentence's wishes: which region phrase belongs to which wish, and which words describe a place."""
from itertools import pairwise

from core.requests.clauses import has, is_thing, names_photo, names_thing
from core.requests.found import SHADES, Found
from core.requests.region_phrases import RegionPhrase, region_phrases
from core.requests.words import Word

WAITS = ("make", "have", "let", "need", "needs", "want", "wants")   # commands whose wish may follow in the next part


class Locator:
    """Finds the places of the wishes of one sentence, part by part; the fields hold the state of earlier parts."""

    def __init__(self, request: str, words: list[Word], place: str | None = None) -> None:
        """Find the region phrases of a sentence of a request; `place` is the place of an earlier sentence's wish."""
        self.request = request
        phrases = region_phrases(request, words)
        self.phrases = [phrase for phrase in phrases if phrase.sound]
        self.others = [phrase for phrase in phrases if not phrase.sound]   # no places, such as "this photo of my dog"
        # "it" refers to the last place of a part; in another sentence, "it" may be the photo.
        self.place = place if any(word.text in ("them", "him", "her") for word in words) else None
        self.awaits = False      # after a command for a place without a wish: "make the dog more visible, lighter"
        self.excepted = []       # phrases that are left out: "turn everything but the car blue"
        self.placed = []         # phrases of tones and colours that are places, not attributes

    def in_phrase(self, word: Word) -> bool:
        """Return whether a word is inside a region phrase: "and" in "the man and the dog"."""
        return any(phrase.start < word.start < phrase.end for phrase in self.phrases
                   if phrase.known and not phrase.colouring)

    def described(self, word: Word, before: Word | None = None) -> bool:
        """Return whether a word only describes a region: "the red car", but not "the shadow of the car".

        `before` is the word before it. "Brighter plates" and "less yellow grass" are wishes for the region.
        """
        compared = word.entry is not None and (word.entry[0] == "changes" or (
            before is not None and before.text in ("less", "more", "too"))) and not (
            before is not None and "definite" in before.roles)
        return not compared and any(phrase.holds(word) for phrase in self.phrases if phrase.place.name != "shadow" and (
            (phrase.known and not phrase.colouring) or phrase in self.placed))

    def use_as_places(self, words: list[Word]) -> None:
        """Find the tones and colours of a part that are places: "make the shadows bluer", not "lift the shadows"."""
        for phrase in self.phrases:
            if not phrase.colouring or not words or not words[0].start <= phrase.start < words[-1].end:
                continue
            others = [word for word in words if word.entry and not phrase.holds(word)]
            attributes = {word.entry[1] for word in others if not word.text.startswith(("soft", "hard", "harsh"))
                          and not (word.entry[1] == "saturation" and "deepens" in word.roles)}   # "richer blacks"
            if phrase.place.kind == "tone":
                placed = attributes & {*SHADES, "saturation", "clarity", "noise", "sharpness"}
            else:
                placed = attributes and (not phrase.noun or (
                    phrase.start < phrase.bare and attributes & {"light", "contrast", "sharpness", "noise"}))
            if placed:
                self.placed.append(phrase)

    def locate(self, words: list[Word], found: list[Found], start: int, begins: bool) -> None:
        """Give the wishes of a part, `found` from `start` on, its region phrases, or the last place if it says "it".

        `begins`: whether the part has a verb. A place behind "without" belongs to the wishes behind it only.
        """
        proviso = next((at for at in range(1, len(words)) if words[at].text.startswith("without")
                        and not self.in_phrase(words[at])), len(words))
        middle = start + sum(one.word.end <= words[proviso].start for one in found[start:] if words[proviso:])
        if middle > start:
            self.locate(words[:proviso], found[:middle], start, begins)
            self.locate(words[proviso:], found, middle, False)
            return
        says = max((at for at, word in enumerate(words) if "says" in word.roles), default=-1)
        whole = max((at for at in range(1, len(words)) if names_photo(words, at)), default=-1)
        things = [at for at in range(says + 1, len(words)) if names_thing(words, at)
                  and not any(phrase.holds(words[at]) for phrase in self.others)]
        if things and things[-1] < whole:
            things = []   # "the subject is too dark, please lighten the photo"
        phrases = [phrase for phrase in self.phrases_of(words, says + 1) if phrase.end > (
            words[whole].start if whole >= 0 else 0)]
        named = bool(things or phrases)
        if named and len(found) == start and not begins and start and not found[-1].where and has(
                words[:2], "limits"):
            start -= 1   # "darken it, only on the statue"
        if phrases and has(words[:2], "excepts"):
            self.excepted.append(phrases[0])   # "turn everything but the car blue"
        if phrases:
            self.awaits = len(found) == start and (any(word.text in WAITS for word in words) or self._only_names(words))
            for one in found[start:]:
                one.where = self.text(_nearest(phrases, one, found[start:]))
            self.place = self.text(phrases[-1])
            return
        if things:
            begin = things[0]
            while begin and (words[begin - 1].roles & {"article", "thing"} or words[begin - 1].unknown):
                begin -= 1
            self.place = self.request[words[begin].start:words[things[-1]].end]
        elif any("generic" in word.roles and "pronoun" not in word.roles for word in words):
            self.place = None
        verb = next((word for word in words if "joint" not in word.roles), None)
        self.awaits = self.awaits and not (verb and "begins" in verb.roles and verb.text not in ("more", "less")
                                           and not verb.text.endswith("er"))
        refers = things or self.awaits or _lacks_object(words) or any(
            word.text in ("it", "its", "them") for word in words)
        self.awaits = self.awaits and len(found) == start
        earlier = found[start - 1].word.text if start else ""
        begins = has(words, "repair") or any(
            word.roles & {"begins", "turns", "levels", "flips"} and word.text not in ("more", "less")
            and not (earlier.endswith("er") and word.text.endswith("er")) for word in words)   # "brighter and warmer"
        for one in found[start:]:
            if refers or (not begins and one.kind != "nouns"):
                one.where = self.place

    def _only_names(self, words):
        """Return whether a part is only a place, which begins with an article: "her lips, redder"."""
        said = words["joint" in words[0].roles:]
        phrase = next((phrase for phrase in self.phrases if has(said[:1], "article") and phrase.known
                       and phrase.start <= said[0].start < phrase.end), None)
        return phrase is not None and not any(word.unknown or word.roles & {
            "begins", "complain", "verbs", "says", "repair"} for word in said if word.start >= phrase.end)

    def phrases_of(self, words: list[Word], first: int = 0) -> list[RegionPhrase]:
        """Return the region phrases in the words of a part from an index on, without those inside another."""
        if first >= len(words):
            return []
        things = [word for at, word in enumerate(words) if names_thing(words, at)]
        phrases = [phrase for phrase in self.phrases if words[first].start <= phrase.start < words[-1].end
                   and (phrase.known or any(map(phrase.holds, things)))
                   and (not phrase.colouring or phrase in self.placed)]
        return [phrase for phrase in phrases if not any(
            other is not phrase and other.start <= phrase.start and phrase.end <= other.end for other in phrases)]

    def text(self, phrase: RegionPhrase) -> str:
        """Return the words of a region phrase; "the rest" is everything but the last place."""
        words = self.request[phrase.start:phrase.end]
        if phrase in self.excepted:
            return f"everything but {self.request[phrase.bare:phrase.end]}"
        if self.place and words.lower() in ("them", "him", "her", "they", "he", "she"):
            return self.place
        before = [other for other in self.phrases if other.end <= phrase.start and not other.colouring]
        if phrase.rest and (before or self.place):
            return f"everything but {self.request[before[-1].bare:before[-1].end] if before else self.place}"
        return words


def _lacks_object(words):
    """Return whether "make" stands right before an adjective: "remove the purple from the sky and make blue"."""
    return any(one.text in ("make", "making") and two.entry and two.entry[0] in ("changes", "states")
               for one, two in pairwise(words)) and not any(map(is_thing, words))


def _nearest(phrases, one, found):
    """Return the region phrase of a wish: the next one before the following wish, else the last one before its word."""
    if len(phrases) == 1:
        return phrases[0]
    later = min((other.word.start for other in found if other.word.start > one.word.start), default=len(one.word.text)
                + phrases[-1].end)
    after = [phrase for phrase in phrases if one.word.start <= phrase.start < later]
    before = [phrase for phrase in phrases if phrase.end <= one.word.start]
    return after[0] if after and (one.kind == "changes" or not before) else (before or phrases)[-1]
