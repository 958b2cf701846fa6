"""Mask files and pictures of regions."""
import numpy as np
import pytest
import torch
from PIL import Image

from core.files import UserError
from core.operators import Mask
from core.regions.region import Region
from core.regions.segments import Segment
from core.studio.masks import ask_region, overlay, read_mask, show_regions


@pytest.fixture()
def image(photo):
    return torch.from_numpy(photo(40, 60)).permute(2, 0, 1) / 255


def left(depth=np.uint8):
    mask = np.zeros((40, 60), depth)
    mask[:, :30] = np.iinfo(depth).max
    return mask


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_light_pixels_of_a_mask_file_are_edited(depth, image, tmp_path):
    Image.fromarray(left(depth)).save(tmp_path / "mask.png")
    region = read_mask(tmp_path / "mask.png", image)
    soft = region.mask.tensor(40, 60)[0, 0]
    assert (soft[:, :28] == 1).all()
    assert (soft[:, 32:] == 0).all()
    assert (region.words, region.segment.source) == ("mask.png", "file")


def test_a_mask_file_may_have_another_size_but_not_another_aspect(image, tmp_path):
    for size in ((120, 80), (30, 20)):
        Image.fromarray(left()).resize(size).save(tmp_path / "mask.png")
        assert read_mask(tmp_path / "mask.png", image).segment.share == pytest.approx(0.5, abs=0.05)
    Image.fromarray(left()).resize((50, 50)).save(tmp_path / "mask.png")
    with pytest.raises(UserError, match=r"mask.png: the mask is 50x50, but the photo is 60x40"):
        read_mask(tmp_path / "mask.png", image)


def test_a_black_mask_and_a_file_that_is_no_picture_are_refused(image, tmp_path):
    Image.new("L", (60, 40)).save(tmp_path / "mask.png")
    with pytest.raises(UserError, match="no light pixels"):
        read_mask(tmp_path / "mask.png", image)
    (tmp_path / "mask.txt").write_text("white")
    with pytest.raises(UserError, match="mask.txt"):
        read_mask(tmp_path / "mask.txt", image)


def region(words):
    return Region(words, Segment("dog", left() / np.float32(255)), Mask.from_array(left(), region=words))


def test_regions_are_written_as_masks_and_on_the_photo(image, tmp_path):
    paths = show_regions(tmp_path / "masks", image, [region("the dog"), region("../<b>über\0")])
    assert [path.name for path in paths] == ["01_the_dog.png", "02_b_ber.png", "regions.jpg"]
    mask = np.asarray(Image.open(paths[0]))
    assert (mask == left()).all()
    assert Image.open(paths[2]).size == (60, 40)
    assert show_regions(tmp_path / "none", image, []) == []


def test_the_overlay_tints_the_region_only(image):
    shown = overlay(image, [region("the dog").mask]).astype(int)
    plain = (image * 255).round().permute(1, 2, 0).int().numpy()
    assert (abs(shown - plain)[:, 32:].max(), abs(shown - plain)[:, :28].mean() > 20) == (0, True)


def test_a_region_is_chosen_by_its_number(monkeypatch, capsys):
    segments = [region("a").segment, region("b").segment]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    for answer, chosen in (("2", segments[1]), ("", None), ("3", None), ("x", None)):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        assert ask_region("the cat", "no cat was found", segments) is chosen
    assert "no cat was found" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert ask_region("the cat", "no cat was found", segments) is None
