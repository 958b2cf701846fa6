"""Edits that are drawn without end: the plan of a sentence fulfils the sentence."""
import numpy as np
import pytest
import torch

from core.datasets import Beside, WordVocab, to_tensor
from core.datasets.vocab import SPECIAL
from core.metrics.obedience import fulfils
from core.operators import END, SESSIONS, OperatorVocab, execute
from core.synthesis import DrawnPairs, DrawnWords
from core.synthesis.drawn import SAID
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


def plan_of(sample):
    return sample["ops"].tolist(), sample["params"].tolist()


def test_sentences_have_a_plan_but_no_picture(words):
    samples = [words[index] for index in range(0, 1200, 4)]
    assert len({sample["request"] for sample in samples}) > 260
    assert all(sample["input"].unique().numel() == 1 and "target" not in sample for sample in samples)
    unchanged = [sample for sample in samples if sample["ops"][1] == OPERATORS.ids[END]]
    assert 5 <= len(unchanged) <= 30   # about one in twenty


def test_an_index_always_gives_the_same_sentence_and_a_plan_has_several_wordings(words):
    again = DrawnWords(PHOTOS, words.vocab, OPERATORS, fulfils)
    assert all(same(words[index], again[index]) for index in (400, 7, 3))
    one, other = words[0], words[SAID - 1]
    assert plan_of(one) == plan_of(other)
    assert one["request"] != other["request"]


def test_plans_are_tried_only_when_needed():
    """A worker that reads sentences in order tries about one plan per SAID sentences and never more than PLANS."""
    seen = []

    def fulfils_all(before):
        return lambda after, intent: seen.append(intent) or [True] * len(after)
    words = DrawnWords(PHOTOS, WordVocab(SPECIAL), OPERATORS, fulfils_all)
    plans = {str(plan_of(words[index])) for index in range(20 * SAID)}
    assert 10 < len(plans) <= len(seen) <= 20
    assert words.in_order


def test_a_plan_that_does_not_fulfil_its_sentence_is_not_drawn():
    def no_light(before):
        return lambda after, intent: ["bright" not in intent] * len(after)
    refusing = DrawnWords(PHOTOS, WordVocab(SPECIAL), OPERATORS, no_light)
    drawn = torch.stack([refusing[index]["ops"] for index in range(0, 60 * SAID, SAID)])
    assert (drawn == OPERATORS.ids["contrast"]).any() and not (drawn == OPERATORS.ids["brightness"]).any()


@pytest.mark.parametrize("seed", range(3))
def test_wishes_that_fail_are_tried_again_with_other_strengths(seed):
    picture, *_ = input_of(PHOTOS[0], 0, 64, 0)
    seen = []

    def at_the_eighth(after, intent):
        first = len(seen)
        seen.extend((tuple(sorted(intent.items())), image) for image in after)
        return [number == 7 for number in range(first, len(seen))]

    plan, wishes = draw("compound", picture, np.random.default_rng(seed), at_the_eighth)
    assert len(plan) == len(wishes) > 1
    assert len({intent for intent, _ in seen}) == 1
    assert len({image.sum().item() for _, image in seen}) == len(seen) >= 8
    torch.testing.assert_close(execute(plan, to_tensor(picture)), seen[7][1])


def test_each_pair_is_joined_by_a_sentence(words):
    pairs = DrawnPairs(PHOTOS, 32, words.vocab, OPERATORS, fulfils)
    beside = Beside(pairs, words)
    batch = torch.utils.data.default_collate([beside[0], beside[1]])
    assert batch["input"].shape == batch["target"].shape == (2, 3, 32, 32)
    assert batch["words"]["request"] == [words[0]["request"], words[1]["request"]]
    assert len(beside) == max(len(pairs), len(words))


def test_few_pairs_do_not_limit_the_number_of_sentences():
    few = Beside([{"name": name} for name in "ab"], "xyz")
    assert [(sample["name"], sample["words"]) for sample in map(few.__getitem__, range(len(few)))] == [
        ("a", "x"), ("b", "y"), ("a", "z")]


def test_a_share_of_the_sentences_is_from_the_corpus():
    drawn = DrawnWords(PHOTOS, WordVocab(SPECIAL), OperatorVocab(SESSIONS[4]), fulfils, corpus=0.5)
    known = {sentence.request: sentence for sentence in drawn.sentences}
    assert len(known) > 1000
    samples = [drawn[index] for index in range(0, 240, 4)]
    said = [sample for sample in samples if sample["request"] in known]
    assert 10 <= len(said) <= 50
    for sample in said:   # an edit, unless the sentence asks for none
        asked = any(wish.sign and wish.attribute != "unchanged" for wish in known[sample["request"]].wishes)
        assert (sample["ops"][1] != drawn.op_vocab.ids[END]) == asked
    pairs, again = (DrawnPairs(PHOTOS, 32, WordVocab(SPECIAL), drawn.op_vocab, fulfils, corpus=1.0) for _ in range(2))
    assert pairs[3]["request"] in known
    assert same(pairs[3], again[3])
