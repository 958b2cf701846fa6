"""A planner with masks: each place is edited inside its mask; swapped masks or sentences make the result worse."""
import numpy as np
import pytest
import torch

from core.finding.finder import NotFound
from core.methods.planner import Edited
from core.methods.regional import RegionPlanner
from core.operators import Mask, Plan, Step, execute

LEFT, RIGHT = (Mask.from_array(np.arange(64) // 32 == side * np.ones((48, 1))) for side in (0, 1))
MASKS = {"dog": LEFT, "cat": RIGHT}
IMAGE = torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.2


class Words:
    """A planner that brightens or darkens by the words of a request, inside the mask that it is given."""

    def __init__(self):
        self.asked = []

    def plans(self, image, requests, mask=None):
        self.asked += [(request, mask) for request in requests]
        return [Edited(image, Plan((Step.make("brightness", [0.3 if {"brighten", "more"} & set(request.split()) else
                                                             -0.3], mask),))) for request in requests]


def find(image, words):
    name = words.removeprefix("the ")
    if name not in MASKS:
        raise NotFound(f"no {name}")
    return MASKS[name]


@pytest.fixture()
def planner():
    return RegionPlanner(Words(), find)


def test_the_wishes_of_each_place_are_planned_inside_its_mask(planner):
    edited = planner(IMAGE, "brighten the dog and darken the cat")
    assert sorted((step.params[0] > 0, step.mask == LEFT) for step in edited.plan) == [(False, False), (True, True)]
    assert torch.equal(edited.image, execute(edited.plan, IMAGE))
    half = planner(IMAGE, "brighten the dog").image
    assert torch.equal(half[..., 32:], IMAGE[..., 32:])
    assert not torch.equal(half[..., :32], IMAGE[..., :32])


def test_wishes_for_the_whole_photo_come_first_and_need_no_mask(planner):
    edited = planner(IMAGE, "darken the photo and brighten the dog")
    assert [step.mask for step in edited.plan] == [None, LEFT]


def test_a_request_without_a_place_is_planned_inside_the_given_mask(planner):
    assert planner(IMAGE, "brighten it", RIGHT).plan.steps[0].mask == RIGHT
    assert planner(IMAGE, "brighten it").plan.steps[0].mask is None
    assert planner(IMAGE, "brighten the dog", RIGHT).plan.steps[0].mask == LEFT


def test_a_single_place_keeps_the_words_of_the_request(planner):
    planner(IMAGE, "remove the dog")
    assert planner.planner.asked == [("remove the dog", LEFT)]


def test_nothing_is_planned_for_what_should_stay_and_a_missing_place_is_told(planner):
    assert not planner(IMAGE, "do not change the dog").plan.steps
    with pytest.raises(NotFound, match="no zebra"):
        planner(IMAGE, "brighten the zebra")


def test_swapped_masks_or_sentences_make_the_result_worse(planner):
    for words, own, other in (("brighten the dog", LEFT, "darken the dog"), ("darken the cat", RIGHT,
                                                                          "brighten the cat")):
        target = planner(IMAGE, words).image
        right, said = ((planner(IMAGE, request).image - target).abs().mean() for request in (words, other))
        swapped = RegionPlanner(Words(), lambda image, words, own=own: RIGHT if own == LEFT else LEFT)
        wrong = (swapped(IMAGE, words).image - target).abs().mean()
        assert right == 0
        assert min(said, wrong) > (IMAGE - target).abs().mean()
