"""The networks of the detectors: shapes, boxes, and the files of their weights."""
import pytest
import torch

from core.files import UserError
from core.models import shipped, stuff_head
from core.models.blazepose import SIDE, BlazePose, blazepose
from core.models.nanodet import BINS, CLASSES, NanoDet, decode, nanodet
from core.models.u2net import U2Net, u2net


def test_nanodet_gives_a_score_per_class_and_a_box_for_every_cell():
    scores, boxes = nanodet()(torch.rand(2, 3, 64, 96))
    cells = 64 * 96 // 64 + 64 * 96 // 256 + 64 * 96 // 1024
    assert scores.shape == (2, cells, 80) and boxes.shape == (2, cells, 4)
    assert scores.min() >= 0 and scores.max() <= 1
    assert (boxes[..., :2] <= boxes[..., 2:]).all()


def test_a_box_is_the_expected_distance_of_each_side_from_the_centre_of_the_cell():
    output = torch.full((1, len(CLASSES) + 4 * BINS, 2, 3), -50.0)
    for side, distance in enumerate((1, 2, 3, 4)):
        output[:, len(CLASSES) + side * BINS + distance] = 50
    output[:, CLASSES.index("dog"), 1, 2] = 50
    scores, boxes = decode(output, 8)
    assert scores[0].argmax().item() == 5 * len(CLASSES) + CLASSES.index("dog")   # the last of six cells
    torch.testing.assert_close(boxes[0, 5], torch.tensor([20.0 - 8, 12 - 16, 20 + 24, 12 + 32]))


@pytest.mark.parametrize("size", [(320, 320), (33, 70), (1, 1)])
def test_u2net_gives_a_saliency_of_the_size_of_the_picture(size):
    saliency = u2net()(torch.rand(1, 3, *size))
    assert saliency.shape == (1, 1, *size) and saliency.min() >= 0 and saliency.max() <= 1


def test_u2net_marks_a_disc_on_plain_ground():
    y, x = torch.meshgrid(torch.arange(160), torch.arange(160), indexing="ij")
    disc = ((x - 80) ** 2 + (y - 70) ** 2 < 40 ** 2).float()
    picture = torch.stack((0.3 + 0.6 * disc, 0.5 - 0.3 * disc, 0.4 - 0.3 * disc))[None]
    saliency = u2net()(picture)[0, 0]
    assert saliency[disc > 0].mean() > 0.8 and saliency[disc == 0].mean() < 0.1


def test_blazepose_gives_a_mask_of_the_size_of_the_picture():
    mask = blazepose()(torch.rand(2, 3, SIDE, SIDE))
    assert mask.shape == (2, 1, SIDE, SIDE) and mask.min() >= 0 and mask.max() <= 1


def test_the_weights_that_ship_fit_the_networks_and_are_loaded_once():
    assert nanodet() is nanodet() and u2net() is u2net() and blazepose() is blazepose()
    assert all(value.dtype == torch.float32 for network in (nanodet(), u2net(), blazepose())
               for value in network.parameters())
    assert {*BlazePose().state_dict()} == {*shipped.read_shipped("blazepose_lite.pt")}
    assert {*NanoDet().state_dict()} == {*shipped.read_shipped("nanodet_g.pt")}
    assert {*U2Net().state_dict()} == {*shipped.read_shipped("u2net_p.pt")}


@pytest.mark.parametrize("name", ["nanodet_g.pt", "blazepose_lite.pt", "u2net_p.pt"])
def test_missing_or_changed_weights_are_one_sentence_with_file_and_remedy(tmp_path, monkeypatch, name):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=rf"{name}: cannot be read \(No such file.*convert_detectors"):
        shipped.read_shipped(name)
    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(UserError, match=rf"{name}: has the SHA-256 \w{{12}}\.\.\., not .*convert_detectors"):
        shipped.read_shipped(name)


def test_the_sky_head_ships_and_a_changed_one_is_refused(tmp_path, monkeypatch):
    assert stuff_head.load_sky_head() is stuff_head.load_sky_head()
    assert stuff_head.load_sky_head().classes == ("other", "sky")
    load = stuff_head.load_sky_head.__wrapped__   # reads the file again
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    assert load() is None   # the rule finds the sky
    (tmp_path / "sky.pt").write_bytes(b"changed")
    with pytest.raises(UserError, match="sky.pt: has the SHA-256 .* or remove it: then the rule finds the sky"):
        load()
