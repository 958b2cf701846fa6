"""core/test_obedience.py on a tiny project: references score as expected, and all files are written."""
import json

import pytest
from tiny_project import RUN, SYNTH, copy_of, tiny_project

SCRIPT = "core/test_obedience.py"
SENTENCES = """
[direction]
"bright+" = ["make it brighter"]
"bright-" = ["make it darker"]
[opposites]
"bright+" = [["make it brighter", "make it darker"]]
[no_op]
nothing = ["leave it as it is"]
"""


@pytest.fixture()
def project(tmp_path_factory, tmp_path, monkeypatch):
    """Return a copy of the tiny project with a few sentences, and make it the current folder."""
    copy = copy_of(tiny_project(tmp_path_factory), tmp_path)
    (copy / "sentences.toml").write_text(SENTENCES)
    monkeypatch.chdir(copy)
    return copy


def flags(*more):
    return (SCRIPT, *SYNTH, "--phase", "train", "--short_edge", 48, "--sentences", "sentences.toml", *more)


def suites(folder):
    measured = json.loads((folder / "obedience/metrics.json").read_text())
    return measured, {row["suite"]: row["share"] for row in measured["suites"] if row["asked_for"] is None}


def test_keywords_obey_and_identity_does_not(run_script, project):
    result = run_script(*flags("--reference", "keywords", "--photos", 3))
    assert result.code == 0, result.err
    measured, shares = suites(project / "output/synth_keywords_trial_1")
    assert shares == {"direction": 1, "opposites": 1, "no_op": 1}
    assert len(measured["photos"]) == 3
    assert "no-op sentences change the picture by 0.0000 of 1" in result.out
    assert "No sentence failed." in (project / "output/synth_keywords_trial_1/obedience/web/index.html").read_text()

    result = run_script(*flags("--reference", "identity", "--photos", 2))
    folder = project / "output/synth_identity_trial_1"
    measured, shares = suites(folder)
    assert shares == {"direction": 0, "opposites": 0, "no_op": 1}
    assert measured["no_op_change"] == 0
    assert "0.0%" in result.out
    lines = [json.loads(line) for line in (folder / "obedience/items.jsonl").read_text().splitlines()]
    assert [(line["suite"], line["right"], line["asked"], len(line["failed"])) for line in lines] == [
        ("direction", 0, 2, 2), ("direction", 0, 2, 2), ("opposites", 0, 2, 2), ("no_op", 2, 2, 0)]
    page = (folder / "obedience/web/index.html").read_text()
    assert "make it darker" in page
    assert len(list((folder / "obedience/web/images").rglob("*.jpg"))) == 2 + 2 + 3   # photos and results


def test_a_planner_is_judged_by_its_own_plans_with_real_requests(run_script, project):
    entries = [{"request": "Darken the image."}, {"request": "darken the sky"}, "broken"]
    (project / "own.json").write_text(json.dumps(entries))
    command = flags("--trial", 100, "--photos", 1, "--annotations", "own.json", "--visualize", 0)
    result = run_script(*command)
    assert result.code == 0, result.err
    assert "1 real requests picked from 2 entries; the rule found bright- 1" in result.out
    measured, shares = suites(project / RUN)
    assert (measured["experiment"], measured["trial"], measured["sentences"]) == ("seq2seqL1", 100, 5)
    assert set(shares) == {"direction", "direction_real", "opposites", "no_op"}
    assert all(row["interval"] is None for row in measured["suites"])   # a single photo has no interval
    assert not (project / RUN / "obedience/web").exists()
    again = (project / RUN / "obedience/items.jsonl").read_bytes()
    run_script(*command)
    assert (project / RUN / "obedience/items.jsonl").read_bytes() == again


@pytest.mark.parametrize(("more", "sentence"), [
    (("--sentences", "none.toml"), "none.toml: no such file"),
    (("--trial", 77), "synth_seq2seqL1_trial_77"),
    (("--annotations", "none.json"), "none.json: no such file"),
    (("--reference", "planned"), "invalid choice: 'planned'"),   # the reference only knows the requests of its pairs
])
def test_a_mistake_is_named_before_anything_is_written(run_script, project, more, sentence):
    result = run_script(*flags(*more))
    assert result.code == 2
    assert sentence in result.err
    assert not list(project.rglob("obedience"))


def test_plain_requests_of_a_labelled_set_are_tested_in_their_own_folder(run_script, project):
    wishes = {"bright": [{"what": "bright", "sign": 1, "degree": "plain", "where": None}],
              "sky": [{"what": "bright", "sign": 1, "degree": "plain", "where": "the sky"}]}
    rows = [{"request": request, "kind": kind, "sure": sure, "wishes": wishes[what]} for request, kind, sure, what in (
        ("make it brighter", "global", True, "bright"), ("too dark", "global", True, "bright"),
        ("brighten the sky", "global", True, "sky"), ("unsure", "global", False, "bright"))]
    (project / "labels.json").write_text(json.dumps(rows))
    result = run_script(*flags("--reference", "keywords", "--photos", 2, "--labels", "labels.json", "--part", "even"))
    assert result.code == 0, result.err
    folder = project / "output/synth_keywords_trial_1/obedience_labelled"
    lines = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    assert [(line["sentence"], line["suite"], line["asks"]) for line in lines] == [
        ("make it brighter", "labelled", "bright+")]
    result = run_script(*flags("--reference", "keywords", "--labels", "gone.json"))
    assert result.code == 2 and "gone.json: cannot be read" in result.err
