"""The search with the develop panel: it finds known edits, keeps to its options, and its plans fit other photos."""
import pytest
import torch

from core.files import UserError
from core.operators import TABLE, Plan, Step, execute
from core.planning import action_options, plan_pairs
from core.planning.panel import PanelSearch
from core.planning.refine import Scales, distance, jacobian, refine

KNOWN = Plan((Step.make("exposure_soft", [0.4]), Step.make("white_balance", [0.6, -0.2]), Step.make("chroma", [0.3])))
QUICK = action_options(40, operators=("exposure_soft", "white_balance", "chroma", "channel_curves"), tolerance=0.001)


@pytest.fixture
def photos(photo):
    return torch.stack([torch.from_numpy(photo(48, 64, seed)).permute(2, 0, 1) / 255 for seed in range(4)])


def l1(a, b):
    return (a - b).abs().mean().item()


def test_a_known_plan_is_found_and_fits_another_photo(photos):
    found, = plan_pairs(photos[:1], execute(KNOWN, photos[:1]), QUICK)
    assert found.l1_output < 0.2 * found.l1_input
    assert l1(execute(found.plan, photos[1]), execute(KNOWN, photos[1])) < 0.01


def test_a_plan_of_one_half_fits_the_other_half(photos):
    edited = execute(KNOWN, photos[0])
    left, right = (slice(0, 32), slice(32, 64))
    of_left, of_right = (plan_pairs(photos[:1, ..., half], edited[None, ..., half], QUICK)[0].plan
                         for half in (left, right))
    own = l1(execute(of_right, photos[0, ..., right]), edited[..., right])
    assert l1(execute(of_left, photos[0, ..., right]), edited[..., right]) < 0.005 + 1.15 * own


def test_curves_keep_slopes_where_a_pair_has_few_pixels(photos):
    """The photo has no pixel above .6, so the edit says nothing of light tones; the curves must not be flat there."""
    dark = photos[:1] * 0.6
    found, = plan_pairs(dark, execute(Plan((Step.make("exposure_soft", [0.5]),)), dark),
                        action_options(40, operators=("channel_curves",)))
    heights = torch.tensor(found.plan.steps[0].params).view(3, 9)
    slopes = heights.cummax(1).values.diff(dim=1) * 8
    assert slopes.min() >= 0.2
    assert slopes.max() <= 4


def test_areas_are_found_beside_colour(photos):
    edit = Plan((Step.make("clarity", [0.8]), Step.make("exposure_soft", [0.4])))
    options = action_options(40, operators=("exposure_soft", "chroma", "clarity"), tolerance=0.001)
    for found in plan_pairs(photos, execute(edit, photos), options):
        assert {step.op for step in found.plan} == {"clarity", "exposure_soft"}
        assert found.l1_output < 0.15 * found.l1_input


def test_plans_keep_to_the_options(photos):
    options = action_options(40, max_steps=2, beam=2)
    for found in plan_pairs(photos, photos.flip(0), options):
        assert len(found.plan) <= 2
        assert len({step.op for step in found.plan}) == len(found.plan)
        assert found.l1_output <= found.l1_input
        for step in found.plan:
            assert step == Step.make(step.op, step.params)   # within the bounds


def test_a_pair_is_planned_alike_alone_and_in_a_batch(photos):
    after = execute(KNOWN, photos)
    together = plan_pairs(photos, after, QUICK)
    for index, planned in enumerate(together):
        alone, = plan_pairs(photos[index:index + 1], after[index:index + 1], QUICK)
        assert abs(alone.l1_output - planned.l1_output) < 1e-3


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (40, 40)])
def test_pictures_of_any_size_and_of_one_colour_are_planned(size):
    black, white = torch.zeros(1, 3, *size), torch.ones(1, 3, *size)
    for before, after in ((black, white), (white, black), (black, black), (0.5 * white, 0.6 * white)):
        found, = plan_pairs(before, after, action_options(40))
        assert found.l1_output <= found.l1_input


def test_operators_of_the_notebook_and_of_the_panel_are_planned_together(photos):
    options = action_options(40, operators=("tint", "brightness", "vibrance"), max_steps=3)
    for found in plan_pairs(photos, (1.3 * photos).clamp(0, 1), options):
        assert found.l1_output < 0.3 * found.l1_input


def test_equal_pictures_need_no_plan(photos):
    assert all(len(found.plan) == 0 for found in plan_pairs(photos, photos, QUICK))


def test_derivatives_agree_with_those_of_the_executor(photos):
    search = PanelSearch(QUICK)
    ops = torch.tensor([[3, 5], [4, 0]])
    params = torch.zeros(2, 2, search.vocab.max_params)
    params[0, 0, 0], params[0, 1, 0], params[1, 0, :2] = 0.3, 0.2, torch.tensor([0.5, -0.3])
    scales = Scales.of(search.vocab)
    image, slopes, used = jacobian(search.vocab, ops, params, photos[:2], scales)
    assert used.tolist() == [[0, search.vocab.max_params], [0, 1]]
    exact = torch.func.jacfwd(lambda p: TABLE["white_balance"].function(photos[1:2], p).clamp(0, 1))(params[1:, 0, :2])
    row = TABLE["white_balance"]
    exact = exact[0, ..., 0, :].movedim(-1, 0).flatten(1) * (row.high - row.low).float()[:, None]
    assert (slopes[1] - exact).abs().mean() < 0.01
    assert image.shape == (2, 3, 48, 64)


def test_no_step_of_a_refinement_is_worse(photos):
    search = PanelSearch(QUICK)
    ops, params = torch.tensor([[3], [6]]), torch.zeros(2, 1, search.vocab.max_params)
    params[1, 0] = TABLE["channel_curves"].neutral.float()
    before, after = photos[:2], photos[2:]
    last = distance(before, after)
    for _ in range(4):
        params, cost = refine(search.vocab, ops, params, before, after, search.scales)
        assert (cost <= last + 1e-6).all()
        last = cost


def test_operators_that_cannot_be_fitted_are_refused():
    for name in ("grain", "rotate", "inpaint_obj"):
        with pytest.raises(UserError, match=f"{name} has no parameters that a search can fit"):
            action_options(40, operators=("exposure_soft", name))
