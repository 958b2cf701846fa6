"""The tagger's training: varied sentences of the corpus and of the grammar, the losses, and validation."""
import functools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from core.metrics.reading import score
from core.models.tagger import ABSENT, SIGNS, Tagger, TaggerNetwork, Tags, load_tokenizer
from core.requests.corpus import Sentence
from core.requests.grammar import choose, describe
from core.requests.phrases import WORDS
from core.requests.spelling import misspell
from core.requests.templates import REGIONS
from core.requests.votes import LIKELY
from core.requests.wish import COLOURS, LEVELS, REPAIRS, Wish

DRAWN, JOINED, SWAPPED, SLIPS, PLAIN = 0.35, 0.3, 0.5, 0.25, 0.25   # shares of sentences; see Lessons
HIDDEN = 0.03      # share of word pieces that [MASK] replaces
JOINS = (". ", "! ", "; ", ", ", " and ", ", and ", ". Also ", ". And please ", ", then ", ". also, ", "\n")
# Directions that the grammar draws. Green and blue are left out: in the grammar they name casts, in the corpus colours.
SAID = [direction for direction in WORDS if direction[0] not in ("green", "blue")]
ALIKE = (          # phrases that can stand for each other
    ("a bit", "a touch", "a tad", "a little", "a smidge", "a tiny bit", "a hair", "a little bit", "a notch"),
    ("slightly", "somewhat", "marginally", "a bit"),
    ("a lot", "a ton", "loads", "heaps", "a great deal"),
    ("much", "way", "far", "considerably", "a lot"),
    ("the photo", "the picture", "the image", "the shot", "this photo", "this picture", "this image", "this shot"),
    ("color", "colour"), ("colors", "colours"), ("gray", "grey"))
KINDRED = (        # groups of attributes that can stand for each other in a sentence, each with its word
    {"contrast": "contrast", "saturation": "saturation", "clarity": "clarity", "sharpness": "sharpness",
     "light": "brightness", "temperature": "warmth"},
    {name: name for name in ("highlights", "shadows", "midtones", "whites", "blacks")},
    {name: name for name in COLOURS})
_CAST = re.compile("tint|cast|tinge")   # in such sentences a colour is a cast, and no attribute is replaced
_ODDS = np.array([0.3 if attribute in REPAIRS else 1.0 for attribute, _ in SAID])   # repairs are drawn less often
_ODDS /= _ODDS.sum()
MOST = 4           # wishes of a drawn sentence
ALONE = ("unchanged", "removal")   # drawn wishes that the grammar combines with no other
CHUNK = 8          # batches that are drawn together; sorting their sentences by length saves padding
KEEP = SIGNS.index(0)


class Batch(NamedTuple):
    """A batch of sentences: `ids` (B, L), and for each attribute the classes `signs`, `degrees` and `limited` (B, A).

    A class of -1 is unknown. `drawn` (B,) marks sentences of the grammar. They may ask to keep attributes that are not
    among their wishes, so for an absent attribute `losses` accepts "keep", too.
    """

    ids: torch.Tensor
    signs: torch.Tensor
    degrees: torch.Tensor
    limited: torch.Tensor
    drawn: torch.Tensor


