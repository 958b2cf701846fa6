"""The words of a place with their senses in places.toml: "left" is a position, "people" are all things of a class."""
import functools
import re
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files

from core.requests.spelling import SlipCorrector
from core.requests.words import is_known

LONGEST = 4      # words of the longest phrase of places.toml
_WORD = re.compile(r"[a-z]+(?:[-'’`][a-z]+)*['’`]?|\d+(?:st|nd|rd|th)?|[,&]|[^\sa-z\d,&'’`\"“”()\[\]*_-]")
_NO_OWNERS = {"it", "that", "there", "what", "here", "he", "she", "let", "who"}   # "it's" is no owner
_LISTS = {"both": "both", "articles": "article", "all": "all", "main": "main", "relative": "relative", "and": "and",
          "except": "except", "stops": "stop", "polite": "polite"}


@dataclass(frozen=True)
class Token:
    """A word or a phrase of a place in lower case, and its characters `start` to `end` in the text.

    `senses` are the lists of places.toml that hold it, with a value: {"position": "left"}. The value of "noun" is
    (kind, name, count) as in Place. `owns` marks "dog's": the next noun is a part of this one.
    """

    text: str
    start: int
    end: int
    senses: dict[str, object] = field(default_factory=dict)
    owns: bool = False

    @property
    def unknown(self) -> bool:
        """Whether places.toml does not have the word."""
        return not self.senses and self.text[0].isalpha()


@functools.cache
def wholes() -> dict[str, str]:
    """Return the stuff whose parts have names of their own, by part: {"grass": "plants"}."""
    return {part: whole for whole, parts in _page("places.toml")["stuff_parts"].items() for part in parts.split(", ")}


def tokens_of(text: str) -> list[Token]:
    """Return the words and phrases of a text, any text."""
    lower = text.lower()[:len(text)]
    words = [(found[0], found.start(), found.end()) for found in _WORD.finditer(lower)]
    senses, _, firsts = _lexicon()
    tokens, at = [], 0
    while at < len(words):
        word, start, end = words[at]
        plain, owns = _plain(word)
        length = 1
        if plain in firsts:
            for more in range(min(LONGEST, len(words) - at), 1, -1):
                last, owned = _plain(words[at + more - 1][0])
                phrase = " ".join((plain, *(other for other, *_ in words[at + 1:at + more - 1]), last))
                if phrase in senses and not owns:
                    length, plain, owns, end = more, phrase, owned, words[at + more - 1][2]
                    break
        known = senses.get(plain) if length > 1 or not plain.isalpha() else _known(plain)
        digits = plain.rstrip("stndrh")
        if digits.isdecimal() and len(digits) < 3:
            known = {"number" if digits == plain else "order": int(digits)}
        tokens.append(Token(plain, start, end, known or {}, owns))
        at += length
    return tokens


def _plain(word):
    """Return a word without the ending of an owner, and whether it has one."""
    plain = re.sub(r"['’`]s$|(?<=s)['’`]$|['’`]$", "", word)
    return (word, False) if plain in _NO_OWNERS else (plain, plain != word)


@functools.lru_cache(10_000)
def _known(word):
    """Return the senses of a single word, of its corrected spelling, or none."""
    senses, correct, _ = _lexicon()
    if word in senses or word.isdigit() or is_known(word):
        return senses.get(word)
    meant = correct(word)   # "cheeky" is no cheek, and "globe" no glove
    found = senses.get(meant) if meant[0] + meant[-1] == word[0] + word[-1] else None
    return found if found and found["noun"][0] != "unknown" else None


@functools.cache
def _lexicon():
    """Return {words: senses}, the corrector of single words, and the first words of phrases."""
    page = _page("places.toml")
    senses = {}

    def add(words, sense, value=True):
        for word in words.split(", "):
            senses.setdefault(word, {}).setdefault(sense, value)

    irregular = {}
    for plural, singular in page["plurals"].items():
        irregular.setdefault(singular, []).append(plural)
    for table, count in (("pronouns", 1), ("groups", None), ("pairs", 2)):
        for name, words in page[table].items():
            add(words, "noun", ("thing", name, count))
            add(words, table.removesuffix("s"))
    for kind, name, words, countable in _nouns(page):
        for word in words.split(", "):
            add(word, "noun", (kind, name, 1))
            for plural in irregular.get(word, [_plural(word)]):
                add(plural, "noun", (kind, name, None if countable else 1))
    for sense in ("tones", "tone_adjectives", "colours", "positions", "relations"):
        for name, words in page[sense].items():
            add(words, {"tone_adjectives": "tone adjective"}.get(sense, sense.removesuffix("s")), name)
    for words in page["colour_lists"]["nouns"].split(", "):
        add(words, "colour noun", senses[words.removesuffix("s")]["colour"])
    add(page["colour_lists"]["shades"], "shade")
    add(page["colour_lists"]["tones"], "hue")
    for name, words in page["areas"].items():
        for word in words.split(", "):
            add(word, "area", name)
            add(_plural(word), "area", name)
    for listed, sense in _LISTS.items():
        add(page["words"][listed], sense)
    for word in page["unknown"]["clothes"].split(", "):
        add(f"{word}, {_plural(word)}", "clothes")
    add(page["unknown"]["covers"], "covers")
    add(page["wholes"]["rest"], "rest")
    for listed, size in (("bigger", 1), ("smaller", -1)):
        add(page["words"][listed], "size", size)
    for listed, sense in (("numbers", "number"), ("orders", "order")):
        for number, word in enumerate(page["words"][listed].split(", ")):
            add(word, sense, number)
    ordinary = _page("keywords.toml")["ordinary"].split()
    nouns = [word for word, found in senses.items() if "noun" in found and word.isalpha()]
    firsts = frozenset(words.split()[0] for words in senses if " " in words)
    return senses, SlipCorrector(nouns, [*ordinary, *senses]), firsts


def _nouns(page):
    """Yield kind, name, singular words, and whether their plural means several, of all nouns."""
    lists = page["stuff_lists"]
    for name in ("photo", "subject", "background"):
        yield name, name, page["wholes"][name], False
    for name, words in page["things"].items():
        yield "thing", name, words, True
    for name, words in page["stuff"].items():
        yield "stuff", name, words, name in lists["countable"].split(", ")
    for word in page["unknown"]["nouns"].split(", "):
        yield "unknown", word, word, word not in page["unknown"]["mass"].split(", ")


def _plural(word):
    """Return the plural of a noun or of a phrase that ends in one."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeou" else word + "s"


def _page(name):
    return tomllib.loads(files("core.requests").joinpath(name).read_text(encoding="utf-8"))
