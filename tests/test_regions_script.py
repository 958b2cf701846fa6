"""core/test_regions.py, run as a user runs it, on drawn scenes in COCO's panoptic format."""
import json

import pytest
from small_regions import SCENES, write_panoptic

TEST = "core/test_regions.py"


@pytest.fixture()
def root(tmp_path, monkeypatch):
    """Return a folder of scenes; the current folder is the one above."""
    monkeypatch.chdir(tmp_path)
    return write_panoptic(tmp_path / "scenes")


def test_expressions_are_read_and_their_segments_chosen(root, run_well):
    result = run_well(TEST, "--data_root", root, "--measures", "proposals", "--publish", "regions/tiny")
    published = json.loads((root.parent / "docs/results/regions/tiny.json").read_text())
    assert published["kind"] == "regions"
    figures = published["figures"]
    assert (figures["photos"], figures["folder"]) == (len(SCENES), "scenes")
    groups = figures["proposals"]
    assert {"class", "colour", "position"} <= groups.keys()
    for name, group in groups.items():
        assert group["right"][0] == 1 or name == "count", name
        assert all(0 <= group[guess][0] <= 1 for guess in ("random", "largest", "centre", "class"))
    assert groups["position"]["class"][0] < 1   # the class alone is not enough
    rows = [json.loads(line) for line in (root.parent / "output/scenes_regions/items.jsonl").read_text().splitlines()]
    assert sum(group["expressions"] for group in groups.values()) == len(rows)
    assert "the red ball" in {row["words"].replace("sports ", "") for row in rows}
    assert "words to true segment" in result.out


def test_the_number_of_photos_is_limited_and_the_same_seed_repeats_the_figures(root, run_well):
    flags = (TEST, "--data_root", root, "--measures", "proposals", "--photos", 2)
    assert run_well(*flags).out == run_well(*flags).out
    assert json.loads((root.parent / "output/scenes_regions/metrics.json").read_text())["photos"] == 2


def test_bad_folders_and_measures_are_named(root, run_script):
    for flags, words in ((("--data_root", root / "none"), "panoptic.json: no such file"),
                         (("--data_root", root, "--measures", "speed"), "'speed' is not a known measure")):
        result = run_script(TEST, *flags)
        assert (result.code, words in result.err) == (2, True), result.err
    (root / "panoptic.json").write_text('{"images": [], "annotations": [], "categories": []}')
    result = run_script(TEST, "--data_root", root, "--measures", "proposals")
    assert (result.code, "has no annotations" in result.err) == (2, True)
