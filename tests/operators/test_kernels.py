"""Compiled kernels give the pictures of the PyTorch functions, from every depth, size, memory layout and mask."""
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.files import UserError
from core.operators import TABLE, Mask, Plan, Step, execute, execute_samples, trace
from core.operators.executor import apply_step
from core.operators.kernels.detail import noise
from core.operators.kernels.runs import TILE, Maps, Picture
from core.operators.kernels.sources import Samples, Straightened
from core.operators.kernels.table import KERNELS
from core.operators.layers import enlarge
from core.operators.samples import sizes
from core.photo.profile import unit

HERE = Path(__file__).parent
GAMUT = {"hsl", "colour_grading", "vibrance", "chroma"}   # near white and black their definition divides by little


def scene(height, width, seed=0, kind=np.uint8):
    """Return samples (height, width, 3) of slopes, waves and noise, with black, white and pure red."""
    random, (y, x) = np.random.default_rng(seed), np.mgrid[0:height, 0:width] / max(height, width)
    picture = np.stack((x, y, 1 - x), 2) * random.uniform(0.4, 1, 3) + 0.25 * np.sin(9 * x + 7 * y)[..., None]
    picture = np.clip(picture + random.normal(0, 0.04, picture.shape), 0, 1)
    for value, row in zip((0, 1, (1, 0, 0)), picture[:3], strict=False):
        row[:4] = value
    return picture.astype(kind) if kind == np.float32 else np.rint(picture * np.iinfo(kind).max).astype(kind)


def by_functions(plan, samples, precision=torch.float32):
    """Return the result of the PyTorch functions, float (H, W, 3)."""
    image = torch.from_numpy(unit(samples)).permute(2, 0, 1)[None].contiguous().to(precision)
    for step in plan:
        mask = None if step.mask is None else step.mask.tensor(*image.shape[-2:])
        image = apply_step(step, image, mask)
    return image[0].permute(1, 2, 0).numpy()


def params_at(row, shares):
    """Return the parameters at shares of the way from the lower to the upper bounds."""
    return [one.low + share * (one.high - one.low) for one, share in zip(row.params, shares, strict=False)]


def step_at(row, share, mask=None):
    return Step.make(row.name, params_at(row, [(share + 0.37 * k) % 1 for k in range(row.n_params)]), mask)


