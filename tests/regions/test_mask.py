"""Masks: exact round trips, and refusal of every malformed string."""
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco

from core.files import UserError
from core.operators import Mask

QUICK = settings(max_examples=100, deadline=None)
BINARY = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 1))
COCO_CHARACTERS = st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=40)


@QUICK
@given(BINARY)
def test_round_trip(array):
    mask = Mask.from_array(array)
    assert mask.size == array.shape
    np.testing.assert_array_equal(mask.array(), array)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (300, 200)])
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 1])
def test_masks_are_read_as_pycocotools_reads_them(shape, share):
    array = np.random.default_rng(0).random(shape) < share
    mask = Mask.from_array(array)
    np.testing.assert_array_equal(mask.array(), array)
    np.testing.assert_array_equal(mask.array(), coco.decode({"size": list(shape), "counts": mask.counts}))


@QUICK
@given(size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
       counts=st.one_of(st.text(max_size=40), COCO_CHARACTERS, COCO_CHARACTERS.map(lambda text: text + "oooooo")))
def test_garbage_is_refused_or_is_a_mask(size, counts):
    try:
        array = Mask(size, counts).array()
    except UserError as error:
        assert "mask" in str(error)
    else:
        assert array.shape == size
        assert set(np.unique(array)) <= {0, 1}


@pytest.mark.parametrize("counts", [
    "", "5", "04o", "P", "o" * 1000, "0" * 1000, "é", "\0", "04\0", "00000000P4", "O4", "/4", "p4", "00000",
    "0TPPPPPPPP0"])
def test_counts_that_do_not_fill_the_size_are_refused(counts):
    with pytest.raises(UserError, match=r"counts do not decode to its size \[2, 2\]"):
        Mask((2, 2), counts).array()


def test_a_full_mask_may_be_a_single_run():
    assert Mask((2, 2), "04").array().tolist() == [[1, 1], [1, 1]]
    assert Mask((2, 2), "4").array().tolist() == [[0, 0], [0, 0]]


def test_a_huge_mask_is_refused_before_memory_is_allocated():
    with pytest.raises(UserError, match="size 65500 x 65500 is over"):
        Mask((65500, 65500), "0").array()


def test_floats_are_thresholded_at_one_half():
    assert Mask.from_array([[0.2, 0.5, 0.6, float("nan")]]).array().tolist() == [[0, 0, 1, 0]]
    assert Mask.from_array([[0, 255, 1]]).array().tolist() == [[0, 1, 1]]


def test_resizing_keeps_the_range_and_the_area():
    square = np.zeros((40, 60), np.uint8)
    square[10:30, 15:45] = 1
    mask = Mask.from_array(square)
    assert torch.equal(mask.tensor(40, 60)[0, 0], torch.from_numpy(square).float())
    for height, width in ((20, 30), (80, 120), (27, 37)):
        resized = mask.tensor(height, width)
        assert resized.shape == (1, 1, height, width)
        assert resized.min() >= 0
        assert resized.max() <= 1
        assert resized.mean().item() == pytest.approx(0.25, abs=0.02)


@given(st.tuples(st.integers(2, 5000), st.integers(2, 5000)), st.integers(100, 5000))
@example((960, 1280), 118)   # 88.5 rows, which may be rounded up or down
def test_a_mask_fits_its_picture_before_and_after_shrinking(size, long_edge):
    scale = min(long_edge / max(size), 1)
    shrunk = tuple(round(side * scale) for side in size)
    if min(shrunk) >= 2:   # a side of one pixel hardly determines the aspect
        assert Mask(shrunk, "").fits(*size)
        assert Mask(size, "").fits(*shrunk)
        assert not Mask((2 * shrunk[0], shrunk[1]), "").fits(*size)


def square(**soft):
    """Return the mask of the left half of 40 x 60 pixels, with fields of a soft mask."""
    left = np.zeros((40, 60), np.uint8)
    left[:, :30] = 1
    return replace(Mask.from_array(left), **soft)


def test_a_feather_softens_the_edge_and_nothing_else():
    soft = square(feather=0.02).tensor(40, 60)[0, 0]
    assert torch.equal(soft[:, :26], torch.ones(40, 26))    # three standard deviations of 1.2 pixels from the edge
    assert torch.equal(soft[:, 34:], torch.zeros(40, 26))
    assert (soft[20, 26:34].diff() < 0).all()


def test_an_inverted_mask_is_the_rest():
    for feather in (0.0, 0.03):
        both = square(feather=feather).tensor(50, 75) + square(feather=feather, invert=True).tensor(50, 75)
        torch.testing.assert_close(both, torch.ones(1, 1, 50, 75), atol=1e-5, rtol=0)


def test_a_feather_looks_alike_at_all_sizes():
    small = square(feather=0.05).tensor(400, 600)
    large = square(feather=0.05).tensor(1600, 2400)   # above SOFT_SIDE
    torch.testing.assert_close(F.interpolate(large, (400, 600), mode="area"), small, atol=0.01, rtol=0)


@QUICK
@given(BINARY, st.sampled_from([0.0, 0.01, 0.1]), st.booleans(), st.sampled_from(["", "the dog"]))
def test_soft_masks_round_trip(array, feather, invert, region):
    mask = replace(Mask.from_array(array, feather, region), invert=invert)
    assert Mask.from_dict(json.loads(json.dumps(mask.to_dict()))) == mask
    assert mask.is_plain is (not feather and not invert and not region)
    values = mask.tensor(7, 9)
    assert values.min() >= 0
    assert values.max() <= 1
