"""Things of a photo: boxes of the detector, masks in the boxes, and overlaps."""
import numpy as np
import pytest
import torch

from core.files import UserError
from core.finding import things
from core.finding.things import Detection, detect, find_things, mask_of, separate
from core.models import shipped
from core.models.nanodet import CLASSES, nanodet

GREEN, RED = torch.tensor([0.2, 0.5, 0.2])[:, None, None], torch.tensor([0.9, 0.15, 0.1])[:, None, None]


def disc(size, x, y, radius):
    """Return a mask (h, w) of bools."""
    rows, columns = torch.meshgrid(*map(torch.arange, size), indexing="ij")
    return (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 < radius ** 2


def stop_sign(size=(120, 160), x=100, y=60, radius=36):
    """Return a picture (3, h, w) of a red octagon with a white rim and white bars on a sky-blue ground."""
    rows, columns = torch.meshgrid(*map(torch.arange, size), indexing="ij")
    across, down = (columns + 0.5 - x).abs(), (rows + 0.5 - y).abs()
    far = torch.maximum(torch.maximum(across, down), (across + down) / 2 ** 0.5)
    picture = torch.tensor([0.55, 0.7, 0.9])[:, None, None].expand(3, *size).clone()
    picture[:, far < radius] = 1
    picture[:, far < 0.92 * radius] = torch.tensor([0.75, 0.08, 0.1])[:, None]
    letters = (down < 0.22 * radius) & (across < 0.7 * radius) & ((across / radius * 10).floor() % 3 != 0)
    picture[:, letters] = 1
    picture[:, (across < 0.08 * radius) & (rows > y + radius)] = 0.5
    return picture, far < radius


def overlap(mask, truth):
    inside, truth = np.asarray(mask) > 0.5, np.asarray(truth)
    return (inside & truth).sum() / (inside | truth).sum()


def test_a_drawn_stop_sign_is_found_with_its_mask():
    picture, truth = stop_sign()
    found = [thing for thing in find_things(picture) if thing.name == "stop sign"]
    assert len(found) == 1
    assert found[0].thing and found[0].source == "detector" and found[0].score >= things.SCORE
    assert found[0].mask.shape == (120, 160) and found[0].mask.dtype == np.float32
    assert overlap(found[0].mask, truth) > 0.8


def test_detections_are_classes_of_coco_in_boxes_in_the_picture_the_most_certain_first():
    found = detect(stop_sign()[0])
    assert [thing.score for thing in found] == sorted((thing.score for thing in found), reverse=True)
    for thing in found:
        left, top, right, bottom = thing.box
        assert thing.name in CLASSES and 0 <= left < right <= 160 and 0 <= top < bottom <= 120


def test_a_mirrored_picture_has_the_mirrored_box():
    (left, top, right, bottom), mirrored = (next(thing.box for thing in detect(picture) if thing.name == "stop sign")
                                            for picture in (stop_sign()[0], stop_sign()[0].flip(-1)))
    assert mirrored == pytest.approx((160 - right, top, 160 - left, bottom), abs=3)


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (400, 2), (96, 96)])
def test_pictures_without_things_have_none_at_any_size(size):
    assert find_things(torch.zeros(3, *size)) == []


@pytest.mark.parametrize("box", [(20, 20, 60, 60), (0, 0, 96, 96), (94, 94, 96, 96), (5.2, 5.2, 5.4, 5.3)])
def test_a_mask_has_the_size_of_the_photo_and_stays_near_the_box(box):
    picture = torch.where(disc((96, 96), 40, 40, 18), RED, GREEN)
    mask = mask_of(picture, Detection("apple", 0.5, box)).mask
    assert mask.shape == (96, 96) and mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1 and mask.any()
    left, top, right, bottom = box
    near = np.zeros((96, 96), bool)
    near[max(int(top) - 5, 0):int(bottom) + 5, max(int(left) - 5, 0):int(right) + 5] = True
    assert not mask[~near].any()


def test_the_mask_follows_the_thing_in_the_box():
    truth = disc((96, 96), 40, 40, 18)
    mask = mask_of(torch.where(truth, RED, GREEN), Detection("apple", 0.5, (21, 21, 59, 59))).mask
    assert overlap(mask, truth) > 0.9


@pytest.mark.parametrize("seen", [0.0, 1.0])
def test_grabcut_makes_the_mask_where_u2net_marks_nothing_or_everything(monkeypatch, seen):
    monkeypatch.setattr(things, "saliency", lambda crop, side: np.full(tuple(crop.shape[1:]), seen, np.float32))
    truth = disc((96, 96), 46, 46, 18)
    mask = mask_of(torch.where(truth, RED, GREEN), Detection("apple", 0.5, (21, 21, 71, 71))).mask
    assert overlap(mask, truth) > 0.85


def test_without_any_edge_the_mask_is_the_ellipse_of_the_box(monkeypatch):
    monkeypatch.setattr(things, "saliency", lambda crop, side: np.zeros(tuple(crop.shape[1:]), np.float32))
    mask = mask_of(torch.full((3, 96, 96), 0.5), Detection("apple", 0.5, (20, 30, 60, 50))).mask
    rows, columns = np.mgrid[:96, :96] + 0.5
    assert overlap(mask, ((columns - 40) / 20) ** 2 + ((rows - 40) / 10) ** 2 < 1) > 0.85


def test_of_two_things_that_overlap_the_smaller_is_in_front():
    large, small = np.zeros((2, 20, 20), np.float32)
    large[:, :15], small[5:10, 5:18] = 1, 0.8
    behind, front = separate([large, small])
    assert np.array_equal(front, small)
    np.testing.assert_allclose(behind, np.minimum(large, 1 - small))
    assert (behind + front).max() <= 1
    assert separate([]) == []


def test_changed_weights_are_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "nanodet_g.pt").write_bytes(b"other")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    nanodet.cache_clear()
    with pytest.raises(UserError, match="nanodet_g.pt: has the SHA-256"):
        detect(torch.zeros(3, 8, 8))
