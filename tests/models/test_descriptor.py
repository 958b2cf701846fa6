"""The photometric descriptor: finite for every picture, and changed by edits that a photographer would see."""
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.models.descriptor import DESCRIPTOR, describe


def noise(seed=0, side=64):
    return 0.2 + 0.6 * torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.0, 1.0, None]), st.integers(0, 99))
def test_the_descriptor_is_finite_and_bounded_for_every_picture(height, width, value, seed):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, 3, height, width, generator=generator) if value is None else torch.full(
        (2, 3, height, width), value)
    described = describe(image)
    assert described.shape == (2, DESCRIPTOR)
    assert described.abs().max() < 30
    assert torch.isfinite(described).all()


def test_a_plain_grey_picture_always_has_the_same_descriptor():
    assert torch.equal(describe(torch.full((1, 3, 64, 64), 0.5)), describe(torch.full((1, 3, 64, 64), 0.5)))


@pytest.mark.parametrize("edit", [
    lambda x: 0.7 * x,                                                        # exposure
    lambda x: 0.5 + 0.5 * (x - 0.5),                                          # contrast
    lambda x: x.mean(1, keepdim=True) + 0.5 * (x - x.mean(1, keepdim=True)),  # saturation
    lambda x: x * torch.tensor([1.1, 1.0, 0.9])[:, None, None],               # cast
    lambda x: torch.nn.functional.avg_pool2d(x, 3, 1, 1),                     # sharpness
], ids=["exposure", "contrast", "saturation", "cast", "sharpness"])
def test_each_kind_of_edit_changes_the_descriptor_more_than_other_noise_of_the_same_statistics(edit):
    image = noise()
    moved, other = ((describe(picture) - describe(image)).abs().max() for picture in (edit(image), noise(1)))
    assert moved > 2 * other


def test_clipped_pixels_are_counted():
    image = noise()
    image[..., :16] = 1.0
    change = describe(image) - describe(noise())
    assert (change == 4 * 0.25).sum() == 3   # a quarter of the pixels of each channel, times the weight 4
