"""Plans compared with reference plans: BLEU-1 of the operators, errors of the parameters."""
import json

import pytest

from core.metrics.plans import operator_bleu, parameter_errors
from core.operators import Plan, Step

SCRIPT = "misc/compare_plans.py"


def plan(**params):
    return Plan(tuple(Step.make(name, [value]) for name, value in params.items()))


REFERENCE = plan(brightness=0.5, contrast=0.2)


@pytest.mark.parametrize(("plans", "references", "expected"), [
    ([REFERENCE], [REFERENCE], 1.0), ([plan(contrast=0.9, brightness=0.1)], [REFERENCE], 1.0),
    ([plan(saturation=0.5, contrast=0.2)], [REFERENCE], 0.5), ([plan(saturation=0.5)], [plan(contrast=0.5)], 0.0),
    ([Plan()], [REFERENCE], 0.0), ([REFERENCE], [Plan()], None), ([], [], None)])
def test_bleu_counts_the_operators_that_agree(plans, references, expected):
    found = operator_bleu(plans, references)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-6))


def test_a_plan_that_is_too_short_gets_the_brevity_penalty():
    assert operator_bleu([plan(brightness=0.5)], [REFERENCE]) == pytest.approx(0.3679, abs=1e-4)   # exp(1 - 2/1)


def test_parameters_of_operators_in_both_plans_are_compared():
    errors = parameter_errors([plan(brightness=0.5, saturation=0.1), plan(brightness=-0.1)],
                              [REFERENCE, plan(brightness=0.2)])
    assert errors == {"brightness": pytest.approx((0.3 / 3) ** 2 / 2)}   # the range of brightness is [-1, 2]


@pytest.fixture()
def tested(tmp_path, monkeypatch):
    """Change to a folder with a tested run of one pair and the action set of its data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run/test").mkdir(parents=True)
    (tmp_path / "run/test/metrics.json").write_text('{"run": "toy", "metrics": {}}')
    row = {"name": "1_O.png>1_A.png", "request": "brighter", "plan": plan(brightness=0.2).to_dict()["steps"]}
    (tmp_path / "run/test/images.jsonl").write_text(json.dumps(row) + "\n")
    known = {"name": row["name"], "input": "1_O.png", "output": "1_A.png", "distances": [0.2, 0.1],
             "plan": plan(brightness=0.5).to_dict()}
    (tmp_path / "set.jsonl").write_text(json.dumps(known) + "\n")
    return tmp_path


def test_the_script_compares_a_tested_run(tested, run_well):
    out = run_well(SCRIPT, "run", "set.jsonl").out
    assert "operator BLEU-1 1.0000" in out
    assert "brightness: mean squared error of the parameters 0.0100" in out


@pytest.mark.parametrize(("flags", "words"), [
    (("run", "none.jsonl"), "none.jsonl: no such action set"), (("nowhere", "set.jsonl"), "nowhere: holds no images"),
    (("run", "empty.jsonl"), "no plan of a pair in empty.jsonl")])
def test_missing_files_are_named(flags, words, tested, run_script):
    (tested / "empty.jsonl").write_text("")
    result = run_script(SCRIPT, *flags)
    assert result.code == 2
    assert words in result.err
