"""Local edits and regions through the scripts, as a user runs them."""
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_regions import HORIZON, SCENES, draw, write_panoptic

from core.operators import Mask, Plan

EDIT, FIND, TEST = "core/edit.py", "core/find_regions.py", "core/test_local.py"


@pytest.fixture()
def scene(project):
    """Write photo.png, a sky above the ground, into the current folder; return its pixels."""
    photo, _, _ = draw(SCENES["empty.png"], noise=3)
    large = Image.fromarray(photo).resize((192, 192), Image.Resampling.BICUBIC)
    large.save("photo.png")
    return np.asarray(large).astype(int)


def read(path):
    return json.loads(Path(path).read_text())


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def test_a_request_for_a_part_edits_that_part(scene, run_script):
    result = run_script(EDIT, "--img", "photo.png", "--request", "darken the sky", "--show_masks", "masks",
                        "--out", "dark.png")
    assert result.code == 0, result.err
    assert 'region "the sky": sky (sky head), ' in result.out
    change = pixels("dark.png") - scene
    edge = 2 * HORIZON
    assert change[:edge - 16].mean() < -5
    assert abs(change[edge + 16:]).max() == 0
    assert [step.mask.region for step in Plan.load("dark.plan.json")] == ["the sky"]
    shown = pixels("masks/01_the_sky.png")
    assert (shown[:edge - 16].min(), shown[edge + 16:].max()) == (255, 0)
    again = run_script(EDIT, "--img", "photo.png", "--replay", "dark.plan.json", "--out", "again.png")
    assert again.code == 0, again.err
    assert (pixels("again.png") == pixels("dark.png")).all()


def test_a_region_that_is_not_there_is_named_and_nothing_is_written(scene, run_script):
    result = run_script(EDIT, "--img", "photo.png", "--request", "brighten the zebra", "--out", "no.png")
    assert result.code == 3
    assert "zebra" in result.err
    assert "Traceback" not in result.err
    result = run_script(EDIT, "--img", "photo.png", "--request", "brighten the zebra", "--on_missing", "global",
                        "--out", "whole.png")
    assert result.code == 0, result.err
    assert (pixels("whole.png") - scene).mean(2).min() >= 0
    assert "the whole photo was edited instead" in result.out


def test_a_mask_file_and_words_limit_a_request(scene, run_script):
    mask = np.zeros((192, 192), np.uint8)
    mask[:, :96] = 255
    Image.fromarray(mask).save("mask.png")
    for flags in (("--mask", "mask.png"), ("--region", "the left half")):
        result = run_script(EDIT, "--img", "photo.png", "--request", "make it darker", *flags, "--out", "left.png",
                            "--overwrite")
        assert result.code == 0, result.err
        change = pixels("left.png") - scene
        assert change[:, :48].mean() < -5
        assert abs(change[:, 144:]).max() == 0
    for flags, words in ((("--mask", "mask.png", "--region", "the sky"), "give one of them"),
                         (("--mask", "gone.png"), "gone.png"), (("--region", "the zebra"), "zebra")):
        refused = run_script(EDIT, "--img", "photo.png", "--request", "make it darker", *flags, "--out", "no.png")
        assert (refused.code > 1, words in refused.err, refused.err.count("\n")) == (True, True, 1)


def test_regions_are_listed_and_exported(scene, run_script):
    result = run_script(FIND, "--img", "photo.png", "--say", "everything but the sky", "--out", "ground.regions.json",
                        "--show_masks", "masks")
    assert result.code == 0, result.err
    region, = read("ground.regions.json")["regions"]
    assert set(region) == {"words", "name", "source", "score", "share", "mask"}
    mask = Mask.from_dict(region["mask"]).array()
    assert (mask[:2 * HORIZON - 16].max(), mask[2 * HORIZON + 16:].min()) == (0, 1)
    assert region["share"] == pytest.approx(1 - HORIZON / 96, abs=0.1)
    assert "everything but the sky" in result.out
    assert run_script(FIND, "--img", "photo.png").code == 0


def test_nothing_found_is_an_empty_list_and_exit_code_3(scene, run_script):
    result = run_script(FIND, "--img", "photo.png", "--say", "the zebra", "--out", "none.json")
    assert (result.code, read("none.json")) == (3, {"regions": []})
    assert "zebra" in result.err


def test_many_regions_are_found_in_one_process(scene, run_script):
    Path("jobs.csv").write_text("img,say,out\nphoto.png,the sky,a.json\nphoto.png,the zebra,b.json\n"
                                "gone.png,the sky,c.json\n")
    result = run_script(FIND, "--jobs", "jobs.csv")
    assert result.code == 2
    assert "row 3: " in result.err
    assert len(read("a.json")["regions"]) == 1
    assert read("b.json") == {"regions": []}
    assert run_script(FIND, "--jobs", "jobs.csv", "--out", "x.json").code == 2


def test_local_obedience_is_measured(project, run_script):
    write_panoptic(project / "photos")
    result = run_script(TEST, "--data_root", "photos")
    assert result.code == 0, result.err
    figures = read("output/local/metrics.json")
    assert figures["requests"] == len(Path("output/local/items.jsonl").read_text().splitlines()) > 0
    true, whole = (figures["right"][name]["right"][0] for name in ("true masks", "whole photo, no mask"))
    assert true > whole
