"""Region phrases of a request: the words that name a part of the photo, such as "the man on the left"."""
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.requests.place import Place
from core.requests.place_parser import EVERYTHING, PlaceParser
from core.requests.place_words import tokens_of
from core.requests.token_cursor import SUBJECTS
from core.requests.words import Word, is_attribute

ACTS = {"begins", "verbs", "command", "complain", "turn", "raise", "lower", "says", "slight", "strong", "keep",
        "negate", "repair", "generic", "better"}   # roles of words that are no adjectives of a thing
ADJECTIVES = ("old", "new", "nice", "good", "great", "real", "other", "own", "beautiful", "pretty", "lovely")
TONES = ("colour", "colour noun", "tone", "tone adjective")
PRONOUNS = ("me", "him", "her", "us", "them", "myself", "himself", "herself", "yourself", "he", "she", "we", "they",
            "i", "mate", "buddy", "folks", "folk", "everyone", "everybody", "anyone", "someone", "somebody", "partner")
COLOURED = ("colored", "coloured", "toned")
OBJECTS = ("thing", "things", "object", "objects", "item", "items")
POSSESSIVES = ("its", "his", "her", "their", "my", "our", "your")
BEGINNINGS = {"noun", "article", "all", "number", "order", "colour", "colour noun", "tone", "tone adjective", "size",
              "position", "area", "both"}
ZONES = ("shadows", "blacks", "midtones", "highlights", "whites")


@dataclass(frozen=True)
class RegionPhrase:
    """A region phrase: its Place, and its characters `start` to `end` in the request.

    `bare` is the first character after articles. `rest` marks "the rest" and "everything else"; `noun` a colour that
    is named by a noun that may be an attribute: "the reds", "red tones", but not "anything red". `thing` marks a colour
    that only describes a thing: "the green object". `known` is False for a noun that places.toml does not have, unless
    a colour describes it: "the black bar". `sound` is False for words that name no place of a wish: the whole photo,
    "than the sky", "help me".
    """

    place: Place
    start: int
    end: int
    bare: int
    rest: bool = False
    noun: bool = False
    thing: bool = False
    known: bool = True
    sound: bool = True

    def holds(self, word: Word) -> bool:
        """Return whether the phrase holds a word of the request."""
        return self.start <= word.start and word.end <= self.end

    @property
    def colouring(self) -> bool:
        """Whether the phrase may name an attribute: "the shadows", "the reds"."""
        return self.place.kind in ("tone", "colour") and not self.thing


def region_phrases(request: str, words: Sequence[Word]) -> list[RegionPhrase]:
    """Return the region phrases in the words of a sentence, in their order.

    Nouns that places.toml does not have count after an article only.
    """
    if not words:
        return []
    tokens = [token for token in _tokens(request) if token.start < words[-1].end and token.end > words[0].start]
    tokens = [_narrowed(tokens, at, words) for at in range(len(tokens))]
    found, at = [], 0
    while at < len(tokens):
        if tokens[at].text == "that" and not (at + 1 < len(tokens) and "noun" in tokens[at + 1].senses
                                              and tokens[at + 1].text not in EVERYTHING):
            at += 1
            continue
        if tokens[at].text in ("a", "an"):   # "a blue sky" is a wish for blue
            at += 1
            while at < len(tokens) and ("colour" in tokens[at].senses or tokens[at].text == "couple"):
                at += 1
            continue
        phrase = _phrase(request, tokens, at) if tokens[at].senses.keys() & BEGINNINGS or (
            at and "article" in tokens[at - 1].senses) else None
        if phrase is None:
            at += 1
            continue
        parsed, after = phrase
        if any(word.unit for word in words if parsed.holds(word)):
            parsed = replace(parsed, sound=False)
        found.append(parsed)
        if parsed.colouring:   # "the yellow of the sky" may be the yellow, and its place is the sky
            after = next((next_ + 1 for next_ in range(at + 1, after) if "relation" in tokens[next_].senses
                          or tokens[next_].text == "of"), after)
        at = after
    return found


@functools.lru_cache(100)
def _tokens(request):
    return tokens_of(request)


