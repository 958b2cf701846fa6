"""Exports: steps that a format can hold, look-up tables that reproduce the reported difference, sampling."""
import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base
from scipy.interpolate import RegularGridInterpolator
from skimage.color import deltaE_ciede2000, rgb2lab

from core.exports import Lut, apply_cube, check_export, export, read_cube, read_hald, sample
from core.files import UserError
from core.operators import Mask, Plan, Step, execute
from core.photo import read_photo

CURVES = (np.linspace(0.4, 1.6, 24) % 0.7).tolist()
COLOUR = Plan((Step.make("brightness", [0.3]), Step.make("hue", CURVES), Step.make("contrast", [0.4]),
               Step.make("saturation", [0.5])))
TONE = Plan((Step.make("brightness", [0.3]), Step.make("tint", CURVES[:8]), Step.make("contrast", [0.4])))
MASK = Mask.from_array(np.eye(8))


@pytest.fixture()
def pixels(photo):
    return photo().astype(np.float32) / 255


def image(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def executed(plan, pixels):
    return execute(plan, image(pixels))[0].permute(1, 2, 0).numpy()


def differences(pixels, other):
    return deltaE_ciede2000(rgb2lab(pixels), rgb2lab(other))


# ---- the reported difference

@pytest.mark.parametrize("size", [17, 33])
def test_a_cube_read_back_and_applied_agrees_with_the_report(tmp_path, pixels, size):
    report = export(COLOUR, tmp_path / "look.cube", pixels, lut_size=size)
    found = differences(apply_cube(tmp_path / "look.cube", pixels), executed(COLOUR, pixels))
    assert report.mean == pytest.approx(found.mean(), abs=1e-4)
    assert report.maximum == pytest.approx(found.max(), abs=1e-3)
    assert 0 < report.mean < report.maximum
    assert f"mean {report.mean:.3f}, maximum {report.maximum:.3f}" in (tmp_path / "look.cube").read_text()
    assert len(read_cube(tmp_path / "look.cube").table) == size


@pytest.mark.parametrize("level", [8, 12])
def test_a_hald_read_back_and_applied_agrees_with_the_report(tmp_path, pixels, level):
    path = tmp_path / "look.png"
    report = export(COLOUR, path, pixels, hald_level=level)
    found = differences(read_hald(path).apply(image(pixels))[0].permute(1, 2, 0).numpy(), executed(COLOUR, pixels))
    assert report.mean == pytest.approx(found.mean(), abs=1e-4)
    assert report.maximum == pytest.approx(found.max(), abs=1e-3)
    assert f"mean {report.mean:.3f}" in Image.open(path).getexif()[Base.ImageDescription]
    assert Image.open(path).size == (level**3, level**3)


def test_a_finer_table_is_closer(tmp_path, pixels):
    means = [export(COLOUR, tmp_path / f"{size}.cube", pixels, lut_size=size).mean for size in (17, 33, 65)]
    assert means[0] > 2 * means[1] > 4 * means[2] > 0


@pytest.mark.parametrize("name", ["look.cube", "look.png", "look.xmp", "look.pp3"])
@pytest.mark.parametrize("plan", [Plan(), Plan((Step.make("brightness", [0]), Step.make("sharpness", [0])))])
def test_a_plan_that_changes_nothing_exports_without_a_difference(tmp_path, pixels, name, plan):
    report = export(plan, tmp_path / name, pixels)
    assert report.maximum < 0.01
    assert len(report.rest) == 0


def test_kinks_between_the_entries_count_in_the_maximum(tmp_path, pixels):
    plan = Plan((Step.make("tint", [8, 0, 0, 0, 0, 0, 0, 0]),))
    on_entries, between = (export(plan, tmp_path / name, pixels) for name in ("look.cube", "look.png"))
    assert on_entries.maximum < 0.01   # a grid of 33 contains the ends of the eight curve steps, a grid of 64 does not
    assert between.maximum > 1


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("name", "plan"), [
    ("look.cube", COLOUR), ("look.png", COLOUR), ("look.xmp", TONE), ("look.pp3", TONE)])
