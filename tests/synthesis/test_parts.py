"""Parts: their words, pixels and annotations; when a photo has a main subject."""
import numpy as np
import pytest
import torch
from small_regions import SCENES, write_panoptic

from core.datasets.panoptic import PanopticSet
from core.regions.segments import Segment
from core.synthesis.parts import main_subject, parts_of, united


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    dataset = PanopticSet(write_panoptic(tmp_path_factory.mktemp("scenes")))
    return {dataset.name(index): dataset[index] for index in range(len(dataset))}


def segment(name, share, thing=True):
    mask = np.zeros((10, 10), np.float32)
    mask.ravel()[:round(100 * share)] = 1
    return Segment(name, mask, 1.0, "truth", thing)


def test_words_mean_the_pixels_of_their_part(photos):
    photo = photos["three.png"]
    parts = {words: part for part in parts_of(photo.segments, photo.image) for words in part.words}
    red = SCENES["three.png"][0].mask()
    assert (parts["the red ball"].inside == red).all()
    assert (parts["the red ball"].mask.array() == red).all()
    assert parts["the red ball"].annotation == {"local": True, "ids": list(parts["the red ball"].ids)}
    assert (parts["the suitcase"].inside == SCENES["three.png"][3].mask()).all()
    but = parts["everything but the suitcase"]
    assert (but.inside == ~parts["the suitcase"].inside).all()
    assert but.annotation == {"local": True, "ids": list(parts["the suitcase"].ids), "mask_mode": "exclusive"}
    assert "the sports ball" not in parts


def test_the_background_is_everything_but_the_main_subject(photos):
    photo = photos["alone.png"]
    part = next(part for part in parts_of(photo.segments, photo.image) if part.words[0] == "the background")
    assert (~part.inside == SCENES["alone.png"][0].mask()).all()
    assert not any(part.words[0] == "the background" for part in
                   parts_of(photos["three.png"].segments, photos["three.png"].image))


@pytest.mark.parametrize(("things", "crowd", "expected"), [
    ((("dog", 0.2),), 0, (0,)), ((("dog", 0.2), ("cup", 0.04)), 0, (0,)), ((("dog", 0.2), ("cup", 0.1)), 0, None),
    ((("dog", 0.1), ("cup", 0.02), ("dog", 0.1)), 0, (0, 2)), ((("dog", 0.03),), 0, None), ((("dog", 0.7),), 0, None),
    ((("dog", 0.2),), 0.1, None), ((), 0, None)])
def test_a_main_subject_covers_enough_and_has_no_rival(things, crowd, expected):
    crowds = (segment("person", crowd),) if crowd else ()
    assert main_subject([segment("sky", 0.5, thing=False), *(segment(*one) for one in things)], crowds) == (
        expected if expected is None else tuple(index + 1 for index in expected))


def test_united_masks():
    one, other = segment("a", 0.2), segment("b", 0.4)
    assert united((one, other), (0, 1)).sum() == 40
    assert united((one, other), (0,)).sum() == 20
    assert torch.from_numpy(united((one,), (0,))).dtype == torch.bool
