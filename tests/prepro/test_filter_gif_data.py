"""The check before a long run: it lists each defect by name with the reason, and --fix keeps the original."""
import json
import math

import pytest
from PIL import Image
from small_dataset import entries_of, write_dataset

from core.datasets import PairDataset, WordVocab
from core.datasets.vocab import SPECIAL

SCRIPT = "prepro/filter_gif_data.py"


@pytest.fixture
def root(tmp_path, photo):
    phases = {"train": entries_of(range(10)), "val": entries_of([20, 21]), "test": entries_of([30])}
    return write_dataset(tmp_path / "set", photo, phases)


def spoil(root, photo):
    """Put one defect of each kind into the training phase."""
    images = root / "images"
    (images / "0000_O.jpg").unlink()
    (images / "0001_A.jpg").write_bytes(b"")
    whole = (images / "0002_A.jpg").read_bytes()
    (images / "0002_A.jpg").write_bytes(whole[:len(whole) // 2])
    frames = [Image.fromarray(photo(seed=seed)) for seed in range(2)]
    frames[0].save(images / "0003_O.jpg", "GIF", save_all=True, append_images=frames[1:])
    Image.fromarray(photo(48, 48)).save(images / "0004_A.jpg")
    Image.fromarray(photo(24, 32)).save(images / "0005_A.jpg")
    path = root / "annotations" / "train_sess_1.json"
    entries = json.loads(path.read_text())
    entries[6]["request"] = math.nan
    entries[7]["detailed_request"] = math.nan
    entries += [dict(entries[8]), entries_of([20])[0] | {"output": "0009_A.jpg"}]
    path.write_text(json.dumps(entries))


def test_a_clean_data_set_passes(root, run_script):
    result = run_script(SCRIPT, "--data_root", root)
    assert result.code == 0
    assert "train: 10 entries; nothing wrong" in result.out


def test_every_defect_is_listed_with_its_reason(root, photo, run_script):
    spoil(root, photo)
    before = {path: path.read_bytes() for path in (root / "annotations").iterdir()}
    result = run_script(SCRIPT, "--data_root", root)
    assert result.code == 1
    for index, words in ((0, "0000_O.jpg: no such file"), (1, "0 bytes"), (2, "truncated"), (3, "animated GIF"),
                         (4, "another aspect"), (5, "the same aspect"), (6, "'request' is NaN"),
                         (7, "NaN in detailed_request"), (10, "duplicate of entry 8"), (11, "also in val")):
        assert any(line.startswith(f"train[{index}] ") and words in line for line in result.out.splitlines()), words
    assert len([line for line in result.out.splitlines() if line.startswith("train[")]) == 10
    assert {path: path.read_bytes() for path in (root / "annotations").iterdir()} == before


def test_fix_writes_a_clean_annotation_and_leaves_the_original(root, photo, run_script, tmp_path):
    spoil(root, photo)
    path = root / "annotations" / "train_sess_1.json"
    original = path.read_bytes()
    assert run_script(SCRIPT, "--data_root", root, "--fix").code == 0
    assert (root / "annotations" / "train_sess_1.orig.json").read_bytes() == original
    assert [entry["input"] for entry in json.loads(path.read_text())] == [
        "0005_O.jpg", "0007_O.jpg", "0008_O.jpg", "0009_O.jpg"]
    assert "NaN" not in path.read_text()
    assert not (root / "annotations" / "val_sess_1.orig.json").exists()
    dataset = PairDataset(root, "train", 1, WordVocab(SPECIAL), cache=tmp_path / "cache")
    assert dataset.resized == ["0005_O.jpg>0005_A.jpg"]
    assert run_script(SCRIPT, "--data_root", root).code == 0

    (root / "images" / "0008_O.jpg").unlink()  # a second defect, after the first fix
    assert run_script(SCRIPT, "--data_root", root, "--fix").code == 0
    assert (root / "annotations" / "train_sess_1.orig.json").read_bytes() == original
    assert len(json.loads((root / "annotations" / "train_sess_1.orig1.json").read_text())) == 4


def test_fix_keeps_an_annotation_without_a_session(root, run_script):
    original = (root / "annotations" / "val_sess_1.json").rename(root / "annotations" / "val.json")
    before = original.read_bytes()
    (root / "images" / "0020_O.jpg").unlink()
    assert run_script(SCRIPT, "--data_root", root, "--fix", "--phases", "val").code == 0
    assert original.read_bytes() == before
    assert len(json.loads((root / "annotations" / "val_sess_1.json").read_text())) == 1


def test_fix_never_writes_an_empty_annotation(root, run_script):
    (root / "images").rename(root / "elsewhere")
    result = run_script(SCRIPT, "--data_root", root, "--fix")
    assert result.code == 2
    assert "are the photos in" in result.err
    assert len(json.loads((root / "annotations" / "train_sess_1.json").read_text())) == 10


def test_a_mistake_gets_one_sentence(tmp_path, root, run_script):
    result = run_script(SCRIPT, "--data_root", tmp_path / "nowhere")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "train_sess_1.json: no such file" in result.err
    assert run_script(SCRIPT, "--dataset", "nowhere").code == 2
    (root / "annotations" / "train_sess_1.json").write_text("[1,\n2,")
    result = run_script(SCRIPT, "--data_root", root)
    assert result.code == 2
    assert "train_sess_1.json, line 2: malformed JSON" in result.err
