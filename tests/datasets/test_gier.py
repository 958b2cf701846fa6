"""GIER: one sample per request, modes that intersect, masks of local operators, one sentence for every mistake."""
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_gier import pair, write_gier

from core.datasets import GIERPairs, WordVocab, load_dataset
from core.datasets.gier import MODES
from core.datasets.vocab import SPECIAL
from core.files import UserError
from core.operators import Plan, Step

VOCAB = WordVocab((*SPECIAL, "make", "it", "brighter"))
LEFT, TOP = np.zeros((48, 64)), np.zeros((48, 64))
LEFT[:, :20], TOP[:10] = 1, 1
LISTS = {"valid": [0, 1, 3], "shapeAlign": [0, 2, 3], "shapeAlign_nonCrop": [1, 2], "global": [0, 1, 2]}
PAIRS = (pair(0, "make it brighter", "brighter please", brightness=None), pair(1, "darken it"),
         pair(2, "paint it white", color_bg=[0, 1], hue=[1], crop=[]), pair(3, "sharpen it", "it is soft", "sharpen"))


@pytest.fixture()
def root(tmp_path, photo):
    return write_gier(tmp_path / "GIER", {"train": PAIRS, "test": PAIRS[:1]},
                      lambda entry, side: photo(seed=len(side)), masks=(LEFT, TOP), **LISTS)


@pytest.fixture()
def opened(root, tmp_path):
    """Return `open(data_mode)`: the training phase of the small data set."""
    def make(data_mode=None, **options):
        return GIERPairs(root, "train", 3, VOCAB, data_mode=data_mode, size=16, cache=tmp_path / "cache", **options)
    return make


def inputs(dataset):
    return sorted({int(entry["input"][1]) for entry in dataset.annotations})


def test_each_request_is_a_sample_the_experts_first(opened):
    dataset = opened("full")
    assert [dataset[index]["request"] for index in range(len(dataset))] == [
        "make it brighter", "brighter please", "darken it", "paint it white", "sharpen it", "it is soft", "sharpen"]
    sample = dataset[1]
    assert (sample["name"], sample["input"].shape) == ("p0_p0.png>p0_x.png", (3, 16, 16))
    assert sample["request_ids"].tolist()[:4] == [1, VOCAB.ids["brighter"], 3, 2]
    assert "--data_mode full: 4 pairs, each counted once for each of its requests" in dataset.report()
    assert torch.equal(sample["target"], dataset[0]["target"])


def test_a_pair_without_summaries_has_the_request_of_the_web():
    assert GIERPairs.requests(pair(0)) == ["Can anyone help me"]


@pytest.mark.parametrize(("mode", "expected"), [
    (None, [0, 2, 3]), ("full", [0, 1, 2, 3]), ("shapeAlign_nonCrop", [1, 2]), ("global+shapeAlign", [0, 2]),
    ("full+valid", [0, 1, 3]), ("shapeAlign+shapeAlign", [0, 2, 3])])
def test_modes(mode, expected, opened):
    assert inputs(opened(mode)) == expected


@given(st.lists(st.sampled_from(sorted(MODES)), min_size=1))
def test_joined_modes_keep_what_they_share_in_any_order(gier, modes):
    path, entries = GIERPairs.read(gier, "val", 3, "full")
    kept = {entry["input"] for entry in entries}
    for mode in modes:
        kept &= {entry["input"] for entry in GIERPairs.read(gier, "val", 3, mode)[1]}
    assert {entry["input"] for entry in GIERPairs.read(gier, "val", 3, "+".join(modes))[1]} == kept
    assert path.name == "val_sess_3.json"


@pytest.fixture(scope="module")
def gier(tmp_path_factory):
    """Write a phase in which any two modes share a pair; return its folder."""
    lists = {"valid": [0, 1, 3], "shapeAlign": [0, 2, 3], "shapeAlign_nonCrop": [0, 4], "global": [0, 1, 2]}
    return write_gier(tmp_path_factory.mktemp("gier"), {"val": [pair(number, "it") for number in range(5)]},
                      lambda entry, side: np.zeros((2, 2, 3), np.uint8), **lists)


def test_all_requests_of_a_pair_share_its_plan(opened):
    plan = Plan((Step.make("brightness", [0.5]),))
    dataset = opened("full", plans={"p0_p0.png>p0_x.png": plan, "p3_p3.png>p3_x.png": plan})
    assert inputs(dataset) == [0, 3]
    assert len(dataset) == 5
    assert (dataset.ops == dataset.ops[0]).all()


