"""The rule picks a real request only if its meaning is certain."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metrics.picking import direction_of, pick_requests


@pytest.mark.parametrize(("request_", "direction"), [
    ("Please increase the contrast of the image a lot.", "contrast+"),
    ("Brighten/lighten photo.", "bright+"),
    ("reduce the light a bit", "bright-"),
    ("Increase the color saturation by 20%", "sat+"),
    ("make the colours warmer", "warm+"),
    ("Make this image a bit cooler, please?", "warm-"),
    ("please reduce the warmth", "warm-"),
    ("sharpen it!", "sharp+"),
    ("Blur the photo slightly", "sharp-"),
])
def test_a_plain_request_is_understood(request_, direction):
    assert direction_of(request_) == direction


@pytest.mark.parametrize("request_", [
    "brighten the sky",                                # a place
    "do not increase the contrast",                    # a negation
    "brighten the image and increase the contrast",    # two wishes
    "increase or reduce the contrast",                 # both ways
    "reduce the vivid saturation",
    "brighten the colors",                             # light or colour?
    "make it less warm",                               # the rule cannot tell the direction
    "improve the image",                               # no attribute
    "contrast", "", "12 %",
])
def test_an_ambiguous_request_is_left_out(request_):
    assert direction_of(request_) is None


@given(st.text())
def test_any_text_has_one_direction_or_none(text):
    direction = direction_of(text)
    assert direction is None or direction[-1] in "+-"


def entries(*requests):
    return [{"request": request} for request in requests]


def test_the_seed_chooses_the_given_number_of_requests_per_direction():
    many = entries(*(f"darken it by {n}%" for n in range(30)), "brighten it", "Brighten it.", "warmer sky")
    items, found = pick_requests(many, 5)
    assert found == {"bright+": 1, "bright-": 30}
    assert [item.direction for item in items] == ["bright+"] + ["bright-"] * 5
    assert items == pick_requests(many, 5)[0]
    assert items[1:] == pick_requests(many[::-1], 5)[0][1:]   # the order in the file does not matter
    assert items != pick_requests(many, 5, seed=1)[0]
    assert {item.suite for item in items} == {"direction_real"}
    assert len({item.sentence for item in items}) == 6


def test_a_request_is_dropped_if_the_intent_disagrees():
    annotations = [{"request": "increase the saturation", "intent": {"sat": -1}},
                   {"request": "darken it", "intent": {"contrast": 1}},
                   {"request": "sharpen it", "intent": {"sharp": 1, "sat": 1}},
                   {"request": "warm it", "intent": None}]
    items, _ = pick_requests(annotations, 9)
    assert [item.direction for item in items] == ["sharp+", "warm+"]


def test_summaries_of_gier_are_picked_and_other_types_ignored():
    entry = {"request": float("nan"), "expert_summary": ["reduce contrast", 3], "amateur_summary": ["blur  it"]}
    items, _ = pick_requests([entry, {"expert_summary": None}], 9)
    assert [item.sentence for item in items] == ["reduce contrast", "blur it"]
    assert pick_requests([], 9) == ([], {})
