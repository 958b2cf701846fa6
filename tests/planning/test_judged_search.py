"""A search without targets: it minimises the cost that a judge gives, also if each picture has its own judge."""
import pytest
import torch

from core.operators import TABLE, Plan, Step, execute
from core.planning import ActionOptions, plan_by_judge
from core.planning.goals import Judged, KnownTarget, descend, samples

QUICK = ActionOptions(operators=("brightness", "contrast", "saturation"), beam=2, max_steps=2)
PLANNABLE = [row for row in TABLE.values() if row.plannable]


@pytest.fixture
def images(photo):
    """Return `images(count)`: different photos (count, 3, 16, 20)."""
    def make(count):
        return torch.stack([torch.from_numpy(photo(16, 20, seed)).permute(2, 0, 1) / 255 for seed in range(count)])
    return make


def wants(targets):
    """Return a judge whose cost is the distance to hidden targets."""
    return lambda image, rows: (image - targets[rows]).abs().mean((1, 2, 3)) + 1e-4


def ops_of(plan):
    return [step.op for step in plan]


@pytest.mark.parametrize("step", [("brightness", [0.4]), ("contrast", [-0.5]), ("saturation", [-0.7])])
def test_the_optimum_of_the_judge_is_found(images, step):
    before = images(2)
    after = execute(Plan((Step.make(*step),)), before)
    for x, y, plan in zip(before, after, plan_by_judge(before, wants(after), QUICK), strict=True):
        assert step[0] in ops_of(plan)
        assert (execute(plan, x) - y).abs().mean() < 0.25 * (x - y).abs().mean()


def test_a_curve_is_found_by_a_judge(images):
    before, options = images(1), ActionOptions(operators=("tint",), max_steps=1)
    after = before ** 0.7
    plan, = plan_by_judge(before, wants(after), options)
    assert (execute(plan, before) - after).abs().mean() < 0.3 * (before - after).abs().mean()


def test_each_picture_has_a_judge_of_its_own(images):
    before = images(1).repeat(2, 1, 1, 1)
    sign = torch.tensor([-1.0, 1.0])

    def judge(image, rows):
        return torch.nn.functional.softplus(8 * sign[rows] * image.mean((1, 2, 3)))
    up, down = (execute(plan, x).mean() - x.mean() for plan, x in
                zip(plan_by_judge(before, judge, QUICK), before, strict=True))
    assert up > 0.05
    assert down < -0.05


def test_a_constant_judge_gives_empty_plans(images):
    before = images(3)
    assert plan_by_judge(before, lambda image, rows: 0.5 + 0 * image.mean((1, 2, 3)), QUICK) == [Plan()] * 3


@pytest.mark.parametrize("seed", range(4))
def test_no_plan_costs_more_than_the_empty_plan_for_any_judge(images, seed):
    before = images(2)
    field = torch.randn(3, 16, 20, generator=torch.Generator().manual_seed(seed))

    def judge(image, rows):
        return torch.nn.functional.softplus((image * field).sum((1, 2, 3)))
    plans = plan_by_judge(before, judge, QUICK)
    rows = torch.arange(2)
    after = torch.stack([execute(plan, x) for plan, x in zip(plans, before, strict=True)])
    assert (judge(after, rows) <= judge(before, rows)).all()
    assert all(len(plan) <= 2 for plan in plans)


@pytest.mark.parametrize("operator", PLANNABLE, ids=lambda row: row.name)
def test_samples_lie_within_the_bounds_and_begin_with_neutral_parameters(operator):
    found = samples(operator, 9)
    assert found.shape == (9, operator.n_params)
    torch.testing.assert_close(operator.normalise(found), found)
    assert len(found.unique(dim=0)) >= 8   # the neutral value may occur a second time
    image = torch.rand(1, 3, 6, 6)
    torch.testing.assert_close(operator.function(image, found[:1]).clamp(0, 1), image, atol=1e-5, rtol=0)


def test_a_goal_of_chosen_rows_uses_their_targets():
    targets = torch.rand(3, 3, 4, 4)
    rows = torch.tensor([2, 0, 2])
    known = KnownTarget(targets, torch.ones(4, 4, dtype=torch.bool), "fit", 0.0)
    judged = Judged(wants(targets), torch.arange(3))
    for goal, least in ((known, 0.0), (judged, 1e-4)):
        cost = goal.at(rows).cost(targets[rows])
        torch.testing.assert_close(cost, torch.full((3,), least))
        assert (goal.at(rows).cost(targets) > least).tolist() == [True, True, False]


def test_descent_converges_within_bounds_and_never_worsens_its_start():
    goal = torch.tensor([[0.3], [2.0]])

    def descended(start, rounds, rate):
        return descend(start, lambda params: (params - goal).square().sum(1), lambda params: params.clamp(-1, 1),
                       rounds, rate)
    torch.testing.assert_close(descended(torch.zeros(2, 1), 60, 0.1), torch.tensor([[0.3], [1.0]]), atol=0.02, rtol=0)
    start = torch.tensor([[0.31], [1.0]])
    assert ((descended(start, 5, 5.0) - goal).abs() <= (start - goal).abs()).all()
