"""Measures of grounding: equal to scikit-learn's, thresholds, overlap, and paired intervals."""
import numpy as np
import pytest

from core.metrics.grounding import (
    best_threshold,
    choose,
    compare,
    measure,
    overlap,
    summarise,
)


@pytest.fixture()
def cells():
    rng = np.random.default_rng(0)
    labels = [rng.random(6) < 0.4 for _ in range(20)]
    return [np.round(rng.random(6) + 0.5 * label, 1) for label in labels], labels, [f"p{at % 5}" for at in range(20)]


def test_the_measures_of_a_sample():
    labels = np.array([True, True, False, False])
    found = measure(np.array([0.9, 0.2, 0.6, 0.1]), np.array([0.9, 0.2, 0.6, 0.1]), labels, 0.55)
    assert found["ROC"] == pytest.approx(0.75) and found["N of N"] == 0.5 and found["accuracy"] == 0.5
    assert found["F1"] == 0.5 and found["precision 0.8"] == 1.0 and found["recall 0.8"] == 0.5
    assert found["exact"] == 0.0 and found["precision 0.9"] == 0.0
    assert "ROC" not in measure(np.array([0.3]), np.array([0.3]), np.array([True]), 0.5)


def test_the_best_segment_is_chosen_if_none_reaches_the_threshold():
    assert choose(np.array([0.1, 0.3]), 0.5).tolist() == [False, True]


def test_the_best_threshold_separates_the_labels():
    threshold, score = best_threshold([np.array([0.2, 0.3, 0.7])] * 2, [np.array([False, False, True])] * 2)
    assert 0.3 < threshold <= 0.7 and score == 1.0


def row(photo, scores, labels, parts):
    scores, labels = np.array(scores), np.array(labels)
    return {"photo": photo, "scores": scores, "labels": labels, "intersection": parts[0], "union": parts[1],
            **measure(scores, scores, labels, 0.5)}


def test_summaries_and_paired_differences():
    good = [row(f"p{at}", [0.9, 0.1], [True, False], (8, 10)) for at in range(4)]
    poor = [row(f"p{at}", [0.2, 0.6], [True, False], (1, 10)) for at in range(4)]
    found = summarise(good)
    assert found["ROC"] == [1.0, 1.0, 1.0] and found["IoU"][0] == found["overall IoU"] == 0.8
    assert found["P@0.8"][0] == 1.0 and found["P@0.9"][0] == 0.0 and found["photos"] == 4
    more = compare(good, poor)
    assert more["ROC"] == [1.0, 1.0, 1.0] and more["IoU"] == pytest.approx([0.7, 0.7, 0.7])


def test_the_overlap_of_masks_is_counted_in_pixels():
    mask, truth = np.zeros((2, 3), bool), np.zeros((2, 3), bool)
    mask[0], truth[:, 0] = True, True
    assert overlap(mask, truth) == (1, 4)
