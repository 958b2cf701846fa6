"""Measures of regions: overlap by hand, shares of found, wrong and refused regions."""
import numpy as np
import pytest

from core.metrics.regions import mask_iou, overall_iou, score_found, with_interval


def box(left, right):
    mask = np.zeros((4, 10), np.float32)
    mask[:, left:right] = 1
    return mask


def test_overlap_of_two_boxes():
    assert mask_iou(box(0, 6), box(2, 8)) == pytest.approx(4 / 8)
    assert mask_iou(box(0, 2), box(5, 8)) == 0
    assert mask_iou(box(0, 0), box(0, 0)) == 1
    assert mask_iou(box(0, 0), box(0, 1)) == 0
    assert mask_iou(0.6 * box(0, 6), box(0, 6)) == 1   # soft masks are cut at .5
    assert mask_iou(0.5 * box(0, 6), box(0, 6)) == 0


def test_large_regions_weigh_more_in_the_overall_overlap():
    masks, truths = [box(0, 8), box(0, 1)], [box(0, 8), box(1, 2)]
    assert overall_iou(masks, truths) == pytest.approx(8 / 10)
    assert overall_iou([box(0, 0)], [box(0, 0)]) is None


def test_found_wrong_and_refused_add_up():
    figures = score_found([0.9, 0.5, 0.2, None], ["a", "b", "c", "d"])
    assert figures["asked"] == 4
    assert [figures[name][0] for name in ("found", "wrong", "refused")] == [0.5, 0.25, 0.25]
    assert figures["IoU"][0] == pytest.approx(0.7)
    low, high = figures["found"][1:]
    assert 0 <= low < 0.5 < high <= 1


def test_a_mean_without_values_or_of_one_photo_has_no_interval():
    assert with_interval([], []) == [None, None, None]
    assert with_interval([0.5, 1], ["a", "a"]) == [0.75, None, None]
    assert score_found([None, None], ["a", "b"])["IoU"] == [None, None, None]