def half(height, width):
    inside = np.zeros((height, width))
    inside[:, :max(1, width // 2)] = 1
    return Mask.from_array(inside)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_gives_the_picture_of_the_function(name):
    row, seen, wrong = TABLE[name], 0, 0
    for seed, (height, width) in enumerate(((30, 41), (75, 270), (1, 9), (9, 1))):
        samples = scene(height, width, seed)
        plan = Plan((step_at(row, 0.13 + 0.25 * seed, half(height, width) if row.local else None),))
        expected = by_functions(plan, samples)
        rounding = np.abs(expected - by_functions(plan, samples, torch.float64)) if name in GAMUT else 0
        assert (np.abs(execute_samples(plan, samples, np.float32) - expected) <= 1e-5 + 4 * rounding).all()
        levels = np.abs(execute_samples(plan, samples).astype(int) - np.rint(expected * 255).astype(int))
        assert levels.max(initial=0) <= 1
        seen, wrong = seen + levels.size, wrong + levels.sum()
    assert wrong <= max(1e-4 * seen, 6)   # of 69,000 samples: a value at half a level may fall to either side


@st.composite
def plans(draw):
    """Return a plan of up to five steps that have kernels, some with masks, and the size of a picture."""
    size, steps = draw(st.sampled_from([(1, 1), (5, 1), (1, 300), (37, 52), (70, 140), (129, 40)])), []
    for name in draw(st.lists(st.sampled_from(sorted(set(KERNELS) - {"dehaze", *GAMUT})), min_size=1, max_size=5)):
        mask = None
        if TABLE[name].local or (not TABLE[name].resizes and draw(st.integers(0, 3)) == 0):
            inside = np.random.default_rng(draw(st.integers(0, 99))).random((4, 6)).repeat(8, 0).repeat(8, 1) > 0.5
            mask = replace(Mask.from_array(inside), feather=draw(st.sampled_from([0.0, 0.02])),
                           invert=draw(st.booleans()))
        steps.append(step_at(TABLE[name], draw(st.floats(0.02, 0.98)), mask))
    return Plan(tuple(steps)), size


@settings(max_examples=25, deadline=None, derandomize=True)
@given(plans(), st.sampled_from([np.uint8, np.uint16, np.float32]), st.integers(0, 99))
def test_runs_of_kernels_give_the_pictures_of_the_functions(planned, kind, seed):
    """Steps of high gain multiply a rounding error, so the limit grows with the number of steps."""
    plan, size = planned
    samples = scene(*size, seed, kind)
    found, expected = execute_samples(plan, samples, np.float32), by_functions(plan, samples)
    assert (np.abs(found - expected) <= 1e-5 * 4 ** (len(plan) - 1)).mean() > 0.999
    assert np.abs(execute_samples(plan, samples).astype(float) - found * (1 if kind == np.float32 else np.iinfo(
        kind).max)).max() <= 0.501
    assert sizes(plan, *size)[-1] == found.shape[:2] == expected.shape[:2]
    outside = np.ones(size, bool) & (not any(TABLE[step.op].resizes for step in plan))
    for step in plan:
        outside &= False if step.mask is None else step.mask.pixels(*size) == 0
    if outside.any():
        assert np.array_equal(found[outside], unit(samples)[outside])


def test_a_picture_does_not_depend_on_tiles_memory_or_the_way_it_came():
    """Plans through tiles of any place, by strides, as a tensor, and step by step have the same bits."""
    plan = Plan(tuple(step_at(TABLE[name], 0.7) for name in ("contrast", "sharpness", "vibrance", "highlights")))
    samples = scene(2 * TILE[0] + 9, TILE[1] + 5, kind=np.float32)
    expected = execute_samples(plan, samples)
    assert np.array_equal(execute_samples(plan, np.asfortranarray(samples)), expected)
    mirrored = samples[:, ::-1]
    assert np.array_equal(execute_samples(plan, mirrored), execute_samples(plan, mirrored.copy()))
    image = torch.from_numpy(samples).permute(2, 0, 1)
    assert np.array_equal(execute(plan, image).permute(1, 2, 0).numpy(), expected)
    assert np.array_equal(list(trace(plan, image))[-1].permute(1, 2, 0).numpy(), expected)
    point_wise = Plan(plan.steps[:1] + plan.steps[2:3])
    assert np.array_equal(execute_samples(point_wise, samples[5:, 3:]), execute_samples(point_wise, samples)[5:, 3:])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_integers_of_any_layout_are_read_and_written_exactly(kind):
    samples = scene(20, 30, kind=kind)
    for one in (samples, samples[::-1, ::2], np.asfortranarray(samples), samples[:0]):
        copy = execute_samples(Plan(), one)
        assert np.array_equal(copy, one)
        assert not np.shares_memory(copy, one)
    assert np.array_equal(execute_samples(Plan(), samples, np.float32), unit(samples))


@pytest.mark.parametrize("size", [(1, 65535), (65535, 1), (2, 65535)])
def test_very_wide_and_very_high_pictures_are_edited(size):
    plan = Plan(tuple(Step.make(*step) for step in (("sharpness", 0.4), ("clarity", 0.5), ("vignette", [-1, 0.2]))))
    samples = scene(*size)
    assert np.abs(execute_samples(plan, samples, np.float32) - by_functions(plan, samples)).max() < 1e-4


def test_pixels_that_are_no_numbers_spread_to_no_others_and_stay_visible():
    samples = scene(20, 30, kind=np.float32)
    samples[7, 8] = np.nan
    names = "exposure_soft", "tint", "chroma", "contrast_pivot", "hsl"
    plan = Plan(tuple(step_at(TABLE[name], 0.7) for name in names))
    found, clean = execute_samples(plan, samples), np.ones((20, 30), bool)
    clean[7, 8] = False
    assert np.isnan(found[7, 8]).any()
    assert np.isfinite(found[clean]).all()


def test_the_reduced_picture_is_that_of_pytorch():
    samples = scene(150, 301, kind=np.float32)
    image = torch.from_numpy(samples).permute(2, 0, 1)[None]
    for size in ((1, 1), (7, 50), (149, 300), (150, 301)):
        expected = torch.nn.functional.interpolate(image, size, mode="area")[0].numpy()
        assert np.abs(Picture(Samples(samples)).reduced(*size) - expected).max() < 2e-6


def test_enlarged_maps_have_the_bits_of_the_function():
    for size, full in (((7, 9), (20, 31)), ((1, 4), (3, 9)), ((33, 451), (70, 3003)), ((5, 1), (20, 8))):
        maps = np.random.default_rng(0).random((2, *size), np.float32)
        found = Maps(maps, *full).enlarged(slice(0, full[0]), slice(0, full[1])).reshape(2, *full)
        assert np.array_equal(found, enlarge(torch.from_numpy(maps)[None], full)[0].numpy())


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 4), (5, 7), (40, 41), (1, 70001)])
def test_the_noise_is_that_of_pytorch(size):
    for seed in (0, 7, 65535):
        expected = torch.randn(size, generator=torch.Generator().manual_seed(seed)).numpy()
        assert np.abs(noise(seed, Picture(Samples(np.zeros((*size, 3), np.uint8)))) - expected).max() < 1e-5


@pytest.mark.parametrize(("name", "size"), [("facet_blur", (30, 2300)), ("radial_blur", (20, 3100)),
                                            ("grain", (90, 700)), ("inpaint_obj", (150, 600))])