def test_the_mask_of_a_local_operator_is_the_union_of_its_ids(opened):
    dataset = opened("full")
    masks = dataset.masks(3)
    assert set(masks) == {"color_bg", "hue"}   # crop is local, but names no mask
    assert np.array_equal(masks["color_bg"].array(), np.maximum(LEFT, TOP))
    assert np.array_equal(masks["hue"].array(), TOP)
    assert dataset.masks(0) == {}


def test_an_exclusive_mask_is_everything_but_its_ids(opened, root):
    path = root / "splits/train_sess_3.json"
    pairs = json.loads(path.read_text())
    pairs[2]["operator"]["hue"]["mask_mode"] = "exclusive"
    path.write_text(json.dumps(pairs))
    mask = opened("full").masks(3)["hue"]
    assert np.array_equal(mask.tensor(48, 64)[0, 0].numpy(), 1 - TOP)


def test_samples_have_the_area_of_their_edit(opened):
    dataset = opened("full", masks="union")
    assert dataset[0]["masks"].shape == (1, 16, 16)
    assert (dataset[0]["masks"] == 1).all()   # brightness is global
    assert (dataset[2]["masks"] == 0).all()   # no operator
    assert (dataset[3]["masks"] == 1).all()   # its crop is local, but has no mask
    assert "masks" not in opened("full")[0]


def test_candidates_are_the_masks_of_the_operators_then_every_proposal(opened):
    dataset = opened("full", masks="candidates")
    arrays = [mask.array() for mask in dataset[3]["masks"]]
    for array, expected in zip(arrays, (np.maximum(LEFT, TOP), TOP, LEFT), strict=True):
        assert np.array_equal(array, expected)
    assert dataset[0]["masks"] == []   # brightness is global


def test_candidates_of_another_aspect_are_left_out(root, opened, photo):
    write_gier(root, {"train": PAIRS}, lambda entry, side: photo(seed=len(side)), masks=(LEFT[:, :30], TOP[:, :30]))
    assert opened("full", masks="candidates")[3]["masks"] == []


def test_pairs_whose_masks_have_another_aspect_are_left_out_and_listed(root, tmp_path, photo):
    write_gier(root, {"train": PAIRS}, lambda entry, side: photo(seed=len(side)), masks=(LEFT[:, :30], TOP[:, :30]))
    dataset = GIERPairs(root, "train", 3, VOCAB, data_mode="full", size=16, cache=tmp_path / "cache", masks="union")
    assert dataset.misfits == ["p2_p2.png>p2_x.png"]
    assert inputs(dataset) == [0, 1, 3]
    assert any("another aspect" in sentence and "p2_p2" in sentence for sentence in dataset.report())


@pytest.mark.parametrize("content", ["[]", "{}", '[{"size": [48, 64], "counts": "x"}, 1]', '[{"size": 3}]'])
def test_a_broken_or_missing_file_of_masks_is_refused(content, opened, root):
    dataset = opened("full")
    (root / "masks/p2_p2_mask.json").write_text(content)
    with pytest.raises(UserError, match=r"p2_p2_mask\.json: not the masks of p2_p2\.png .*published file"):
        dataset.masks(3)
    (root / "masks/p2_p2_mask.json").unlink()
    with pytest.raises(UserError, match=r"p2_p2_mask\.json: no such file"):
        dataset.masks(3)


@pytest.mark.parametrize(("mode", "words"), [
    ("fancy", "--data_mode fancy: 'fancy' is unknown; known are: valid, shapeAlign, .*joined with"),
    ("global+", r"--data_mode global\+: '' is unknown"),
    ("valid+shapeAlign_nonCrop+shapeAlign", "train_sess_3.json: no pair belongs to --data_mode valid")])
def test_unknown_modes_and_modes_without_pairs_are_refused(mode, words, opened):
    with pytest.raises(UserError, match=words):
        opened(mode)


@pytest.mark.parametrize("content", ["{}", "[0, 4]", "[-1]", '["0"]', "[0.0]"])
def test_lists_of_indices_that_do_not_fit_the_annotation_are_refused(content, opened, root):
    (root / "splits/train_global_sess_3.json").write_text(content)
    with pytest.raises(UserError, match=r"train_global_sess_3\.json: not a list of indices from 0 to 3"):
        opened("global")


def test_a_summary_that_is_no_text_is_named(opened, root):
    path = root / "splits/train_sess_3.json"
    pairs = json.loads(path.read_text())
    pairs[2]["amateur_summary"] = [" "]
    path.write_text(json.dumps(pairs))
    with pytest.raises(UserError, match=r"train_sess_3\.json, a summary of p2_p2.*field 'request' is empty"):
        opened("full")


def test_missing_annotations_are_reported_with_their_place(tmp_path):
    with pytest.raises(UserError, match=r"splits/val_sess_3\.json: no such file"):
        load_dataset("GIER", "val", 3, VOCAB, root=tmp_path)
