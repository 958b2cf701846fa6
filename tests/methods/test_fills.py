"""Removals and painted backgrounds: the region is filled or white, the rest keeps its bits."""
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.datasets import WordVocab
from core.datasets.vocab import SPECIAL
from core.finding.finder import NotFound, hole_for
from core.finding.things import BOX
from core.methods import fills
from core.methods.gate import Gate, Refusal
from core.methods.local import LocalGate
from core.methods.mend import UNASKED
from core.methods.planner import Edited
from core.operators import Mask, Plan, execute
from core.regions.region import Region
from core.regions.segments import Segment
from core.requests.wish import Wish

SIZE = 48, 64


class Planner:
    """A planner that answers every request with no step, so that the keyword plan serves all wishes."""

    operators, vocab, unasked = (), WordVocab((*SPECIAL, "make")), UNASKED

    def plans(self, image, requests):
        return [Edited(image, Plan()) for _ in requests]


class Parts:
    """A finder that knows a dog in the left half, and a bird of 8 x 8 pixels."""

    def __init__(self, photo):
        dog, bird = np.zeros(SIZE, np.float32), np.zeros(SIZE, np.float32)
        dog[:, :32], bird[20:28, 40:48] = 1, 1
        self.known = {"dog": Segment("dog", dog, 0.8, "detector", True),
                      "bird": Segment("bird", bird, 0.8, "detector", True)}

    def find(self, place):
        name = place.but[0].name if place.but else place.name
        if name not in self.known:
            raise NotFound(f"no {name} was found")
        found = self.known[name]
        return replace(found, mask=1 - found.mask) if place.but else found

    def segments(self):
        return list(self.known.values())


@pytest.fixture()
def image():
    """A grey wall with stripes, and a red bird."""
    rows = 0.4 + 0.1 * torch.sin(torch.arange(SIZE[0]) / 2)
    wall = rows[:, None].expand(SIZE).repeat(3, 1, 1).clone()
    wall[:, 20:28, 40:48] = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    return wall


def gate(**options):
    return LocalGate(Gate(Planner()), finder=Parts, **options)


def test_a_removal_fills_the_thing_and_nothing_else(image):
    answer = gate()(image, "remove the bird")
    after = execute(answer.plan, image)
    hole = answer.plan.steps[0].mask.tensor(*SIZE)[0, 0] > 0.5
    assert [(step.op, step.inpainter) for step in answer.plan] == [("inpaint_obj", "patch")]
    assert hole[20:28, 40:48].all() and torch.equal(after[:, ~hole], image[:, ~hole])
    assert (after[0] - after[1]).abs().max() < 0.05   # no red is left
    assert any("shadows" in note for note in answer.notes) and answer.wishes()[0]["granted"]


def test_a_thing_that_the_detector_sees_twice_is_removed_whole(image, monkeypatch):
    front, end, other = (np.zeros(SIZE, np.float32) for _ in range(3))
    front[20:28, 36:46], end[20:28, 39:49], other[20:28, 46:56] = 1, 1, 1   # the last shares no more than an edge
    seen = [Segment("bird", mask, 0.5, "detector", True) for mask in (front, end, other)]
    monkeypatch.setattr(fills, "finder_of", lambda photo: SimpleNamespace(things=lambda name: seen))
    region = Region("the bird", seen[0], Mask.from_array(front))
    hole = fills.fill_step(Wish("removal", -1, where="the bird"), region, image).mask.array()
    assert hole[20:28, 36:49].all() and not hole[:, 53:].any()


def test_a_removal_comes_first_and_paint_last(image):
    answer = gate()(image, "make it warmer, remove the bird and make everything but the dog white")
    ops = [step.op for step in answer.plan]
    assert (ops[0], ops[-1]) == ("inpaint_obj", "color_bg") and len(ops) > 2
    after = execute(answer.plan, image)
    assert (after[:, :, 40:] == 1).all() and after[:, :, :24].max() < 1


def test_a_thing_that_is_not_found_is_not_removed(image):
    for missing in ("fail", "global"):
        with pytest.raises(Refusal, match="no horse was found"):
            gate(on_missing=missing)(image, "remove the horse")


def test_the_rest_of_a_request_is_done_without_a_thing_that_is_not_found(image):
    answer = gate()(image, "make it warmer and remove the horse")
    assert answer.plan.steps and all(step.mask is None for step in answer.plan)
    assert any("no horse was found" in note for note in answer.notes)


def test_more_than_half_of_the_picture_is_not_removed(image):
    with pytest.raises(Refusal, match="at most 50% can be filled"):
        gate()(image, "remove everything but the bird")


def test_it_is_the_mask_of_a_file_or_needs_a_name(image):
    spot = np.zeros(SIZE, np.float32)
    spot[18:30, 38:50] = 1
    region = Region("spot.png", Segment("mask", spot, source="file"), Mask.from_array(spot, 0.002, "spot.png"))
    answer = gate(given=region)(image, "remove it")
    hole = answer.plan.steps[0].mask.array()
    assert np.array_equal(hole, spot > 0.5) and answer.wishes()[0]["granted"]
    with pytest.raises(Refusal, match="does not name the thing"):
        gate()(image, "remove it")


def test_a_hole_grows_and_more_so_without_an_outline(image):
    bird = Parts(image).known["bird"]
    areas = [hole_for(replace(bird, source=source), image).array().sum() for source in ("detector", BOX)]
    assert 64 < areas[0] <= areas[1]
