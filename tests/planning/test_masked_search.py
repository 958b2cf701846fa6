"""The search with masks finds edits of regions, removals and white backgrounds; wrong masks are of no use to it."""
import pytest
import torch
from small_regions import SCENES, draw

from core.files import UserError
from core.operators import Mask, Plan, Step, execute
from core.planning import ActionOptions, action_options, plan_inside, plan_pairs

OPTIONS = action_options(1, masks=True)
BALL, OTHER = (Mask.from_array(shape.mask()) for shape in SCENES["three.png"][:2])
GROUND = Mask.from_array(draw(())[1] == 1000)


@pytest.fixture()
def image():
    return torch.from_numpy(draw(SCENES["three.png"], noise=4)[0]).permute(2, 0, 1).float() / 255


def inside(mask, image, other):
    return (image - other).abs().mean(0)[mask.array() > 0].mean().item()


@pytest.mark.parametrize("step", [("brightness", [0.4]), ("contrast", [0.5]), ("saturation", [-0.6])])
def test_an_edit_of_a_region_is_found_inside_its_mask(step, image):
    target = execute(Plan((Step.make(*step, BALL),)), image)
    found = plan_inside(image, target, [GROUND, OTHER, BALL], OPTIONS)
    assert [step.mask for step in found.plan] == [BALL]
    edited = execute(found.plan, image)
    assert inside(BALL, edited, target) < 0.1 * inside(BALL, image, target)
    assert torch.equal(edited[:, BALL.array() == 0], image[:, BALL.array() == 0])
    assert found.distances[-1] == pytest.approx((edited - target).abs().mean().item(), abs=1e-6)


def test_the_search_without_masks_leaves_more_than_three_times_as_much(image):
    target = execute(Plan((Step.make("brightness", [0.4], BALL),)), image)
    options = ActionOptions(tolerance=1e-4)
    without = execute(plan_pairs(image[None], target[None], options)[0].plan, image)
    within = execute(plan_inside(image, target, [BALL], OPTIONS).plan, image)
    assert 3 * inside(BALL, within, target) < inside(BALL, without, target)


def test_swapped_masks_make_the_result_worse(image):
    pairs = {mask: execute(Plan((Step.make("brightness", [0.4], mask),)), image) for mask in (BALL, OTHER)}
    for (mask, target), wrong in zip(pairs.items(), (OTHER, BALL), strict=True):
        right, swapped = (execute(plan_inside(image, target, [given], OPTIONS).plan, image) for given in (mask, wrong))
        assert inside(mask, right, target) < 0.3 * inside(mask, swapped, target)


def test_a_removal_and_a_white_background_are_found(image):
    removed = execute(Plan((Step.make("inpaint_obj", (), BALL),)), image)
    white = execute(Plan((Step.make("color_bg", (), GROUND),)), image)
    for target, expected in ((removed, ("inpaint_obj", BALL)), (white, ("color_bg", GROUND))):
        plan = plan_inside(image, target, [BALL, GROUND], OPTIONS).plan
        assert [(step.op, step.mask) for step in plan] == [expected]
        assert Plan.from_dict(plan.to_dict()) == plan


def test_an_edit_of_the_whole_picture_and_of_a_region_has_both_steps(image):
    target = execute(Plan((Step.make("brightness", [-0.3]), Step.make("saturation", [0.8], GROUND))), image)
    found = plan_inside(image, target, [GROUND], OPTIONS)
    assert {step.mask for step in found.plan} == {None, GROUND}
    assert found.distances[-1] < 0.2 * found.distances[0]


def test_no_masks_leave_the_whole_picture_and_no_local_operator(image):
    target = execute(Plan((Step.make("brightness", [0.4]),)), image)
    found = plan_inside(image, target, [], OPTIONS)
    assert [(step.op, step.mask) for step in found.plan] == [("brightness", None)]
    assert not plan_inside(image, image, [BALL], OPTIONS).plan.steps


def test_epsilon_depends_on_the_name_and_a_fixed_order_is_kept(image):
    target = execute(Plan((Step.make("brightness", [0.4], BALL), Step.make("saturation", [-0.6], GROUND))), image)
    random = ActionOptions(epsilon=1.0, masks=True, min_gain=-1e9, max_steps=3)
    plans = [[step.op for step in plan_inside(image, target, [BALL, GROUND], random, name).plan]
             for name in ("a", "a", "b", "c", "d")]
    assert plans[0] == plans[1]
    assert len(set(map(tuple, plans))) > 1
    ordered = ActionOptions(("saturation", "brightness"), fixed_order=True, masks=True, tolerance=1e-4)
    assert [step.op for step in plan_inside(image, target, [BALL, GROUND], ordered).plan] == [
        "saturation", "brightness"]


def test_local_operators_need_masks_and_the_panel_takes_none():
    with pytest.raises(UserError, match="inpaint_obj has no parameters that a search can fit; give --masks 1"):
        action_options(12, operators=["inpaint_obj"])
    with pytest.raises(UserError, match="develop panel is planned for whole pictures only; give --masks 0"):
        action_options(40, masks=True)
    assert action_options(1).operators == OPTIONS.operators[:-2]
    assert OPTIONS.operators[-2:] == ("inpaint_obj", "color_bg")