def test_large_pictures_which_are_reduced_give_the_picture_of_the_function(name, size):
    samples, mask = scene(*size), half(*size) if TABLE[name].local else None
    plan = Plan((step_at(TABLE[name], 0.7, mask),))
    expected = by_functions(plan, samples)
    assert np.abs(execute_samples(plan, samples, np.float32) - expected).max() < 3e-5
    assert (np.abs(execute_samples(plan, samples) - np.rint(expected * 255)) > 0).mean() < 1e-4


@pytest.mark.parametrize("angle", [-179.5, -91.3, -45.0, -3.0, 0.4, 44.9, 46.0, 90.0, 133.0, 180.0])
def test_a_turned_picture_is_that_of_the_function_in_every_tile(angle):
    """Steps before and after a step that moves pixels are computed around other places of the picture."""
    steps = [("sharpness", 0.3), ("crop", [0.02, 0.1, 0.3, 0]), ("rotate", angle), ("flip", [1, 0]), ("edge", 0.4)]
    plan = Plan(tuple(Step.make(*step) for step in steps))
    for size in ((150, 310), (311, 149), (2, 300)):
        samples = scene(*size, kind=np.uint16)
        found, expected = execute_samples(plan, samples, np.float32), by_functions(plan, samples)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-4   # edges and sharpness multiply errors
        assert np.array_equal(execute_samples(plan, np.asfortranarray(samples), np.float32), found)


def test_a_straightened_picture_of_which_maps_are_made_is_computed_once(monkeypatch):
    seen, block = [], Straightened._block
    monkeypatch.setattr(Straightened, "_block", lambda self, *ends: seen.append(1) or block(self, *ends))
    samples, counts = scene(150, 310), []
    for more in ((), (("crop", [0.1] * 4), ("clarity", 0.5), ("shadows", 0.4), ("denoise", [0.5, 0.5]))):
        seen.clear()
        plan = Plan(tuple(Step.make(*step) for step in (("rotate", 7), *more)))
        assert np.abs(execute_samples(plan, samples, np.float32) - by_functions(plan, samples)).max() < 1e-4
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("inpainter", ["", "telea", "patch"])
def test_a_filled_hole_is_that_of_the_function_inside_a_plan(inpainter):
    inside = np.zeros((90, 300))
    inside[20:50, 100:270] = 1
    plan = Plan((Step.make("flip", [1, 0]), Step.make("inpaint_obj", (), Mask.from_array(inside, 0.01), inpainter),
                 Step.make("rotate", 90)))
    samples = scene(90, 300)
    assert np.array_equal(execute_samples(plan, samples, np.float32), by_functions(plan, samples))


def test_a_hole_that_cannot_be_filled_is_refused():
    samples, everything = scene(9, 12), Mask.from_array(np.ones((9, 12)))
    with pytest.raises(UserError, match="covers the whole picture"):
        execute_samples(Plan((Step.make("inpaint_obj", (), everything, "patch"),)), samples)
    for name in ("inpaint_obj", "color_bg"):
        with pytest.raises(UserError, match="needs a mask"):
            execute_samples(Plan((Step.make(name),)), samples)


def test_an_operator_without_a_kernel_is_computed_by_its_function(monkeypatch):
    plan = Plan((Step.make("exposure", 0.5), Step.make("sepia", 0.6, half(70, 90)), Step.make("fade", 0.4)))
    samples = scene(70, 90)
    expected = execute_samples(plan, samples, np.float32)
    monkeypatch.delitem(KERNELS, "sepia")
    assert np.abs(execute_samples(plan, samples, np.float32) - expected).max() < 1e-6


def test_no_step_but_a_soft_mask_and_dehaze_needs_pytorch():
    code = ("import sys, numpy as np\nfrom core.operators import TABLE, Mask, Plan, Step\n"
            "from core.operators.samples import execute_samples, sizes\n"
            "mask = Mask.from_array(np.eye(64).repeat(2, 1))\n"
            "for name in set(TABLE) - {'dehaze'}:\n"
            "    row, fill = TABLE[name], 'patch' if TABLE[name].inpaints else ''\n"
            "    plan = Plan((Step.make(name, [(p.low + p.high) / 3 for p in row.params], "
            "None if row.resizes else mask, fill),))\n"
            "    execute_samples(plan, np.zeros((64, 128, 3), np.uint8)), sizes(plan, 64, 128)\n"
            "    assert 'torch' not in sys.modules, name")
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(HERE.parents[1])})


def test_plans_of_version_1_give_the_pictures_that_they_gave_before_there_were_kernels():
    stored = np.asarray(Image.open(HERE / "version_1.png"))
    source, *results = np.split(stored, len(stored) // 24)
    plans = [Plan.from_dict(value) for value in json.loads((HERE / "version_1.json").read_text(encoding="utf-8"))]
    assert len(plans) == len(results) == 20
    for plan, result in zip(plans, results, strict=True):
        assert np.abs(execute_samples(plan, source).astype(int) - result).max() <= 1


def test_the_script_of_the_installation_compiles_every_kernel(run_well):
    assert f"{len(KERNELS)} kernels are compiled" in run_well("misc/compile_kernels.py").out
