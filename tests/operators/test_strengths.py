"""The usual strengths of the panel's operators, and the script that measures them."""
import json
import tomllib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from scenes import fractal
from tiny_project import ROOT

from core.operators import TABLE, Step, apply
from core.operators.strengths import strength, strengths

SCRIPT = "misc/measure_strengths.py"
LEVELS = ("slight", "plain", "strong")


def test_the_strengths_are_the_published_ones():
    assert strengths() == json.loads((ROOT / "docs/results/strengths.json").read_text())["figures"]["strengths"]


def test_strengths_are_ordered_and_within_the_bounds():
    names = {"exposure_soft", "white_balance", "contrast_pivot", "chroma", "sharpen_scaled", "dehaze"}
    assert names <= strengths().keys()
    for name, ways in strengths().items():
        row = TABLE[name]
        for way, levels in ways.items():
            sign = 1 if way == "more" else -1
            distances = [sign * (strength(name, sign, level) - row.neutral[0].item()) for level in LEVELS]
            assert 0 < distances[0] <= distances[1] <= distances[2], (name, way)
            bound = (row.high if way == "more" else row.low)[0].item()
            assert distances[2] <= abs(bound - row.neutral[0].item()) + 1e-3
            Step.checked(name, [levels["strong"], *row.neutral[1:].tolist()])


def test_unknown_degrees_and_directions_are_refused():
    for wrong in (("sharpen_scaled", -1, "plain"), ("exposure_soft", 1, "huge"), ("hsl", 1, "plain")):
        with pytest.raises(KeyError):
            strength(*wrong)


@pytest.fixture()
def retouched(tmp_path, monkeypatch):
    """Return a folder of 24 pairs whose retouches are .5 stops, and of two whose retouches are 1.5 stops."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "pairs"
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    entries = []
    for index in range(26):
        photo = fractal(48, 64, seed=index, mean=0.35, spread=0.1)
        stops, request = (0.5, "make it brighter") if index < 24 else (1.5, "make it much brighter")
        retouch = apply(TABLE["exposure_soft"], photo, TABLE["exposure_soft"].neutral.float()[None] + stops)
        names = f"{index}_O.png", f"{index}_A.png"
        for name, image in zip(names, (photo, retouch), strict=True):
            pixels = (image[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            cv2.imwrite(str(folder / "images" / name), pixels[..., ::-1])
        entries.append({"input": names[0], "output": names[1], "request": request})
    (folder / "annotations/train.json").write_text(json.dumps(entries))
    return folder


def test_the_script_finds_what_retouchers_did(retouched, run_well, monkeypatch):
    photo = (fractal(24, 32)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    monkeypatch.setattr("core.synthesis.photos.bundled", lambda: [SimpleNamespace(load=lambda: photo)])
    run_well(SCRIPT, "--data_root", retouched, "--publish", "strengths")
    figures = json.loads((retouched.parent / "docs/results/strengths.json").read_text())["figures"]
    plain, strong = figures["retouches"]
    assert (plain["requests"], plain["used"], strong["requests"], strong["used"]) == (24, "yes", 2, "no")
    assert plain["median"] == pytest.approx(0.5, abs=0.03)
    assert strong["median"] == pytest.approx(1.5, abs=0.1)
    written = tomllib.loads((retouched.parent / "core/operators/strengths.toml").read_text())
    assert written["exposure_soft"]["more"]["plain"] == pytest.approx(plain["median"], abs=1e-4)
