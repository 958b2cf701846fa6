"""Synthetic pairs without end: each index is another crop, edit and sentence, and nothing is stored.

A planner that sees a stored pair again learns its picture by heart; how much "a little" is, it learns only where the
same kind of picture is edited now a little and now a lot.
"""
import numpy as np
import torch
from torch.utils.data import Dataset

from core.datasets.grammar import misspell
from core.datasets.images import to_tensor
from core.datasets.pairs import encode_plan
from core.datasets.synth import sample_of
from core.operators import Plan

ENDLESS = 300_000                                                    # more than any training draws
KINDS = ("global", "compound") * 9 + ("global", "unchanged")         # shares of the kinds of edits


class DrawnPairs(Dataset):
    """Samples as `PairDataset` gives them, with plans; each is a pure function of (photos, seed, index)."""

    def __init__(self, photos, vocab, op_vocab, size, fulfils, seed=0, typos=0.0):
        """Begin to draw.

        Args:
            photos: list of Photo, whatever their phase.
            vocab: encodes the requests; op_vocab: encodes the plans.
            size: side of the pictures in pixels.
            fulfils: says whether an edit shows what was wished for; see `synth.draw`.
            typos: share of the requests with slips of the finger.
        """
        self.photos, self.vocab, self.op_vocab, self.size = photos, vocab, op_vocab, size
        self.fulfils, self.seed, self.typos = fulfils, seed, typos

    def __len__(self):
        return ENDLESS

    def __getitem__(self, index):
        rng, drawn, attempt = np.random.default_rng([self.seed, index]), None, 0
        while drawn is None:   # a flat crop shows no edit
            photo = self.photos[rng.integers(len(self.photos))]
            drawn = sample_of(photo, self.seed, self.size, 0, index + attempt * ENDLESS, KINDS[index % len(KINDS)],
                              fulfils=self.fulfils)
            attempt += 1
        entry, before, after = drawn
        request = misspell(entry["request"], rng) if rng.random() < self.typos else entry["request"]
        ops, params = encode_plan(Plan.from_dict(entry["plan"]), self.op_vocab)
        return {"input": to_tensor(before), "target": to_tensor(after), "request": request,
                "request_ids": torch.tensor(self.vocab.encode(request)), "name": f"drawn {index}", "ops": ops,
                "params": params}

    def report(self):
        """Return what a user should know, as a list of sentences."""
        return [f"pairs drawn anew from {len(self.photos)} photos: " + ", ".join(
            f"{KINDS.count(kind)}/{len(KINDS)} {kind}" for kind in dict.fromkeys(KINDS))]
