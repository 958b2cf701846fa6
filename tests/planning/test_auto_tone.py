"""Auto-tone corrects dull photos and leaves good photos unchanged."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.operators import Plan, execute
from core.operators.functions import luminance
from core.planning.auto_tone import auto_tone
from core.planning.curves import curve_weights


def ramp(low, high):
    """Return a grey picture, (3, 16, 64), with all levels from `low` to `high`."""
    return torch.linspace(low, high, 16 * 64).view(16, 64).expand(3, -1, -1).clone()


def spread(image):
    return luminance(image[None]).std().item()


def test_a_flat_photo_gets_more_contrast_by_one_tone_curve():
    image = ramp(0.1, 0.9)
    plan = auto_tone(image)
    assert [step.op for step in plan] == ["tint"]
    assert spread(execute(plan, image)) > spread(image)


@pytest.mark.parametrize(("low", "high", "direction"), [(0.0, 0.3, 1), (0.7, 1.0, -1)])
def test_a_dark_photo_becomes_lighter_and_a_light_one_darker(low, high, direction):
    image = ramp(low, high)
    moved = execute(auto_tone(image), image).mean() - image.mean()
    assert moved * direction > 0.01


def test_a_photo_with_all_levels_around_mid_grey_is_left_alone():
    image = ramp(0, 1) ** 1.15
    assert auto_tone(image) == Plan()


def test_a_few_outliers_hardly_change_the_curve():
    image = ramp(0.1, 0.9)
    image[:, 0, :3], image[:, 0, 3:6] = 0, 1
    assert auto_tone(image).steps[0].params == pytest.approx(auto_tone(ramp(0.1, 0.9)).steps[0].params, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_any_photo_gets_a_plan_that_keeps_the_order_of_its_levels(low, high, seed):
    """A picture of a single colour is included: its contrast of 0 must not be a divisor."""
    noise = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(seed))
    image = low + (high - low) * noise
    edited = execute(auto_tone(image), image)
    assert edited.isfinite().all()
    order = image.flatten().argsort()
    assert (edited.flatten()[order].diff() >= -1e-5).all()


def test_weights_of_a_curve_are_its_slopes():
    weights = curve_weights(lambda level: 3 * level ** 2)   # scaled to end at 1
    assert weights.mean() == pytest.approx(1)
    assert weights.cumsum() / 8 == pytest.approx([(step / 8) ** 2 for step in range(1, 9)])
