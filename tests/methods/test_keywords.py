"""The keyword editor: its plans follow the wishes and move a photo in their direction."""
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.methods.keywords import LOCAL, PLAIN, keyword_operators, keyword_plan
from core.operators import Plan, execute
from core.requests.wish import FILLS


def test_a_larger_degree_is_a_larger_strength():
    slight, plain, strong, ten, forty = (keyword_plan(f"brighten it {degree}").steps[0].params[0] for degree in (
        "a little", "", "a lot", "by 10%", "by 40%"))
    assert slight < plain < strong
    assert ten < plain < forty
    assert keyword_plan(f"brighten it by {PLAIN['%']}%") == keyword_plan("brighten it")


def test_of_several_wishes_for_one_attribute_the_last_counts():
    assert keyword_plan("make it darker. no wait, make it brighter") == keyword_plan("brighter")


@pytest.mark.parametrize(("request_", "operators"), [
    ("make the background white", {"color_bg"}), ("change the background to something else", {"color_bg"}),
    ("make the background transparent", {"color_bg"}),
    ("remove the dog and brighten it", {"inpaint_obj", "brightness"}),
    ("keep the light as it is", set())])
def test_wishes_for_things_call_for_operators_that_the_plan_lacks(request_, operators):
    assert keyword_operators(request_) == operators
    assert set(FILLS) <= LOCAL.keys()


@pytest.mark.parametrize(("request_", "measure"), [
    ("brighter", lambda image: image.mean()), ("more contrast", lambda image: image.std()),
    ("more saturated", lambda image: (image.amax(0) - image.amin(0)).mean()),
    ("warmer", lambda image: image[0].mean() - image[2].mean()),
    ("sharper", lambda image: image.diff(dim=1).abs().mean())])
def test_more_and_less_move_a_photo_in_opposite_directions(request_, measure, photo):
    image = torch.from_numpy(photo()).permute(2, 0, 1) / 255
    opposite = request_.replace("more", "less") if "more" in request_ else f"less {request_}"
    more, less = (measure(execute(keyword_plan(text), image)) for text in (request_, opposite))
    assert less < measure(image) < more


def test_a_degree_also_changes_a_tone_curve():
    image = torch.full((3, 2, 2), 0.5)
    warmth = [(result[0] - result[2]).mean().item() for result in (
        execute(keyword_plan(text), image) for text in ("a bit warmer", "warmer", "much warmer"))]
    assert 0 < warmth[0] < warmth[1] < warmth[2]


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["brighter", "less", "not", "too", "400%", "contrast", "increase", "don't", ",", ".", "and", "is", "dark", "0%"]),
    max_size=12).map(" ".join))
@example("99999999999999999999999% brighter")
@example("9" * 400 + "% brighter")
def test_any_text_gives_a_plan_that_can_be_executed_and_saved(text):
    plan = keyword_plan(text)
    assert Plan.from_dict(plan.to_dict()) == plan
    assert execute(plan, torch.rand(3, 4, 4)).isfinite().all()


@given(st.sampled_from(["make it brighter", "Reduce the contrast a bit", "it is too dark, warm it up"]))
def test_case_and_punctuation_at_the_end_do_not_matter(text):
    assert keyword_plan(text.upper() + "!") == keyword_plan(text)
