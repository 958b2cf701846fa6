"""synthdata/gen_region.py: the table that it prints, runs that go on, and mistakes of the user."""
import json

import pytest
from small_regions import SCENES, write_panoptic

SCRIPT = "synthdata/gen_region.py"


@pytest.fixture()
def generate(run_script, tmp_path):
    def run(*flags):
        return run_script(SCRIPT, "--out", tmp_path / "out", "--side", 96, "--faults", 1, *flags)
    return run


@pytest.fixture()
def train(tmp_path):
    return write_panoptic(tmp_path / "train", {name: SCENES[name] for name in ("alone.png", "three.png")})


def test_the_pairs_are_counted_by_kind_and_the_dropped_by_reason(generate, train, tmp_path):
    result = generate("--train", train)
    assert result.code == 0, result.err
    split = json.loads((tmp_path / "out/splits/train_sess_3.json").read_text())
    kinds = [entry["kind"] for entry in split]
    table = result.out.split("dropped")[0]
    rows = {line.split()[0]: line.split()[1:] for line in table.splitlines() if line.strip()}
    assert rows["restore"][0] == str(kinds.count("restore"))
    assert rows["all"][0] == str(len(split))
    assert "fewer than two things fit without a seam" in result.out.split("dropped")[1]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out/images").iterdir()}
    assert generate("--train", train).code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out/images").iterdir()} == before


def test_photos_made_before_a_broken_one_are_kept(generate, train, tmp_path):
    (train / "images/three.png").write_bytes(b"no picture")
    result = generate("--train", train)
    assert result.code == 2
    assert "three.png" in result.err
    assert json.loads((tmp_path / "out/expressions.json").read_text())["refs"]


@pytest.mark.parametrize(("flags", "words"), [
    (("--train", "nowhere"), "panoptic.json: no such file"), (("--side", 8), "--side 8: must be at least 64"),
    (("--requests", 0), "--requests 0"), (("--faults", -1), "--faults -1"), (("--seed", -1), "--seed -1")])
def test_mistakes_get_a_sentence(generate, train, flags, words):
    result = generate("--train", train, *flags)
    assert result.code == 2
    assert words in result.err
