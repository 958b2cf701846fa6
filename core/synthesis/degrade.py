"""Repair pairs: photos degraded by a known amount, and the plans that repair them.

The right edit for "fix the exposure" depends on the photo: one photo needs more light, another needs less light, and a
third needs no edit. So a planner that learns these pairs has to use its image encoder.
"""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from core.colour import to_linear, to_srgb
from core.datasets.images import to_tensor
from core.datasets.pairs import encode_plan
from core.operators import OperatorVocab, Plan, Step, apply, get_operator
from core.planning.fits import fit
from core.requests.grammar import choose, describe
from core.requests.spelling import misspell
from core.requests.wish import Wish
from core.synthesis.synth import crop, pick_crop

GOOD = 0.15                # share of photos without a fault; their plan is empty
SEVERAL = 0.4              # share of the pairs with the general wish whose photo has two faults
MIN_GAIN = 0.1             # least share of the L1 that a repair removes; the plan leaves weaker repairs out
FITTED_SIDE = 32           # pixels: the repair is fitted on a picture of at most this side
STOPS, CAST, GREEN, FADED = 2.0, (0.2, 1.2), 0.3, (0.25, 0.7)   # amounts, see `Fault.draw`
EXPOSED, ATTEMPTS = (0.25, 0.65), 30   # bounds of the mean of a well-exposed crop; after ATTEMPTS any crop is taken
ENDLESS = 300_000          # more samples than any training draws
STREAM = 7                 # part of the seed: separates these random numbers from those of other drawn data


def expose(image, stops):
    """Return `image`, sRGB in [0, 1], after a gain of 2^stops in linear light, clipped; any shape."""
    return to_srgb(to_linear(image) * 2.0 ** stops)


def add_cast(image, warmth, green=0.0):
    """Return `image` (..., 3, H, W) with a colour cast by gains in linear light.

    `warmth` is the gain of red over blue, `green` the gain of green, both in stops. The luminance of a grey pixel
    (Rec. 709 weights) stays the same.
    """
    gains = torch.tensor([2.0 ** (warmth / 2), 2.0 ** green, 2.0 ** (-warmth / 2)], dtype=image.dtype)
    gains = gains / (gains * torch.tensor([0.2126, 0.7152, 0.0722], dtype=image.dtype)).sum()
    return to_srgb(to_linear(image) * gains[:, None, None])


@dataclass(frozen=True)
class Fault:
    """A way to degrade a photo: `draw(rng)` returns the amounts, `degrade(image, *amounts)` the degraded photo.

    `ops` are the operators that repair this fault, one of the notebook and one of the develop panel.
    """

    ops: tuple[str, str]
    draw: Callable
    degrade: Callable


def _signed(rng, low, high):
    return float(rng.uniform(low, high) * choose(rng, (-1, 1)))


def _weaken(op):
    return lambda image, amount: apply(get_operator(op), image[None], torch.tensor([[-amount]]))[0]


FAULTS = {   # keys: Wish.direction of the repair
    ("exposure repair", 1): Fault(("brightness", "exposure_soft"), lambda rng: (float(rng.uniform(-STOPS, STOPS)),),
                                  expose),
    ("cast repair", 1): Fault(("hue", "white_balance"), lambda rng: (_signed(rng, *CAST), float(rng.uniform(
        -GREEN, GREEN))), add_cast),
    ("contrast repair", 1): Fault(("contrast", "contrast_pivot"), lambda rng: (float(rng.uniform(*FADED)),),
                                  _weaken("contrast")),
    ("saturation repair", 1): Fault(("saturation", "chroma"), lambda rng: (float(rng.uniform(*FADED)),),
                                    _weaken("saturation")),
}
WISHES = tuple(Wish(*direction) for direction in (*FAULTS, ("enhance", 1), ("exposure repair", 1), ("cast repair", 1),
                                                  ("enhance", 1)))   # repeated wishes are drawn more often