def _phrase(request, tokens, at):
    """Return the region phrase that begins at a token and the index after it, or None."""
    parser = PlaceParser(tokens, at)
    place = parser.place()
    if place is None or parser.at == at:
        return None
    following = tokens[parser.at].senses if parser.at < len(tokens) else {}
    if place.also and following.keys() & {"complains", "attribute"} and any(
            token.senses.keys() & {"changes", "removes"} for token in tokens[:at]):   # "zap the dog, the cat is dim"
        joints = [index for index in range(at, parser.at) if "and" in tokens[index].senses or tokens[index].text == ","]
        return _phrase(request, tokens[:joints[-1]], at)
    inside = tokens[at:parser.at]
    first = next((token for token in inside if token.text != "all" and (
        "article" not in token.senses or "noun" in token.senses)), inside[0])
    phrase = RegionPhrase(place, inside[0].start, inside[-1].end, first.start,
                          any("rest" in token.senses for token in inside),
                          not any("area" in token.senses or token.text in EVERYTHING for token in inside),
                          place.kind == "colour" and any(token.text in OBJECTS for token in inside))
    before = tokens[at - 1] if at else None
    photos = [token.senses.get("noun", ("",))[0] == "photo" and token.text not in EVERYTHING for token in inside]
    if (before is not None and before.text in ("than", "like", "as")) or (
            place.kind in ("area", "background", "subject") and (photos[0] or any(
                photo and "position" in token.senses for token, photo in zip(inside[:-1], photos[1:], strict=True)))):
        sound = False   # "darker than the sky", "the left picture", "picture on the left"
    elif place.name == "one" or (place.kind in ("area", "background", "subject") and not phrase.rest and not any(
            "noun" in token.senses and place.kind != "area" for token in inside)):
        sound = place.name != "one" and (any(token.senses.keys() & {"article", "area"} for token in inside) or (
            before is not None and "relation" in before.senses))
    elif phrase.rest:
        sound = any("article" in token.senses for token in inside) or inside[-1].text.endswith("else")
    else:
        sound = not _only_addresses(inside, tokens, at, parser.at)
    bare = before is not None and not any("article" in token.senses for token in inside) and not (
        before.senses.keys() & {"relation", "changes"})
    if (place.kind == "unknown" and bare) or any(token.text == "i" for token in inside):
        sound = False   # "would suit it", "from the indoor lamps", "that I can't stand"
    known = phrase.colouring or any(token.senses.keys() & {"noun", "area"} for token in inside)
    if place.kind == "unknown" and not any("noun" in token.senses for token in inside):
        sound = sound and not (parser.at < len(tokens) and tokens[parser.at].text in SUBJECTS)   # "the film I used"
        known = place.colour is not None and "article" in inside[0].senses
    whole = place.kind == "photo" and not place.but
    return replace(phrase, known=known, sound=bool(sound) and not whole), parser.at


def _only_addresses(inside, tokens, first, last):
    """Return whether a pronoun is no object of a change: "I", "help me", "hi folks"."""
    if inside[0].text not in PRONOUNS or (len(inside) > 1 and "article" in inside[0].senses):
        return False
    before = tokens[first - 1] if first else None
    following = tokens[last] if last < len(tokens) else None
    if inside[0].text in ("them", "they"):   # they refer to a place that is named before, or to the colours
        return True
    if inside[0].text in ("i", "he", "she", "we"):
        begins = before is None or "and" in before.senses or before.text in (",", "but")
        return not begins or following is None or "complains" not in following.senses
    changed = before is not None and (before.senses.keys() & {"changes", "removes"} or before.text in (
        "make", "on", "of", "in", "behind"))
    degree = last + 1 < len(tokens) and tokens[last + 1].text in ("bit", "little", "lot", "touch", "tad", "shade")
    return not changed or (following is not None and following.text in ("a", "an", "the", "my", "this") and not degree)


