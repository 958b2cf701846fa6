"""Areas: the picture of a region, steps without an area, and the planner that edits inside masks only."""
import pytest
import torch
from test_planner import IMAGE, OPS, REQUEST, known_params, planner_of

from core.models.areas import Areas
from core.operators import SESSIONS, Mask, execute
from core.regions.segments import filled

MASK = torch.zeros(4, 1, 32, 32)
MASK[:, :, 4:20, 8:24] = 1
MASK[2, :, 10:, :] = 0
NAMES = SESSIONS[3]


def test_a_picture_shows_the_box_of_the_region_as_the_local_gate_does():
    shown = Areas(MASK).pictures(IMAGE, 0)
    assert shown.shape == IMAGE.shape
    for image, mask, picture in zip(IMAGE, MASK, shown, strict=True):
        box = filled(image, mask[0])
        rows, columns = ((torch.arange(32) * side // 32) for side in box.shape[1:])
        assert torch.equal(picture, box[:, rows[:, None], columns])


def test_an_area_of_the_whole_picture_or_of_nothing_shows_the_whole_picture():
    for mask in (torch.ones_like(MASK), torch.zeros_like(MASK)):
        assert torch.equal(Areas(mask).pictures(IMAGE, 0), IMAGE)


def test_a_step_without_an_area_has_that_of_the_step_before():
    steps = torch.zeros(4, 5, 1, 32, 32)
    steps[:, 0], steps[:, 2] = MASK, 1 - MASK
    areas = Areas(steps)
    for step, expected in enumerate((MASK, MASK, 1 - MASK, 1 - MASK, 1 - MASK, 1 - MASK, 1 - MASK)):
        assert torch.equal(areas.mask(step), expected)
    assert torch.equal(areas.pictures(IMAGE, 1), areas.pictures(IMAGE, 0))
    assert not torch.equal(areas.pictures(IMAGE, 2), areas.pictures(IMAGE, 0))
    assert not steps[:, 1].any(), "the given masks keep their values"


@pytest.mark.parametrize("local", [False, True])
def test_a_full_mask_changes_nothing_but_the_operators_that_can_be_chosen(local):
    planner = planner_of(local=local)
    params = known_params(planner)
    without, inside = (planner.teacher_forced(IMAGE, REQUEST, OPS, params, masks)
                       for masks in (None, torch.ones(4, 5, 1, 32, 32)))
    torch.testing.assert_close(without[1], inside[1])
    local_ids = [NAMES.index("inpaint_obj"), NAMES.index("color_bg")]
    assert without[0][:, 0, local_ids].isinf().all()
    assert inside[0][:, 0, local_ids].isinf().all() == (not local)


@pytest.mark.parametrize("seed", range(4))
def test_plans_keep_the_pixels_outside_and_run_as_they_were_unrolled(seed):
    planner = planner_of(seed, local=True)
    with torch.no_grad():
        planner.operator_head.bias[NAMES.index("color_bg")] += 2   # so that some plan has it
    unrolled = planner(IMAGE, REQUEST, masks=MASK)
    kept = MASK.expand_as(IMAGE) == 0
    assert torch.equal(unrolled.image[kept], IMAGE[kept])
    chosen = set()
    for index in range(4):
        mask = Mask.from_array(MASK[index, 0].numpy())
        plan, _ = unrolled.plan(planner.vocab, index, mask)
        assert all(step.mask == mask for step in plan)
        chosen |= {step.op for step in plan}
        if "inpaint_obj" not in {step.op for step in plan}:   # a plan fills with patches, a network by Telea's method
            torch.testing.assert_close(execute(plan, IMAGE[index]), unrolled.image[index])
    assert "color_bg" in chosen


def test_each_step_has_its_own_mask():
    planner = planner_of(3)
    steps = torch.zeros(4, 5, 1, 32, 32)
    steps[:, 0], steps[:, 1:] = MASK[:, None, 0], 1 - MASK[:, None]
    masks = [Mask.from_array(MASK[0, 0].numpy()), Mask.from_array(1 - MASK[0, 0].numpy())]
    unrolled = planner(IMAGE[:1], REQUEST[:1], masks=steps[:1])
    plan, _ = unrolled.plan(planner.vocab, 0, masks)
    assert [step.mask for step in plan] == [masks[min(index, 1)] for index in range(len(plan))]
    assert len(plan) > 1
    torch.testing.assert_close(execute(plan, IMAGE[0]), unrolled.image[0])


def test_the_planner_sees_nothing_outside_the_mask():
    planner = planner_of(1, local=True)
    other = torch.where(MASK == 1, IMAGE, 1 - IMAGE)
    first, second = (planner(image, REQUEST, masks=MASK) for image in (IMAGE, other))
    assert torch.equal(first.ops[:, 0], second.ops[:, 0])   # later steps follow sharpening, which looks over the edge
    torch.testing.assert_close(first.params[:, 0], second.params[:, 0])
