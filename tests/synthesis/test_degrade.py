"""Photos degraded by a known amount: the plan repairs them, and the words do not tell the direction."""
import numpy as np
import pytest
import torch

from core.datasets import WordVocab, to_tensor
from core.datasets.vocab import SPECIAL
from core.operators import END, OperatorVocab, Plan, execute
from core.synthesis.degrade import (
    FAULTS,
    WISHES,
    Crops,
    DrawnRepairs,
    add_cast,
    draw_repair,
    expose,
    fit_repair,
)
from core.synthesis.photos import bundled

PHOTOS = [photo for photo in bundled() if photo.phase == "train"]
OPERATORS = OperatorVocab()


@pytest.fixture()
def image(photo):
    return to_tensor(photo(64, 64))


def distance(one, other):
    return (one - other).abs().mean().item()


def test_exposure_is_in_stops_of_linear_light():
    grey = torch.full((3, 2, 2), 0.5)                            # .2140 in linear light ...
    assert expose(grey, 1.0)[0, 0, 0] == pytest.approx(0.6858, abs=1e-3)   # ... times 2 is .4281
    assert torch.allclose(expose(expose(grey, -1.5), 1.5), grey, atol=1e-5)


def test_a_cast_keeps_the_luminance_of_a_grey():
    grey = torch.full((3, 2, 2), 0.5)
    yellow = add_cast(grey, 0.8)
    assert yellow[0, 0, 0] > yellow[1, 0, 0] > yellow[2, 0, 0]
    linear = ((yellow + 0.055) / 1.055) ** 2.4
    luminance = (linear * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(0)
    assert luminance[0, 0] == pytest.approx(0.2140, abs=1e-3)


@pytest.mark.parametrize("direction", FAULTS)
def test_the_fitted_step_undoes_the_fault(direction, image):
    fault, rng = FAULTS[direction], np.random.default_rng(0)
    for _ in range(5):
        degraded = fault.degrade(image, *fault.draw(rng))
        step = fit_repair(fault.ops[0], degraded, image)
        if step is not None:
            assert distance(execute(Plan((step,)), degraded), image) < 0.5 * distance(degraded, image)


def test_a_good_photo_needs_no_repair(image):
    assert all(fit_repair(fault.ops[0], image, image) is None for fault in FAULTS.values())


def test_drawn_repairs_bring_the_photo_closer_to_the_original(image):
    rng, drawn = np.random.default_rng(1), []
    for _ in range(60):
        degraded, plan, wish = draw_repair(image, rng)
        assert degraded.shape == image.shape
        assert 0 <= degraded.min() <= degraded.max() <= 1
        if len(plan):
            assert distance(execute(plan, degraded), image) < distance(degraded, image)
        drawn.append((wish, len(plan)))
    assert {wish for wish, _ in drawn} == set(WISHES)
    assert {steps for _, steps in drawn} >= {0, 1, 2}


def test_one_sentence_stands_for_both_directions():
    repairs = DrawnRepairs(Crops(PHOTOS, 64), WordVocab((*SPECIAL, "exposure")), OPERATORS)
    brightness = OPERATORS.ids["brightness"]
    amounts = [sample["params"][0, 0].item() for sample in map(repairs.__getitem__, range(80))
               if "exposure" in sample["request"] and sample["ops"][1] == brightness]
    assert min(amounts) < -0.1 < 0.1 < max(amounts)


def test_samples_are_repeatable_and_have_the_fields_of_pairs():
    repairs, again = (DrawnRepairs(Crops(PHOTOS, 32), WordVocab((*SPECIAL, "fix")), OPERATORS, seed=3, typos=0.5)
                      for _ in range(2))
    for index in (0, 5, 11):
        one, other = repairs[index], again[index]
        assert one["request"] == other["request"]
        assert all(torch.equal(one[key], other[key]) for key in ("input", "target", "ops", "params", "request_ids"))
        assert one["input"].shape == one["target"].shape == (3, 32, 32)
        assert (one["ops"] == OPERATORS.ids[END]).sum() == 1