def _narrowed(tokens, at, words):
    """Return a token without the senses that it cannot have, because its word names an attribute."""
    token = tokens[at]
    if token.text == "shadow" and at and (tokens[at - 1].owns or tokens[at - 1].text in POSSESSIVES) and not (
            at + 1 < len(tokens) and tokens[at + 1].senses.keys() & {"area", "noun"}):
        return token   # "the cat and its shadow", but not "her shadow side"
    over = [word for word in words if word.start < token.end and token.start < word.end]
    over = [word for word in over if token.start <= word.start and word.end <= token.end] or over   # "zap the dog out"
    if not over:   # words of a phrase without a meaning
        return token if "article" in token.senses else replace(token, senses={"stop": True})   # "on the left side"
    roles = set().union(*(word.roles for word in over))
    entry = next((word.entry for word in over if word.entry), None)
    senses = dict(token.senses)
    if "generic" in roles and senses.get("noun", ("",))[0] in ("unknown", "thing"):
        senses["noun"] = ("photo", "photo", 1)   # "this poster", "the scan"
    if "except" in senses and not _lacks(tokens, at):   # the reader makes a wish of its own of an exception
        return replace(token, senses={"stop": True})
    if "except" in senses:
        return token
    if not entry and _colours(tokens, at):
        return replace(token, senses={})
    replaced = any((word.start < token.start or token.end < word.end) and word.text.strip() != token.text
                   for word in over)
    placed = "place" in roles and not entry   # "in the back" is a phrase of keywords.toml
    if replaced and not (entry and entry[1] in ZONES) and "thing" not in roles and not placed:
        senses = {"stop": True} | ({"attribute": True} if entry else {})
    elif entry and not replaced:
        allowed = TONES if _describes(tokens, at) else ()
        senses = {sense: value for sense, value in senses.items() if sense in allowed or len(over) > 1}
        senses |= {"stop": True, "attribute": True} | ({"changes": True} if entry[0] == "changes" else {})
    elif not senses and (roles & ACTS or not (token.unknown and (not roles or token.text in ADJECTIVES))):
        senses["stop"] = True
    elif roles & {"slight", "strong"} and "thing" not in roles and not (
            token.text == "far" and at + 1 < len(tokens) and tokens[at + 1].senses.keys() & {"relation", "position"}):
        noun = next((token for token in tokens[at + 1:] if "colour" not in token.senses), None)
        noun = noun is not None and "noun" in noun.senses
        senses = {"size": senses["size"]} if "size" in senses and noun else {"stop": True}
    if "complain" in roles or token.text in ("am", "look", "appear"):
        senses["complains"] = True
    if "removal" in roles:
        senses["removes"] = True
    return token if senses == token.senses else replace(token, senses=senses)


def _lacks(tokens, at):
    """Return whether "without" tells of a thing that a person or an animal lacks: "the man without a hat"."""
    begin = next((place for place in range(at + 1, len(tokens)) if "article" not in tokens[place].senses), 0)
    return bool(begin and at) and tokens[at].text in ("without", "with no") and (
        tokens[at - 1].senses.get("noun", ("",))[0] == "thing" and tokens[begin].senses.get("noun", ("",))[0] in (
            "thing", "unknown") and not is_attribute(tokens[begin].text))


def _colours(tokens, at):
    """Return whether a word belongs to the adjectives of a noun: "colored" in "the lighter colored coat", "stripped"
    in "the white stripped shirt"."""
    before, following = tokens[at - 1] if at else None, tokens[at + 1] if at + 1 < len(tokens) else None
    if before is None or following is None or not following.senses.keys() & {"noun", "area"}:
        return False
    coloured = before.senses.keys() & {"colour", "tone adjective"}
    described = before.senses.keys() & {"colour", "size", "position"}
    return bool(coloured if tokens[at].text in COLOURED else tokens[at].text.endswith("ed") and described)


def _describes(tokens, at):
    """Return whether a colour or a tone belongs to a noun or an article: "the red car", "the blues", "anything red"."""
    before = tokens[at - 1] if at else None
    following = next((token for token in tokens[at + 1:] if token.text not in COLOURED), None)
    if following is not None and following.senses.keys() & {"area", "noun"}:
        return True
    if "tone adjective" in tokens[at].senses and "tone" not in tokens[at].senses:
        return following is not None and following.text in ("tones", "pixels")
    if following is not None and following.senses.keys() & {"hue", "colour"}:
        return True
    return before is not None and ("article" in before.senses or before.text in (
        "everything", "anything", "all", "every", "in", "wearing", "light", "dark", "bright"))
