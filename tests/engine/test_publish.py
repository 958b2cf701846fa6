"""Published figures: their files say how they were measured and hold no path of the machine."""
import json

import pytest
from tiny_project import ROOT, SYNTH

TEST = "core/test_seq2seqL1.py"


def published(project, name):
    return json.loads((project / f"docs/results/{name}.json").read_text())


def test_a_test_publishes_its_figures(run_well, project):
    found = run_well(TEST, *SYNTH, "--trial", 100, "--phase", "val", "--visualize", 0, "--output", project / "output",
                     "--publish", "tiny/evaluation")
    result = published(project, "tiny/evaluation")
    assert "published: docs/results/tiny/evaluation.json" in found.out
    assert (result["kind"], result["data"], result["seed"]) == ("evaluation", "synth val", 0)
    assert result["figures"]["metrics"]["output L1"] >= 0
    assert result["command"] == ("python core/test_seq2seqL1.py --dataset synth --session 1 --trial 100 --phase val "
                                 "--visualize 0 --output <output> --publish tiny/evaluation")
    assert result["machine"]["cores"] >= 1


def test_obedience_and_repairs_publish_their_figures(run_well, project):
    flags = (*SYNTH, "--reference", "keywords", "--phase", "val", "--photos", 1, "--visualize", 0)
    sentences = ROOT / "data/obedience/sentences.toml"
    run_well("core/test_obedience.py", *flags, "--sentences", sentences, "--publish", "obedience")
    run_well("core/test_repairs.py", *flags, "--publish", "repairs")
    assert 0 <= published(project, "obedience")["figures"]["suites"]["direction"]["share"] <= 1
    assert "-1.5 stops" in published(project, "repairs")["figures"]["faults"]
    assert published(project, "repairs")["seed"] is None   # no training, so no seed


def test_without_the_flag_nothing_is_published(run_well, project):
    run_well(TEST, *SYNTH, "--trial", 100, "--phase", "val", "--visualize", 0)
    assert not (project / "docs").exists()


@pytest.mark.parametrize("name", ["../up", "/tmp/x", "a//b", ".hidden", "", "a b"])
def test_names_outside_the_folder_of_results_are_refused(name, run_script, project):
    result = run_script(TEST, *SYNTH, "--trial", 100, f"--publish={name}")
    assert (result.code, "--publish" in result.err) == (2, True)
    assert not (project / "docs").exists()
