"""Other words for training requests: sentences that the reader turns into the same wishes."""
from collections.abc import Iterable

import numpy as np
import torch
from torch.utils.data import Dataset
from tqdm import tqdm

from core.datasets import WordVocab
from core.datasets.pairs import PairDataset
from core.requests.corpus import read_corpus
from core.requests.grammar import choose
from core.requests.reader import read_wishes
from core.requests.saying import said
from core.requests.wish import LOOKS, REPAIRS, Wish

VARIANTS = 256   # samples of a pair: more than epochs of a training
STREAM = 8       # part of the seed: separates these random numbers from those of drawn data
PLAIN = 0.3      # share of the replaced requests that get their wishes in plain words, as the gate says them


class Rephrased(Dataset):
    """Pairs, each in VARIANTS samples; a share of the requests is replaced by sentences with the same wishes.

    A sample is a pure function of (pairs, seed, index), so that a resumed training equals an unbroken one. The other
    sentences are those of the corpus's training split and the requests of other pairs, as far as the vocabulary has all
    of their words, and the wishes in plain words. A request in which the reader finds no wish, or one with a place,
    stays as it is.
    """

    def __init__(self, pairs: PairDataset, share: float, vocab: WordVocab, seed: int = 0) -> None:
        """Find other sentences for the requests of `pairs`; `share`, in [0, 1], of the requests are replaced."""
        self.pairs, self.share, self.vocab, self.seed = pairs, share, vocab, seed
        self.wishes = [_wishes(read_wishes(entry["request"])) for entry in pairs.annotations]
        self.sentences = {key: [] for key in map(_key, self.wishes) if key}
        for request in tqdm(self._candidates(), "other words for the requests", unit="sentence", leave=False):
            key = _key(_wishes(read_wishes(request)))
            if key in self.sentences and not (vocab.unknown(request) or vocab.too_long(request)):
                self.sentences[key].append(request)

    def _candidates(self):
        """Return the requests of the pairs, and the sentences of the corpus that are labelled with their wishes."""
        asked = [entry["request"] for entry in self.pairs.annotations]
        written = [sentence.request for sentence in read_corpus("train")
                   if _key(_wishes(sentence.wishes)) in self.sentences]
        return list(dict.fromkeys(asked + written))

    def __len__(self):
        return VARIANTS * len(self.pairs)

    def __getitem__(self, index):
        rng, pair = np.random.default_rng([self.seed, index, STREAM]), index % len(self.pairs)
        sample, wishes = self.pairs[pair], self.wishes[pair]
        if not wishes or rng.random() >= self.share:
            return sample
        others = self.sentences[_key(wishes)]
        request = choose(rng, others) if others and rng.random() >= PLAIN else said(wishes)
        return sample | {"request": request, "request_ids": torch.tensor(self.vocab.encode(request))}

    def report(self) -> list[str]:
        """Return a list of sentences that a user should know before a long run."""
        count = sum(map(len, self.sentences.values()))
        return [f"{self.share:.0%} of the requests are replaced by others with the same wishes; there are {count} "
                f"sentences for {len(self.sentences)} sets of wishes"]


def _wishes(wishes: Iterable[Wish]) -> tuple[Wish, ...]:
    """Return the wishes for light and colour; none if they, or others beside them, cannot be said in plain words."""
    wishes = tuple(wishes)
    plain = all(wish.sign and wish.where is None and wish.attribute in (*LOOKS, *REPAIRS) for wish in wishes)
    return wishes if plain else ()


def _key(wishes):
    return frozenset((wish.attribute, wish.sign, wish.level) for wish in wishes)
