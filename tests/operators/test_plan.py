"""Plans as values: their fields, valid plan files, and one sentence for every other file."""
import json

import jsonschema
import numpy as np
import pytest
import torch

from core.files import UserError
from core.operators import TABLE, Mask, Plan, Step, plan_schema

MASK = {"size": [2, 2], "counts": "04"}


def plan_of(*steps, **changes):
    return {"format": "ldie-plan", "version": 1, "steps": list(steps)} | changes


def step_of(op, params, **rest):
    return {"op": op, "params": params} | rest


GOOD = [
    plan_of(),
    plan_of(step_of("brightness", [2])),
    plan_of(step_of("brightness", [-1.0]), step_of("exposure", [3.5]), step_of("brightness", [0.1])),
    plan_of(step_of("sharpness", [-0.2]), step_of("sharpness", [1.5]), step_of("black&white", [0])),
    plan_of(step_of("hue", [1] * 24), step_of("tint", [0, 0, 0, 0, 0, 0, 0, 700.5])),
    plan_of(step_of("tint", [1e38] * 8)),
    plan_of(step_of("contrast", [0.5], mask=MASK), step_of("inpaint_obj", [], mask=MASK)),
    plan_of(step_of("color_bg", [], mask={"size": [2.0, 2], "counts": "4"}), version=1.0),
    plan_of(step_of("contrast", [0.5], mask=MASK | {"feather": 0.1, "invert": True, "region": "the dog"}), version=2),
    plan_of(step_of("inpaint_obj", [], mask=MASK, inpainter="patch"), version=2),
    plan_of(step_of("inpaint_obj", [], mask=MASK, inpainter="telea"), version=2),
]

BAD = {   # fault: (value, words of the error sentence)
    "not an object": ([], "object"),
    "null": (None, "object"),
    "no format": ({"version": 1, "steps": []}, "format"),
    "another format": (plan_of(format="gimp"), "format"),
    "version 0": (plan_of(version=0), "version"),
    "newer version": (plan_of(version=3), "version 3 is newer.*update"),
    "newer version as a float": (plan_of(version=3.0), "version"),
    "version true": (plan_of(version=True), "version"),
    "text for a version": (plan_of(version="1"), "version"),
    "no steps": ({"format": "ldie-plan", "version": 1}, "steps"),
    "steps as an object": (plan_of(steps={}), "steps"),
    "another field": (plan_of(author="me"), "author"),
    "step as a number": (plan_of(3), r"steps\[0\]"),
    "unknown operator": (plan_of(step_of("brightness", [0]), step_of("glow", [1])),
                         r"steps\[1\]\.op.*unknown operator 'glow'.*known are: brightness"),
    "nick-name": (plan_of(step_of("white", [], mask=MASK)), "unknown operator 'white'"),
    "operator as a list": (plan_of(step_of(["hue"], [1])), r"steps\[0\]\.op"),
    "no params": (plan_of({"op": "hue"}), "params"),
    "too few params": (plan_of(step_of("tint", [1] * 7)), r"steps\[0\]\.params.*has 7 values, needs 8"),
    "too many params": (plan_of(step_of("contrast", [0, 0])), "has 2 values, needs 1"),
    "params of a local operator": (plan_of(step_of("color_bg", [1], mask=MASK)), "has 1 values, needs 0"),
    "text for a param": (plan_of(step_of("contrast", ["0"])), r"steps\[0\]\.params\[0\]"),
    "true for a param": (plan_of(step_of("contrast", [True])), r"steps\[0\]\.params\[0\]"),
    "over the bound": (plan_of(step_of("contrast", [1.01])), r"params\[0\]: 1\.01 is out of range \(maximum 1\)"),
    "under the bound": (plan_of(step_of("sharpness", [-0.21])), r"-0\.21 is out of range \(minimum -0\.2\)"),
    "negative slope": (plan_of(step_of("tint", [1] * 7 + [-1])), r"params\[7\]"),
    "infinity": (plan_of(step_of("tint", [1] * 7 + [float("inf")])), r"params\[7\]"),
    "hundreds of digits": (plan_of(step_of("tint", [1] * 7 + [10 ** 400])), r"params\[7\]"),
    "another field of a step": (plan_of(step_of("contrast", [0], strength=1)), "strength"),
    "no mask": (plan_of(step_of("color_bg", [])), r"steps\[0\].*mask"),
    "mask null": (plan_of(step_of("contrast", [0], mask=None)), "mask"),
    "mask without counts": (plan_of(step_of("contrast", [0], mask={"size": [2, 2]})), "counts"),
    "flat mask": (plan_of(step_of("contrast", [0], mask=MASK | {"size": [0, 2]})), r"mask\.size"),
    "mask of one side": (plan_of(step_of("contrast", [0], mask=MASK | {"size": [4]})), r"mask\.size"),
    "mask of broken size": (plan_of(step_of("contrast", [0], mask=MASK | {"size": [1.5, 2]})), r"mask\.size"),
    "feather over the bound": (plan_of(step_of("contrast", [0], mask=MASK | {"feather": 0.2})),
                               r"mask\.feather: 0\.2 is out of range"),
    "invert as a number": (plan_of(step_of("contrast", [0], mask=MASK | {"invert": 1})), r"mask\.invert"),
    "a long region": (plan_of(step_of("contrast", [0], mask=MASK | {"region": "x" * 201})), r"mask\.region"),
    "unknown inpainter": (plan_of(step_of("inpaint_obj", [], mask=MASK, inpainter="magic")),
                          r"steps\[0\]\.inpainter: unknown inpainter 'magic'; known are: telea, patch"),
    "inpainter null": (plan_of(step_of("inpaint_obj", [], mask=MASK, inpainter=None)), r"inpainter"),
    "empty inpainter": (plan_of(step_of("inpaint_obj", [], mask=MASK, inpainter="")), "unknown inpainter ''"),
    "inpainter of another operator": (plan_of(step_of("color_bg", [], mask=MASK, inpainter="patch")),
                                      r"steps\[0\] \(color_bg\): .*takes no inpainter; remove"),
    "counts as a list": (plan_of(step_of("contrast", [0], mask=MASK | {"counts": [0, 4]})), r"mask\.counts"),
}

