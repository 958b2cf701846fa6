"""A request is exact if its wishes and the regions that they are for equal those of its label."""
import pytest

from core.metrics.exact_places import clauses, exact_places
from core.metrics.reading import Labelled
from core.requests.reader import Reading
from core.requests.wish import Wish


def same(one, other):
    return clauses(one) == clauses(other)


def at(*places, attribute="light"):
    return [Wish(attribute, where=place) for place in places]


@pytest.mark.parametrize(("one", "other"), [
    (at("the guy on the left side"), at("man on the left")), (at("the sky and the sea"), at("the ocean", "sky")),
    (at("the whole photo"), at(None)), (at("the white background"), at("background")),
    (at("the background behind the dog"), at("everything but the dog")),
    (at("the background", attribute="white background"), at(None, attribute="white background")),
    ([*at("the sky"), Wish("light", 0, where="the dog")], at("sky"))])
def test_places_that_are_found_alike_are_one_region(one, other):
    assert same(one, other)


@pytest.mark.parametrize(("one", "other"), [
    (at("the man"), at("the man on the left")), (at("the dog"), at("the dogs")), (at("the sky"), at(None)),
    (at("the sky"), at("the sky but not the moon")), (at("the sky"), at("the sky", attribute="contrast")),
    ([Wish("light", 1, where="the sky")], [Wish("light", -1, where="the sky")]), (at("the sky"), at("the sky", None))])
def test_other_places_or_wishes_are_not_the_same(one, other):
    assert not same(one, other)


def test_only_requests_whose_label_has_a_place_count():
    sentences = [Labelled("a", "local", tuple(at("the sky"))), Labelled("b", "local", tuple(at("the sea", "the dog"))),
                 Labelled("c", "global", tuple(at(None)))]
    readings = [Reading(tuple(at("sky"))), Reading(tuple(at("the sea"))), Reading()]
    assert exact_places(sentences, readings) == {"with a place": 2, "places exact": 0.5}
    assert exact_places([], []) == {"with a place": 0, "places exact": None}
