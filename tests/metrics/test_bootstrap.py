"""Intervals of means: covered as often as they promise, by whole photos, and repeatable."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.metrics.bootstrap import mean_interval


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 5)), min_size=2, max_size=30))
def test_the_interval_lies_within_the_values_and_is_the_same_each_time(pairs):
    values, photos = zip(*pairs, strict=True)
    interval = mean_interval(values, photos)
    if len(set(photos)) < 2:
        assert interval is None
        return
    low, high = interval
    assert min(values) - 1e-6 <= low <= high <= max(values) + 1e-6
    assert mean_interval(values, photos) == interval


def test_of_independent_photos_it_is_the_interval_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = mean_interval(values, range(400))
    error = values.std() / 400 ** 0.5
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.2 * error)


def test_edits_of_one_photo_are_not_counted_as_so_many_photos():
    of_photo = np.random.default_rng(1).normal(0, 1, 40)
    alone = mean_interval(of_photo, range(40))
    five_times = mean_interval(of_photo.repeat(5), np.arange(40).repeat(5))
    assert five_times == pytest.approx(alone)
    naive = mean_interval(of_photo.repeat(5), range(200))
    assert naive[1] - naive[0] < 0.6 * (alone[1] - alone[0])



def test_it_covers_the_true_mean_about_19_times_out_of_20():
    """30 trials: fewer than 25 covered has a chance below 1%."""
    rng, covered = np.random.default_rng(2), 0
    for _ in range(30):
        photos = np.arange(50).repeat(4)
        low, high = mean_interval(rng.normal(0, 1, 50)[photos] + rng.normal(0, 0.3, 200), photos)
        covered += low <= 0 <= high
    assert covered >= 25


def test_one_photo_has_no_interval():
    assert mean_interval([0.1, 0.2], ["a", "a"]) is None
    assert mean_interval([], []) is None
