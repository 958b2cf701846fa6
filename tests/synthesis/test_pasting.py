"""Pasting and the seam test: a thing covers free pixels only, and hard borders are seen."""
import numpy as np
import pytest
import torch

from core.regions.segments import Segment
from core.synthesis.pasting import SHARES, Cutout, cut_out, is_source, mean_colour, paste
from core.synthesis.seams import is_seamless, seam_ratio

SIDE = 128


def textured(seed, level=0.5):
    """Return a picture (3, SIDE, SIDE) of fine grain around a level of grey."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.clip(level + 0.1 * rng.normal(size=(3, SIDE, SIDE)), 0, 1)).float()


def disc(x=64, y=64, radius=20):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius ** 2


def thing(inside, name="cup"):
    return Segment(name, np.float32(inside), 1.0, "truth", True)


def test_an_edit_with_a_hard_border_has_a_seam():
    clean, inside = textured(0), disc()
    edited = torch.where(torch.from_numpy(inside), clean * 0.6, clean)
    assert seam_ratio(clean, inside) == pytest.approx(1, abs=0.1)
    assert seam_ratio(edited, inside) > seam_ratio(clean, inside) * 1.2
    assert not is_seamless(edited, clean, inside)
    assert is_seamless(clean, clean, inside)


@pytest.mark.parametrize("inside", [np.ones((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool), disc()])
def test_a_flat_picture_or_a_region_without_a_border_has_no_seam(inside):
    flat = torch.full((3, SIDE, SIDE), 0.5)
    assert seam_ratio(flat, inside) == 1


@pytest.mark.parametrize(("segment", "expected"), [
    (thing(disc()), True), (thing(disc(x=10)), False), (thing(disc(radius=3)), False), (thing(disc(), "bed"), False),
    (thing(disc(x=30, radius=14) | disc(x=90, radius=14)), False),
    (Segment("sky", np.float32(disc()), 1.0, "truth", False), False)])
def test_things_that_are_whole_can_be_cut_out(segment, expected):
    assert is_source(segment) is expected


@pytest.fixture()
def cutout():
    source = textured(1)
    source[:, torch.from_numpy(disc())] = textured(2, 0.8)[:, torch.from_numpy(disc())]
    return cut_out(source, thing(disc()))


@pytest.fixture()
def seamless(monkeypatch):
    """Let every place pass the seam test; the drawn pictures are too simple for it."""
    monkeypatch.setattr("core.synthesis.pasting.is_seamless", lambda edited, clean, mask: True)


def pasted(cutout, free):
    image = textured(3, 0.35)
    return image, paste(image, free, cutout, np.random.default_rng(0))


def test_a_pasted_thing_changes_free_pixels_only(cutout, seamless):
    free = np.zeros((SIDE, SIDE), bool)
    free[:, :90] = True
    image, found = pasted(cutout, free)
    changed = (found.image != image).any(0).numpy()
    assert (changed <= found.covered).all()
    assert (found.covered <= free).all()
    assert SHARES[0] / 2 <= found.covered.mean() <= 1.5 * SHARES[1]
    assert found.name == "cup"
    assert found.image.min() >= 0
    assert found.image.max() <= 1


def test_a_thing_that_fits_nowhere_is_not_pasted(cutout, seamless):
    assert pasted(cutout, np.zeros((SIDE, SIDE), bool))[1] is None


def test_a_thing_with_a_seam_everywhere_is_not_pasted(cutout, monkeypatch):
    monkeypatch.setattr("core.synthesis.pasting.is_seamless", lambda edited, clean, mask: False)
    assert pasted(cutout, np.ones((SIDE, SIDE), bool))[1] is None


def test_the_same_random_numbers_give_the_same_paste(cutout, seamless):
    free = np.ones((SIDE, SIDE), bool)
    first, second = (pasted(cutout, free)[1] for _ in range(2))
    assert torch.equal(first.image, second.image)


def test_a_thing_that_is_hardly_visible_is_not_pasted(seamless):
    flat = torch.full((3, SIDE, SIDE), 0.5)
    same = Cutout("cup", np.full((50, 50, 3), 0.5, np.float32), disc()[40:90, 40:90], mean_colour(flat))
    assert paste(flat, np.ones((SIDE, SIDE), bool), same, np.random.default_rng(0)) is None
