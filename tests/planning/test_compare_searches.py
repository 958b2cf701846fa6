"""The script that compares the searches for plans, on a few synthetic pairs."""
import json
from pathlib import Path

SCRIPT = "misc/compare_searches.py"
TINY = ("--dataset", "synth", "--session", 1, "--phase", "val", "--limit", 3, "--transfer", 2)


def test_the_searches_are_compared_and_published(project, succeed):
    out = succeed(*TINY, "--sets", "1,40", "--publish", "tiny/searches")
    assert "known edit on another photo" in out
    rows = json.loads(Path("docs/results/tiny/searches.json").read_text())["figures"]["rows"]
    assert [row["search"] for row in rows] == ["set 1", "set 40", "table of 32³ colours for each pair"]
    assert all(row["L1 after"] < row["L1 before"] for row in rows)


def test_a_set_that_does_not_exist_is_refused(project, refuse):
    refuse(*TINY, "--sets", "12", words="set")
