"""Wishes to words: the reader turns the words back into the same wishes."""
from itertools import product

import pytest

from core.requests.reader import read_wishes
from core.requests.saying import said, without_places
from core.requests.wish import LEVELS, LOOKS, REPAIRS, Wish


@pytest.mark.parametrize("attribute", LOOKS)
def test_a_wish_is_said_so_that_the_reader_reads_it(attribute):
    for sign, degree in product((1, -1), LEVELS):
        wish = Wish(attribute, sign, degree)
        assert read_wishes(said([wish])) == [wish]


@pytest.mark.parametrize("attribute", REPAIRS)
def test_repairs_are_said_without_a_degree(attribute):
    assert read_wishes(said([Wish(attribute)])) == [Wish(attribute)]


def test_several_wishes_are_said_in_their_order():
    wishes = [Wish("light", 1, "strong"), Wish("contrast", -1, "slight"), Wish("blue"), Wish("temperature", -1)]
    assert read_wishes(said(wishes)) == wishes


def test_numbers_are_said_as_words():
    assert said([Wish("light", 1, 60)]) == "much more light"


@pytest.mark.parametrize(("request_", "expected"), [
    ("brighten the dog a lot", [Wish("light", 1, "strong")]),
    ("the wall is too warm, slightly cooler please", [Wish("temperature", -1, "slight")]),
    ("darken the photo and brighten the dog, but keep the sky", [Wish("light", 1)])])
def test_wishes_of_places_become_wishes_for_the_whole_photo(request_, expected):
    assert read_wishes(without_places(request_)) == expected


@pytest.mark.parametrize("request_", ["remove the dog", "make the background white", "leave the dog alone", "hm"])
def test_a_request_without_wishes_for_light_and_colour_stays(request_):
    assert without_places(request_) == request_
