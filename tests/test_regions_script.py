"""core/test_regions.py, run as a user runs it, on drawn scenes in COCO's panoptic format."""
import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_regions import SCENES, write_panoptic

from core.datasets.panoptic import PanopticSet
from core.files import UserError
from core.finding.choose import choose, masked
from core.regions.segments import Segment

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


class Oracle:
    """A finder that knows the truth of the scene with the same pixels."""

    photos = ()

    def __init__(self, image):
        self.photo = next(photo for photo in self.photos if torch.equal(photo.image, image))

    def find(self, place):
        largest = max(self.photo.segments, key=lambda one: (one.thing, one.share))
        choice = choose(place, [*self.photo.segments, replace(largest, name="subject")], self.photo.image)
        if not choice.segments:
            error = UserError(choice.remark)
            error.code = 3
            raise error
        return masked(choice, place, self.photo.image)


class Guess(Oracle):
    """A finder that never refuses and always means the whole photo."""

    def find(self, place):
        return Segment(place.name, np.ones(self.photo.image.shape[1:], np.float32))


@pytest.fixture()
def use(root, monkeypatch):
    """Return `use(finder)`: let the script find regions by another class."""
    def replace_finder(finder):
        finder.photos = list(PanopticSet(root))
        monkeypatch.setitem(sys.modules, "core.finding.finder", SimpleNamespace(Finder=finder))
    return replace_finder


def test_a_finder_that_knows_the_truth_and_one_that_guesses(root, run_well, use):
    use(Oracle)
    result = run_well(TEST, "--data_root", root)
    figures = json.loads((root.parent / "output/scenes_regions/metrics.json").read_text())
    for kind, asked in (("things", 4), ("subject", 1), ("sky", 4)):
        assert figures[kind]["asked"] == asked
        assert figures[kind]["found"][0] == figures[kind]["IoU"][0] == figures[kind]["IoU of all"][0] == 1
        assert 0 <= figures[kind]["guess"][0] < 1
    assert figures["absent"]["asked"] == 2 and figures["absent"]["refused"][0] == 1
    assert "in the photo" in result.out
    use(Guess)
    run_well(TEST, "--data_root", root)
    figures = json.loads((root.parent / "output/scenes_regions/metrics.json").read_text())
    assert figures["absent"]["refused"][0] == 0 and figures["absent"]["wrong"][0] == 1
    assert figures["things"]["wrong"][0] == 1


def test_another_error_of_the_finder_is_no_refusal(root, run_script, use):
    class Broken(Oracle):
        def find(self, place):
            raise UserError("weights: wrong checksum")
    use(Broken)
    result = run_script(TEST, "--data_root", root, "--measures", "sky")
    assert (result.code, "weights: wrong checksum" in result.err) == (2, True)
