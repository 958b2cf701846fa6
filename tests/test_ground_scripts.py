"""The scripts of grounding and of locality, run as a user runs them, on drawn scenes in GIER's format."""
import json

import numpy as np
import pytest
from small_grounding import write_grounding_set, write_language
from small_refcoco import write_refcoco

from core.engine.trials import read_trials
from core.operators import Mask

TRAIN, TEST = "core/train_ground.py", "core/test_ground.py"
TRAIN_OP, TEST_OP = "core/train_op_ground.py", "core/test_op_ground.py"
SET = ("--dataset", "RegionReq", "--data_root", "set", "--language", "language")
SMALL = (*SET, "--hidden_size", 16, "--batch_size", 8, "--print_every", 10, "--gpu_ids", -1)
RUN = "output/RegionReq_ground_trial_9"


@pytest.fixture()
def folder(tmp_path, monkeypatch):
    """Return a folder with a set and its vocabulary, and make it the current one."""
    monkeypatch.chdir(tmp_path)
    write_grounding_set(tmp_path / "set", photos=3)
    write_language(tmp_path / "language")
    return tmp_path


def read(path):
    return json.loads(path.read_text())


def test_a_grounder_learns_and_is_tested_beside_a_blind_one_and_the_baselines(folder, run_well):
    flags = (*SMALL, "--samples", "both", "--use_names", 1, "--use_sign", 1, "--lambda_threshold", 1, "--num_iters", 40,
             "--checkpoint_every", 40, "--learning_rate", 0.01, "--dropout", 0)
    run_well(TRAIN, *flags, "--trial", 9)
    run_well(TRAIN, *flags, "--trial", 8, "--text_blind", 1)
    result = run_well(TEST, *SET, "--trial", 9, "--samples", "both", "--beside", 8, "--publish", "tiny",
                      "--visualize_every", 2)
    figures = read(folder / RUN / "test/metrics.json")
    methods = figures["methods"]
    assert methods["grounder"]["ROC"][0] > methods["trial 8"]["ROC"][0]
    assert methods["oracle"]["IoU"][0] == 1.0 and methods["rules"]["IoU"][0] > methods["random"]["IoU"][0]
    assert set(figures["groups"]) == {"request", "class"}
    assert figures["more than"]["trial 8"]["ROC"][1] <= figures["more than"]["trial 8"]["ROC"][0]
    assert read(folder / "docs/results/tiny.json")["kind"] == "grounding"
    assert "more than random" in result.out
    rows = [json.loads(line) for line in (folder / RUN / "test/items.jsonl").read_text().splitlines()]
    assert len(rows) == methods["grounder"]["samples"]
    page = (folder / RUN / "test/web/index.html").read_text()
    assert "truth is outlined" in page and "subject 0." in page


def test_a_resumed_run_equals_an_unbroken_one(folder, run_well):
    flags = (*SMALL, "--checkpoint_every", 2)
    run_well(TRAIN, *flags, "--trial", 8, "--num_iters", 4)
    run_well(TRAIN, *flags, "--trial", 9, "--num_iters", 2)
    run_well(TRAIN, *flags, "--trial", 9, "--num_iters", 4)
    one, two = (folder / f"output/RegionReq_ground_trial_{number}/log.jsonl" for number in (8, 9))
    assert one.read_text() == two.read_text()


def test_another_operator_at_test_reads_the_words_otherwise(folder, run_well):
    run_well(TRAIN, *SMALL, "--trial", 9, "--num_iters", 2)
    flags = (*SET, "--trial", 9, "--baselines", "none", "--visualize", 0)
    run_well(TEST, *flags)
    own = read(folder / RUN / "test/metrics.json")["methods"]["grounder"]["ROC"]
    run_well(TEST, *flags, "--op_at_test", "hue")
    assert read(folder / RUN / "test/metrics.json")["methods"]["grounder"]["ROC"] != own


def test_features_are_computed_once_and_features_of_the_user_take_their_place(folder, run_well):
    h5py = pytest.importorskip("h5py")
    flags = (*SMALL, "--num_iters", 1)
    run_well(TRAIN, *flags, "--trial", 1)
    cached = sorted((folder / "output/cache/segments").iterdir())
    times = [path.stat().st_mtime_ns for path in cached]
    run_well(TRAIN, *flags, "--trial", 2)
    assert [path.stat().st_mtime_ns for path in cached] == times
    (folder / "set/features").mkdir()
    for path in (folder / "set/masks").iterdir():
        with h5py.File(folder / f"set/features/{path.stem.removesuffix('_mask')}.h5", "w") as file:
            count = len(read(path))
            file["rcnn_feat"], file["pan_feat"] = np.ones((count, 7)), np.ones((count, 5))
    run_well(TRAIN, *flags, "--trial", 3)
    run_well(TEST, *SET, "--trial", 3, "--phase", "val", "--baselines", "none", "--visualize", 0)


