"""Synthetic edits without end: each index is another crop, edit and sentence, and nothing is stored.

A planner that sees a stored pair again memorises its picture. It learns how much "a little" is only where the same
kind of picture is edited sometimes a little and sometimes a lot.
"""
import functools

import numpy as np
import torch
from torch.utils.data import Dataset

from core.datasets.images import to_tensor
from core.datasets.pairs import encode_plan
from core.operators import Plan
from core.requests.grammar import describe
from core.requests.spelling import misspell
from core.synthesis.edits import draw
from core.synthesis.synth import input_of, sample_of

ENDLESS = 300_000                                                    # more than any training draws
KINDS = ("global", "compound") * 9 + ("global", "unchanged")         # shares of the kinds of edits
WORDS, PLANNED = 5, 6                                                # in the seed: other streams than that of pairs
PLANS = 500 * len(KINDS)                                             # plans of the sentences without a picture, at most
SAID = 6                                                             # sentences for each of these plans, about
GREY = 16                                                            # pixels: side of the grey input
TRIED, TRIED_SIDE = 32, 64                                           # pictures to try plans on, their side in pixels


class DrawnWords(Dataset):
    """Sentences and the plans that they ask for, without pictures: the input is grey, and there is no target.

    Each plan fulfils its sentence on some small picture, so that two wishes that work against each other come with the
    strengths that grant both. Samples are those of `PairDataset` without the target; each is a pure function of
    (photos, seed, index).

    To try a plan takes longer than to say it in another way, so a sample has a random one of the first (index + 1) /
    SAID plans, and a worker that is asked in order tries one plan for about SAID samples.
    """

    in_order = True   # samples are random already; a run need not shuffle them

    def __init__(self, photos, vocab, op_vocab, fulfils, seed=0, typos=0.0):
        """Begin to draw.

        Args:
            photos: list of Photo, whatever their phase.
            vocab: encodes the requests; op_vocab: encodes the plans.
            fulfils: says which edits fulfil their wishes, a callable picture (1, 3, H, W) -> `shown` of `edits.draw`.
            typos: share of the requests with slips of the finger.
        """
        self.photos, self.vocab, self.op_vocab, self.fulfils = photos, vocab, op_vocab, fulfils
        self.seed, self.typos, self._plans = seed, typos, {}

    @functools.cached_property
    def _pictures(self):
        """Pictures on which plans are tried, each with its `shown`."""
        pictures = [input_of(self.photos[index % len(self.photos)], self.seed, TRIED_SIDE, index)[0]
                    for index in range(TRIED)]
        return [(picture, self.fulfils(to_tensor(picture)[None])) for picture in pictures]

    def __len__(self):
        return ENDLESS

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, index, WORDS])
        wishes, encoded = self._plan(int(rng.integers(min(index // SAID + 1, PLANS))))
        return {"input": torch.full((3, GREY, GREY), 0.5), "name": f"words {index}",
                **self._asked(describe(wishes, rng), rng), **encoded}

    def _plan(self, number):
        """Return the wishes that one of the plans fulfils, and the plan encoded; it is tried at the first call."""
        rng = np.random.default_rng([self.seed, number, PLANNED])
        while number not in self._plans:   # a flat picture shows no edit
            picture, shown = self._pictures[rng.integers(TRIED)]
            if drawn := draw(KINDS[number % len(KINDS)], picture, rng, shown):
                plan, wishes = drawn
                self._plans[number] = wishes, self._encoded(plan)
        return self._plans[number]

    def _asked(self, request, rng):
        if rng.random() < self.typos:
            request = misspell(request, rng)
        return {"request": request, "request_ids": torch.tensor(self.vocab.encode(request))}

    def _encoded(self, plan):
        ops, params = encode_plan(plan, self.op_vocab)
        return {"ops": ops, "params": params}


class DrawnPairs(DrawnWords):
    """Samples as `PairDataset` gives them, with plans; each is a pure function of (photos, seed, index)."""

    def __init__(self, photos, size, vocab, op_vocab, fulfils, seed=0, typos=0.0):
        """Begin to draw pictures of `size` pixels a side; the rest as for `DrawnWords`."""
        super().__init__(photos, vocab, op_vocab, fulfils, seed, typos)
        self.size = size

    def __getitem__(self, index):
        rng, drawn, attempt = np.random.default_rng([self.seed, index]), None, 0
        while drawn is None:   # a flat crop shows no edit
            photo = self.photos[rng.integers(len(self.photos))]
            drawn = sample_of(photo, self.seed, self.size, 0, index + attempt * ENDLESS, KINDS[index % len(KINDS)],
                              fulfils=self.fulfils)
            attempt += 1
        entry, before, after = drawn
        return {"input": to_tensor(before), "target": to_tensor(after), "name": f"drawn {index}",
                **self._asked(entry["request"], rng), **self._encoded(Plan.from_dict(entry["plan"]))}

    def report(self):
        """Return the remarks for the user, as a list of sentences."""
        return [f"pairs drawn anew from {len(self.photos)} photos: " + ", ".join(
            f"{KINDS.count(kind)}/{len(KINDS)} {kind}" for kind in dict.fromkeys(KINDS))]
