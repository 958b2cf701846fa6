"""Changing plans: strength, overrides, dropped steps."""
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.files import UserError
from core.operators import TABLE, Mask, Plan, Step, execute
from core.operators.changes import drop, override, scale

CURVE = np.linspace(0.5, 2, 8)
PLAN = Plan((Step.make("brightness", [0.4]), Step.make("tint", CURVE), Step.make("sharpness", [0.5]),
             Step.make("color_bg", mask=Mask.from_array(np.eye(4)))))


def test_strength_one_changes_nothing_and_zero_keeps_only_steps_without_parameters():
    for old, new in zip(PLAN, scale(PLAN, 1.0), strict=True):
        assert old.op == new.op
        assert new.params == pytest.approx(old.params, abs=1e-6)
    assert [step.is_neutral for step in scale(PLAN, 0.0)] == [True, True, True, False]


def test_half_the_strength_is_half_way_to_neutral():
    half = scale(PLAN, 0.5)
    assert half.steps[0].params == pytest.approx((0.2,))
    assert half.steps[1].params == pytest.approx([(1 + p) / 2 for p in PLAN.steps[1].params], abs=1e-6)


@pytest.mark.parametrize(("op", "params"), [("rotate", 90), ("flip", [1, 0]), ("crop", [0.2, 0, 0, 0])])
def test_no_strength_turns_mirrors_or_crops_by_half(op, params):
    step = Step.make(op, params)
    assert scale(Plan((step, *PLAN)), 0.5) == Plan((step, *scale(PLAN, 0.5)))


@given(st.floats(0, 20), st.sampled_from(sorted(name for name, row in TABLE.items() if row.n_params)))
def test_any_strength_stays_within_the_bounds(strength, name):
    row = TABLE[name]
    step = Step.make(name, row.low + (row.high - row.low) * torch.linspace(0.1, 1, row.n_params))
    scaled, = scale(Plan((step,)), strength)
    assert all(bounds.low <= p <= bounds.high + 1e-4 for bounds, p in zip(row.params, scaled.params, strict=True))
    assert torch.isfinite(execute(Plan((scaled,)), torch.rand(3, 5, 6))).all()


def test_an_override_replaces_the_step_of_its_operator_or_is_added_at_the_end():
    changed = override(PLAN, "brightness", [-0.1])
    assert [step.op for step in changed] == [step.op for step in PLAN]
    assert changed.steps[0].params == pytest.approx((-0.1,))
    added = override(PLAN, "contrast", [0.3])
    assert [step.op for step in added][-1] == "contrast"


def test_a_replaced_step_keeps_its_mask():
    mask = Mask.from_array(np.eye(4))
    changed = override(Plan((Step.make("brightness", [0.4], mask),)), "brightness", [0.1])
    assert changed.steps[0].mask == mask


def test_dropping_takes_every_step_of_the_operator_by_name_or_nickname():
    assert [step.op for step in drop(PLAN, "tone")] == ["brightness", "sharpness", "color_bg"]
    assert drop(PLAN, "contrast") == PLAN


@pytest.mark.parametrize("change", [lambda: drop(PLAN, "glow"), lambda: override(PLAN, "glow", [1]),
                                    lambda: override(PLAN, "tint", [0.5])])
def test_unknown_operators_and_wrong_counts_are_refused(change):
    with pytest.raises(UserError):
        change()


@given(st.sampled_from(sorted(name for name, row in TABLE.items() if row.n_params)), st.floats(-20, 20))
def test_a_parameter_out_of_bounds_is_refused_not_clipped(name, value):
    row = TABLE[name]
    highest = np.inf if row.structure == "curve" else row.high.min()
    if row.low.max() <= value <= highest:
        override(PLAN, name, [value] * row.n_params)
    else:
        with pytest.raises(UserError, match=rf"{name}\[\d+\]: .* is out of range"):
            override(PLAN, name, [value] * row.n_params)
