"""Numbered sets of actions, the user's own sets, and impossible options."""
import pytest

from core.files import UserError
from core.operators import SESSIONS
from core.planning import ActionOptions, action_options
from core.planning.action_sets import read_sets

ALL = ("brightness", "contrast", "saturation", "hue", "tint", "sharpness")


def test_the_notebook_has_eleven_sets_and_the_panel_has_two():
    assert sorted(read_sets()) == [*range(1, 12), 40, 41]


@pytest.mark.parametrize("number", range(1, 12))
def test_each_set_gives_search_options_and_has_a_description(number):
    options, row = action_options(number), read_sets()[number]
    assert options.operators == tuple(row["operators"])
    assert row["about"]
    assert row["notebook_l1"][0] > row["notebook_l1"][1]


def test_the_set_of_the_panel_has_operators_of_session_4():
    options = action_options(40)
    assert set(options.operators) <= set(SESSIONS[4])
    assert options.max_steps == 5


@pytest.mark.parametrize("wrong", [{"fixed_order": True}, {"epsilon": 0.1}, {"optimizer": "lbfgs"}])
def test_the_search_of_the_panel_refuses_the_notebook_s_variants(wrong):
    with pytest.raises(UserError, match="exposure_soft is fitted by Gauss-Newton steps only"):
        action_options(40, **wrong)


def test_sets_differ_in_their_options():
    assert action_options(1) == ActionOptions()
    assert action_options(2).optimizer == "lbfgs"
    assert action_options(5).fixed_order
    assert set(action_options(5).operators) == set(ALL)
    assert action_options(6).epsilon == 0.05


def test_a_given_option_overrides_the_set_and_none_does_not():
    options = action_options(5, operators=["color", "brightness"], beam=None, epsilon=0.2, optimizer="nelder-mead")
    assert options.operators == ("hue", "brightness")
    assert options.fixed_order
    assert (options.beam, options.epsilon, options.optimizer) == (3, 0.2, "nelder-mead")


def test_a_new_number_needs_operators():
    with pytest.raises(UserError, match=r"--action_id 12 .*1, 2, .*11, 40.*--operators"):
        action_options(12)
    assert action_options(12, operators=["exposure"]).operators == ("exposure",)


@pytest.mark.parametrize(("flags", "sentence"), [
    ({"operators": ["glow"]}, "unknown operator 'glow'"), ({"operators": ()}, "one or more"),
    ({"operators": ["hue", "color"]}, "each once"), ({"operators": ["hue", "color_bg"]}, "color_bg has no parameters"),
    ({"optimizer": "sgd"}, "'sgd' is unknown; choose one of fit"), ({"epsilon": 1.5}, "epsilon"),
    ({"epsilon": float("nan")}, "epsilon"), ({"beam": 0}, "beam"), ({"max_steps": 0}, "max_steps")])
def test_impossible_options_are_refused(flags, sentence):
    with pytest.raises(UserError, match=sentence):
        action_options(1, **flags)
