"""The words of a request with their positions, their entries and their roles in keywords.toml."""
import functools
import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from types import SimpleNamespace

from core.requests.spelling import SlipCorrector

KINDS = ("nouns", "changes", "states", "faults")
MOST_NUMBER = 1_000_000      # larger numbers are clipped, so that every degree is finite
UNITS = {"%": "%", "stop": "stops", "ev": "stops", "point": "points", "degree": "degrees", "°": "degrees"}
_NUMBER = r"(?:(?<![\w.])[-+−–] ?)?\d+(?:\.\d+)? ?(?:%|stops?\b|ev\b|points?\b|degrees?\b|°)?"
_EDGE = r"(?:(?<!\w)|(?!\w))"   # not inside a word
_WORD = r"\b"                   # quicker; for phrases that begin with a word
_MARKS = (":", "\\+", "(?:^")   # beginnings of phrases that begin with a mark
_TOKEN = re.compile(rf"{_NUMBER}|[a-z][a-z-]*|[,&]")


@dataclass(frozen=True)
class Word:
    """A word of a request, corrected and in lower case, and its characters `start` to `end` in the request.

    `entry` is (kind, attribute, sign) for a word that names an attribute; `roles` are the roles and lists that hold
    the word; `number` and `unit` belong to a number, whose unit is None if the request gives none.
    """

    text: str
    start: int
    end: int
    entry: tuple[str, str, int] | None = None
    roles: frozenset[str] = frozenset()
    number: float | None = None
    unit: str | None = None

    @property
    def unknown(self) -> bool:
        """Whether the rules know nothing about this word."""
        return self.entry is None and not self.roles and self.number is None and len(self.text) > 1


def split(request: str) -> list[list[Word]]:
    """Return the words of each sentence of a request, any text, after the phrases of keywords.toml are replaced."""
    rules = _rules()
    text = request.lower()[:len(request)]   # some capitals have two letters in lower case
    text, places = _replaced(text, list(range(len(text))), re.compile("colour"), "color")
    text, places = _replaced(text, places, re.compile("['’`]"), "")
    for pattern, meaning in rules.phrases:
        text, places = _replaced(text, places, pattern, meaning)
    sentences, start = [], 0
    for end in [*re.finditer(r"[;!?\n]+|\.+(?!\d)", text), None]:
        found = _TOKEN.finditer(text, start, len(text) if end is None else end.start())
        words = [rules.word(part[0], places[part.start()], places[part.end() - 1] + 1) for part in found]
        sentences.append(words)
        start = len(text) if end is None else end.end()
    return [words for words in sentences if words]


def is_known(word: str) -> bool:
    """Return whether the rules know a single word in lower case, after the correction of its spelling."""
    return not _rules().word(word, 0, 0).unknown


def respelt(request: str, words: Collection[str]) -> str:
    """Return a request in which the spelling of some `words`, in lower case, is corrected, where the rules can."""
    def correct(found):
        word = found[0].lower()
        return _rules().word(word, 0, 0).text if word in words else found[0]
    return re.sub(r"[^\W\d_]+", correct, request)


def is_attribute(word: str) -> bool:
    """Return whether a single word in lower case names an attribute, after the correction of its spelling."""
    return _rules().word(word, 0, 0).entry is not None


def language_of(request: str) -> str | None:
    """Return the language of a request if it seems to be German, French, Spanish, Italian or Portuguese, else None.

    The common words of each language are counted. A request is foreign if it has more common words of one language than
    known English words, and at least two, or if its only word is foreign.
    """
    words = set(re.findall(r"[^\W\d_]+", request.lower()))
    rules = _rules()
    count, language = max((len(words & known), name) for name, known in rules.languages.items())
    english = sum(not rules.word(word, 0, 0).unknown for word in words if word.isascii() and len(word) > 1
                  and word not in rules.languages[language])
    return language if (count >= 2 and count > english) or (count == 1 and len(words) == 1) else None


