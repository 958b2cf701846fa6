"""Plans with any numbers, from any JSON, and with any damage."""
import copy
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.files import UserError
from core.operators import TABLE, Mask, Plan, Step, execute

QUICK = settings(max_examples=60, deadline=None)
MANY = settings(max_examples=300, deadline=None)

MASKS = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=4).map(Mask.from_array)


@st.composite
def steps(draw):
    row = draw(st.sampled_from(list(TABLE.values())))
    numbers = st.floats(-10, 10, width=32)
    params = draw(st.lists(numbers, min_size=row.n_params, max_size=row.n_params))
    return Step.make(row.name, params, draw(MASKS if row.local else st.none() if row.resizes else st.none() | MASKS))


PLANS = st.lists(steps(), max_size=5).map(lambda made: Plan(tuple(made)))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10 ** 400) | st.floats() | st.text(max_size=8)
    | st.sampled_from([*TABLE, "op", "params", "mask", "size", "counts", "0", "o"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["format", "version", "steps", "op", "params", "mask", "size", "counts"]) | st.text(max_size=4),
        inner, max_size=4), max_leaves=12)


def places(value):
    """Yield (container, key) of every value inside a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@st.composite
def damaged_plans(draw):
    """Draw a valid plan in which one to three values were replaced or removed."""
    value = copy.deepcopy(draw(PLANS).to_dict())
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(value))
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        if draw(st.booleans()):
            container[key] = draw(JSON)
        else:
            del container[key]
    return value


def random_image(seed=0, height=5, width=6):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


@QUICK
@given(PLANS)
def test_json_round_trip(plan):
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False))) == plan


@QUICK
@given(PLANS)
def test_a_saved_plan_replays_to_the_same_bits(tmp_path_factory, plan):
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    plan.save(path)
    again = Plan.load(path)
    assert torch.equal(execute(again, random_image()), execute(plan, random_image()))
    again.save(path.with_name("again.json"))
    assert path.read_bytes() == path.with_name("again.json").read_bytes()


@QUICK
@given(PLANS, st.sampled_from([(1, 1), (1, 5), (5, 6)]), st.sampled_from([0.0, 0.5, 1.0, None]))
def test_executing_stays_in_range(plan, size, level):
    image = random_image(1, *size) if level is None else torch.full((3, *size), level)
    edited = execute(plan, image)
    assert edited.shape == image.shape or any(TABLE[step.op].resizes for step in plan)
    assert edited.isfinite().all()
    assert edited.min() >= 0
    assert edited.max() <= 1


@MANY
@given(st.sampled_from(list(TABLE)), st.lists(st.floats() | st.integers(), max_size=25))
def test_make_gives_parameters_within_bounds_or_refuses(op, params):
    row = TABLE[op]
    params = params[:row.n_params] if len(params) > row.n_params > 0 else params
    try:
        made = Step.make(op, params)
    except UserError:
        return
    assert all(bounds.low <= p <= bounds.high for bounds, p in zip(row.params, made.params, strict=True))
    assert Plan.from_dict(Plan((made,)).to_dict()) == Plan((made,)) if not row.local else made.params == ()


@MANY
@given(st.one_of(JSON, damaged_plans()))
def test_any_json_gives_a_plan_or_one_error_sentence(value):
    try:
        plan = Plan.from_dict(value, "my.json")
    except UserError as error:
        assert str(error).startswith("my.json")
        assert "\n" not in str(error)
    else:
        assert execute(plan, random_image()).isfinite().all()


def test_deep_nesting_is_refused():
    value = []
    for _ in range(500):
        value = [value]
    with pytest.raises(UserError, match="plan"):
        Plan.from_dict({"format": "ldie-plan", "version": 1, "steps": value})
