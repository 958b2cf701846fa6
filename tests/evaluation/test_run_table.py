"""The table of all runs (misc/index_runs.py): rows of complete, half-written, damaged and old run folders."""
import json

import pytest

from core.evaluation.run_table import index_runs

METRICS = {"run": "a_run", "experiment": "seq2seqL1", "trial": 1, "dataset": "toy", "phase": "val", "images": 4,
           "photos": 2, "metrics": {"output L1": 0.05}, "intervals": {"output L1": [0.04, 0.06]}, "date": "2026-01-01",
           "revision": "abc"}


@pytest.fixture()
def write(tmp_path):
    """Return `write(path, content)`: write a file below the output folder, as JSON unless `content` is text."""
    def put(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return put


@pytest.fixture()
def rows(tmp_path, monkeypatch):
    """Return `rows()`: the rows that the page is given, and the sentences about unreadable files."""
    def index():
        given = []
        with monkeypatch.context() as patch:
            patch.setattr("core.evaluation.run_table.write_index", lambda folder, rows: given.extend(rows))
            _, notes = index_runs(tmp_path)
        return given, notes
    return index


def test_a_tested_run_has_metrics_intervals_curve_figures_and_page(write, rows):
    write("a_run/test_val/metrics.json", METRICS)
    write("a_run/test_val/web/index.html", "")
    write("a_run/validation.jsonl", '{"iteration": 10, "output_L1": 0.09}\n{"iteration": 20, "output_L1": 0.08}\n')
    (row,), notes = rows()
    assert notes == []
    assert row["page"] == "a_run/test_val/web/index.html"
    assert row["curve"] == [[10, 0.09], [20, 0.08]]
    assert row["notebook"]["output L1"] == 0.0770
    assert row["data"] == "4 pairs of 2 photos"
    assert {name: row[name] for name in METRICS if name not in ("images", "photos")}.items() <= METRICS.items()


def test_cost_and_obedience_are_shown_beside_the_metrics(write, rows):
    write("a_run/test_val/metrics.json", METRICS | {"seconds_a_photo": 0.25, "parameters": 1_500_000})
    write("a_run/obedience/metrics.json", {"suites": [
        {"suite": "direction", "asked_for": None, "share": 0.9, "interval": [0.8, 1.0]},
        {"suite": "direction", "asked_for": "bright+", "share": 0.1, "interval": None},
        {"suite": "opposites", "asked_for": None, "share": 0.7, "interval": None}]})
    (row,), _ = rows()
    assert row["metrics"] == {"output L1": 0.05, "s a photo": 0.25, "million parameters": 1.5,
                              "obeys: direction": 0.9, "obeys: opposites": 0.7}
    assert row["intervals"] == {"output L1": [0.04, 0.06], "obeys: direction": [0.8, 1.0]}
    write("a_run/obedience/metrics.json", {"suites": ["odd", {"suite": "direction", "share": "much"}]})
    assert rows() == ([row | {"metrics": {"output L1": 0.05, "s a photo": 0.25, "million parameters": 1.5},
                              "intervals": {"output L1": [0.04, 0.06]}}], [])


def test_each_test_of_a_run_has_a_line_and_other_folders_none(write, rows):
    for phase in ("val", "train"):
        write(f"a_run/test_{phase}/metrics.json", METRICS | {"phase": phase})
    write("actions_set_1/toy_train_sess_1.jsonl", "")
    write("cache/thumbnails.npy", "")
    assert [(row["phase"], row["page"]) for row in rows()[0]] == [("train", None), ("val", None)]


def test_a_run_that_was_not_tested_is_listed_by_its_options(write, rows):
    write("b_run/options.json", {"experiment": "seq2seqL1", "trial": 23, "dataset": "toy", "revision": "abc"})
    (row,), notes = rows()
    assert (row["run"], row["trial"], row["metrics"], notes) == ("b_run", 23, {}, [])


@pytest.mark.parametrize(("content", "words"), [
    ('{"run":', "malformed JSON"), ("[]", "does not hold a JSON object"),
    ('{"run": "x", "metrics": [1]}', "has no metrics"),
    (None, "metrics.json: is missing")])
def test_damaged_and_half_written_tests_are_counted_and_the_others_stay(content, words, write, rows, tmp_path):
    write("a_run/test_val/metrics.json", METRICS)
    write("broken/options.json", {"trial": 7, "dataset": "toy"})
    write("broken/test/images.jsonl", "")
    if content:
        write("broken/test/metrics.json", content)
    given, notes = rows()
    assert [row["metrics"] for row in given] == [METRICS["metrics"], {}]
    assert given[1]["trial"] == 7
    assert notes[0].startswith("1 file(s) of runs could not be read")
    assert words in notes[1]
    assert str(tmp_path / "broken/test") in notes[1]


def test_the_obedience_page_of_a_run_is_linked_even_without_another_test(write, rows):
    write("a_run/test/metrics.json", METRICS)
    write("b_run/obedience/web/index.html", "")
    given, notes = rows()
    assert [(row["run"], row["obedience"]) for row in given] == [
        ("a_run", None), ("b_run", "b_run/obedience/web/index.html")]
    assert notes == []


def test_metrics_of_an_older_version_are_shown_as_far_as_possible(write, rows):
    write("old/test/metrics.json", {"metrics": {"output L1": 0.1, "output FID": None, "plans": ["x"]}, "intervals": 3})
    (row,), notes = rows()
    assert (row["run"], row["metrics"], row["intervals"], notes) == (
        "old", {"output L1": 0.1, "output FID": None}, {}, [])


@pytest.mark.parametrize("curve", ['{"iteration":\n', '1\n', '{"output_L1": 1}\n'])
def test_a_damaged_curve_is_counted(curve, write, rows):
    write("a_run/test/metrics.json", METRICS)
    write("a_run/validation.jsonl", curve)
    (row,), notes = rows()
    assert row["curve"] == []
    assert "validation.jsonl" in notes[1]


def test_seeds_give_a_mean_and_a_spread(write, rows):
    write("a_run/test/metrics.json", METRICS)
    write("a_run/test/seeds.json", {"experiment": "seq2seqL1", "trial": 1, "runs": [{}, {}, {}],
                                    "mean": {"output L1": 0.05}, "spread": {"output L1": 0.01}})
    (row,), notes = rows()
    assert (row["seeds"], notes) == ({"output L1": [0.05, 0.01]}, [])
    write("a_run/test/seeds.json", "[")
    (row,), notes = rows()
    assert row["seeds"] == {}
    assert "seeds.json" in notes[1]


def test_the_script_writes_the_page_from_any_contents_of_the_folder(write, tmp_path, run_script):
    write("<b>_run/test/metrics.json", METRICS | {"run": "<b>_run"})
    write("a_run/test/metrics.json", "{")
    result = run_script("misc/index_runs.py", "--output", tmp_path)
    assert result.code == 0, result.err
    assert "1 file(s) of runs could not be read" in result.out
    page = (tmp_path / "index.html").read_text()
    assert "&lt;b&gt;_run" in page
    assert "a_run" in page
    assert run_script("misc/index_runs.py", "--output", tmp_path / "none").code == 0   # no runs yet: the table is empty


def test_a_malformed_trials_file_is_said_once_and_its_runs_are_listed(write, rows, tmp_path, monkeypatch):
    trials = tmp_path / "trials"
    trials.mkdir()
    monkeypatch.setattr("core.engine.trials.FOLDER", trials)
    (trials / "seq2seqL1.toml").write_text("[1]\nnotebook = { 'output L1' = 'low' }")
    for run in ("a_run", "b_run"):
        write(f"{run}/test/metrics.json", METRICS | {"run": run})
    write("c_run/test/metrics.json", METRICS | {"run": "c_run", "experiment": "identity"})   # without trials
    write("d_run/test/metrics.json", METRICS | {"run": "d_run", "trial": [1]})
    found, notes = rows()
    assert [(row["run"], row["notebook"]) for row in found] == [(f"{letter}_run", {}) for letter in "abcd"]
    assert notes[0].startswith("1 file(s) of runs could not be read")
    assert "seq2seqL1.toml, trial 1: notebook.output L1 must be a finite number" in notes[1]
