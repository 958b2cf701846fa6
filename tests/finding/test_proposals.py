"""Proposals: no overlap, UPSNet's order and void, and the masks in GIER's format."""
import numpy as np
import pytest

from core.files import UserError
from core.finding.proposals import from_upsnet, propose, to_rows
from core.regions.classes import UPSNET
from core.regions.mask import Mask
from core.regions.segments import Segment

PERSON, SKY, TREE = UPSNET.index("person"), UPSNET.index("sky-other-merged"), UPSNET.index("tree-merged")


def channels():
    found = np.zeros((20, 30, 2), np.int64)
    found[:10, :, 0], found[10:, :, 0] = SKY, 255
    found[12:18, 2:8] = PERSON, 2
    found[12:18, 10:16] = PERSON, 1
    found[0:4, 20:30] = TREE, 0
    return found


def test_upsnets_segments_come_by_class_and_instance_without_the_void():
    segments = from_upsnet(channels(), 40, 60)
    assert [(one.name, one.thing) for one in segments] == [
        ("plants", False), ("sky", False), ("person", True), ("person", True)]
    assert segments[2].mask[12, 11] == segments[3].mask[12, 3] == 1   # instance 1 before instance 2
    assert sum(one.mask.sum() for one in segments) == 20 * 30 - 10 * 30 + 2 * 36


def wrong_class(found):
    found[0, 0, 0] = 140
    return found


@pytest.mark.parametrize(("change", "size", "words"), [
    (wrong_class, (20, 30), "the class 140; classes are from 0 to 132, or 255"),
    (lambda found: found[..., :1], (20, 30), r"has shape \(20, 30, 1\)"),
    (lambda found: found.astype(float), (20, 30), "of float64"),
    (lambda found: found * [0, 500], (20, 30), "an instance that is not from 0 to 999"),
    (lambda found: found, (20, 20), "another aspect")])
def test_other_arrays_are_refused(change, size, words):
    with pytest.raises(UserError, match=f"pan.npy: .*{words}"):
        from_upsnet(change(channels()), *size, source="pan.npy")


def test_a_pixel_belongs_to_the_first_of_its_segments_and_specks_are_left_out(tmp_path):
    half, whole, speck = np.zeros((10, 10)), np.ones((10, 10)), np.zeros((10, 10))
    half[:5], speck[0, 0] = 0.8, 1
    found = propose(lambda photo: [Segment("speck", speck), Segment("dog", half, 0.7, thing=True),
                                   Segment("sky", whole)], tmp_path / "a.jpg")
    assert [(one.name, int(one.mask.sum())) for one in found] == [("dog", 49), ("sky", 50)]
    with pytest.raises(UserError, match="a.jpg: has no segment"):
        propose(lambda photo: [Segment("speck", speck)], tmp_path / "a.jpg")


def test_rows_have_the_masks_with_names_and_boxes_that_slivers_do_not_stretch():
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:30], mask[0, 50:53] = True, True
    rows, about = to_rows([Segment("person", mask, 0.5, thing=True), Segment("sky", mask)])
    assert rows[0]["region"] == "person"
    assert (Mask.from_dict(rows[0]).array() == mask).all()   # the mask keeps the sliver
    assert about[0] == {"name": "person", "thing": True, "score": 0.5, "box": [10, 10, 20, 20]}
    assert about[1]["box"] == [10, 0, 43, 30]
