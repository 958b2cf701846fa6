"""Scripts that check whether a planner depends on the photo: swapped photos, repairs, the check during training."""
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tiny_project import RUN, SYNTH, TINY

from core.datasets.annotations import read_entries

TRAIN, TEST, REPAIRS = "core/train_seq2seqL1.py", "core/test_seq2seqL1.py", "core/test_repairs.py"


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture()
def project(project):
    """Return the tiny project with several validation photos, which are the training photos."""
    annotations = project / "data/synth/annotations"
    shutil.copy(annotations / "train_sess_1.json", annotations / "val_sess_1.json")
    return project


def test_a_test_with_swapped_photos_has_its_own_folder_and_compares_with_the_plain_test(run_well, project):
    flags = (*SYNTH, "--trial", "100", "--visualize", "0")
    run_well(TEST, *flags)
    run_well(TEST, *flags, "--swap_photos")
    plain, swapped = (read_lines(project / RUN / name / "images.jsonl") for name in ("test", "test_swapped"))
    assert [row["name"] for row in plain] == [row["name"] for row in swapped]
    assert [row["input L1"] for row in plain] == [row["input L1"] for row in swapped]
    about = json.loads((project / RUN / "test_swapped/metrics.json").read_text())
    assert about["swapped_photos"] is True
    result = run_well("misc/compare_runs.py", f"{RUN}/test", f"{RUN}/test_swapped")
    assert "L1" in result.out


def test_swapped_photos_need_a_planner_and_several_photos(run_script, project):
    result = run_script("core/test_references.py", *SYNTH, "--reference", "keywords", "--swap_photos")
    assert (result.code, "--swap_photos: keyword editor does not plan on a photo" in result.err) == (2, True)
    path = project / "data/synth/annotations/test_sess_1.json"
    path.write_text(json.dumps(read_entries(path)[:1]))
    result = run_script(TEST, *SYNTH, "--trial", "100", "--swap_photos")
    assert (result.code, "--swap_photos: the data set has one photo only" in result.err) == (2, True)


def test_repairs_are_measured_and_shown(run_well, project):
    result = run_well(REPAIRS, *SYNTH, "--trial", "100", "--phase", "test", "--photos", "2", "--short_edge", "32")
    measured = json.loads((project / RUN / "repairs/metrics.json").read_text())
    rows = read_lines(project / RUN / "repairs/items.jsonl")
    assert len(rows) == 2 * (len(measured["faults"]) - 1)   # "enhance" sums up
    assert measured["faults"]["enhance"]["right"] is not None
    dark = measured["faults"]["-1.5 stops"]
    assert dark["L1 before"][0] > 0.05
    assert 0 <= dark["right"][0] <= 1
    assert measured["faults"]["none, exposure"]["right"] is None
    assert (project / RUN / "repairs/web/index.html").is_file()
    assert "L1 removed" in result.out


def test_repairs_of_photos_of_a_folder(run_well, run_script, project):
    folder = project / "good"
    folder.mkdir()
    for index, level in enumerate((60, 110, 160)):
        Image.fromarray(np.full((70, 90, 3), level, np.uint8)).save(folder / f"{index}.png")
    flags = (*SYNTH, "--reference", "identity", "--visualize", "0", "--photos", "2")
    run_well(REPAIRS, *flags, "--folder", folder, "--publish", "good")
    measured = json.loads((project / "docs/results/good.json").read_text())
    assert (measured["data"], measured["figures"]["photos"]) == ("good", 2)
    rows = read_lines(project / "output/synth_identity_trial_1/repairs/items.jsonl")
    assert {row["photo"] for row in rows} == {"0.png", "2.png"}   # evenly spaced
    result = run_script(REPAIRS, *flags, "--folder", project / "none")
    assert (result.code, "--folder" in result.err and "no such folder" in result.err) == (2, True)


def test_auto_tone_moves_dark_and_bright_photos_in_the_right_direction(run_well, project):
    run_well(REPAIRS, *SYNTH, "--reference", "auto_tone", "--phase", "train", "--short_edge", "32", "--visualize", "0")
    faults = json.loads((project / "output/synth_auto_tone_trial_1/repairs/metrics.json").read_text())["faults"]
    assert faults["-1.5 stops"]["right"][0] > 0.5
    run_well(REPAIRS, *SYNTH, "--reference", "identity", "--phase", "train", "--short_edge", "32", "--visualize", "0")
    faults = json.loads((project / "output/synth_identity_trial_1/repairs/metrics.json").read_text())["faults"]
    assert faults["-1.5 stops"]["right"][0] == 0 == faults["-1.5 stops"]["removed"][0]


@pytest.mark.parametrize("experiment", ["seq2seqL1", "seq2seqGAN"])
def test_training_on_repairs_logs_the_share_of_units_that_vary_over_photos(experiment, run_well, project):
    small = ("--ndf", "4", "--cond_nc", "4", "--num_D", "1", "--no_vgg_loss") if experiment == "seq2seqGAN" else ()
    run_well(f"core/train_{experiment}.py", *TINY, *small, "--trial", "7", "--num_iters", "2", "--repairs", "0.5",
             "--checkpoint_every", "1")
    rows = read_lines(project / f"output/synth_{experiment}_trial_7/validation.jsonl")
    assert all(0 <= row["seeing"] <= 1 for row in rows)
    assert rows[-1]["seeing"] > 0.2


def test_training_and_opening_a_checkpoint_warn_of_a_blind_encoder(run_well, project):
    result = run_well(TRAIN, *TINY, "--vis_encoder", "small", "--trial", "8", "--num_iters", "1")
    assert "'small' does not see the photo" in result.out + result.err
    result = run_well(TEST, *SYNTH, "--trial", "8", "--visualize", "0")
    assert "'small' does not see the photo" in result.err


def test_a_blind_planner_is_marked_until_it_sees(run_well, project, monkeypatch):
    monkeypatch.setattr("core.engine.health.SEEING", 1.1)   # above the share of any encoder
    flags = (*TINY, "--trial", "9", "--checkpoint_every", "1")
    result = run_well(TRAIN, *flags, "--num_iters", "1")
    assert "does not see the photo" in result.err + result.out
    health = project / "output/synth_seq2seqL1_trial_9/health.json"
    assert "blind by iteration 1" in json.loads(health.read_text())["collapsed"]
    monkeypatch.setattr("core.engine.health.SEEING", 0.0)
    run_well(TRAIN, *flags, "--num_iters", "2")
    assert not health.exists()
    blind = (*TINY, "--trial", "14", "--image_blind", "1", "--num_iters", "1", "--checkpoint_every", "1")
    monkeypatch.setattr("core.engine.health.SEEING", 1.1)
    run_well(TRAIN, *blind)
    assert not (project / "output/synth_seq2seqL1_trial_14/health.json").exists()   # image-blind on purpose
