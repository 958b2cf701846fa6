"""Masks of people: what BlazePose and U2Net agree on, and the things that people hold."""
import numpy as np
import pytest
import torch
from skimage import data

from core.finding import people, things
from core.finding.finder import Finder
from core.finding.people import held_by, person_mask
from core.finding.things import BOX, Detection, held, in_front, mask_of, rivals, without
from core.regions.segments import Segment

PERSON = (20.0, 10.0, 60.0, 90.0)


@pytest.fixture
def astronaut():
    """A portrait (3, 256, 256) that scikit-image ships: the head is at (106, 55), a flag on the left."""
    return torch.from_numpy(data.astronaut().copy()).permute(2, 0, 1).float()[:, ::2, ::2] / 255


def test_the_mask_of_a_portrait_holds_the_person_and_not_the_flag(astronaut):
    mask = mask_of(astronaut, Detection("person", 0.9, (0, 0, 230, 256))).mask
    assert mask.shape == (256, 256) and mask.dtype == np.float32
    assert mask[40:70, 95:120].min() > 0.7 and mask[130:, 80:150].mean() > 0.9   # the face, the chest
    assert mask[20:120, 5:40].mean() < 0.1   # the flag


def blazepose_of(values):
    """Return a network that gives constant masks one after the other."""
    left = list(values)
    return lambda: lambda seen: torch.full((1, 1, 256, 256), float(left.pop(0)))


@pytest.mark.parametrize("views, salient, inside", [((1, 1), 0, True), ((1, 0), 1, True), ((1, 0), 0, False),
                                                    ((0, 0), 1, False)])
def test_two_of_three_masks_decide(monkeypatch, views, salient, inside):
    monkeypatch.setattr(people, "blazepose", blazepose_of(views))
    mask = person_mask(torch.zeros(3, 100, 80), PERSON, (18, 6, 62, 94), np.full((88, 44), float(salient), np.float32))
    assert mask.shape == (88, 44) and (mask == float(inside)).all()


@pytest.mark.parametrize("box", [(0, 0, 80, 100), (79, 99, 80, 100), (5.2, 5.2, 5.4, 5.3), (0, 40, 80, 42)])
def test_boxes_of_any_size_and_place_have_masks(box):
    mask = mask_of(torch.rand(3, 100, 80, generator=torch.Generator().manual_seed(0)),
                   Detection("person", 0.5, box)).mask
    assert mask.shape == (100, 80) and mask.min() >= 0 and mask.max() <= 1 and mask.any()


def test_other_things_do_not_ask_blazepose(monkeypatch):
    monkeypatch.setattr(things, "person_mask", lambda *_: pytest.fail("asked"))
    mask_of(torch.rand(3, 64, 64), Detection("dog", 0.5, (8, 8, 50, 50)))


def test_small_things_in_the_box_of_a_person_are_held_largest_first():
    boxes = [PERSON, (25, 40, 35, 50), (30, 60, 55, 80), (25, 20, 35, 40), (10, 0, 70, 95), (58, 40, 78, 60),
             (30, 30, 31, 31)]
    names = ["person", "cup", "dog", "tie", "couch", "frisbee", "clock"]   # worn, too large, outside, too small
    assert held_by(boxes, names, 0) == [2, 1]
    detections = [Detection(name, 0.5, box) for name, box in zip(names, boxes, strict=True)]
    assert held(detections, 0) == [2, 1]
    assert held(detections, 2) == []   # a dog holds nothing


def test_inside_a_thing_beside_the_person_u2net_has_no_vote(monkeypatch):
    boxes, names = [PERSON, (10, 40, 70, 95), (65, 0, 79, 20), (30, 40, 40, 50)], ["person", "couch", "tv", "cup"]
    detections = [Detection(name, 0.5, box) for name, box in zip(names, boxes, strict=True)]
    assert rivals(detections, 0) == [1] and rivals(detections, 1) == []
    couch = np.zeros((100, 80), np.float32)
    couch[60:] = 1
    monkeypatch.setattr(things, "saliency", lambda crop, side: np.ones(tuple(crop.shape[1:]), np.float32))
    monkeypatch.setattr(people, "blazepose", blazepose_of((1, 0)))
    mask = mask_of(torch.rand(3, 100, 80), detections[0], [Segment("couch", couch, source="detector")]).mask
    assert mask[15:55, 25:55].min() > 0.9 and mask[65:85, 25:55].max() < 0.1


def test_without_leaves_out_things_with_an_outline_only():
    whole, part = np.ones((4, 4), np.float32), np.zeros((4, 4), np.float32)
    part[:2] = 1
    others = [Segment("cup", part, source="detector"), Segment("kite", whole, source=BOX)]
    cut = without(Segment("person", whole), others)
    assert np.array_equal(cut.mask, 1 - part) and cut.name == "person"


def test_things_in_front_of_stuff_are_no_part_of_it(monkeypatch):
    sky, plane = np.zeros((2, 60, 80), np.float32)
    sky[:30], plane[10:20, 10:40] = 1, 1
    monkeypatch.setattr("core.finding.finder.find_stuff", lambda *_: [Segment("sky", sky, 0.9, "rule")])
    monkeypatch.setattr("core.finding.finder.mask_of", lambda image, found, others: Segment(
        found.name, plane, found.score, "detector", thing=True))
    finder = Finder(torch.zeros(3, 60, 80))
    finder.detections = [Detection("airplane", 0.9, (10, 10, 40, 20)), Detection("cow", 0.9, (10, 40, 40, 50))]
    assert in_front(finder.detections, sky) == [0]
    found, = finder.stuff
    assert np.array_equal(found.mask, sky * (1 - plane)) and found.source == "rule"


def test_a_finder_leaves_the_held_thing_out_of_the_person(monkeypatch):
    finder = Finder(torch.zeros(3, 100, 80))
    finder.detections = [Detection("person", 0.9, PERSON), Detection("cup", 0.8, (30, 40, 50, 60))]
    masks = {"person": np.ones((100, 80), np.float32), "cup": np.zeros((100, 80), np.float32)}
    masks["cup"][40:60, 30:50] = 1
    monkeypatch.setattr("core.finding.finder.mask_of", lambda image, found, others: Segment(
        found.name, masks[found.name], found.score, "detector", thing=True))
    person, cup = finder.things()
    assert person.mask.sum() == 100 * 80 - 400 and not (person.mask * cup.mask).any()