def _replaced(text, places, pattern, meaning):
    """Replace a pattern by its meaning; `places` are the characters' places in the request."""
    parts, kept, last = [], [], 0
    for found in pattern.finditer(text):
        new = found.expand(meaning)
        inside = places[found.start():found.end()]
        parts += [text[last:found.start()], new]
        moved = [inside[0]] * (len(new) - 1) + [inside[-1]] if new and inside else []
        for number, group in enumerate(found.groups(), 1):   # words that the meaning repeats keep their places
            at = new.find(group) if group and moved else -1
            if at >= 0:
                moved[at:at + len(group)] = places[found.start(number):found.end(number)]
                moved[-1] = inside[-1]
        kept += places[last:found.start()] + moved
        last = found.end()
    return ("".join((*parts, text[last:])), kept + places[last:]) if parts else (text, places)


@functools.cache
def _rules():
    """Return the rules of keywords.toml: phrase patterns, and a function (text, start, end) -> Word."""
    page = tomllib.loads(files("core.requests").joinpath("keywords.toml").read_text(encoding="utf-8"))
    lexicon = {word: (kind, attribute, {"more": 1, "less": -1}[side])
               for kind in KINDS for attribute, sides in page[kind].items()
               for side, words in sides.items() for word in words.split()}
    lexicon |= {word: ("repairs", attribute, 1) for attribute, words in page["repairs"].items()
                for word in words.split()}
    roles = {}
    for part in ("roles", "cannot", "lists"):
        for role, words in page[part].items():
            for word in words.split():
                roles.setdefault(word, set()).add(role)
    spelt = [*lexicon, *(word for word, does in roles.items() if not does <= set(page["cannot"]))]
    for words in page["things"].values():
        for word in words.split():
            roles.setdefault(word, set()).add("thing")
    beginnings = {word for word, (kind, *_) in lexicon.items() if kind == "changes"} | {
        word for word, does in roles.items() if does & {"raise", "lower", "command"}}
    for word in beginnings:
        roles.setdefault(word, set()).add("begins")
    # Misspelt words are not corrected to things or to words of [cannot]: those lists hold only a few of all such words.
    correct = SlipCorrector(spelt, page["ordinary"].split())

    @functools.lru_cache(10_000)
    def known(text):
        text = text if text in roles else correct(text)
        if text not in roles and text not in lexicon and text[:-1] in lexicon:
            text = text[:-1] if text.endswith("s") else text   # "the exposure's too low"
        return text, lexicon.get(text), frozenset(roles.get(text, ()))

    def word(text, start, end):
        if text[0].isalpha() or text in ",&":
            text, entry, does = known(text)
            return Word(text, start, end, entry, does)
        sign, number, unit = re.fullmatch(r"(?:([-+−–]) ?)?([\d.]+) ?(.*)", text).groups()
        number = min(float(number), MOST_NUMBER)
        roles = frozenset({"raise" if sign == "+" else "lower"} if sign else ())
        return Word(text, start, end, roles=roles, number=int(number) if number == int(number) else number,
                    unit=UNITS.get(unit.rstrip("s")))
    parts = {name: f"(?:{words})" for name, words in page["parts"].items()}
    groups = []   # neighbours of one meaning are searched together
    for phrase, meaning in page["phrases"].items():
        phrase = re.sub(r"<([a-z]+)>", lambda found: parts[found[1]], phrase)
        if groups and groups[-1][1] == meaning and "\\" not in meaning:
            groups[-1][0].append(phrase)
        else:
            groups.append(([phrase], meaning))
    phrases = [(re.compile(f"{_EDGE if group[0].startswith(_MARKS) else _WORD}(?:{'|'.join(group)})s?{_EDGE}"),
                meaning) for group, meaning in groups]
    languages = {name: set(words.split()) for name, words in page["languages"].items()}
    return SimpleNamespace(phrases=phrases, word=word, languages=languages)
