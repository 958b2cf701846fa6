"""Region phrases of a request: the words that name a part of the photo, such as "the man on the left"."""
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.requests.place_words import tokens_of
from core.requests.places import Place, PlaceParser
from core.requests.words import Word

ACTS = {"begins", "verbs", "command", "complain", "turn", "raise", "lower", "says", "slight", "strong", "keep",
        "negate", "repair", "generic", "better"}   # roles of words that are no adjectives of a thing
ADJECTIVES = ("old", "new", "nice", "good", "great", "real", "other", "own", "beautiful", "pretty", "lovely")
TONES = ("colour", "colour noun", "tone", "tone adjective")
PRONOUNS = ("me", "him", "her", "us", "them", "myself", "himself", "herself", "yourself", "he", "she", "we", "they",
            "i", "mate", "buddy", "folks", "folk", "everyone", "everybody", "anyone", "someone", "somebody", "partner")
BEGINNINGS = {"noun", "article", "all", "number", "order", "colour", "colour noun", "tone", "tone adjective", "size",
              "position", "area", "both"}
ZONES = ("shadows", "blacks", "midtones", "highlights", "whites")


@dataclass(frozen=True)
class RegionPhrase:
    """A region phrase: its Place, and its characters `start` to `end` in the request.

    `bare` is the first character after articles. `rest` marks "the rest" and "everything else".
    """

    place: Place
    start: int
    end: int
    bare: int
    rest: bool = False

    def holds(self, word: Word) -> bool:
        """Return whether the phrase holds a word of the request."""
        return self.start <= word.start and word.end <= self.end

    @property
    def colouring(self) -> bool:
        """Whether the phrase may name an attribute: "the shadows", "the reds"."""
        return self.place.kind in ("tone", "colour")

    @property
    def whole(self) -> bool:
        """Whether the phrase is the whole photo."""
        return self.place.kind == "photo" and not self.place.but


def region_phrases(request: str, words: Sequence[Word]) -> list[RegionPhrase]:
    """Return the region phrases in the words of a sentence, in their order; phrases for the whole photo are left out.

    Nouns that places.toml does not have count after an article only.
    """
    if not words:
        return []
    tokens = [token for token in _tokens(request) if token.start < words[-1].end and token.end > words[0].start]
    tokens = [_narrowed(tokens, at, words) for at in range(len(tokens))]
    found, at = [], 0
    while at < len(tokens):
        phrase = _phrase(request, tokens, at) if tokens[at].senses.keys() & BEGINNINGS or (
            at and "article" in tokens[at - 1].senses) else None
        if phrase is None:
            at += 1
            continue
        parsed, after = phrase
        if parsed and not parsed.whole:
            found.append(parsed)
        if parsed and parsed.colouring:   # "the yellow of the sky" may be the yellow, and its place is the sky
            after = next((next_ for next_ in range(at + 1, after) if "relation" in tokens[next_].senses
                          or tokens[next_].text == "of"), after)
        at = after
    return found


@functools.lru_cache(100)
def _tokens(request):
    return tokens_of(request)


def _phrase(request, tokens, at):
    """Return the region phrase that begins at a token, or None if its words name no place, and the next index."""
    parser = PlaceParser(tokens, at)
    place = parser.place()
    if place is None or parser.at == at:
        return None
    inside = tokens[at:parser.at]
    bare = next((token for token in inside if "article" not in token.senses or "noun" in token.senses), inside[0])
    phrase = RegionPhrase(place, inside[0].start, inside[-1].end, bare.start, any("rest" in t.senses for t in inside))
    known = any(token.senses.keys() & (BEGINNINGS - {"article", "all", "size"}) for token in inside)
    named = known or any("article" in token.senses for token in inside)
    return (phrase if named and not _only_addresses(inside, tokens, at, parser.at) else None), parser.at


def _only_addresses(inside, tokens, first, last):
    """Return whether a pronoun is no object of a change: "I", "help me", "hi folks"."""
    if len(inside) > 1 or inside[0].text not in PRONOUNS:
        return False
    before = tokens[first - 1] if first else None
    following = tokens[last] if last < len(tokens) else None
    if inside[0].text in ("i", "he", "she", "we", "they"):
        return following is None or "complains" not in following.senses
    changed = before is not None and ("changes" in before.senses or before.text in ("make", "on", "of", "in", "behind"))
    return not changed or (following is not None and following.text in ("a", "an", "the", "my", "this"))


def _narrowed(tokens, at, words):
    """Return a token without the senses that it cannot have, because its word names an attribute."""
    token = tokens[at]
    over = [word for word in words if word.start < token.end and token.start < word.end]
    roles = set().union(*(word.roles for word in over))
    entry = next((word.entry for word in over if word.entry), None)
    senses = dict(token.senses)
    part_of = len(over) == 1 and (over[0].start < token.start or token.end < over[0].end)   # of a phrase
    if entry and not (part_of and entry[1] in ZONES):
        allowed = TONES if _describes(tokens, at) and not part_of else ()
        senses = {sense: value for sense, value in senses.items() if sense in allowed or len(over) > 1}
        senses |= {"stop": True} | ({"changes": True} if entry[0] == "changes" else {})
    elif not senses and (roles & ACTS or not (token.unknown and (not roles or token.text in ADJECTIVES))):
        senses["stop"] = True
    elif roles & {"slight", "strong"} and "thing" not in roles:
        senses = {"size": senses["size"]} if "size" in senses else {"stop": True}
    if "complain" in roles or token.text in ("am", "look", "appear"):
        senses["complains"] = True
    return token if senses == token.senses else replace(token, senses=senses)


def _describes(tokens, at):
    """Return whether a colour or a tone belongs to a noun or an article: "the red car", "the blues", "anything red"."""
    before = tokens[at - 1] if at else None
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if following is not None and following.senses.keys() & {"area", "noun", "hue", "colour"}:
        return True
    if "tone adjective" in tokens[at].senses and "tone" not in tokens[at].senses:
        return False
    return before is not None and ("article" in before.senses or before.text in (
        "everything", "anything", "all", "every", "in", "wearing", "light", "dark", "bright"))
