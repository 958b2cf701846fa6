"""Edits drawn without end: what a sentence asks for, its plan does."""
import numpy as np
import pytest
import torch

from core.datasets import Beside, WordVocab
from core.datasets.vocab import SPECIAL
from core.metrics.obedience import fulfils
from core.operators import END, OperatorVocab
from core.synthesis import DrawnPairs, DrawnWords
from core.synthesis.edits import draw
from core.synthesis.photos import bundled
from core.synthesis.synth import input_of

PHOTOS = [photo for photo in bundled() if photo.phase == "train"]
OPERATORS = OperatorVocab()


@pytest.fixture(scope="module")
def words():
    return DrawnWords(PHOTOS, WordVocab((*SPECIAL, "brighter")), OPERATORS, fulfils)


def same(one, other):
    return one["request"] == other["request"] and all(
        torch.equal(one[key], other[key]) for key in ("input", "request_ids", "ops", "params"))


def test_sentences_come_with_a_plan_and_show_nothing(words):
    samples = [words[index] for index in range(40)]
    assert len({sample["request"] for sample in samples}) > 35
    assert all(sample["input"].unique().numel() == 1 and "target" not in sample for sample in samples)
    unchanged = [sample for sample in samples if sample["ops"][1] == OPERATORS.ids[END]]
    assert len(unchanged) == 2   # one in twenty


def test_a_sentence_is_drawn_the_same_again_and_its_plan_is_said_in_several_ways(words):
    again = DrawnWords(PHOTOS, words.vocab, OPERATORS, fulfils)
    assert all(same(words[index], again[index]) for index in (7, 3, 40))
    one, other = words[3], words[3 + 10_000]
    assert torch.equal(one["params"], other["params"]) and one["request"] != other["request"]


def test_a_plan_that_does_not_show_what_its_sentence_asks_for_is_not_drawn():
    refusing = DrawnWords(PHOTOS, WordVocab(SPECIAL), OPERATORS, lambda before, after, intent: "bright" not in intent)
    drawn = torch.stack([refusing[index]["ops"] for index in range(60)])
    assert (drawn == OPERATORS.ids["contrast"]).any() and not (drawn == OPERATORS.ids["brightness"]).any()


@pytest.mark.parametrize("seed", range(3))
def test_wishes_that_are_not_granted_at_once_are_tried_with_other_strengths(seed):
    picture, *_ = input_of(PHOTOS[0], 0, 64, 0)
    seen = []

    def at_the_eighth(before, after, intent):
        seen.append((tuple(sorted(intent.items())), after.sum().item()))
        return len(seen) == 8

    plan, wishes = draw("compound", picture, np.random.default_rng(seed), at_the_eighth)
    assert len(plan) == len(wishes) > 1
    assert len({intent for intent, _ in seen}) == 1 and len({picture for _, picture in seen}) == 8


def test_sentences_stand_beside_pairs(words):
    pairs = DrawnPairs(PHOTOS, 32, words.vocab, OPERATORS, fulfils)
    beside = Beside(pairs, words)
    batch = torch.utils.data.default_collate([beside[0], beside[1]])
    assert batch["input"].shape == batch["target"].shape == (2, 3, 32, 32)
    assert batch["words"]["request"] == [words[0]["request"], words[1]["request"]]
    assert len(beside) == max(len(pairs), len(words))


def test_few_pairs_do_not_limit_the_sentences_beside_them():
    few = Beside([{"name": name} for name in "ab"], "xyz")
    assert [(sample["name"], sample["words"]) for sample in map(few.__getitem__, range(len(few)))] == [
        ("a", "x"), ("b", "y"), ("a", "z")]
