"""A fill is judged inside its hole: an exact fill is perfect, a smooth one lacks detail."""
import torch

from core.metrics.filling import detail_beside, judge_fill


def distance(image, target):
    return (image - target).abs().mean()


def scene(photo):
    truth = torch.from_numpy(photo(64, 96)).permute(2, 0, 1) / 255
    hole = torch.zeros(64, 96, dtype=torch.bool)
    hole[20:40, 30:60] = True
    return truth, hole


def test_the_truth_is_perfect(photo):
    truth, hole = scene(photo)
    assert judge_fill(truth, truth, hole, distance) == {"perceptual": 0, "psnr": 99, "detail": 1, "even": 1}


def test_a_flat_fill_lacks_detail_and_is_measured_inside_the_hole_only(photo):
    truth, hole = scene(photo)
    flat = torch.where(hole, truth[:, hole].mean(1)[:, None, None], truth)
    found = judge_fill(flat, truth, hole, distance)
    assert found["detail"] < 0.1 and not found["even"] and found["perceptual"] > 0
    error = (flat - truth)[:, hole].square().mean()
    assert abs(found["psnr"] + 10 * torch.log10(error).item()) < 1e-4
    elsewhere = flat.clone()
    elsewhere[:, :, 95] = 0.5   # outside the box, its margin included
    assert judge_fill(elsewhere, truth, hole, distance) == found


def test_an_even_texture_is_even_beside_the_hole_and_a_corner_has_no_room():
    noise = torch.rand(3, 90, 90, generator=torch.Generator().manual_seed(0))
    hole = torch.zeros(90, 90, dtype=torch.bool)
    hole[30:60, 30:60] = True
    assert detail_beside(noise, hole) == 1
    noise[:, :, 60:] *= 0.1
    assert detail_beside(noise, hole) == 0.75
    assert detail_beside(noise, torch.ones_like(hole)) is None
