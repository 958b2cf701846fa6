"""Intervals of means: nominal coverage, resampling of whole photos, repeatable results."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.metrics.bootstrap import mean_interval


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 5)), min_size=2, max_size=30))
def test_the_interval_lies_within_the_values_and_is_repeatable(pairs):
    values, photos = zip(*pairs, strict=True)
    interval = mean_interval(values, photos)
    if len(set(photos)) < 2:
        assert interval is None
        return
    low, high = interval
    assert min(values) - 1e-6 <= low <= high <= max(values) + 1e-6
    assert mean_interval(values, photos) == interval


def test_the_interval_of_independent_photos_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = mean_interval(values, range(400))
    error = values.std() / 400 ** 0.5
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.2 * error)


def test_several_edits_of_one_photo_count_as_one_photo():
    of_photo = np.random.default_rng(1).normal(0, 1, 40)
    alone = mean_interval(of_photo, range(40))
    five_times = mean_interval(of_photo.repeat(5), np.arange(40).repeat(5))
    assert five_times == pytest.approx(alone)
    naive = mean_interval(of_photo.repeat(5), range(200))
    assert naive[1] - naive[0] < 0.6 * (alone[1] - alone[0])



def test_the_interval_covers_the_true_mean_in_about_95_per_cent_of_trials():
    """With 30 trials, the probability that fewer than 25 intervals cover the mean is below 1%."""
    rng, covered = np.random.default_rng(2), 0
    for _ in range(30):
        photos = np.arange(50).repeat(4)
        low, high = mean_interval(rng.normal(0, 1, 50)[photos] + rng.normal(0, 0.3, 200), photos)
        covered += low <= 0 <= high
    assert covered >= 25


def test_one_photo_has_no_interval():
    assert mean_interval([0.1, 0.2], ["a", "a"]) is None
    assert mean_interval([], []) is None


def test_the_interval_of_a_ratio_weighs_photos_by_their_denominators():
    below = np.random.default_rng(1).uniform(1, 9, 60)
    low, high = mean_interval(0.5 * below, range(60), over=below)
    assert (low, high) == pytest.approx((0.5, 0.5))
    low, high = mean_interval([0.0, 8.0] * 30, range(60), over=[1.0, 16.0] * 30)
    assert low < 8 / 17 < high