class Lessons:
    """Batches of varied sentences, by number; each chunk of batches has its own random numbers.

    The grammar makes a share DRAWN of the sentences; the others are from the corpus. A share JOINED of these gets a
    second sentence. In a share SWAPPED of the corpus's sentences, places, KINDRED attributes and ALIKE phrases are
    replaced. Of all sentences, a share SLIPS has typing errors, a share PLAIN has no punctuation, and [MASK] replaces
    some pieces.
    """

    def __init__(self, sentences: Sequence[Sentence], attributes: Sequence[str], size: int, seed: int = 0,
                 drawn: float = DRAWN) -> None:
        """`sentences` are those of the corpus, `size` is their number in a batch, `drawn` stands for DRAWN."""
        self.sentences, self.attributes, self.size = sentences, list(attributes), size
        self.seed, self.drawn = seed, drawn
        self.places = {}   # by their first word: "behind the kids" cannot replace "the gray"
        for place in (wish.where for sentence in sentences for wish in sentence.wishes if wish.where):
            self.places.setdefault(place.split()[0], []).append(place)
        self.tokenizer = load_tokenizer()
        self.mask = self.tokenizer.token_to_id("[MASK]")
        self._chunk = functools.lru_cache(1)(self._draw_chunk)

    def __getitem__(self, number: int) -> Batch:
        return self._chunk(number // CHUNK)[number % CHUNK]

    def _draw_chunk(self, number):
        rng = np.random.default_rng([self.seed, number])
        lessons = sorted((self._lesson(rng) for _ in range(CHUNK * self.size)), key=lambda lesson: len(lesson[0]))
        batches = [lessons[start:start + self.size] for start in range(0, len(lessons), self.size)]
        return [self._batch(batches[index]) for index in rng.permutation(CHUNK)]

    def _lesson(self, rng):
        """Return (ids, wishes, whether the grammar made the sentence)."""
        drawn = rng.random() < self.drawn
        if drawn:
            wishes = draw_wishes(rng)
            text = describe(wishes, rng)
        else:
            text, wishes = self._said(rng)
        ids = self.tokenizer.encode(vary(text, rng)).ids
        hidden = rng.random(len(ids)) < HIDDEN
        return [ids[0], *(self.mask if hide else piece for piece, hide in zip(ids[1:-1], hidden[:-2], strict=True)),
                ids[-1]], wishes, drawn

    def _said(self, rng):
        """Return (text, wishes) of a sentence of the corpus, or of two sentences whose wishes can stand together."""
        first = self._swapped(choose(rng, self.sentences), rng)
        if rng.random() < JOINED:
            second = self._swapped(choose(rng, self.sentences), rng)
            named = [{wish.attribute for wish in sentence.wishes} for sentence in (first, second)]
            if not named[0] & named[1] and "unchanged" not in named[0] | named[1]:
                join = choose(rng, JOINS)
                text = first.request.rstrip(" ." if join[0] != " " else " .!?") + join + second.request
                return text, (*first.wishes, *second.wishes)
        return first.request, first.wishes

    def _swapped(self, sentence, rng):
        """Return the sentence, or with probability SWAPPED one with other places, attributes and phrases."""
        if rng.random() >= SWAPPED:
            return sentence
        text = sentence.request
        for wish in sentence.wishes:
            if wish.where and text.count(wish.where) == 1:
                text = text.replace(wish.where, choose(rng, self.places[wish.where.split()[0]]))
        text, wishes = rename(swap(text, rng), sentence.wishes, rng)
        return Sentence(text, sentence.kind, wishes)

    def _batch(self, lessons):
        ids = torch.zeros(len(lessons), max(len(pieces) for pieces, *_ in lessons), dtype=torch.long)
        signs, degrees, limited = (torch.full((len(lessons), len(self.attributes)), -1) for _ in range(3))
        signs[:] = ABSENT
        for row, (pieces, wishes, _) in enumerate(lessons):
            ids[row, :len(pieces)] = torch.tensor(pieces)
            # Of several wishes for an attribute, the first without a place counts.
            for wish in sorted(wishes, key=lambda wish: wish.where is None):
                column = self.attributes.index(wish.attribute)
                signs[row, column] = SIGNS.index(wish.sign)
                degrees[row, column] = LEVELS.index(wish.level) if wish.sign else -1
                limited[row, column] = wish.where is not None
        return Batch(ids, signs, degrees, limited, torch.tensor([drawn for *_, drawn in lessons]))


def draw_wishes(rng: np.random.Generator) -> list[Wish]:
    """Return one to four random wishes that the grammar can say."""
    directions = [SAID[index] for index in rng.choice(len(SAID), MOST, replace=False, p=_ODDS)]
    if directions[0][0] in ALONE:
        return [Wish(*directions[0])]
    count = int(rng.choice(MOST, p=(0.35, 0.35, 0.2, 0.1))) + 1
    signs = dict(direction for direction in directions[:count] if direction[0] not in ALONE)
    where = choose(rng, list(REGIONS)) if len(signs) == 1 and rng.random() < 0.2 else None
    return [Wish(attribute, sign, "plain" if attribute in REPAIRS else choose(rng, LEVELS), where)
            for attribute, sign in signs.items()]


def swap(text: str, rng: np.random.Generator) -> str:
    """Return the text with each phrase of ALIKE replaced by one of the same group."""
    return _PHRASES.sub(lambda found: choose(rng, _GROUPS[found[0].lower()]), text)


_GROUPS = {phrase: group for group in reversed(ALIKE) for phrase in group}   # the first group of a phrase counts
_PHRASES = re.compile(r"\b(" + "|".join(sorted(_GROUPS, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def rename(text: str, wishes: Sequence[Wish], rng: np.random.Generator) -> tuple[str, tuple[Wish, ...]]:
    """Return the text and its wishes with KINDRED attributes, for each wish whose word occurs once in the text."""
    wishes, named = list(wishes), {wish.attribute for wish in wishes}
    for place, wish in enumerate(wishes):
        group = next((group for group in KINDRED if wish.attribute in group), {})
        free = [name for name, word in group.items() if name not in named and word not in text.lower()]
        pattern = rf"\b{group.get(wish.attribute)}(?=s?\b)"
        alone = len(re.findall(pattern, text, re.IGNORECASE)) == 1 and not _CAST.search(text)
        if free and alone and [other.attribute for other in wishes].count(wish.attribute) == 1:
            name = choose(rng, free)
            named.add(name)
            text = re.sub(pattern, group[name], text, flags=re.IGNORECASE)
            wishes[place] = replace(wish, attribute=name)
    return text, tuple(wishes)


def vary(text: str, rng: np.random.Generator) -> str:
    """Return the text with typing errors, without punctuation, with both, or as it is."""
    if rng.random() < PLAIN:
        text = re.sub(r"(?<!\d)[,;:!?]|\.(?!\d)|['’]", "", text)
    return misspell(text, rng) if rng.random() < SLIPS else text


def losses(tags: Tags, batch: Batch) -> dict[str, torch.Tensor]:
    """Return the losses of signs (sum over attributes, mean over sentences), degrees and places (means over wishes)."""
    chances = tags.signs.log_softmax(-1)
    either = torch.logaddexp(chances[..., ABSENT], chances[..., KEEP])
    chances = torch.where((batch.drawn[:, None] & (batch.signs == ABSENT)), either,
                          chances.gather(-1, batch.signs[..., None])[..., 0])
    known, placed = batch.degrees >= 0, batch.limited >= 0
    degrees = functional.cross_entropy(tags.degrees[known], batch.degrees[known], reduction="sum")
    places = functional.binary_cross_entropy_with_logits(tags.limited[placed], batch.limited[placed].float(),
                                                         reduction="sum")
    return {"signs": -chances.sum(1).mean(), "degrees": degrees / known.sum().clamp_min(1),
            "places": places / placed.sum().clamp_min(1)}   # a batch may have no wishes


def validate(network: TaggerNetwork, sentences: Sequence[Sentence]) -> dict:
    """Return the figures of `score` on sentences; leaves the network in training mode."""
    tagger = Tagger(network)
    found = [[guess.wish for guess in tagger(sentence.request, LIKELY)] for sentence in sentences]
    network.train()
    return score([sentence.wishes for sentence in sentences], found)