def test_flat_pictures(tmp_path, name, plan, level):
    flat = np.full((1, 1, 3), level, np.float32)
    report = export(plan, tmp_path / name, flat)
    assert 0 <= report.mean == report.maximum < 0.5


# ---- the layout of the files

def test_red_runs_fastest(tmp_path, pixels):
    export(Plan((Step.make("exposure", [-1]),)), tmp_path / "look.cube", pixels, lut_size=17)
    rows = [line for line in (tmp_path / "look.cube").read_text().splitlines() if line[0].isdecimal()]
    assert len(rows) == 17**3
    assert [*rows[:2], rows[17], rows[17**2], rows[-1]] == [
        "0.000000 0.000000 0.000000", "0.031250 0.000000 0.000000", "0.000000 0.031250 0.000000",
        "0.000000 0.000000 0.031250", "0.500000 0.500000 0.500000"]


def test_the_identity_hald_is_the_known_picture(tmp_path, pixels):
    export(Plan(), tmp_path / "look.png", pixels)
    found = cv2.cvtColor(cv2.imread(str(tmp_path / "look.png"), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB)
    index = np.arange(512 * 512).reshape(512, 512)
    expected = np.stack([index % 64, index // 64 % 64, index // 4096], axis=2) / 63 * 65535
    assert found.dtype == np.uint16
    assert np.abs(found - expected).max() <= 1
    assert read_photo(tmp_path / "look.png").depth == 16


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_interpolation_agrees_with_scipy_on_any_table_and_domain(size, seed):
    rng = np.random.default_rng(seed)
    low, high = rng.uniform(-0.5, 0.3, 3), rng.uniform(0.6, 1.5, 3)
    table = rng.random((size, size, size, 3), dtype=np.float32)
    picture = rng.random((5, 7, 3), dtype=np.float32)
    axes = [np.linspace(low[channel], high[channel], size) for channel in (2, 1, 0)]
    inside = np.clip(picture, low, high)[..., ::-1]
    expected = RegularGridInterpolator(axes, table, bounds_error=False, fill_value=None)(inside)
    found = Lut(table, tuple(low), tuple(high)).apply(image(picture))[0].permute(1, 2, 0).numpy()
    assert np.allclose(found, expected, atol=1e-5)


IDENTITY = "\n".join(f"{i % 2} {i // 2 % 2} {i // 4}" for i in range(8))


@pytest.mark.parametrize("text", [
    f"LUT_3D_SIZE 2\n{IDENTITY}\n",
    f"# a comment\r\nTITLE \"any # title\"\r\n\r\nLUT_3D_SIZE 2\r\nDOMAIN_MIN 0 0 0\r\nDOMAIN_MAX 1 1 1\r\n{IDENTITY}",
    f"\ufeffTITLE \"x\"\nLUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.0 1.0\n# between\n{IDENTITY}\n# end\n",
])
def test_cubes_of_other_programs_are_read(tmp_path, pixels, text):
    (tmp_path / "other.cube").write_bytes(text.encode())
    assert np.allclose(apply_cube(tmp_path / "other.cube", pixels), pixels, atol=1e-6)


def test_a_table_beyond_the_range_is_clipped_after_interpolation(tmp_path):
    rows = IDENTITY.replace("1", "3").replace("0", "-1")
    (tmp_path / "wide.cube").write_text(f"LUT_3D_SIZE 2\n{rows}\n")
    levels = np.array([[[0, 0, 0], [0.25, 0.25, 0.25], [0.5, 0.4, 0.3]]], np.float32)
    expected = [[[0, 0, 0], [0, 0, 0], [1, 0.6, 0.2]]]
    assert np.allclose(apply_cube(tmp_path / "wide.cube", levels), expected, atol=1e-6)


@pytest.mark.parametrize(("text", "wrong"), [
    ("", "no LUT_3D_SIZE"),
    (f"LUT_3D_SIZE 3\n{IDENTITY}", "8 colours, but LUT_3D_SIZE 3 needs 27"),
    (f"LUT_3D_SIZE 2\n{IDENTITY}\n1 1 1", "9 colours"),
    ("LUT_3D_SIZE 2\n0 0 0\n0 nan 0", "line 3: needs 3 finite numbers"),
    ("LUT_3D_SIZE 2\n0 0 0\n\n0 inf 0", "line 4: needs 3 finite numbers"),
    ("LUT_3D_SIZE 2\n0 0", "line 2: needs 3 finite numbers"),
    ("LUT_3D_SIZE 2\n0 0 zero", "line 2: '0 0 zero' is not a row of numbers"),
    ("LUT_3D_SIZE two", "line 1: LUT_3D_SIZE must be one whole number from 2 to 256"),
    ("LUT_3D_SIZE 1\n0 0 0", "line 1: LUT_3D_SIZE must be"),
    ("LUT_3D_SIZE " + "9" * 5000, "line 1: LUT_3D_SIZE must be"),
    ("LUT_1D_SIZE 2\n0 0 0\n1 1 1", "line 1: a 1D table"),
    (f"LUT_3D_SIZE 2\nDOMAIN_MIN 0 1 0\n{IDENTITY}", "DOMAIN_MIN (0.0, 1.0, 0.0) is not below"),
    ("LUT_3D_SIZE 2\nDOMAIN_MAX 1 1", "line 2: needs 3 finite numbers"),
])
def test_a_broken_cube_is_refused_by_file_and_line(tmp_path, text, wrong):
    path = tmp_path / "broken.cube"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_cube(path)
    assert str(path) in str(caught.value)
    assert wrong in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 1), (64, 63), (512, 64)])
