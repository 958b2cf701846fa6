"""Measures of planned sequences: BLEU as in nltk, parameters and masks of matching steps only."""
import numpy as np
import pytest
from nltk.translate.bleu_score import corpus_bleu

from core.metrics.sequence import bleu, bleu1_interval, mask_overlaps, parameter_mse
from core.operators import Mask, Plan, Step

REFERENCES = [["brightness", "hue"], ["contrast"], [], ["hue", "tint", "brightness"]]
FOUND = [["brightness", "brightness"], ["hue"], ["hue"], ["hue", "tint"]]
LEFT = np.zeros((8, 8))
LEFT[:, :4] = 1


def step(op, value, mask=None):
    return Step.make(op, [value], None if mask is None else Mask.from_array(mask))


def test_bleu_is_that_of_nltk_with_clipped_counts_and_a_brevity_penalty():
    kept = [0, 1, 3]
    expected = corpus_bleu([[REFERENCES[row]] for row in kept], [FOUND[row] for row in kept], weights=(1,))
    assert bleu(FOUND, REFERENCES) == pytest.approx(expected)
    assert expected == pytest.approx(3 / 5 * np.exp(1 - 6 / 5))
    both = corpus_bleu([[REFERENCES[0]], [REFERENCES[3]]], [FOUND[0], FOUND[3]], weights=(0.5, 0.5))
    assert bleu(FOUND, REFERENCES, 2) == pytest.approx(both)
    assert bleu(FOUND, REFERENCES, 4) is None


@pytest.mark.parametrize("wrong", [["hue"], []])
def test_the_interval_of_bleu_1_draws_the_plans_of_a_photo_together(wrong):
    photos, rng, values = ["a", "b", "a", "c"], np.random.default_rng(0), []
    found = [FOUND[0], wrong, *FOUND[2:]]
    rows = {"a": [0], "b": [1], "c": [3]}   # the empty reference does not count
    for _ in range(2000):
        drawn = [row for at in rng.integers(0, 3, 3) for row in rows["abc"[at]]]
        values.append(bleu([found[row] for row in drawn], [REFERENCES[row] for row in drawn]))
    assert bleu1_interval(found, REFERENCES, photos) == pytest.approx(np.quantile(values, (0.025, 0.975)))
    assert bleu1_interval(FOUND, REFERENCES, ["a"] * 4) is None
    assert bleu1_interval([[]] * 4, REFERENCES, photos) == [0, 0]


def test_plans_that_do_nothing_are_not_right():
    """The notebook once compared plans that were all empty, so that the prediction always equalled the truth."""
    assert bleu([[], []], [["hue"], ["tint"]]) == 0
    assert bleu([[]], [[]]) is None


def test_parameters_and_masks_count_where_the_operators_match():
    truth = Plan((step("brightness", 0.5, LEFT), step("contrast", 0.2)))
    found = Plan((step("brightness", 0.1, 1 - LEFT), step("saturation", 0.2)))
    assert parameter_mse([found], [truth]) == {"brightness": pytest.approx(0.16)}
    assert mask_overlaps(found, truth, 8, 8) == [0.0]
    assert mask_overlaps(truth, truth, 16, 16) == [1.0]
    assert mask_overlaps(Plan((step("brightness", 0.5),)), truth, 8, 8) == [0.0]   # done everywhere
    assert mask_overlaps(found, found, 8, 8) == [1.0]
    assert mask_overlaps(Plan(), truth, 8, 8) == []
