"""Synthetic samples that are made on the fly: each index has its own crop, edit and sentence.

A planner memorises the pictures of stored pairs that it sees again. To learn how much "a little" is, a planner needs
similar pictures, some of which are edited a little and some a lot.
"""
import functools

import numpy as np
import torch
from torch.utils.data import Dataset

from core.datasets.images import to_tensor
from core.datasets.pairs import encode_plan
from core.operators import MAX_STEPS
from core.requests.corpus import read_corpus
from core.requests.grammar import choose, describe
from core.requests.spelling import misspell
from core.synthesis.edits import draw, edits_of
from core.synthesis.synth import edited_crop, input_of

ENDLESS = 300_000                                                    # more samples than any training draws
KINDS = ("global", "compound") * 9 + ("global", "unchanged")         # shares of the kinds of edits
WORDS, PLANNED = 5, 6                                                # parts of the seeds of sentences and of plans
PLANS = 500 * len(KINDS)                                             # most plans of the sentences without pictures
SAID = 6                                                             # mean number of sentences per plan
GREY = 16                                                            # side of the grey input in pixels
TRIED, TRIED_SIDE = 32, 64                                           # number and side of the pictures that test plans


class DrawnWords(Dataset):
    """Sentences and the plans that they ask for, without pictures: the input is grey, and there is no target.

    Each plan fulfils its sentence on a small picture, so two wishes that work against each other have strengths that
    fulfil both. Samples have the form of `PairDataset` without the target; each is a pure function of (photos, seed,
    index).

    Testing a plan takes longer than making another sentence for it. So sample `index` takes a random one of the first
    index / SAID + 1 plans, and a worker that draws the samples in order tests one plan per SAID samples.
    """

    in_order = True   # samples are random already, so a run does not shuffle them

    def __init__(self, photos, vocab, op_vocab, fulfils, seed=0, typos=0.0, corpus=0.0):
        """Set the photos and the vocabularies.

        Args:
            photos: list of Photo; their phases are ignored.
            vocab: encodes the requests.
            op_vocab: the OperatorVocab that encodes the plans.
            fulfils: a callable picture (1, 3, H, W) -> `shown` of `edits.draw`, which tests edits of this picture.
            seed: seed of the random numbers.
            typos: share of the requests with typing errors.
            corpus: share of the plans that are drawn for a sentence of the corpus, see `core.requests.corpus`.
        """
        self.photos, self.vocab, self.op_vocab, self.fulfils = photos, vocab, op_vocab, fulfils
        self.seed, self.typos, self.corpus, self._plans = seed, typos, corpus, {}
        self.edits = edits_of(op_vocab)

    @functools.cached_property
    def sentences(self):
        """The corpus's sentences for training that ask for edits of whole pictures which can be drawn, or for none."""
        return [sentence for sentence in read_corpus("train") if len(sentence.wishes) <= MAX_STEPS and all(
            (wish.direction in self.edits and wish.where is None) or wish.sign == 0 or wish.attribute == "unchanged"
            for wish in sentence.wishes) and sentence.wishes]

    @functools.cached_property
    def _pictures(self):
        """The pictures that test plans, as pairs (picture, its `shown`)."""
        pictures = [input_of(self.photos[index % len(self.photos)], self.seed, TRIED_SIDE, index)[0]
                    for index in range(TRIED)]
        return [(picture, self.fulfils(to_tensor(picture)[None])) for picture in pictures]

    def __len__(self):
        return ENDLESS

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, index, WORDS])
        said, wishes, encoded = self._plan(int(rng.integers(min(index // SAID + 1, PLANS))))
        return {"input": torch.full((3, GREY, GREY), 0.5), "name": f"words {index}",
                **self._asked(said or describe(wishes, rng), rng), **encoded}

    def _plan(self, number):
        """Return (sentence or None, wishes, encoded plan) of plan `number`; the first call draws and tests the plan.

        Plans for sentences of the corpus have their sentence; the grammar describes the others.
        """
        rng = np.random.default_rng([self.seed, number, PLANNED])
        while number not in self._plans:   # a flat picture shows no edit
            picture, shown = self._pictures[rng.integers(TRIED)]
            said, kind = self._kind(number, rng)
            if drawn := draw(kind, picture, rng, shown, self.edits):
                plan, wishes = drawn
                self._plans[number] = said, wishes, self._encoded(plan)
        return self._plans[number]

    def _kind(self, number, rng):
        """Return (sentence, its wishes) of the corpus for a share `corpus` of the numbers, else (None, a kind)."""
        if int((number + 1) * self.corpus) > int(number * self.corpus):
            sentence = choose(rng, self.sentences)
            return sentence.request, sentence.wishes
        return None, KINDS[number % len(KINDS)]

    def _asked(self, request, rng):
        if rng.random() < self.typos:
            request = misspell(request, rng)
        return {"request": request, "request_ids": torch.tensor(self.vocab.encode(request))}

    def _encoded(self, plan):
        ops, params = encode_plan(plan, self.op_vocab)
        return {"ops": ops, "params": params}


class DrawnPairs(DrawnWords):
    """Samples of the form of `PairDataset` with plans; each is a pure function of (photos, size, seed, index)."""

    def __init__(self, photos, size, *args, **kwargs):
        """Set the side of the pictures, `size` in pixels; the other arguments are those of `DrawnWords`."""
        super().__init__(photos, *args, **kwargs)
        self.size = size

    def __getitem__(self, index):
        rng, drawn, attempt = np.random.default_rng([self.seed, index]), None, 0
        while drawn is None:   # a flat crop shows no edit
            photo = self.photos[rng.integers(len(self.photos))]
            number = index + attempt * ENDLESS
            said, kind = self._kind(index, rng)
            drawn = edited_crop(photo, self.seed, self.size, 0, number, kind, self.fulfils, self.edits)
            attempt += 1
        before, after, plan, wishes, words = drawn
        return {"input": to_tensor(before), "target": to_tensor(after), "name": f"drawn {index}",
                **self._asked(said or describe(wishes, words), rng), **self._encoded(plan)}

    def report(self):
        """Return a list of sentences that a user should know before a long run."""
        return [f"pairs drawn anew from {len(self.photos)} photos: " + ", ".join(
            f"{KINDS.count(kind)}/{len(KINDS)} {kind}" for kind in dict.fromkeys(KINDS))]