def test_a_picture_that_is_no_hald_is_refused(tmp_path, shape):
    Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(tmp_path / "not.png")
    with pytest.raises(UserError, match="not a Hald CLUT"):
        read_hald(tmp_path / "not.png")


# ---- steps that a format cannot hold

@pytest.mark.parametrize(("name", "step", "able"), [
    ("a.cube", Step.make("sharpness", [0.4]), ".json .xmp .pp3"),
    ("a.png", Step.make("sharpness", [-0.1]), ".json"),
    ("a.xmp", Step.make("sharpness", [-0.1]), ".json"),
    ("a.pp3", Step.make("brightness", [0.4], MASK), ".json"),
    ("a.cube", Step.make("brightness", [0.4], MASK), ".json"),
    ("a.png", Step.make("color_bg", mask=MASK), ".json"),
    ("a.xmp", Step.make("inpaint_obj", mask=MASK), ".json"),
    ("a.xmp", Step.make("clarity", [0.5]), ".json"),
    ("a.cube", Step.make("highlights", [-0.5]), ".json"),
    ("a.pp3", Step.make("crop", [0.1, 0.1, 0, 0]), ".json"),
])
def test_a_step_that_cannot_be_held_is_refused_by_name_or_split_off(tmp_path, pixels, name, step, able):
    first, last = Step.make("exposure", [0.5]), Step.make("contrast", [0.2])
    plan, path = Plan((first, step, last)), tmp_path / name
    with pytest.raises(UserError) as caught:
        export(plan, path, pixels)
    assert f"step 2 ({step.op}" in str(caught.value)
    assert f"export to {able}, or add --split" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    report = export(plan, path, pixels, split=True)
    assert report.rest == Plan((step, last))   # `last` stays behind `step`, because steps do not commute
    assert any(f"step 2 ({step.op}" in note and f"2 {step.op}, 3 contrast" in note for note in report.notes)
    alone = export(Plan((first,)), tmp_path / f"alone_{name}", pixels)
    assert (report.mean, report.maximum) == (alone.mean, alone.maximum)
    with pytest.raises(UserError, match="or add --drop"):
        export(Plan((step, last)), tmp_path / f"none_{name}", pixels, split=True)


