"""Boxes, their repair, and the location features, by hand."""
import numpy as np
import pytest

from core.regions.boxes import NEAREST, box_of, context, counting, locations, relative_locations, same_class

AREAS, LENGTHS = (3.5, 278, 20037.5, 322, 241, 13), (15, 100, 777, 86, 460, 28)   # the notebook's example


def test_the_slivers_of_the_notebook_do_not_count():
    assert counting(AREAS, LENGTHS).tolist() == [False, True, True, True, False, False]


def test_all_components_count_if_the_second_is_large():
    assert counting((3.5, 3000, 20037.5), (15, 100, 777)).all()


def test_the_largest_component_always_counts():
    assert counting((0.0,), (1.0,)).tolist() == [True]


@pytest.fixture()
def dog_with_sliver():
    mask = np.zeros((60, 80))
    mask[20:50, 10:40] = 1
    mask[5:45, 79] = 1
    return mask


def test_a_sliver_at_the_border_does_not_stretch_the_box_of_a_thing(dog_with_sliver):
    assert box_of(dog_with_sliver, thing=True) == (10, 20, 30, 30)
    assert box_of(dog_with_sliver, thing=False) == (10, 5, 70, 45)


def test_an_empty_mask_has_an_empty_box():
    assert box_of(np.zeros((4, 4)), thing=True) == (0, 0, 0, 0)


def test_locations_are_those_of_mattnet():
    np.testing.assert_allclose(locations(np.array([[10, 20, 30, 40]]), 100, 200),
                               [[0.1, 0.1, 0.39, 0.295, 0.06]], rtol=1e-6)


BOXES = np.array([[0, 0, 10, 10], [20, 0, 10, 20], [50, 0, 10, 10], [12, 0, 2, 2]])
CLASSES = ["dog", "dog", "dog", "cat"]


def test_neighbours_of_the_same_class_are_nearest_first():
    indices, present = same_class(BOXES, CLASSES)
    assert indices[0, :2].tolist() == [1, 2] and present.sum(1).tolist() == [2, 2, 2, 0]
    assert indices.shape == (4, NEAREST)


def test_the_context_begins_with_other_classes():
    indices, present = context(BOXES, CLASSES)
    assert indices[2, :3].tolist() == [3, 1, 0] and present.sum(1).tolist() == [3, 3, 3, 3]
    assert indices[3, :3].tolist() == [0, 1, 2]


def test_a_neighbour_is_seen_from_the_centre_in_own_sizes():
    seen = relative_locations(BOXES, *same_class(BOXES, CLASSES))
    np.testing.assert_allclose(seen[0, 0], [1.5, -0.5, 2.5, 1.5, 2.0])
    assert not seen[3].any() and not seen[0, 2:].any()


def test_segments_without_pixels_give_finite_numbers():
    boxes = np.array([[0, 0, 0, 0], [5, 5, 3, 3]])
    assert np.isfinite(relative_locations(boxes, *context(boxes, ["a", "b"]))).all()