def draw_repair(image, rng, op_vocab=None):
    """Degrade a photo (3, H, W) in [0, 1] at random; return (degraded photo, Plan that repairs it, Wish).

    The plan has operators of `op_vocab`, an OperatorVocab; None is the notebook's.
    """
    op_vocab = op_vocab or OperatorVocab()
    wish = choose(rng, WISHES)
    if rng.random() < GOOD:
        return image, Plan(), wish
    several = 2 if wish.attribute == "enhance" and rng.random() < SEVERAL else 1
    faults = [FAULTS[wish.direction]] if wish.direction in FAULTS else [
        list(FAULTS.values())[index] for index in rng.permutation(len(FAULTS))[:several]]
    steps, degraded = [], image
    for fault in faults:   # the plan repairs the last fault first
        before = degraded
        degraded = fault.degrade(before, *fault.draw(rng))
        op = next(op for op in fault.ops if op in op_vocab.ids)
        steps = [fit_repair(op, degraded, before), *steps]
    return degraded, Plan(tuple(step for step in steps if step)), wish


def fit_repair(op, degraded, image):
    """Return the Step of `op` that brings `degraded` (3, H, W) nearest to `image`; None if it gains too little."""
    stride = max(1, max(image.shape[-2:]) // FITTED_SIDE)
    x, y = degraded[None, :, ::stride, ::stride], image[None, :, ::stride, ::stride]
    operator = get_operator(op)
    params = fit(operator, x, y, torch.ones(x.shape[-2:], dtype=torch.bool))
    before, after = ((edited - y).abs().mean() for edited in (x, apply(operator, x, params)))
    return Step.make(op, params[0]) if after < (1 - MIN_GAIN) * before else None


class Inputs:
    """The input photos of a data set of pairs as uint8 pictures (H, W, 3)."""

    def __init__(self, pairs):
        self.thumbnails = pairs.thumbnails
        self.names = sorted({entry["input"] for entry in pairs.annotations})

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return self.thumbnails[self.names[index]]


class Crops:
    """Random square crops of photos, as uint8 pictures (size, size, 3).

    Crops that look badly exposed, such as a night sky, are drawn again: as targets they would teach a planner that a
    dark photo needs no repair.
    """

    def __init__(self, photos, size, seed=0):
        self.photos, self.size, self.seed = photos, size, seed

    def __len__(self):
        return ENDLESS

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, index, STREAM])
        for _ in range(ATTEMPTS):
            pixels = choose(rng, self.photos).load()
            cropped = crop(pixels, *pick_crop(pixels, rng), self.size)
            if EXPOSED[0] < cropped.mean() / 255 < EXPOSED[1]:
                break
        return cropped


class DrawnRepairs(Dataset):
    """Samples of the form of `PairDataset`: a randomly degraded photo, a request to repair it, the photo as target.

    Each sample is a pure function of (pictures, seed, index).
    """

    def __init__(self, pictures, vocab, op_vocab, seed=0, typos=0.0):
        """Set the photos and the vocabularies.

        Args:
            pictures: a sequence of good photos, uint8 (H, W, 3), all of the same size.
            vocab: encodes the requests.
            op_vocab: the OperatorVocab that encodes the plans.
            seed: seed of the random numbers.
            typos: share of the requests with typing errors.
        """
        self.pictures, self.vocab, self.op_vocab, self.seed, self.typos = pictures, vocab, op_vocab, seed, typos

    def __len__(self):
        return ENDLESS

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, index, STREAM])
        image = to_tensor(self.pictures[int(rng.integers(len(self.pictures)))])
        degraded, plan, wish = draw_repair(image, rng, self.op_vocab)
        request = describe([wish], rng)
        if rng.random() < self.typos:
            request = misspell(request, rng)
        ops, params = encode_plan(plan, self.op_vocab)
        return {"input": degraded, "target": image, "request": request, "name": f"repair {index}",
                "request_ids": torch.tensor(self.vocab.encode(request)), "ops": ops, "params": params}
