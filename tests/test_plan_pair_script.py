"""core/plan_pair.py, run as a photographer runs it: the plan of a pair, its use on a folder, and refused pairs."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.operators import Plan, Step, execute
from core.photo import from_tensor, read_photo, write_photo

SCRIPT = "core/plan_pair.py"
EDIT = Plan((Step.make("brightness", [0.3]), Step.make("saturation", [-0.4])))
BEFORE_AFTER = ("--before", "raw.png", "--after", "done.png", "--operators", "brightness,saturation,contrast")


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch, photo):
    """Change to a folder with `raw.png`, `done.png`, which is `raw.png` after EDIT, and two photos in `trip/`."""
    monkeypatch.chdir(tmp_path)
    Path("trip").mkdir()
    for name, seed in (("raw", 0), ("trip/a", 1), ("trip/b", 2)):
        Image.fromarray(photo(seed=seed) // 2 + 30).save(f"{name}.png")
    write_photo("done.png", from_tensor(execute(EDIT, read_photo("raw.png").tensor())))
    return tmp_path


def test_the_printed_plan_gains_and_remaining_distance_are_right(succeed):
    out = succeed(*BEFORE_AFTER)
    plan = Plan.load("done.plan.json")
    before, after = (read_photo(f"{name}.png").tensor() for name in ("raw", "done"))
    remaining = (execute(plan, before) - after).abs().mean().item()
    assert f"L1 before {(before - after).abs().mean().item():.4f}, remaining {remaining:.4f}" in out
    assert remaining < 0.1 * (before - after).abs().mean().item()
    gains = [float(line.split()[-1]) for line in out.splitlines() if line.split()[1:2] and
             line.split()[1] in ("brightness", "saturation", "contrast")]
    assert len(gains) == len(plan)
    assert sum(gains) == pytest.approx((before - after).abs().mean().item() - remaining, abs=2e-4)


@pytest.mark.parametrize("flag", ["--apply_to", "--apply-to"])
def test_the_plan_is_applied_to_a_folder_with_either_spelling_of_the_flag(flag, succeed):
    assert "2 of 2 photos edited into out" in succeed(*BEFORE_AFTER, flag, "trip", "--out", "out")
    for name in ("a.png", "b.png"):
        assert Plan.load(f"out/{name}.plan.json") == Plan.load("done.plan.json")
        expected = from_tensor(execute(EDIT, read_photo(f"trip/{name}").tensor()))
        assert np.abs(read_photo(f"out/{name}").pixels - expected).mean() < 0.02


def test_the_pair_is_not_replaced_by_a_result(run_script, refuse, contents):
    for flag in ("raw.png", "done.png"):
        refuse(*BEFORE_AFTER, "--export", flag, "--overwrite", words=(f"{flag}: is named twice",))
    refuse(*BEFORE_AFTER, "--apply_to", "trip", "--out", "trip", "--overwrite", words=("trip: is or contains the",))
    Path("trip/a.png").write_bytes(Path("raw.png").read_bytes())
    Path("out").mkdir()
    Path("done.png").rename("out/a.png")   # the retouched photo under a camera's name
    before = contents("out")
    result = run_script(SCRIPT, *("out/a.png" if word == "done.png" else word for word in BEFORE_AFTER),
                        "--apply_to", "trip", "--out", "out", "--overwrite")
    assert (result.code, "out/a.png: is named twice (as out/a.png)" in result.err) == (2, True)
    assert contents("out").items() >= before.items()


def test_the_changed_plan_is_printed_saved_exported_and_applied(succeed):
    out = succeed(*BEFORE_AFTER, "--apply_to", "trip", "--out", "out", "--drop", "saturation", "--set", "contrast=0.5",
                  "--export", "look.json", "look.cube")
    plan = Plan.load("done.plan.json")
    assert "changed to: brightness" in out
    assert "look.cube: CIEDE2000 to the plan: mean" in out
    assert "saturation" not in [step.op for step in plan]
    assert Plan.load("look.json") == Plan.load("out/a.png.plan.json") == plan
    expected = from_tensor(execute(plan, read_photo("trip/a.png").tensor()))
    assert np.abs(read_photo("out/a.png").pixels - expected).max() <= 0.5 / 255 + 1e-6


def test_a_second_run_resumes_and_does_not_replace_another_plan(succeed, run_script, contents):
    command = (*BEFORE_AFTER, "--apply_to", "trip", "--out", "out")
    succeed(*command)
    whole = contents()
    Path("out/b.png").unlink()
    out = succeed(*command)
    assert "1 of 2 photos edited into out" in out
    assert "1 photos were edited before, with the same plan; --overwrite edits them again: a.png" in out
    assert contents() == whole
    result = run_script(SCRIPT, *command, "--strength", 0.5)
    assert (result.code, "done.plan.json: exists; give --overwrite" in result.err) == (2, True)
    assert contents() == whole


@pytest.mark.parametrize(("change", "words", "convertible"), [
    (lambda image: image.resize((32, 24)), "done.png: is 32x24 RGB, raw.png is 64x48 RGB", True),
    (lambda image: image.convert("L"), "done.png: is 64x48 grey, raw.png is 64x48 RGB", True),
    (lambda image: image.convert("RGBA").point(lambda level: level // 2), "is 64x48 RGB with transparency", True),
    (lambda image: image.rotate(90, expand=True), "done.png: is 48x64 RGB, raw.png is 64x48 RGB", False),
    (lambda image: image.crop((0, 0, 40, 48)), "done.png: is 40x48 RGB, raw.png is 64x48 RGB", False)])
def test_a_pair_of_other_sizes_or_channels_is_refused_unless_it_may_be_converted(change, words, convertible, refuse,
                                                                                 succeed):
    change(Image.open("done.png")).save("done.png")
    refuse(*BEFORE_AFTER, words=(words, "or --convert" if convertible else "uncropped"))
    if convertible:
        assert words in succeed(*BEFORE_AFTER, "--convert")
        assert Path("done.plan.json").exists()
    else:
        refuse(*BEFORE_AFTER, "--convert", words=(words,))


def test_an_opaque_alpha_channel_does_not_matter(succeed):
    Image.open("done.png").convert("RGBA").save("done.png")
    succeed(*BEFORE_AFTER)


@pytest.mark.parametrize("size", [(1, 1), (9, 7)])
@pytest.mark.parametrize(("before", "after", "remaining"), [
    (0, 255, "1.0000"), (255, 0, "0.0000"), (0, 0, "0.0000"), (255, 255, "0.0000")])
def test_flat_and_tiny_pairs_are_planned(before, after, remaining, size, succeed):
    for name, level in (("raw", before), ("done", after)):
        Image.new("RGB", size, (level,) * 3).save(f"{name}.png")
    assert f"remaining {remaining}" in succeed(*BEFORE_AFTER)
    assert (len(Plan.load("done.plan.json")) > 0) == (before > after)


@pytest.mark.parametrize(("flags", "words"), [
    (("--before", "gone.png"), "gone.png: no such file"), (("--after", "cut.png"), "cut.png: the file is broken"),
    (("--after", ""), ".: a folder, not a photo"), (("--after", "/"), "/: a folder"),
    (("--apply-to", ""), "--apply_to: is empty"), (("--apply-to", "gone"), "gone: no such folder"),
    (("--apply-to", "raw.png"), "raw.png: not a folder"),
    (("--apply-to", "empty"), "empty: no photos here"),
    (("--apply-to", "trip", "--out", "raw.png"), "raw.png: is a file"),
    (("--out", "x.png"), "--out x.png: is where --apply_to writes its photos"),
    (("--set", "glow=1"), "--set glow=1: unknown operator 'glow'"), (("--drop", "glow"), "--drop glow: unknown"),
    (("--operators", "glow"), "unknown operator 'glow'"), (("--plan", "raw.png"), "raw.png: a plan is JSON"),
    (("--plan", "mine.json"), "mine.json: exists; give --overwrite"), (("--plan", "raw.png/p.json"), "not a folder"),
    (("--export", "raw.png", "--overwrite"), "raw.png: is named twice"),
    (("--export", "a.cube", "a.cube"), "a.cube: is named twice"), (("--export", "mine.cube"), "mine.cube: exists"),
    (("--export", "look.3dl"), "unknown suffix '.3dl'"),
    (("--set", "sharpness=0.5", "--export", "look.cube"), "(sharpness +0.500) cannot be held by a .cube table"),
    (("--max_megapixels", "0.001"), "more than the limit of 0.001")])
def test_no_file_is_written_if_an_argument_is_wrong(flags, words, refuse):
    Path("empty").mkdir()
    Path("mine.cube").write_text("mine")
    EDIT.save("mine.json")
    Path("cut.png").write_bytes(Path("done.png").read_bytes()[:500])
    refuse(*BEFORE_AFTER, *flags, words=(words,))
