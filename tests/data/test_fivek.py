"""The FiveKReq split: 7:1:2 by photo, tested with as many rows as the real file has."""
import json
import math
import random

import pytest

from core.datasets import WordVocab
from core.datasets.vocab import SPECIAL

SCRIPT = "data/FiveK/FiveK.py"
VOCAB = WordVocab((*SPECIAL, "increase", "brightness"))


@pytest.fixture
def root(tmp_path):
    VOCAB.save(tmp_path / "vocab.json")
    return tmp_path


def write_rows(root, photos, **changes):
    rows = [{"input": f"{photo:04d}_O.jpg", "output": f"{photo:04d}_{expert}.jpg", "request": "Increase brightness."}
            for photo in range(1, photos + 1) for expert in "ABCDE"]
    random.Random(0).shuffle(rows)
    for index, change in changes.items():
        rows[int(index.removeprefix("row"))].update(change)
    (root / "FiveK.json").write_text(json.dumps(rows))


def split(run_script, root, *flags):
    return run_script(SCRIPT, "--root", root, "--vocab", root / "vocab.json", *flags)


def read(root, session=1):
    return {phase: json.loads((root / "annotations" / f"{phase}_sess_{session}.json").read_text())
            for phase in ("train", "val", "test")}


def test_the_real_size_gives_the_published_counts(root, run_script):
    write_rows(root, 4950)
    result = split(run_script, root)
    assert result.code == 0, result.err
    phases = read(root)
    assert [len(phases[phase]) for phase in ("train", "val", "test")] == [17325, 2475, 4950]
    photos = [{entry["input"] for entry in phases[phase]} for phase in ("train", "val", "test")]
    assert [len(part) for part in photos] == [3465, 495, 990]
    assert len(set.union(*photos)) == 4950
    assert all(entry["request_idx"] == [1, 4, 5, 2] + [0] * 13 for entry in phases["val"])
    # the first validation and test photos of the published split, by rank
    assert sorted(photos[1])[:3] == ["0017_O.jpg", "0036_O.jpg", "0039_O.jpg"]
    assert sorted(photos[2])[:3] == ["0001_O.jpg", "0008_O.jpg", "0022_O.jpg"]


def test_the_split_is_a_function_of_the_seed(root, run_script):
    write_rows(root, 20)
    for session, seed in ((1, 0), (2, 0), (3, 1)):
        assert split(run_script, root, "--session", session, "--seed", seed).code == 0
    assert read(root, 1) == read(root, 2) != read(root, 3)


def test_unusable_rows_are_listed_and_left_out(root, run_script):
    write_rows(root, 10, row3={"request": math.nan}, row7={"request": " "}, row9={"detailed_request": math.nan})
    result = split(run_script, root)
    assert "entry 3: field 'request' is NaN, not a text; left out" in result.out
    assert "entry 7: field 'request' is empty; left out" in result.out
    assert sum(map(len, read(root).values())) == 48
    assert "NaN" not in (root / "annotations" / "train_sess_1.json").read_text()


def test_existing_annotations_are_not_replaced(root, run_script):
    write_rows(root, 10)
    assert split(run_script, root).code == 0
    standing = read(root)
    result = split(run_script, root, "--seed", 5)
    assert result.code == 2
    assert "--force" in result.err
    assert read(root) == standing
    assert split(run_script, root, "--seed", 5, "--force").code == 0
    assert read(root) != standing


def test_a_mistake_gets_one_sentence(root, run_script):
    assert "FiveK.json: no such file" in split(run_script, root).err
    (root / "FiveK.json").write_text("{}")
    assert "not a list" in split(run_script, root).err
    (root / "vocab.json").unlink()
    result = split(run_script, root)
    assert (result.code, "vocab.json: no such file" in result.err) == (2, True)
