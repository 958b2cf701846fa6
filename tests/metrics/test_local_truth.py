"""The true regions of requests for a part of a photo."""
import numpy as np
import pytest

from core.metrics.local import Asked
from core.regions.segments import Segment


def person(*columns):
    mask = np.zeros((10, 10), np.float32)
    mask[:, list(columns)] = 1
    return Segment("person", mask)


def test_all_people_are_the_separate_ones_and_the_crowd():
    asked = Asked("person", {"light": 1}, "all")
    truth = asked.truth([person(0), person(2)], [person(5, 6), Segment("book", np.ones((10, 10), np.float32))])
    assert truth.any(0).nonzero()[0].tolist() == [0, 2, 5, 6]
    assert asked.truth([person(0), person(2)]).any(0).nonzero()[0].tolist() == [0, 2]


@pytest.mark.parametrize("which", ["one", "but"])
def test_beside_a_crowd_no_person_is_the_only_one(which):
    asked = Asked("person", {"light": 1}, which)
    assert asked.truth([person(3)]) is not None
    assert asked.truth([person(3)], [person(7)]) is None
