"""The keyword editor: what it understands, sentence by sentence, and what its steps do to a photo."""
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.methods.keywords import find_wishes, keyword_plan
from core.operators import Plan, execute


def wishes(request):
    """Return {effect: sign} of a request."""
    return {wish.effect: wish.sign for wish in find_wishes(request)}


def strength(request):
    wish, = find_wishes(request)
    return wish.strength


@pytest.mark.parametrize(("request_", "expected"), [
    # directions
    ("make it brighter", {"light": 1}), ("Darken the image.", {"light": -1}), ("warmer", {"warmth": 1}),
    ("turn the contrast down", {"contrast": -1}), ("dim the light", {"light": -1}),
    ("Increase the sharpness of this picture", {"detail": 1}), ("blur it", {"detail": -1}),
    ("Colours need to be increased a lot. Warmth needs to be reduced.", {"color": 1, "warmth": -1}),
    ("add a cool filter", {"warmth": -1}), ("reduce the warm tones", {"warmth": -1}), ("contrast", {"contrast": 1}),
    ("increase the color temperature", {"warmth": 1}), ("make it black and white", {"grey": 1}),
    # opposites of the words
    ("less warm", {"warmth": -1}), ("make it less bright", {"light": -1}), ("not so bright please", {"light": -1}),
    # complaints
    ("it is too dark", {"light": 1}), ("the photo is not bright enough", {"light": 1}), ("looks dull", {"color": 1}),
    ("the contrast is too low", {"contrast": 1}), ("the contrast is too high", {"contrast": -1}),
    ("it isn't sharp enough", {"detail": 1}), ("there is too much contrast", {"contrast": -1}),
    ("there is not enough light", {"light": 1}), ("this is overexposed", {"light": -1}),
    ("it's dark, brighten it", {"light": 1}),
    # what is commanded is no complaint
    ("make it look dark and flat", {"light": -1, "contrast": -1}), ("it should be bright", {"light": 1}),
    # what is to be kept
    ("don't touch the brightness, only more contrast", {"contrast": 1}), ("don't make it darker", {}),
    ("keep the saturation but cool it down", {"warmth": -1}), ("leave it as it is", {}),
    ("leave the colors alone and brighten it", {"light": 1}),
    ("brighten it without changing contrast or saturation", {"light": 1}),
    # several
    ("increase the brightness, saturation, and contrast", {"light": 1, "color": 1, "contrast": 1}),
    ("brighten the image and reduce contrast", {"light": 1, "contrast": -1}),
    ("Lighten image, decrease contrast, temperature, and saturation.",
     {"light": 1, "contrast": -1, "warmth": -1, "color": -1}),
    ("make the colors warmer", {"warmth": 1}),
    # slips of the finger
    ("brigten teh foto", {"light": 1}), ("increse the contarst", {"contrast": 1}), ("saturaton up", {"color": 1}),
    # nothing for it
    ("", {}), ("remove the dog", {}), ("make it a nice picture", {}), ("我想要更亮", {})])
def test_what_a_request_asks_for(request_, expected):
    assert wishes(request_) == expected


def test_degrees_go_with_the_part_that_they_stand_in():
    assert strength("brighten it a little") < strength("brighten it") < strength("brighten it a lot")
    assert strength("brighten it by 10%") < strength("brighten it by 40%")
    found = find_wishes("Brighten a lot, add contrast and slightly decrease the saturation")
    assert [wish.strength for wish in found] == sorted((wish.strength for wish in found), reverse=True)
    assert found[1].strength == 1


def test_the_last_word_on_an_effect_counts():
    assert keyword_plan("make it darker. no wait, make it brighter") == keyword_plan("brighter")


@pytest.mark.parametrize(("request_", "measure"), [
    ("brighter", lambda image: image.mean()), ("more contrast", lambda image: image.std()),
    ("more saturated", lambda image: (image.amax(0) - image.amin(0)).mean()),
    ("warmer", lambda image: image[0].mean() - image[2].mean()),
    ("sharper", lambda image: image.diff(dim=1).abs().mean())])
def test_more_and_less_move_a_photo_apart(request_, measure, photo):
    image = torch.from_numpy(photo()).permute(2, 0, 1) / 255
    opposite = request_.replace("more", "less") if "more" in request_ else f"less {request_}"
    more, less = (measure(execute(keyword_plan(text), image)) for text in (request_, opposite))
    assert less < measure(image) < more


def test_a_degree_moves_a_tone_curve_too():
    image = torch.full((3, 2, 2), 0.5)
    warmth = [(result[0] - result[2]).mean().item() for result in (
        execute(keyword_plan(text), image) for text in ("a bit warmer", "warmer", "much warmer"))]
    assert 0 < warmth[0] < warmth[1] < warmth[2]


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["brighter", "less", "not", "too", "400%", "contrast", "increase", "don't", ",", ".", "and", "is", "dark", "0%"]),
    max_size=12).map(" ".join))
@example("99999999999999999999999% brighter")
def test_any_text_gives_a_plan_that_can_be_carried_out_and_kept(text):
    plan = keyword_plan(text)
    assert Plan.from_dict(plan.to_dict()) == plan
    assert execute(plan, torch.rand(3, 4, 4)).isfinite().all()


@given(st.sampled_from(["make it brighter", "Reduce the contrast a bit", "it is too dark, warm it up"]))
def test_case_and_closing_marks_do_not_matter(text):
    assert keyword_plan(text.upper() + "!") == keyword_plan(text)
