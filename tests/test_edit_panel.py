"""core/edit.py with plans of the develop panel: turned and cropped photos, tiny and black photos, bad plans."""
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.operators import TABLE, Mask, Plan, Step
from core.photo import read_photo

SCRIPT = "core/edit.py"
CROP, TURN, MIRROR = Step.make("crop", [0.25, 0, 0.25, 0.5]), Step.make("rotate", 90), Step.make("flip", [1, 0])
STRAIGHTEN = Step.make("rotate", 5)
PANEL = [Step.make(row.name, row.low + 0.8 * (row.high - row.low)) for row in TABLE.values()
         if row.version == 2 and not row.resizes]


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch, photo):
    """Change to a folder with `cat.png`, 64 x 48."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo()).save("cat.png")


def replay(*steps, photo="cat.png", out="out.png"):
    """Write a plan of these steps; return the flags that replay it."""
    Plan(steps).save("plan.json")
    return "--img", photo, "--replay", "plan.json", "--out", out


def samples(path):
    return np.asarray(Image.open(path))


# The size of the result

@pytest.mark.parametrize(("steps", "expected"), [
    ((TURN,), lambda before: np.rot90(before)), ((MIRROR,), lambda before: before[:, ::-1]),
    ((CROP,), lambda before: before[:24, 16:48]), ((TURN, CROP), lambda before: np.rot90(before)[:32, 12:36]),
    ((CROP, TURN, MIRROR), lambda before: np.rot90(before[:24, 16:48])[:, ::-1])])
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_pixels_and_transparency_move_together(steps, expected, suffix, photo, succeed):
    layers = np.dstack([photo(), np.arange(64 * 48).reshape(48, 64) % 251]).astype(np.uint8)
    Image.fromarray(layers).save("ghost.png")
    out = succeed(*replay(*steps, photo="ghost.png", out=f"out.{suffix}"), "--quality", 100)
    assert np.array_equal(samples(f"out.{suffix}"), expected(layers))
    height, width = expected(layers).shape[:2]
    assert (f"the plan changes the size from 64x48 to {width}x{height}" in out) == ((width, height) != (64, 48))


def test_a_straightened_photo_keeps_its_size_and_its_transparency_turns_with_it(photo, succeed):
    left = np.where(np.arange(64) < 32, 255, 0) * np.ones((48, 1))
    Image.fromarray(np.dstack([left, left, left, left]).astype(np.uint8)).save("ghost.png")
    succeed(*replay(STRAIGHTEN, photo="ghost.png"))
    grey, alpha = samples("out.png")[..., 0], samples("out.png")[..., 3]
    assert grey.shape == (48, 64)
    assert np.abs(grey.astype(int) - alpha).max() <= 1
    assert not np.array_equal(alpha, left)


def test_16_bits_and_transparent_jpegs_are_cropped(photo, succeed):
    Image.fromarray(np.dstack([photo(), np.zeros((48, 64), np.uint8)])).save("ghost.png")
    succeed(*replay(CROP, photo="ghost.png", out="out.jpg"))
    assert samples("out.jpg").shape == (24, 32, 3)
    assert samples("out.jpg").min() == 255
    import imagecodecs
    deep = np.arange(48 * 64 * 3).reshape(48, 64, 3).astype(np.uint16) * 7
    Path("deep.png").write_bytes(imagecodecs.png_encode(deep))
    succeed(*replay(CROP, photo="deep.png", out="deep_out.png"))
    assert read_photo("deep_out.png").depth == 16
    assert np.array_equal(read_photo("deep_out.png").pixels, read_photo("deep.png").pixels[:24, 16:48])


XMP = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
       '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:ImageWidth="64" xmlns:exif='
       '"http://ns.adobe.com/exif/1.0/"><exif:PixelYDimension>48</exif:PixelYDimension></rdf:Description>'
       "</rdf:RDF></x:xmpmeta>")


@pytest.mark.parametrize(("steps", "flags", "size"), [((CROP,), (), (32, 24)), ((TURN,), (), (48, 64)),
                                                      ((), ("--size", 32), (32, 24))])
def test_the_metadata_hold_the_size_of_the_result(steps, flags, size, photo, succeed):
    exif = Image.Exif()
    exif[0x010F], exif[0x8769] = "Ldie Ünï", {40962: 64, 40963: 48, 33434: 0.01}
    Image.fromarray(photo()).save("cat.jpg", exif=exif, xmp=XMP.encode())
    succeed(*replay(*steps, photo="cat.jpg", out="out.jpg"), *flags)
    edited = Image.open("out.jpg")
    details = edited.getexif().get_ifd(0x8769)
    assert edited.size == (details[40962], details[40963]) == size
    assert (float(details[33434]), edited.getexif()[0x010F]) == (0.01, Image.open("cat.jpg").getexif()[0x010F])
    packet = edited.info["xmp"].decode()
    assert f'tiff:ImageWidth="{size[0]}"' in packet
    assert f"PixelYDimension>{size[1]}<" in packet


def test_a_mask_after_a_crop_fits_the_cropped_photo(succeed, refuse):
    small, whole = (Step.make("black_and_white", [1] + [0] * 8, Mask.from_array(np.ones(size)))
                    for size in ((24, 32), (48, 64)))
    assert "resized" not in succeed(*replay(CROP, small))
    assert np.ptp(samples("out.png").astype(int), 2).max() <= 1
    succeed(*replay(whole, CROP), "--overwrite")
    narrow = Step.make("crop", [0.5, 0, 0, 0])
    refuse(*replay(narrow, whole, out="other.png"), words=(
        "cat.png: the mask of step 2 (black_and_white) is 64x48, the photo 32x48; take the photo",))


def test_strength_set_and_drop_know_geometry(succeed):
    fade = Step.make("fade", 0.8)
    succeed(*replay(TURN, fade), "--strength", 0.5)
    assert Plan.load("out.plan.json") == Plan((TURN, Step.make("fade", 0.4)))
    succeed(*replay(fade), "--set", "crop=0.25,0,0.25,0.5", "--overwrite")
    assert samples("out.png").shape == (24, 32, 3)
    succeed(*replay(CROP, fade), "--drop", "crop", "--overwrite")
    assert samples("out.png").shape == (48, 64, 3)


def test_exports_of_a_cropped_photo(succeed, refuse):
    fade = Step.make("fade", 0.5)
    refuse(*replay(fade, CROP), "--export", "look.cube", words=(
        "look.cube: step 2 (crop left +0.250, right +0.250, bottom +0.500) cannot be held by a .cube table",))
    out = succeed(*replay(fade, CROP), "--export", "look.cube", "look.json", "--split")
    assert "apply the steps 2 crop after the file" in out
    assert Plan.load("look.json") == Plan((fade, CROP))


def test_a_folder_is_cropped_and_its_run_resumes(photo, succeed):
    Path("trip").mkdir()
    for name, size in (("a.png", (48, 64)), ("b.jpg", (30, 20)), ("c.png", (1, 1))):
        Image.fromarray(photo(*size)).save(f"trip/{name}")
    flags = replay(CROP, photo="trip", out="done")
    assert "3 of 3 photos edited" in succeed(*flags)
    assert [samples(f"done/{name}").shape[:2] for name in ("a.png", "b.jpg", "c.png")] == [(24, 32), (15, 10), (1, 1)]
    assert "3 photo(s) were edited before" in succeed(*flags)


# Extreme photos, and plans that are not executed

@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 9)])
@pytest.mark.parametrize("level", [0, 255])
def test_tiny_and_flat_photos_go_through_all_operators(size, level, succeed):
    Image.new("RGB", size, (level,) * 3).save("flat.png")
    for step in (*PANEL, CROP, TURN, MIRROR, STRAIGHTEN):
        succeed(*replay(step, photo="flat.png"), "--overwrite")
        if step.op not in ("crop", "rotate"):
            assert samples("out.png").shape == (size[1], size[0], 3)
    assert "+nan" not in succeed(*replay(*PANEL, photo="flat.png"), "--overwrite", "--export", "all.json")


@pytest.mark.parametrize(("change", "words"), [
    ({"version": 3}, "plan.json: plan version 3 is newer than this program's 2; update it"),
    ({"steps": [{"op": "tone_curve_smooth", "params": [0, 0.25, 0.5, 0.75, 1.2]}]},
     "plan.json: steps[0].params[4]: 1.2 is out of range (maximum 1)"),
    ({"steps": [{"op": "channel_curves", "params": [0.5] * 26}]}, "steps[0].params: has 26 values, needs 27"),
    ({"steps": [{"op": "hsl", "params": [2] + [0] * 23}]}, "steps[0].params[0]: 2 is out of range (maximum 1)"),
    ({"steps": [{"op": "crop", "params": [0.1] * 4, "mask": {"size": [48, 64], "counts": "04"}}]},
     "steps[0] (crop): changes the size of the picture, so it takes no mask; remove the mask"),
    ({"steps": [{"op": "rotate", "params": [float("nan")]}]}, "(rotate): params contain NaN; give finite numbers"),
    ({"steps": [{"op": "rotate", "params": [200]}]}, "steps[0].params[0]: 200 is out of range (maximum 180)"),
    ({"steps": [{"op": "rotate_obj", "params": [1]}]}, "unknown operator 'rotate_obj'")])
def test_a_bad_plan_is_one_sentence(change, words, refuse):
    flags = replay(TURN)
    Path("plan.json").write_text(json.dumps({"format": "ldie-plan", "version": 2, "steps": []} | change))
    refuse(*flags, words=(words,))


@pytest.mark.parametrize("name", ["rotate", "flip", "crop"])
def test_searches_refuse_operators_that_change_the_size(name, run_script):
    for command in (("core/plan_pair.py", "--before", "cat.png", "--after", "cat.png"),
                    ("prepro/gen_greedy_seqs.py", "--dataset", "synth", "--session", 0, "--action_id", 12)):
        result = run_script(*command, "--operators", f"brightness,{name}")
        assert result.code == 2
        assert f"operators: {name} has no parameters that a search can fit; leave it out" in result.err
