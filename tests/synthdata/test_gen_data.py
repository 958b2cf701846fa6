"""synthdata/gen_data.py: the files that it writes, several ranges in one folder, and mistakes of the user."""
import csv
import json

import cv2
import numpy as np
import pytest

from core.datasets.annotations import PHASES, read_annotation
from core.operators import Plan
from core.synthesis.photos import bundled, from_folder
from core.synthesis.synth import replay


@pytest.fixture()
def generate(run_script, tmp_path):
    def run(start, end, *flags, session=1):
        return run_script("synthdata/gen_data.py", "--session", session, "--start", start, "--end", end,
                          "--release_bs", 4, "--size", 64, "--out", tmp_path / "out", "--amt_dir", tmp_path / "csv",
                          *flags)
    return run


def contents(folder, *patterns):
    paths = (path for pattern in patterns for path in folder.rglob(pattern) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_the_folder_has_the_documented_format(generate, tmp_path):
    result = generate(0, 10, "--visualize", 3)
    assert result.code == 0, result.err
    out = tmp_path / "out"
    counts = []
    for phase in PHASES:
        entries = read_annotation(out / "annotations" / f"{phase}_sess_1.json")
        counts.append(len(entries))
        for entry in entries:
            assert entry["request"]
            assert isinstance(entry["intent"], dict)
            assert cv2.imread(str(out / "images" / entry["input"])).shape == (64, 64, 3)
            assert cv2.imread(str(out / "images" / entry["output"])).shape == (64, 64, 3)
    assert counts == [7, 1, 2]
    assert "CC BY 2.0" in (out / "README.md").read_text()
    assert str(tmp_path) not in (out / "config.txt").read_text()
    assert list((out / "web").rglob("*.html"))


def test_replaying_the_record_gives_the_pictures(generate, tmp_path):
    generate(0, 3, "--visualize", 0, session=0)
    samples = json.loads((tmp_path / "out" / "op_record.json").read_text())["samples"]
    assert {entry["kind"] for entry in samples} == {"global", "local", "inpaint", "compound"}
    for entry in samples:
        pictures = replay(entry, bundled())
        for name, picture in ((entry["input"], pictures[0]), (entry["output"], pictures[-1])):
            stored = cv2.imread(str(tmp_path / "out" / "images" / name))[..., ::-1]
            assert np.array_equal(stored, picture)
        assert Plan.from_dict(entry["plan"]).to_dict() == entry["plan"]


def test_ranges_share_a_folder_and_repeat_exactly(generate, tmp_path):
    out = tmp_path / "out"
    generate(0, 6, "--visualize", 0)
    generate(4, 10, "--visualize", 0)
    added = contents(out, "*.json", "*.png")
    samples = json.loads(added["op_record.json"])["samples"]
    assert [entry["index"] for entry in samples] == list(range(10))
    for name in ("op_record.json", "images/000002_1_global.png"):  # as if the first run had been interrupted
        (out / name).unlink()
    generate(0, 10, "--visualize", 0)
    assert contents(out, "*.json", "*.png") == added


def test_csv_batches_name_every_sample_once(generate, tmp_path):
    generate(0, 10, "--release_bs", 2, "--visualize", 0)
    generate(0, 10, "--visualize", 0)  # batches of 4 replace batches of 2
    files = sorted((tmp_path / "csv").glob("*.csv"))
    tables = [list(csv.DictReader(path.open())) for path in files]
    assert [len(rows) for rows in tables] == [4, 4, 2]
    assert [row["id"] for rows in tables for row in rows] == [f"{index:06d}_1_global" for index in range(10)]
    assert all((tmp_path / "out" / "images" / row[side]).exists() for row in tables[0] for side in ("input", "output"))


def test_own_photos_never_share_a_phase(generate, tmp_path, photo):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(4):
        cv2.imwrite(str(folder / f"p{i}.png"), photo(100, 120, seed=i))
    assert generate(0, 10, "--photos", folder, "--visualize", 0).code == 0
    phases = {photo.name: photo.phase for photo in from_folder(folder)}
    samples = json.loads((tmp_path / "out" / "op_record.json").read_text())["samples"]
    assert all(phases[entry["photo"]] == entry["phase"] for entry in samples)


def test_interrupt_keeps_what_was_made(generate, tmp_path, on_opening):
    on_opening(KeyboardInterrupt, "images", nth=7)   # the input of the fourth sample
    assert generate(0, 10, "--visualize", 0).code == 130
    record = json.loads((tmp_path / "out" / "op_record.json").read_text())
    assert [entry["index"] for entry in record["samples"]] == [0, 1, 2]
    assert len(json.loads((tmp_path / "out" / "annotations" / "train_sess_1.json").read_text())) == 2


def test_crops_without_an_edit_are_counted_and_listed(generate, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"black{i}.png"), np.zeros((80, 80, 3), np.uint8))
    result = generate(0, 2, "--photos", folder, "--visualize", 0)
    assert result.code == 0
    assert "2 skipped" in result.out
    assert "0 global, 1 global" in result.out


@pytest.mark.parametrize(("flags", "words"), [
    (("--photos", "nowhere"), "no such folder"), (("--release_bs", 0), "--release_bs 0"), (("--size", 8), "--size 8"),
    (("--seed", -1), "--seed -1"), (("--end", 0), "--end 0")])
def test_mistakes_get_a_sentence(generate, flags, words):
    result = generate(0, 2, *flags)
    assert result.code == 2
    assert words in result.err


def test_other_settings_do_not_mix(generate, tmp_path):
    generate(0, 1, "--visualize", 0)
    before = contents(tmp_path / "out", "*")
    result = generate(1, 2, "--seed", 1)
    assert result.code == 2
    assert "another --seed (0)" in result.err
    assert contents(tmp_path / "out", "*") == before


def test_foreign_record_is_named(generate, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "op_record.json").write_text("[]")
    result = generate(0, 1)
    assert result.code == 2
    assert "op_record.json: not a record" in result.err


def test_own_photos_are_not_taken_from_where_pictures_are_written(generate, tmp_path):
    (tmp_path / "out" / "images").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "out" / "images")
    for photos in (tmp_path / "out" / "images", tmp_path / "link"):
        result = generate(0, 2, "--photos", photos)
        assert (result.code, "is where the pictures of --out" in result.err) == (2, True)
