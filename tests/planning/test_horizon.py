"""The tilt of a photo is found from its straight edges, and only where they show one."""
import numpy as np
import pytest
import torch

from core.operators import Plan, Step, execute
from core.planning.horizon import tilt


def street(side=480):
    """Return a picture (3, H, W) with a horizon, two walls and some noise."""
    scene = np.full((side * 2 // 3, side, 3), 0.8)
    scene[side // 3:] = 0.3
    scene[side // 8:side // 2, side // 6:side // 4] = 0.5
    scene[side // 5:side // 2, -side // 4:-side // 6] = 0.15
    noisy = scene + np.random.default_rng(0).normal(0, 0.02, scene.shape)
    return torch.from_numpy(noisy.clip(0, 1)).float().permute(2, 0, 1)


@pytest.mark.parametrize("angle", [-6, -2, 1, 4])
def test_a_turned_street_is_levelled(angle):
    turned = execute(Plan((Step.make("rotate", angle),)), street())
    assert tilt(turned) == pytest.approx(-angle, abs=0.4)


def test_photos_without_straight_edges_have_no_tilt(photo):
    smooth = torch.from_numpy(photo(400, 600)).permute(2, 0, 1) / 255
    for image in (smooth, torch.zeros(3, 400, 600), torch.rand(3, 400, 600), street(96)):
        assert tilt(image) is None
