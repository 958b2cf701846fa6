"""core/show_samples.py: the page of the samples whose plans are known."""
import runpy
import sys

from tiny_project import ROOT

SCRIPT = "core/show_samples.py"


def test_the_executed_plans_reach_the_targets_and_are_shown(succeed, project):
    out = succeed("--dataset", "synth", "--session", 1, "--count", 3)
    assert "3 samples shown" in out
    assert float(out.partition("at most ")[2].split()[0]) < 0.01   # the files are rounded to 8 bits
    page = (project / "output/synth_samples/web/results.js").read_text().lower()
    assert any(name in page for name in ("brightness", "contrast", "saturation", "tint", "hue", "sharpness"))


def test_the_old_name_runs_it(project, monkeypatch, capsys):
    alias = ROOT / "core/datasets_/eddatasets.py"
    monkeypatch.setattr(sys, "argv", [str(alias), "--session", "1", "--count", "1"])
    monkeypatch.setattr(sys, "path", [str(alias.parent), *sys.path])
    monkeypatch.delitem(sys.modules, "_init_paths", raising=False)
    runpy.run_path(str(alias), run_name="__main__")
    assert "samples shown" in capsys.readouterr().out


def test_a_set_without_known_plans_is_refused(refuse, project):
    (project / "data/synth/op_record.json").unlink()
    refuse("--session", 1, words=["data/synth: has neither op_record.json nor plans.jsonl"])