def test_referring_expressions_in_the_published_layout_are_learnt_and_tested(folder, run_well):
    refs = [{"ref_id": at, "ann_id": at + 7, "image_id": 5, "split": split, "sentences": [{"sent": words}]}
            for at, (split, words) in enumerate((("train", "red ball"), ("val", "blue ball"), ("testB", "green ball")))]
    write_refcoco(folder / "refer", refs)
    source = ("--samples", "refcoco", "--data_root", "refer")
    run_well(TRAIN, *SMALL, *source, "--trial", 9, "--num_iters", 1)
    result = run_well(TEST, *SET, *source, "--trial", 9, "--baselines", "largest,rules")
    assert "1 samples of 1 photos" in result.out


def test_locality_is_learnt_from_the_words_alone_and_with_the_photo(folder, run_well):
    for trial, blind in ((1, 0), (2, 1)):
        run_well(TRAIN_OP, *SMALL, "--id", trial, "--image_blind", blind, "--num_iters", 4)
        result = run_well(TEST_OP, *SET, "--id", trial, "--phase", "test")
        assert "the notebook's figures, on GIER test: ROC 0." in result.out
        found = read(folder / f"output/RegionReq_op_ground_trial_{trial}/test/metrics.json")["methods"]
        assert found["the operator alone"]["ROC"][0] == 1.0   # in this set, only hue is global


@pytest.mark.parametrize("experiment", ["ground", "op_ground"])
def test_every_trial_of_the_file_is_understood(experiment, run_script):
    for number in read_trials(experiment):
        result = run_script(f"core/train_{experiment}.py", "--trial", number, "--language", "nowhere")
        assert (result.code, "no such vocabulary" in result.err) == (2, True), result.err


def masks_of(*rows):
    """Return a function folder -> None that writes the masks of the first photo."""
    return lambda root: (root / "set/masks/p0_p0_mask.json").write_text(json.dumps(rows))


def entry_with(**fields):
    """Return a function folder -> None that changes the first entry of the training set."""
    def change(root):
        path = root / "set/splits/train_sess_3.json"
        entries = json.loads(path.read_text())
        entries[0] |= fields
        path.write_text(json.dumps(entries))
    return change


BOMB = Mask.from_array(np.zeros((1 << 14, 1 << 14), bool)).to_dict()   # 41 characters, 268 million pixels


@pytest.mark.parametrize(("spoil", "words"), [
    (masks_of(*[BOMB] * 9), "p0_p0_mask.json: 9 masks of 16384 x 16384 pixels are more than fit into memory"),
    (masks_of(BOMB | {"size": [65000, 65000]}), "size 65000 x 65000 is over"),
    (entry_with(request=np.nan, expert_summary=[], amateur_summary=[]), "entry 0: field 'request' is NaN"),
    (entry_with(operator={"brightness": {"local": True, "ids": ["1"]}}), "'ids' is missing or malformed"),
    (lambda root: (root / "set/masks/p0_p0_mask.json").write_text("[]"), "p0_p0_mask.json: holds no masks"),
    (lambda root: (root / "set/masks/p0_p0_mask.json").write_text('[{"size": [9, 9], "counts": "Z"}]'),
     "p0_p0_mask.json: not a list of masks"),
    (lambda root: (root / "set/masks/p0_p0_mask.json").unlink(), "p0_p0_mask.json: no such file"),
    (lambda root: (root / "set/expressions.json").write_text('{"refs": [{"ids": 3}]}'), "reference 0"),
    (lambda root: (root / "set/images/p0_p0.png").write_bytes(b"no picture"), "p0_p0.png"),
    (lambda root: [(root / "set/features").mkdir(), (root / "set/features/p0_p0.h5").write_bytes(b"no h5")],
     "p0_p0.h5: not a file of segment features"),
])
def test_a_broken_file_gets_one_sentence(spoil, words, folder, run_script):
    spoil(folder)
    result = run_script(TRAIN, *SMALL, "--samples", "both", "--num_iters", 1)
    assert result.code == 2, result.out
    assert words in result.err and result.err.count("error: ") == 1, result.err


def test_features_of_other_masks_are_refused(folder, run_script):
    h5py = pytest.importorskip("h5py")
    (folder / "set/features").mkdir()
    for shape, checksum, words in (((3, 4), None, "rcnn_feat has shape (3, 4)"), ((), None, "rcnn_feat has shape ()"),
                                   ((5, 4), "0" * 64, "computed from other masks")):
        with h5py.File(folder / "set/features/p0_p0.h5", "w") as file:
            file["rcnn_feat"] = file["pan_feat"] = np.ones(shape)
            if checksum:
                file.attrs["masks_sha256"] = checksum
        result = run_script(TRAIN, *SMALL, "--num_iters", 1)
        assert result.code == 2 and words in result.err, result.err
