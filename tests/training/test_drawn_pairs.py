"""Drawing the pairs of the ranking loss, and rival words."""
import numpy as np
import pytest
import torch
from small_grounding import drawn_set

from core.training.grounding import draw_pairs

MANY = 2000


def batch(labels, classes, present=None, rows=1):
    labels, classes = torch.tensor([labels] * rows) > 0, torch.tensor([classes] * rows)
    present = torch.ones_like(labels) if present is None else torch.tensor([present] * rows) > 0
    return {"labels": labels, "classes": classes, "present": present}


def test_three_tenths_of_the_wrong_segments_are_of_the_same_class():
    torch.manual_seed(0)
    rows, meant, others = draw_pairs(batch([1, 0, 0, 0, 0], [7, 7, 8, 9, 0], [1, 1, 1, 1, 0], rows=MANY))
    assert rows.tolist() == list(range(MANY)) and not meant.any()
    counts = torch.bincount(others[:, 1], minlength=5) / MANY
    np.testing.assert_allclose(counts[:4], [0, 0.3, 0.35, 0.35], atol=0.04)
    assert counts[4] == 0


@pytest.mark.parametrize("classes", [[7, 7, 7], [7, 8, 8]])
def test_the_photo_is_not_left_while_it_has_any_other_segment(classes):
    rows, _, others = draw_pairs(batch([1, 0, 0], classes, rows=50))
    assert torch.equal(others[:, 0], rows) and (others[:, 1] > 0).all()


def test_a_photo_whose_segments_are_all_meant_is_compared_with_another_one():
    one = batch([1, 1, 0], [7, 8, 0], [1, 1, 0], rows=2)
    rows, _, others = draw_pairs(one)
    assert torch.equal(others[:, 0], 1 - rows) and (others[:, 1] < 2).all()


def test_all_positives_get_as_many_negatives():
    rows, meant, others = draw_pairs(batch([1, 0, 1, 0], [1, 2, 3, 4], rows=3), "all")
    assert rows.tolist() == [0, 0, 1, 1, 2, 2] and meant.tolist() == [0, 2] * 3 and len(others) == 6


def test_rival_words_mean_other_segments_of_the_photo():
    dataset = drawn_set(3)
    torch.manual_seed(0)
    indices = torch.arange(len(dataset))
    ids, operators = dataset.draw_rivals(indices)
    assert operators.tolist() == [1] * len(dataset)
    assert not any(torch.equal(one, own) for one, own in zip(ids, dataset.request_ids, strict=True))
    said = {tuple(row.tolist()): query.photo for row, query in zip(dataset.request_ids, dataset.queries, strict=True)}
    assert {tuple(row.tolist()) for row in ids} <= said.keys()
