"""The reader: the wishes that its rules find in each sentence."""
from math import isfinite

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.requests.reader import read_wishes
from core.requests.wish import LEVELS, Wish


def signs(request):
    """Return {attribute: sign} of a request."""
    return {wish.attribute: wish.sign for wish in read_wishes(request)}


@pytest.mark.parametrize(("request_", "expected"), [
    # directions
    ("make it brighter", {"light": 1}), ("Darken the image.", {"light": -1}), ("warmer", {"temperature": 1}),
    ("turn the contrast down", {"contrast": -1}), ("dim the light", {"light": -1}),
    ("Increase the sharpness of this picture", {"sharpness": 1}), ("blur it", {"sharpness": -1}),
    ("Colours need to be increased a lot. Warmth needs to be reduced.", {"saturation": 1, "temperature": -1}),
    ("add a cool filter", {"temperature": -1}), ("reduce the warm tones", {"temperature": -1}),
    ("contrast", {"contrast": 1}),
    ("increase the color temperature", {"temperature": 1}), ("make it black and white", {"black and white": 1}),
    # opposites of the words
    ("less warm", {"temperature": -1}), ("make it less bright", {"light": -1}), ("not so bright please", {"light": -1}),
    # complaints
    ("it is too dark", {"light": 1}), ("the photo is not bright enough", {"light": 1}),
    ("looks dull", {"saturation": 1}),
    ("the contrast is too low", {"contrast": 1}), ("the contrast is too high", {"contrast": -1}),
    ("it isn't sharp enough", {"sharpness": 1}), ("there is too much contrast", {"contrast": -1}),
    ("there is not enough light", {"light": 1}), ("this is overexposed", {"light": -1}),
    ("it's dark, brighten it", {"light": 1}),
    # a command is no complaint
    ("make it look dark and flat", {"light": -1, "contrast": -1}), ("it should be bright", {"light": 1}),
    # attributes to be kept
    ("don't touch the brightness, only more contrast", {"contrast": 1}), ("don't make it darker", {}),
    ("keep the saturation but cool it down", {"temperature": -1}), ("leave it as it is", {}),
    ("leave the colors alone and brighten it", {"light": 1}),
    ("brighten it without changing contrast or saturation", {"light": 1}),
    # several
    ("increase the brightness, saturation, and contrast", {"light": 1, "saturation": 1, "contrast": 1}),
    ("brighten the image and reduce contrast", {"light": 1, "contrast": -1}),
    ("Lighten image, decrease contrast, temperature, and saturation.",
     {"light": 1, "contrast": -1, "temperature": -1, "saturation": -1}),
    ("make the colors warmer", {"temperature": 1}),
    # misspelt words
    ("brigten teh foto", {"light": 1}), ("increse the contarst", {"contrast": 1}), ("saturaton up", {"saturation": 1}),
    # sentences without a known word
    ("", {}), ("remove the dog", {}), ("make it a nice picture", {}), ("我想要更亮", {})])
def test_a_request_is_read_as_its_wishes(request_, expected):
    assert signs(request_) == expected


@pytest.mark.parametrize(("request_", "degrees"), [
    ("brighten it a little", ["slight"]), ("brighten it", ["plain"]), ("brighten it a lot", ["strong"]),
    ("brighten it by 10%", [10]), ("brighten it by 12.5 %", [12.5]),
    ("Brighten a lot, add contrast and slightly decrease the saturation", ["strong", "plain", "slight"])])
def test_a_degree_belongs_to_the_part_of_the_sentence_with_its_word(request_, degrees):
    assert [wish.degree for wish in read_wishes(request_)] == degrees


def test_wishes_come_in_the_order_of_their_words():
    assert read_wishes("make it darker. no wait, make it much brighter, and sharpen it") == [
        Wish("light", -1), Wish("light", 1, "strong"), Wish("sharpness")]


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
@example("9" * 400 + "% brighter")
def test_any_text_is_read(text):
    assert all(isfinite(wish.degree) for wish in read_wishes(text) if wish.degree not in LEVELS)
