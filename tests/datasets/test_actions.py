"""Planned sequences on disk: resuming, reading plans back, and the published layout."""
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_dataset import entries_of

from core.datasets import ActionSet, action_row, action_set_path, import_published
from core.files import UserError
from core.operators import TABLE, Plan, Step

ENTRIES = entries_of(range(3))
PLAN = Plan((Step.make("brightness", [0.25]), Step.make("hue", range(24))))


def test_a_row_holds_the_distance_before_the_plan_and_after_each_step():
    row = action_row(ENTRIES[0], PLAN, [0.12, 0.05, 0.02])
    assert row["name"] == "0000_O.jpg>0000_A.jpg"
    assert row["distances"] == [0.12, 0.05, 0.02]
    assert Plan.from_dict(row["plan"]) == PLAN


def test_an_interrupted_run_resumes(tmp_path):
    path = action_set_path(4, "FiveK", "train", 1, tmp_path)
    assert path == tmp_path / "actions_set_4" / "FiveK_train_sess_1.jsonl"
    actions = ActionSet(path)
    assert not actions.done
    assert actions.summary() == {"pairs": 0, "l1_input": None, "l1_output": None}
    actions.append([action_row(ENTRIES[0], PLAN, [0.1, 0.04, 0.02])])
    with open(path, "a") as file:
        file.write('{"name": "half a ro')
    resumed = ActionSet(path)
    assert resumed.done == {"0000_O.jpg>0000_A.jpg"}
    resumed.append([action_row(ENTRIES[1], Plan(), [0.3])])
    again = ActionSet(path)
    assert again.plans() == {"0000_O.jpg>0000_A.jpg": PLAN, "0001_O.jpg>0001_A.jpg": Plan()}
    assert again.summary() == pytest.approx({"pairs": 2, "l1_input": 0.2, "l1_output": 0.16})


def test_rows_of_older_versions_are_read(tmp_path):
    path = tmp_path / "set.jsonl"
    row = {key: value for key, value in action_row(ENTRIES[0], PLAN, [0.0]).items() if key != "distances"}
    path.write_text(json.dumps(row | {"l1_input": 0.12, "l1_output": 0.02, "gains": [0.07, 0.03]}) + "\n")
    old, = ActionSet(path).rows.values()
    assert old["distances"] == pytest.approx([0.12, 0.05, 0.02])
    assert ActionSet(path).plans() == {row["name"]: PLAN}


def test_broken_rows_are_named(tmp_path):
    path = tmp_path / "set.jsonl"
    row = action_row(ENTRIES[0], PLAN, [0.1, 0.04, 0.02])
    for broken in ({key: row[key] for key in ("name", "distances")}, row | {"distances": [0.1, "small"]}, [1]):
        path.write_text(json.dumps(row) + "\n" + json.dumps(broken) + "\n")
        with pytest.raises(UserError, match=r"set\.jsonl, line 2: field"):
            ActionSet(path)
    row["plan"]["steps"][0]["op"] = "frobnicate"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(UserError, match=r"set\.jsonl, 0000_O\.jpg>0000_A\.jpg: .*frobnicate"):
        ActionSet(path).plans()


def publish(folder, index, sequence, start=0.12, request=None, phase="train"):
    """Write one pair in the published layout."""
    path = folder / f"{phase}{index}" / f"{index:05d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    beam = [sequence, [["brightness", [9], 0.5]]]
    path.write_text(json.dumps({"request": [request or ENTRIES[index]["request"]], "init distance": start,
                                "operation sequence": beam}))
    return path


def test_published_plans_are_imported(tmp_path):
    curve = [1.0, 2, 3, 4, 5, 6, 7, 8]
    publish(tmp_path, 0, [["brightness", [0.5], 0.05], ["tone", curve, 0.03], ["color", curve * 3, 0.02]])
    publish(tmp_path, 2, [])
    (tmp_path / "train1.txt").touch()
    rows, sentences = import_published(tmp_path, "train", ENTRIES)
    plan = Plan.from_dict(rows[0]["plan"])
    assert [row["name"] for row in rows] == ["0000_O.jpg>0000_A.jpg", "0002_O.jpg>0002_A.jpg"]
    assert [step.op for step in plan] == ["brightness", "tint", "hue"]
    assert plan.steps[1].params == pytest.approx([value / 4.5 for value in curve])
    assert (rows[0]["distances"][0], rows[0]["distances"][-1]) == (0.12, 0.02)
    assert rows[1]["plan"]["steps"] == []
    assert sentences == [f"2 of 3 pairs have a plan in {tmp_path}"]


def test_published_parameters_are_brought_into_bounds_and_counted(tmp_path):
    publish(tmp_path, 0, [["saturation", [7.5], 0.05]])
    publish(tmp_path, 1, [["tone", [-1, -2, -3, -4, -5, -6, -7, -8], 0.05]])  # the same curve as 1, 2, ..., 8
    publish(tmp_path, 2, [["tone", [-1, 2, 3, 4, 5, 6, 7, 8], 0.05]])
    rows, sentences = import_published(tmp_path, "train", ENTRIES)
    assert rows[0]["plan"]["steps"][0]["params"] == [TABLE["saturation"].high]
    assert rows[1]["plan"]["steps"][0]["params"] == pytest.approx([value / 4.5 for value in range(1, 9)])
    assert rows[2]["plan"]["steps"][0]["params"][0] == 0
    assert "2 plans had parameters out of bounds, which are clipped: train0, train2" in sentences


@pytest.mark.parametrize("step", [["contrast", [math.nan], 0.04], ["contrast", [None], 0.04],
                                  ["contrast", [0.1], math.nan], ["inpaint", [0], 0.04]])
def test_a_published_plan_ends_before_nan_and_before_a_lost_mask(tmp_path, step):
    publish(tmp_path, 1, [["brightness", [0.5], 0.05], step, ["sharpness", [0.1], 0.03]])
    rows, sentences = import_published(tmp_path, "train", ENTRIES)
    assert [entry["op"] for entry in rows[0]["plan"]["steps"]] == ["brightness"]
    assert rows[0]["distances"][-1] == 0.05
    assert "1 plans end before a step with NaN or without its mask: train1" in sentences
    ActionSet(tmp_path / "set.jsonl").append(rows)  # the rows are valid JSON even if the import had NaN


def test_published_plans_of_another_annotation_are_refused(tmp_path):
    with pytest.raises(UserError, match="no folders train0"):
        import_published(tmp_path, "train", ENTRIES)
    path = publish(tmp_path, 0, [], request="another request")
    with pytest.raises(UserError, match=r"00000\.json: was planned for 'another request'"):
        import_published(tmp_path, "train", ENTRIES)
    publish(tmp_path, 0, [])
    with pytest.raises(UserError, match="entry 0 is not in the annotation"):
        import_published(tmp_path, "train", [])
    for broken in ({}, {"request": "x", "init distance": 0.1, "operation sequence": [[["frobnicate", [1], 0.1]]]},
                   {"request": "x", "init distance": math.nan, "operation sequence": []}):
        path.write_text(json.dumps(broken))
        with pytest.raises(UserError, match=r"00000\.json: not a published plan"):
            import_published(tmp_path, "train", ENTRIES)


@given(st.lists(st.floats(-20, 20), min_size=8, max_size=8))
def test_any_published_curve_becomes_a_valid_step(tmp_path_factory, weights):
    folder = tmp_path_factory.mktemp("published")
    publish(folder, 0, [["tone", weights, 0.1]])
    rows, _ = import_published(folder, "train", ENTRIES)
    assert Plan.from_dict(rows[0]["plan"]).steps[0].op == "tint"
