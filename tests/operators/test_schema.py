"""The quick check of JSON values agrees with the package jsonschema."""
import copy

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.operators import plan_schema
from core.operators.plan import _OUTLINE, _PARAMS
from core.operators.schema import fits

STEP = {"op": "contrast", "params": [0.5], "mask": {"size": [2, 2], "counts": "04", "feather": 0.01}}
PLAN = {"format": "ldie-plan", "version": 2, "steps": [STEP, {"op": "inpaint_obj", "params": [], "inpainter": "patch"}]}
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**20), st.sampled_from([10**400, "", "contrast", "x" * 201]),
    st.floats(), st.lists(st.floats(-1, 1), max_size=4), st.dictionaries(st.text(max_size=3), st.none(), max_size=2))


@st.composite
def damaged(draw):
    """Return a plan in which some values are replaced, left out or added."""
    plan = copy.deepcopy(PLAN)
    for _ in range(draw(st.integers(0, 3))):
        place = plan
        while place and draw(st.integers(0, 3)):
            inner = [part for part in (place.values() if isinstance(place, dict) else place)
                     if isinstance(part, (dict, list))]
            if not inner:
                break
            place = draw(st.sampled_from(inner))
        if isinstance(place, dict):
            name = draw(st.sampled_from([*place, "more"]))
            if draw(st.booleans()):
                place.pop(name, None)
            else:
                place[name] = draw(VALUES)
        elif place and draw(st.booleans()):
            place[draw(st.integers(0, len(place) - 1))] = draw(VALUES)
        else:
            place.append(draw(VALUES))
    return plan


@settings(max_examples=600, deadline=None, derandomize=True)
@given(damaged())
def test_the_check_agrees_on_damaged_plans(plan):
    assert fits(plan, _OUTLINE) == jsonschema.Draft202012Validator(_OUTLINE).is_valid(plan)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(_PARAMS)), st.lists(VALUES | st.floats(-4, 4), max_size=9))
def test_the_check_agrees_on_parameters(name, params):
    assert fits(params, _PARAMS[name]) == jsonschema.Draft202012Validator(_PARAMS[name]).is_valid(params)


def test_a_keyword_that_the_check_does_not_know_is_refused():
    with pytest.raises(ValueError, match="allOf"):
        fits(PLAN, plan_schema())