def test_the_note_of_a_split_stands_in_the_file(tmp_path, pixels):
    export(Plan((*COLOUR, Step.make("sharpness", [0.4]))), tmp_path / "a.cube", pixels, split=True)
    assert "step 5 (sharpness +0.400) cannot be held" in (tmp_path / "a.cube").read_text()


def test_json_holds_everything(tmp_path, pixels):
    plan = Plan((*COLOUR, Step.make("sharpness", [-0.1]), Step.make("inpaint_obj", mask=MASK),
                 Step.make("tint", [1] * 8), Step.make("brightness", [0.4], MASK)))
    report = export(plan, tmp_path / "plan.json", pixels)
    assert Plan.load(tmp_path / "plan.json") == plan
    assert (report.mean, report.maximum) == (0, 0)


# ---- bad arguments

def test_an_existing_file_is_kept_without_overwrite(tmp_path, pixels):
    path = tmp_path / "look.CUBE"
    path.write_text("mine")
    with pytest.raises(UserError, match="exists"):
        export(COLOUR, path, pixels)
    assert path.read_text() == "mine"
    export(COLOUR, path, pixels, overwrite=True)
    assert len(read_cube(path).table) == 33


@pytest.mark.parametrize("name", ["look", "look.jpg", "look.3dl"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(UserError, match=r"\.json \.cube \.png \.xmp \.pp3"):
        check_export(tmp_path / name)


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "look.cube").mkdir()
    with pytest.raises(UserError, match="a folder"):
        check_export(tmp_path / "look.cube", overwrite=True)


@pytest.mark.parametrize("options", [{"lut_size": 32}, {"hald_level": 4}])
def test_unsupported_sizes_are_refused(tmp_path, pixels, options):
    with pytest.raises(UserError, match="is not one of"):
        export(COLOUR, tmp_path / "look.cube", pixels, **options)


@pytest.mark.parametrize("bad", [np.full((4, 4, 3), np.nan), np.zeros((4, 4)), np.zeros((0, 4, 3))])
def test_pixels_that_are_no_photo_are_refused(tmp_path, bad):
    with pytest.raises(UserError, match="not written"):
        export(COLOUR, tmp_path / "look.cube", bad)
    assert list(tmp_path.iterdir()) == []


# ---- the sampled pixels

def test_a_small_photo_is_measured_whole(tmp_path, pixels):
    assert torch.equal(sample(pixels), image(pixels))
    assert not any("megapixels" in note for note in export(COLOUR, tmp_path / "a.cube", pixels).notes)


@pytest.mark.parametrize("shape", [(1100, 1300), (3, 400_000), (400_000, 3)])
def test_a_large_photo_is_sampled_evenly_in_whole_blocks(shape):
    height, width = shape
    y, x = np.mgrid[0:1:height * 1j, 0:1:width * 1j].astype(np.float32)
    blocks = sample(np.stack([y, x, x], axis=2)).numpy()
    assert blocks[:, 0].size <= 1 << 20
    for channel, side in ((0, height), (1, width)):
        values = blocks[:, channel]
        assert values.min() == 0
        assert values.max() == 1
        assert values.mean() == pytest.approx(0.5, abs=0.01)
        assert np.diff(values, axis=channel + 1).max() == pytest.approx(1 / (side - 1), rel=0.1)


def test_the_report_says_that_a_photo_was_sampled(tmp_path):
    report = export(Plan((Step.make("exposure", [-1]),)), tmp_path / "a.cube", np.zeros((1100, 1000, 3), np.float32))
    assert any("1.0 of 1.1 megapixels" in note for note in report.notes)
