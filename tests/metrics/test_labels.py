"""Measures of multi-label classification: agreement with scikit-learn, thresholds, undefined values, intervals."""
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from core.metrics.labels import average_precision, best_thresholds, f1, score_labels

RNG = np.random.default_rng(0)
TRUTH = RNG.random((60, 3)) < (0.5, 0.3, 0.1)
SCORES = np.round(0.4 * TRUTH + 0.7 * RNG.random((60, 3)), 1)   # rounded, so that there are ties


def test_precision_and_f1_are_those_of_scikit_learn():
    assert average_precision(SCORES, TRUTH) == pytest.approx(average_precision_score(TRUTH.ravel(), SCORES.ravel()))
    assert f1(SCORES > 0.5, TRUTH) == pytest.approx(f1_score(TRUTH.ravel(), (SCORES > 0.5).ravel()))


def test_the_thresholds_have_the_best_f1_of_each_label():
    found = best_thresholds(SCORES, TRUTH)
    for label in range(3):
        best = max(f1(SCORES[:, label] >= level, TRUTH[:, label]) for level in np.unique(SCORES))
        assert f1(SCORES[:, label] >= found[label], TRUTH[:, label]) == pytest.approx(best)


def test_a_label_without_samples_is_never_decided_and_is_left_out_of_means():
    truth = TRUTH.copy()
    truth[:, 2] = False
    measured = score_labels(SCORES, truth, best_thresholds(SCORES, truth), range(60), "abc")
    a, b, c = measured["labels"]
    assert (c["ROC"], c["AP"], c["F1"], c["threshold"]) == (None, None, None, None)
    assert measured["metrics"]["macro ROC"] == pytest.approx((a["ROC"] + b["ROC"]) / 2)


def test_right_scores_are_perfect():
    measured = score_labels(TRUTH * 0.5, TRUTH, np.full(3, 0.5), range(60), "abc")["metrics"]
    assert set(measured.values()) == {1.0}
