"""The mean edit: the single plan that fits all pairs best."""
import pytest
import torch

from core.operators import Plan, Step, execute
from core.planning import ActionOptions
from core.planning.mean import mean_edit

POINT_WISE = ActionOptions(operators=("brightness", "contrast", "saturation"))


@pytest.fixture
def images(photo):
    return torch.stack([torch.from_numpy(photo(32, 32, seed)).permute(2, 0, 1) / 255 for seed in range(10)])


def test_a_plan_that_all_pairs_share_is_found(images):
    after = execute(Plan((Step.make("brightness", [-0.3]), Step.make("saturation", [-0.4]))), images)
    plan = mean_edit(images, after, POINT_WISE)
    assert (execute(plan, images) - after).abs().mean() < 0.005


def test_the_mean_edit_fits_the_majority_of_pairs(images):
    after = images.clone()
    after[:7] *= 0.6
    step, = mean_edit(images, after, ActionOptions(operators=("brightness",)))
    assert step.params[0] == pytest.approx(-0.4, abs=0.02)


@pytest.mark.parametrize("most", [1, 3, 1024])
def test_few_of_many_pairs_are_enough(images, most):
    step, = mean_edit(images, images * 0.6, ActionOptions(operators=("brightness",)), most=most)
    assert step.params[0] == pytest.approx(-0.4, abs=0.02)
