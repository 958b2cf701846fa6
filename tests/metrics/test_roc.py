"""The area under the ROC curve: agreement with scikit-learn, undefined values, and intervals over photos."""
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.metrics.roc import Ranked, pooled_roc, roc, roc_interval

RNG = np.random.default_rng(0)
TRUTH = RNG.random((60, 3)) < (0.5, 0.3, 0.1)
SCORES = np.round(0.4 * TRUTH + 0.7 * RNG.random((60, 3)), 1)   # rounded, so that there are ties
PHOTOS = [f"p{row % 12}" for row in range(60)]


@pytest.mark.parametrize("scores", [SCORES, np.where(SCORES < 0.5, -np.inf, SCORES), 0 * SCORES])
def test_the_area_is_that_of_scikit_learn_also_with_equal_scores(scores):
    finite = np.maximum(scores, -9)   # scikit-learn refuses infinite scores
    assert roc(scores, TRUTH) == pytest.approx(roc_auc_score(TRUTH.ravel(), finite.ravel()))
    weights = RNG.integers(0, 4, TRUTH.size)
    assert Ranked(scores.ravel(), TRUTH.ravel()).area(weights) == pytest.approx(
        roc_auc_score(TRUTH.ravel(), finite.ravel(), sample_weight=weights))


def test_cells_of_samples_of_different_size_are_pooled():
    assert pooled_roc([SCORES[0], SCORES[1:].ravel()], [TRUTH[0], TRUTH[1:].ravel()]) == roc(SCORES, TRUTH)


@pytest.mark.parametrize("value", [0, 1])
def test_cells_of_one_kind_have_no_area(value):
    assert roc(SCORES, np.full_like(TRUTH, value)) is None
    assert roc_interval(SCORES, np.full_like(TRUTH, value), PHOTOS) is None


def test_the_interval_holds_the_area_and_is_wider_for_fewer_photos():
    area, (low, high) = roc(SCORES, TRUTH), roc_interval(SCORES, TRUTH, PHOTOS)
    assert low < area < high
    assert roc_interval(SCORES, TRUTH, ["one"] * 60) is None
    twins = roc_interval([*SCORES, *SCORES], [*TRUTH, *TRUTH], [*PHOTOS, *(f"{photo}b" for photo in PHOTOS)])
    assert twins[1] - twins[0] < high - low


def test_the_interval_is_that_of_areas_of_drawn_photos():
    rng, areas = np.random.default_rng(0), []
    members = [np.flatnonzero(np.array(PHOTOS) == name) for name in np.unique(PHOTOS)]
    for _ in range(2000):
        rows = np.concatenate([members[number] for number in rng.integers(0, len(members), len(members))])
        areas.append(roc_auc_score(TRUTH[rows].ravel(), SCORES[rows].ravel()))
    assert roc_interval(SCORES, TRUTH, PHOTOS) == pytest.approx(np.quantile(areas, (0.025, 0.975)))


def test_the_difference_of_two_methods_has_an_interval():
    assert roc_interval(SCORES, TRUTH, PHOTOS, SCORES) == [0, 0]
    low, high = roc_interval(SCORES, TRUTH, PHOTOS, RNG.random(SCORES.shape))
    assert 0 < low < high
