"""Paired augmentation crops and flips both pictures of a pair in the same way."""
import torch

from core.datasets.transforms import crop_and_flip
from core.operators import TABLE, apply


def test_a_crop_is_a_part_of_the_picture_or_of_its_mirror():
    image = torch.arange(2 * 3 * 6 * 5).float().reshape(2, 3, 6, 5)
    crop, _ = crop_and_flip(image, image, 4)
    for whole, part in zip(image, crop, strict=True):
        windows = [candidate[:, top:top + 4, left:left + 4] for candidate in (whole, whole.flip(-1))
                   for top in range(3) for left in range(2)]
        assert any(torch.equal(part, window) for window in windows)


def test_the_plan_of_a_pair_also_fits_its_crops():
    torch.manual_seed(0)
    before = torch.rand(8, 3, 16, 16)
    params = torch.linspace(-0.5, 0.8, 8)[:, None]
    after = apply(TABLE["brightness"], before, params)
    before, after = crop_and_flip(before, after, 9)
    assert torch.equal(apply(TABLE["brightness"], before, params), after)


def test_crops_differ_between_samples_and_draws():
    torch.manual_seed(0)
    image = torch.rand(1, 3, 32, 32).expand(6, -1, -1, -1)
    first, second = (crop_and_flip(image, image, 8)[0] for _ in range(2))
    assert len({tuple(sample.flatten().tolist()) for sample in (*first, *second)}) > 8


def test_a_crop_may_be_the_whole_picture():
    image = torch.rand(1, 3, 8, 8)
    crop, _ = crop_and_flip(image, image, 8)
    assert torch.equal(crop, image) or torch.equal(crop, image.flip(-1))