# Faults that only reading finds: JSON has no NaN, and a schema does not decode masks.
BAD_BEYOND_SCHEMA = {
    "NaN": (plan_of(step_of("contrast", [float("nan")])), r"steps\[0\] \(contrast\): params contain NaN"),
    "feather NaN": (plan_of(step_of("contrast", [0], mask=MASK | {"feather": float("nan")})), r"steps\[0\]: mask"),
    "counts of another size": (plan_of(step_of("contrast", [0], mask=MASK | {"counts": "05"})), r"steps\[0\]: mask"),
}


def is_valid(value):
    return jsonschema.Draft202012Validator(plan_schema()).is_valid(value)


@pytest.mark.parametrize("value", GOOD)
def test_good_plans_are_read_and_fit_the_schema(value):
    plan = Plan.from_dict(value)
    assert [step.op for step in plan] == [entry["op"] for entry in value["steps"]]
    assert is_valid(value)
    assert Plan.from_dict(plan.to_dict()) == plan
    assert is_valid(plan.to_dict())


@pytest.mark.parametrize(("value", "sentence"), BAD.values(), ids=BAD)
def test_bad_plans_are_refused_by_name_and_do_not_fit_the_schema(value, sentence):
    with pytest.raises(UserError, match=r"^my\.json.*" + sentence):
        Plan.from_dict(value, "my.json")
    assert not is_valid(value)


@pytest.mark.parametrize(("value", "sentence"), BAD_BEYOND_SCHEMA.values(), ids=BAD_BEYOND_SCHEMA)
def test_bad_plans_that_a_schema_cannot_detect_are_refused(value, sentence):
    with pytest.raises(UserError, match=r"^my\.json.*" + sentence):
        Plan.from_dict(value, "my.json")


def test_a_soft_mask_needs_version_2():
    versions = [Plan((Step.make("contrast", [0.5], Mask((2, 2), "04", **soft)),)).to_dict()["version"]
                for soft in ({}, {"feather": 0.01}, {"invert": True}, {"region": "the dog"})]
    assert versions == [1, 2, 2, 2]


def test_the_schema_is_a_valid_json_schema():
    schema = plan_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


