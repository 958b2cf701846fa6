"""Reads the wishes of one sentence: roles of earlier words set the direction of later words."""
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from core.requests.clauses import (
    NEAR,
    adds_tint,
    degree_of,
    describes,
    direction_of,
    first,
    forbids,
    has,
    is_noun,
    is_thing,
    purpose,
    tells_fault,
)
from core.requests.found import EFFECTS, MENDS, SHADES, STATED, UNWANTED, ZONES, Found
from core.requests.joining import join
from core.requests.locator import Locator
from core.requests.place import APART
from core.requests.places import read_place
from core.requests.region_phrases import region_phrases
from core.requests.thing_reader import SPARES, ThingReader
from core.requests.unstated import general_wish, repeated, thing_wished
from core.requests.wish import CANNOT, LEVELS, OF_THINGS
from core.requests.words import Word


class SentenceReader:
    """Reads the words of one sentence from left to right; the fields hold the state that earlier words set."""

    def __init__(self, request: str, earlier: Sequence[Found] = (), spoken: Sequence[Word] = ()) -> None:
        """Begin a sentence of a request.

        Words such as "reduce it" and "no, wait" may change the `earlier` wishes; "delete it" may refer to a thing among
        the words that are already `spoken`.
        """
        self.request, self.earlier, self.spoken = request, list(earlier), list(spoken)
        self.found = []
        self.direction = 0       # 1 after "increase", -1 after "reduce": applies to the next nouns
        self.complains = False   # after "it is": a state is a complaint
        self.commands = False    # after "make it": a state is a wish
        self.literal = False     # adjectives in front of things are complaints, too: "such a dim hall"
        self.wished = False      # after a wish: a state is no complaint
        self.asks = self.moody = False   # the sentence asks, or names a mood: a state is a wish
        self.keeps = False       # after "don't touch": attributes are to be kept
        self.without = False     # after "no": effects are to go
        self.turned = self.negated = False   # after "less" or "too"; after "not"
        self.places = Locator(request, [])
        self.things = ThingReader(request, self.spoken)
        self.scrapped = None     # the wish that a correction takes back: "sharper, no, softer"

    def read(self, words: list[Word]) -> list[Found]:
        """Return the wishes of a sentence; wishes in its purpose clause count only if there are no others."""
        first_, last = purpose(words)
        self.places = self._locator(words)
        self._parts(words[:first_] + words[last:])
        if self.found:
            return self.found
        for literal in (False, True):
            again = SentenceReader(self.request, self.earlier, self.spoken)
            again.literal, again.places = literal, self._locator(words)
            if again._parts(words):
                return again.found
        return thing_wished(self.request, words) if not self.earlier else []

    def _locator(self, words):
        """Return the Locator of a sentence."""
        earlier = (one.where for one in reversed(self.earlier) if one.attribute not in OF_THINGS)
        return Locator(self.request, words, next(earlier, None))

    def _parts(self, words):
        """Return the wishes of all parts of a sentence; parts that share a verb share degree and place."""
        parts = [[]]
        for word in words:
            if "joint" in word.roles and not self.places.in_phrase(word):
                parts.append([])
            parts[-1].append(word)
        self.turned |= has(words[:3], "before") and has(words[:NEAR], "complain")   # "the input is too dark"
        self.asks, self.moody = has(words, "asks") and not has(words, "repair"), has(words, "moods")
        groups, incomplete = [[]], False   # incomplete: a verb without an object, or nouns without a verb
        for part in parts:
            if part and "scraps" in part[0].roles:
                self._scrap()
            start = len(self.found)
            own = self._part(part)
            degree, unit = degree_of(part)
            of_last = len(self.found) == start > 0 and degree not in (None, *LEVELS)   # "..., raise them by 20%"
            if own and not (incomplete and part[0].text == "and") and not of_last:
                groups.append([])
            whole = has(part, "generic")
            words_left = [word for word in part if not word.roles & {"slight", "strong", "small"}]
            incomplete = not whole and len(words_left) == 1 if own else any(one.waits for one in self.found[start:])
            groups[-1].append((self.found[start:], whole, degree, unit))
            self.spoken += part
        for group in groups:
            place = next((one.where for found, *_ in reversed(group) for one in found
                          if one.attribute not in OF_THINGS), None)
            said = next(((degree, unit) for *_, degree, unit in group if degree is not None), ("plain", "%"))
            for found, whole, degree, unit in group:
                for one in found:
                    one.waits = one.waits and degree is None
                    one.where = one.where or (None if whole else place)
                    one.degree, one.unit = said if degree is None else (degree, unit)
        if self.scrapped and self.found and self.found[-1].waits:
            self.found[-1].turn(self.scrapped.sign * self.scrapped.pole)   # "less red, sorry, orange"
        if self.scrapped and not self.found:
            self.found.append(replace(self.scrapped, taken_back=True))   # "no, please": nothing takes its place
        return self.found

    def _scrap(self):
        """Take back the last wish: a correction follows."""
        for found in (self.found, self.earlier):
            if found:
                self.scrapped = found.pop()
                break
        self.direction, self.complains, self.keeps, self.turned, self.negated = 0, False, False, False, False

    def _part(self, words):
        """Read a part of the sentence; return whether it has a verb of its own."""
        start = len(self.found)
        if words and "joint" in words[0].roles:
            self.commands = self.without = False
            self.negated &= words[0].text not in (",", ":", "but")   # "not much: somewhat brighter"
            if words[0].text in ("with", "but") or (len(words) > 1 and words[1].text in ("a", "an")):
                self.direction, self.turned = 0, False   # "weaker colors with a cold tone"
        changes = any(word.entry and word.entry[0] == "changes" for word in words)
        if changes and "joint" in words[0].roles and not has(words, "turn"):
            self.turned = False   # "less haze, sharper hills"
        begins = any(word.roles & {"begins", "turns", "levels", "flips"} for word in words)
        self.places.use_as_places(words)
        named = any(word.entry and not self.places.described(word, before) for before, word in pairwise([None, *words]))
        if self._excepts(words, named):
            return False
        if not named and (again := repeated(words, [*self.earlier, *self.found], self.places)):
            self.found.append(again)
            return True
        kept = first(words, "unchanged") or (None if named or begins else first(words[-1:], "stays"))
        if not named and forbids(words):
            kept = words[0]
        if kept and not named:
            waiting = [one for one in self.found if one.waits]
            for one in waiting:   # "the contrast is perfect, leave it alone"
                one.turn(0)
            self.found += [] if waiting else [self._untouched(words, kept)]
        alone = begins or (named and has(words, "complain"))   # "remove the dog, the sky is too dark"
        if (kept and not named) or self._wishes_things(words, alone) or self._turns(words):
            return True
        for at, word in enumerate(words):
            if not ("keep" in word.roles and self.places.in_phrase(word)):   # "the man without a hat"
                self._note(words, at, start)
            flaw = self.literal and ("flaws" in word.roles or (word.entry and word.entry[0] == "faults"))
            described = self.places.described(word, words[at - 1] if at else None)
            if word.entry and not described and (flaw or not describes(words, at)):
                self._take(words, at)
            elif word.unit == "stops" and not named and not any(one.attribute in ZONES for one in self.found):
                self._take([replace(word, entry=("nouns", "light", 1))], 0)
            for role, sign in (("upward", 1), ("downward", -1)):
                moves = role in word.roles and not (at and "complain" in words[at - 1].roles)   # "the light is off"
                for one in self.found[start:] if moves else ():   # "take the contrast down"
                    if (one.named or one.kind is None) and one.sign and not (
                            sign > 0 and one.attribute in UNWANTED):
                        one.sign = sign * one.pole
        if has(words, "abandons"):
            dropped = {one.attribute for one in self.found[start:]}
            self.earlier = [one for one in self.earlier if one.attribute not in dropped]
            del self.found[start:]
            return True
        for one in self.found[start:] if has(words, "vanishes") else ():
            if one.named or one.attribute in SHADES:
                one.turn(-1)   # "the bluish tone must go"
        if kept or (has(words, "stays") and not self.negated):   # "brightness and warmth must stay"
            others = [one for one in self.found[:start] if one.waits and one.attribute not in STATED]
            for one in [*self.found[start:], *(others if words[0].text == "and" else [])]:
                one.turn(0)
        if len(self.found) == start:
            self._refer(words)
        self.found[start:] = join(words, self.found[start:], [*self.earlier, *self.found[:start]])
        self.places.locate(words, self.found, start, begins)
        if len(self.found) == start and not self.keeps:
            self.found += general_wish(words, bool(self.found), self.places)
        return begins or any(word.entry and word.entry[0] == "changes" for word in words)

    def _excepts(self, words, named):
        """Keep the last wish away from the thing of a part such as "except the sky"; return whether it is one.

        A part that has `named` an attribute limits a removal only: "remove everyone except the girl in focus".
        """
        last = next((one for one in reversed([*self.earlier, *self.found]) if one.sign and one.attribute not in CANNOT),
                    None)
        things = [word for word in words if is_thing(word)]
        negated = len(words) > 2 and words[1].text == "not" and words[2].roles & {"definite", "limits"} and not has(
            words, "begins")
        removal = next((word for word in reversed(self.spoken) if "removal" in word.roles), None)
        spared = removal and not named and any(word.text in SPARES for word in words[:2]) and not (
            has(words, "removal") or has(words, "rests"))   # "remove the people and leave the dog"
        begins = has(words[:2], "excepts")
        phrases = [phrase for phrase in region_phrases(self.request, words[1:]) if phrase.sound
                   and (begins or not phrase.colouring)]
        if not (begins or negated or spared) or not (things or phrases):
            return False
        if last is None and removal and (things or begins):   # "remove everything but the dog"
            last = Found("removal", 1, replace(removal, entry=("cannot", "removal", 1)))
            self.found.append(last)
        if last is None or (named and last.attribute != "removal"):
            return False
        if spared and last.where and phrases and _apart(read_place(last.where), phrases[0].place):
            return True   # "remove the people at the back, leave the girl in front"
        begin, end = (phrases[0].bare, phrases[-1].end) if phrases else (things[0].start, things[-1].end)
        thing = self.request[begin:end]
        if last.attribute not in OF_THINGS:
            self.found.append(replace(last, sign=0, where=thing, firm=True))
        where = f"{last.where} but not {thing}" if last.where not in (None, "everything") else f"everything but {thing}"
        last.where = last.where if last.where and last.where.endswith(f" {thing}") else where
        return True

    def _untouched(self, words, kept):
        """Return the wish of a part such as "leave it as it is"; "the sky stays" keeps the last attribute there."""
        last = next((one for one in reversed([*self.earlier, *self.found]) if one.sign and one.attribute not in (
            *OF_THINGS, "unchanged")), None)
        phrase = next(iter(self.places.phrases_of(words)), None)
        if not last or not phrase or not phrase.known or "forbids" in kept.roles or has(words, "rests"):
            return Found("unchanged", 1, kept, firm=not any(map(is_thing, words)))
        return replace(last, sign=0, where=self.places.text(phrase), waits=False, open=False, firm=True)

    def _refer(self, words):
        """Change an earlier wish by a part without an attribute of its own: "kill it", "no, less", "fix that"."""
        waiting = [one for one in [*self.earlier, *self.found] if one.waits and one.attribute in MENDS]
        last = next((one for one in reversed([*self.earlier, *self.found]) if one.attribute not in OF_THINGS), None)
        if has(words, "repair"):
            for one in waiting:
                one.mend()
        elif self.scrapped and (sign := direction_of(words)):
            self.scrapped.turn(sign)
            self.found.append(self.scrapped)
            self.scrapped = None
        elif last and last.named and last.sign and len(words) < NEAR and (sign := direction_of(words[-1:])) and not (
                has(words, "negate") or has(words, "keep") or any(map(is_thing, words))):
            last.turn(sign)   # "turn the highlights up, down"

    def _note(self, words, at, start):
        """Update the state by the roles of the word at `at` in a part, whose wishes begin at `start`."""
        word, following = words[at], words[at + 1] if at + 1 < len(words) else None
        roles = word.roles
        if "resume" in roles or ("joint" in roles and following and following.roles & {"begins", "verbs"}):
            self.keeps = False
        if "keep" in roles:
            self.keeps, self.direction, self.without = True, 0, "without" in roles
        emphasis = word.text == "so" and (self.complains or (following and "flaws" in following.roles))
        if "command" in roles and not emphasis:
            self.commands, self.complains, self.direction = True, False, 0
        if "complain" in roles:
            self.complains = not self.commands
            self.direction = 0 if at == 1 and "joint" in words[0].roles else self.direction   # "... and came out fuzzy"
        self.turned |= "turn" in roles and not (self.commands and "strong" in roles)   # "I want it awfully cold"
        self.negated |= "negate" in roles
        self.complains |= "negate" in roles and any(other.text == "enough" for other in words[at:])
        if word.text == "less" and not any(word.entry for word in words[at + 1:]) and any(
                one.open for one in self.found[start:]):
            self._direct(-1, start, [])   # "oranges less"
        off = word.text == "off" and at and "complain" in words[at - 1].roles   # "the colors are off"
        for role, direction in (("raise", 1), ("lower", -1), ("high", 1), ("low", -1)):
            if role in roles and not off and not (role == "lower" and self.keeps):
                complaint = role in ("high", "low") and (self.complains or self.turned) and not self.negated
                self._direct(-direction if complaint else direction, start, words[at + 1:])

    def _direct(self, direction, start, rest):
        """Give the direction to nouns that wait for one ("the contrast is low"), or else to the next nouns.

        Nouns of the same part, whose wishes begin at `start`, come first. Nouns of earlier parts follow only if no
        attribute follows in the `rest` of the part: "there is noise, reduce it".
        """
        targets = [one for one in self.found[start:] if one.open]
        if targets:   # "turn the brightness and the contrast up"
            targets += [one for one in self.found[:start] if one.waits]
        elif not any(word.entry for word in rest):
            targets = [one for one in self.found[:start] if one.open]
            targets = targets or [one for one in self.earlier if one.open][-1:]
            if not targets and any(word.text in ("it", "them") for word in rest):   # "don't lift blacks, lower them"
                targets = [one for one in self.found[:start] if one.named and one.sign == 0][-1:]
        for one in targets:
            one.turn(direction)
        self.direction = 0 if targets else direction
        self.complains = self.turned = self.negated = False

    def _take(self, words, at):
        """Add a wish for the word at `at` of a part, which names an attribute."""
        word = words[at]
        kind, attribute, sign = word.entry
        tint = kind == "states" and attribute in SHADES and has(words[at + 1:at + 3], "tints")
        noun = kind == "nouns" or tint or (kind == "states" and attribute in SHADES and is_noun(words, at))
        pole = sign
        unwanted = tint or attribute in UNWANTED
        if self.keeps:
            attribute = {"cast repair": "temperature"}.get(attribute, attribute)
            gone = tint or attribute in EFFECTS if noun else kind == "states"   # "no grain", "nothing sharp"
            sign = -sign if self.without and gone else 0
            if self.without and noun and sign == 0 and not self.found and not self.earlier:
                sign = pole   # "no contrast at all": a lack
            self.found.append(Found(attribute, sign, word, named=noun, pole=pole))
            return
        turned = self.turned != self.negated
        if noun:
            sign *= -1 if self.turned else self.direction or 1
        elif kind == "changes":
            sign *= -1 if turned else 1
        elif kind == "states":
            flaw = "flaws" in word.roles and not (self.commands or self.asks or self.wished)
            complaint = (self.complains or flaw) and not self.direction
            sign *= -1 if (self.turned or complaint) != self.negated else self.direction or 1
        waits = noun and not self.direction and not self.turned
        self.wished |= kind == "changes" or (not waits and (sign == pole or (noun and self.direction != 0)))
        firm = kind == "changes" or self.turned or self.complains or (
            self.commands if kind == "states" and not noun else not waits)
        one = Found(attribute, sign, word, waits=waits, firm=firm, open=waits, pole=pole, named=noun)
        one.blamed = kind == "faults" or (kind == "states" and sign == -pole and not any(
            word.text in ("less", "more", "not", "make") for word in words[max(at - 3, 0):at]))
        if tint and self.direction > 0 and tells_fault(words[:at]):
            one.sign = -pole   # "the tubes added a green tint"
        if waits and unwanted:
            wanted = (self.commands or self.moody or (tint and adds_tint(words, at)) or (
                attribute == "haze" and (has(words[:at], "verbs") or has(words[max(at - 3, 0):at], "slight"))))
            wanted = wanted and not self.complains
            one.sign, one.waits, one.blamed = pole if wanted else -pole, False, not wanted
        self.found.append(one)
        if not noun:   # "less brightness and contrast": "less" applies to both nouns
            self.turned = self.negated = False

    def _wishes_things(self, words, alone):
        """Add the wish of things of a part; return whether there is one. `alone`: it continues no earlier wish."""
        found = self.things.read(words, self.places, keeps=self.keeps, alone=alone,
                                 begun=bool(self.found or self.earlier))
        self.found += [found] if found else []
        return found is not None

    def _turns(self, words):
        """Add the wish of a part that turns the photo; return whether there is one."""
        for attribute, role in (("rotate", "turns"), ("flip", "flips"), ("straighten", "levels")):
            word = first(words, role)
            if word and not ("leans" in word.roles and any(other.entry for other in words)):
                sign = -1 if attribute != "straighten" and has(words, "counter") else 1
                turned = next((phrase for phrase in self.places.phrases_of(words) if attribute != "straighten"
                               and phrase.place.kind == "thing" and 0 < phrase.start - word.end < 3), None)
                where = turned and self.request[turned.start:turned.end]   # "rotate the dog" turns no photo
                self.found.append(Found(attribute, sign, replace(word, entry=("turns", attribute, sign)), where=where))
                return True
        return False


def _apart(place, other):
    """Return whether two places are on opposite sides of the photo, so that one is no exception of the other."""
    return any(one in place.positions and two in other.positions for pair in APART for one, two in (pair, pair[::-1]))
