"""Samples of grounding: operators with masks, exclusive masks and void, expressions, and masks that do not fit."""
import json

import numpy as np
import pytest
import torch
from small_gier import pair, write_gier
from small_grounding import OPERATORS, VOCAB, drawn_set

from core.datasets.features import masked_means
from core.datasets.grounding import GroundingSet, Query, read_expressions, read_requests
from core.datasets.proposals import read_proposals
from core.files import UserError

LEFT, RIGHT = np.zeros((8, 12), bool), np.zeros((8, 12), bool)
LEFT[:, :4], RIGHT[:, 6:] = True, True   # two columns between them belong to no segment


def test_each_request_of_each_local_operator_with_masks_is_a_sample(tmp_path):
    entries = [pair(0, "brighter man", "lighten him", brightness=[0, 1], hue=None, crop=[1], contrast=[])]
    root = write_gier(tmp_path, {"train": entries}, lambda entry, side: np.zeros((8, 12, 3), np.uint8))
    queries, left_out = read_requests(root, "train", 3, ("brightness", "hue", "contrast"))
    assert [(query.words, query.operator, query.ids) for query in queries] == [
        ("brighter man", "brightness", (0, 1)), ("lighten him", "brightness", (0, 1))]
    assert left_out == {"operator crop is not in the vocabulary": 2, "a local operator has no mask": 2}


def test_an_exclusive_mask_means_all_other_segments_and_the_pixels_of_none():
    query = Query("a.png", "everything but him", (0,), exclusive=True)
    assert query.labels(3).tolist() == [False, True, True]
    assert (query.truth(np.stack((LEFT, RIGHT))) == ~LEFT).all()


def test_sentences_of_expressions_are_read_by_phase_and_broken_references_are_named(tmp_path):
    path = tmp_path / "expressions.json"
    ref = {"file_name": "a.png", "ids": [1], "split": "val", "mask_mode": "exclusive",
           "sentences": [{"sent": "the dog", "how": "class"}]}
    path.write_text(json.dumps({"refs": [ref, ref | {"split": "train"}]}))
    query, = read_expressions(path, "val", {"a.png": "photo.jpg"})
    assert (query.words, query.exclusive, query.group, query.source) == ("the dog", True, "class", "photo.jpg")
    path.write_text(json.dumps({"refs": [{"ids": [1]}]}))
    with pytest.raises(UserError, match="reference 0: field 'split' is missing"):
        read_expressions(path, "val", {})


def test_queries_without_a_segment_or_with_masks_that_do_not_fit_are_counted():
    one = drawn_set(1)
    proposals, = one.proposals.values()
    photo = proposals.photo
    queries = [Query(photo, "the box", (2,)), Query(photo, "the ball", (9,)), Query("b.png", "the sky", (0,)),
               Query(photo, "nothing", (0, 1, 2, 3, 4), exclusive=True)]
    made = GroundingSet(queries, {photo: proposals}.get, lambda _: dict(one.segments[photo]) and {
        name: value.numpy() for name, value in one.segments[photo].items() if name not in ("classes", "present")},
        VOCAB, OPERATORS)
    assert len(made) == 1 and made.left_out == {
        "its ids are not among the masks": 1, "the masks have another aspect than the photo": 1,
        "no segment is meant": 1}
    with pytest.raises(UserError, match="no request has a local operator"):
        GroundingSet(queries[1:], {photo: proposals}.get, lambda _: {}, VOCAB, OPERATORS)


def test_the_name_of_a_mask_is_that_of_its_segment(tmp_path):
    write_gier(tmp_path, {"train": [pair(0, "a")]}, lambda entry, side: np.zeros((8, 12, 3), np.uint8),
               masks=(LEFT, RIGHT))
    path = tmp_path / "masks/p0_p0_mask.json"
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([rows[0] | {"region": "dog"}, rows[1]]))
    found = read_proposals(tmp_path, "p0_p0.png")
    assert found.names == ("dog", "") and found.boxes.tolist() == [[0, 0, 4, 8], [6, 0, 6, 8]]


def test_means_over_masks_are_those_of_the_pixels_and_an_empty_mask_takes_all():
    values = torch.arange(96.0).view(1, 8, 12)
    found = masked_means(values, np.stack((LEFT, np.zeros_like(LEFT))).astype(np.uint8))
    np.testing.assert_allclose(found[:, 0], [values[0][torch.from_numpy(LEFT)].mean(), values.mean()], rtol=1e-6)