def test_parameters_survive_a_round_trip_to_the_last_bit():
    assert Plan.from_dict(plan_of(step_of("contrast", [0.1]))).steps[0].params == (0.1,)
    tone = Step.make("tint", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert Plan.from_dict(plan_of(step_of("tint", list(tone.params)))).steps[0].params == tone.params


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.n_params], ids=lambda row: row.name)
def test_every_bound_survives_a_file(row, tmp_path):
    plan = Plan(tuple(Step.make(row.name, bound) for bound in (row.low, row.high)))
    plan.save(tmp_path / "plan.json")
    assert Plan.load(tmp_path / "plan.json") == plan


def test_a_bad_file_is_named_with_its_line_or_field(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text('{"format": "ldie-plan",\n "version": 1,\n "steps": [}')
    with pytest.raises(UserError, match=r"plan\.json, line 3: malformed JSON"):
        Plan.load(path)
    path.write_text(json.dumps(plan_of(step_of("contrast", [2]))))
    with pytest.raises(UserError, match=r"plan\.json: steps\[0\]\.params\[0\]"):
        Plan.load(path)
    with pytest.raises(UserError, match=r"absent\.json: no such file"):
        Plan.load(tmp_path / "absent.json")


def test_the_longest_plan_survives_a_file_and_a_longer_one_is_refused(tmp_path, monkeypatch):
    path, step = tmp_path / "plan.json", Step.make("hue", [n / 7 for n in range(1, 25)])
    longest = Plan((step,) * 1000)
    longest.save(path)
    assert Plan.load(path) == longest
    with pytest.raises(UserError, match=r"long\.json: not written, the plan has 1001 steps"):
        Plan((step,) * 1001).save(tmp_path / "long.json")
    assert not (tmp_path / "long.json").exists()
    path.write_text(json.dumps(plan_of(*[step_of("glow", None)] * 1001)))
    with pytest.raises(UserError, match=r"plan\.json: steps: has 1001, but a plan has at most 1000"):
        Plan.load(path)
    monkeypatch.setattr("json.loads", None)   # a larger file must not be parsed
    path.write_text(json.dumps(plan_of(step_of("color_bg", [], mask=MASK | {"counts": "0" * (2 << 20)}))))
    with pytest.raises(UserError, match=r"plan\.json: is larger than 2 MiB"):
        Plan.load(path)


def test_a_plan_that_could_not_be_read_again_is_not_written(tmp_path):
    noise = np.random.default_rng(0).random((1200, 1200)) > 0.5
    with pytest.raises(UserError, match=r"noise\.json: not written, the plan has 4 steps and \d\.\d MiB"):
        Plan((Step.make("color_bg", mask=Mask.from_array(noise)),) * 4).save(tmp_path / "noise.json")
    assert list(tmp_path.iterdir()) == []


def test_make_clips_numbers_to_the_bounds():
    assert Step.make("brightness", [5]).params == (2.0,)
    assert Step.make("brightness", -7).params == (-1.0,)
    assert Step.make("tone", [2] * 8) == Step.make("tint", [1] * 8)
    assert Step.make("tint", [-1] * 7 + [3]).params == (0.0,) * 7 + (8.0,)


@pytest.mark.parametrize("params", [[], [1, 2], [float("nan")], [float("inf")], None, "0", [[1], [2, 3]], {"p": 1},
                                    [10 ** 400], ["a"], [None], 1j])
def test_make_refuses_values_that_are_no_parameters(params):
    with pytest.raises(UserError, match=r"brightness: needs 1"):
        Step.make("brightness", params)


def test_neutral_steps_are_recognised():
    for row in TABLE.values():
        if row.n_params:
            assert Step.make(row.name, row.neutral).is_neutral
            for index in row.effect.nonzero().flatten():
                moved = row.neutral.clone()
                moved[index] = row.low[index] if row.neutral[index] != row.low[index] else row.high[index]
                assert not Step.make(row.name, moved).is_neutral
            shaped = torch.where(row.effect, row.neutral, row.high)
            assert Step.make(row.name, shaped).is_neutral   # a radius or a seed alone has no effect
        else:
            assert not Step.make(row.name, mask=Mask.from_array([[1]])).is_neutral


def test_a_plan_describes_itself_in_words():
    assert Step.make("exposure", [0.5]).describe() == "+0.500"
    assert Step.make("tint", [1] * 8).describe() == " ".join(["1.00"] * 8)
    assert Step.make("color_bg", mask=Mask.from_array([[1]])).describe() == "paints the masked area white"
