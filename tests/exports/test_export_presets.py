"""Presets for Camera Raw and RawTherapee: well-formed, within the programs' ranges, and better than no preset."""
from configparser import ConfigParser
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from skimage.color import deltaE_ciede2000, rgb2lab

from core.exports import export, read_cube
from core.operators import Plan, Step, execute

CRS, RDF = "{http://ns.adobe.com/camera-raw-settings/1.0/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
CURVES = (0.5 + np.arange(24) * 0.37 % 1).tolist()


def plan_of(*steps):
    return Plan(tuple(Step.make(op, np.atleast_1d(params)) for op, params in steps))


@pytest.fixture()
def pixels(photo):
    """Pixels of a photo with all hues, few of them vivid."""
    vivid = photo().astype(np.float32) / 255
    grey = vivid.mean(2, keepdims=True)
    return grey + 0.35 * (vivid - grey)


def differences(plan, pixels, other):
    target = execute(plan, torch.from_numpy(pixels).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    return deltaE_ciede2000(rgb2lab(target), rgb2lab(other))


def xmp_of(path):
    """Return the settings and lists of a preset: {name: value}, {name: [texts]}."""
    description = ElementTree.parse(path).getroot().find(f"{RDF}RDF/{RDF}Description")
    settings = {name.removeprefix(CRS): value for name, value in description.attrib.items()}
    return settings, {child.tag.removeprefix(CRS): [item.text for item in child.iter(f"{RDF}li")]
                      for child in description}


def pp3_of(path):
    """Return a profile as nested mappings; names keep their case."""
    profile = ConfigParser(comment_prefixes="#", interpolation=None)
    profile.optionxform = str
    profile.read_string(path.read_text())
    return profile


def xmp_points(path, channel):
    texts = xmp_of(path)[1][f"ToneCurvePV2012{channel}"]
    return np.array([[int(number) for number in text.split(", ")] for text in texts])


def pp3_points(path, letter):
    kind, *numbers = pp3_of(path)["RGB Curves"][f"{letter}Curve"].rstrip(";").split(";")
    assert kind == "1"   # 1 is a spline, 0 no curve
    return np.array(numbers, dtype=float).reshape(-1, 2)


# An edit, and the shares of its difference that may remain with a Camera Raw preset and with a RawTherapee profile.
SHARES = [(("brightness", 0.3), 0.1, 0.1), (("brightness", -0.4), 0.05, 0.01), (("contrast", 0.5), 0.5, 0.5),
          (("contrast", -0.5), 0.6, 0.6), (("saturation", 0.6), 0.7, 0.6), (("saturation", -0.6), 0.6, 0.4),
          (("hue", CURVES), 0.4, 0.05), (("tint", CURVES[:8]), 0.5, 0.05), (("exposure", 0.6), 0.1, 0.01),
          (("exposure", -1.0), 0.05, 0.01), (("black&white", 1.0), 0.1, 0.1), (("black&white", 0.5), 0.2, 0.2),
          (("sharpness", 0.5), 0.9, 0.9)]
EDITS = [edit for edit, *_ in SHARES]


@pytest.mark.parametrize(("edit", "xmp", "pp3"), SHARES)
def test_a_preset_removes_most_of_the_difference(tmp_path, pixels, edit, xmp, pp3):
    plan = plan_of(edit)
    before = differences(plan, pixels, pixels).mean()
    for suffix, share in (("xmp", xmp), ("pp3", pp3)):
        report = export(plan, tmp_path / f"look.{suffix}", pixels)
        assert report.mean < share * before
        assert any("model" in note for note in report.notes)
        said, = (note.split()[-1] for note in report.notes if note.startswith("without the edit, the mean"))
        assert float(said) == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize("edit", [("tint", CURVES[:8]), ("hue", CURVES), ("exposure", 0.6)], ids=lambda edit: edit[0])
def test_the_curves_of_a_profile_applied_by_hand_agree_with_the_report(tmp_path, pixels, edit):
    plan, path = plan_of(edit), tmp_path / "look.pp3"
    report = export(plan, path, pixels)
    profile = pp3_of(path)
    assert profile["Color Management"]["WorkingProfile"] == "sRGB"   # the curves apply to the sRGB channels
    assert profile["Exposure"]["Saturation"] == profile["Luminance Curve"]["Chromaticity"] == "0"
    curved = [CubicSpline(*pp3_points(path, letter).T, bc_type="natural")(pixels[..., channel]).clip(0, 1)
              for channel, letter in enumerate("rgb")]
    found = differences(plan, pixels, np.stack(curved, axis=2))
    assert report.mean == pytest.approx(found.mean(), abs=0.01)
    assert report.maximum == pytest.approx(found.max(), abs=0.05)
    assert report.mean < 0.2


@pytest.mark.parametrize("suffix", ["xmp", "pp3"])
def test_greys_come_out_right_through_any_order_of_tone_steps(tmp_path, suffix):
    plan = plan_of(("tint", CURVES[:8]), ("contrast", 0.6), ("brightness", 0.2), ("saturation", 0.3), ("exposure", 0.2))
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None, :, None].repeat(3, axis=2)
    report = export(plan, tmp_path / f"grey.{suffix}", ramp)
    assert report.mean < 0.5
    assert report.maximum < 2.5


@pytest.mark.parametrize("steps", [[edit] for edit in EDITS] + [EDITS[:4] + EDITS[6:9]], ids=lambda steps: steps[0][0])
def test_settings_are_in_the_programs_ranges(tmp_path, pixels, steps):
    for suffix in ("xmp", "pp3"):
        export(plan_of(*steps), tmp_path / f"look.{suffix}", pixels)
    settings, lists = xmp_of(tmp_path / "look.xmp")
    assert settings["PresetType"] == "Normal"
    assert settings["ProcessVersion"] == "11.0"
    assert -100 <= int(settings["Saturation"]) <= 100
    assert lists["ToneCurvePV2012"] == ["0, 0", "255, 255"]
    for channel, letter in zip(("Red", "Green", "Blue"), "rgb", strict=True):
        for points, top, most in ((xmp_points(tmp_path / "look.xmp", channel), 255, 16),
                                  (pp3_points(tmp_path / "look.pp3", letter), 1, 32)):
            assert 2 <= len(points) <= most
            assert (points[0, 0], points[-1, 0]) == (0, top)
            assert (np.diff(points[:, 0]) > 0).all()
            assert 0 <= points.min() <= points.max() <= top
    profile = pp3_of(tmp_path / "look.pp3")
    assert max(len(value) for group in profile.values() for value in group.values()) < 1000
    assert all(-100 <= int(profile[group][key]) <= 100
               for group, key in (("Exposure", "Saturation"), ("Luminance Curve", "Chromaticity")))


@pytest.mark.parametrize(("edit", "sign"), [(("saturation", 0.6), 1), (("saturation", -0.6), -1), (("exposure", 0), 0)])
def test_saturation_moves_the_sliders_in_the_right_direction(tmp_path, pixels, edit, sign):
    for suffix in ("xmp", "pp3"):
        export(plan_of(edit), tmp_path / f"look.{suffix}", pixels)
    assert np.sign(int(xmp_of(tmp_path / "look.xmp")[0]["Saturation"])) == sign
    assert np.sign(int(pp3_of(tmp_path / "look.pp3")["Exposure"]["Saturation"])) == sign


def test_the_sliders_do_not_depend_on_the_photo(tmp_path, pixels):
    grey = np.full((4, 4, 3), 0.5, np.float32)
    for name, picture in (("grey", grey), ("colour", pixels)):
        export(plan_of(("saturation", 0.6)), tmp_path / f"{name}.xmp", picture)
    assert xmp_of(tmp_path / "grey.xmp")[0]["Saturation"] == xmp_of(tmp_path / "colour.xmp")[0]["Saturation"]


def test_black_and_white_removes_all_colour(tmp_path, pixels):
    for suffix in ("xmp", "pp3"):
        export(plan_of(("black&white", 1)), tmp_path / f"look.{suffix}", pixels)
    assert xmp_of(tmp_path / "look.xmp")[0]["Saturation"] == "-100"
    assert pp3_of(tmp_path / "look.pp3")["Luminance Curve"]["Chromaticity"] == "-100"


@pytest.mark.parametrize("strengths", [(0.1,), (0.5,), (1.5,), (1.5, 1.5, 1.5, 1.5, 1.5)])
def test_sharpness_becomes_an_unsharp_mask_in_range(tmp_path, pixels, strengths):
    plan = plan_of(*[("sharpness", strength) for strength in strengths])
    for suffix in ("xmp", "pp3"):
        export(plan, tmp_path / f"look.{suffix}", pixels)
    settings, profile = xmp_of(tmp_path / "look.xmp")[0], pp3_of(tmp_path / "look.pp3")["Sharpening"]
    for amount, most, radius in ((settings["Sharpness"], 150, settings["SharpenRadius"]),
                                 (profile["Amount"], 1000, profile["Radius"])):
        assert 0 < int(amount) <= most
        assert 0.5 <= float(radius) <= 3
        if len(strengths) == 1:   # both programs subtract the same second derivative
            assert int(amount) / 100 * float(radius)**2 / 2 == pytest.approx(strengths[0], rel=0.02)


def test_a_plan_that_does_not_sharpen_leaves_sharpening_alone(tmp_path, pixels):
    for suffix in ("xmp", "pp3"):
        export(plan_of(("contrast", 0.5)), tmp_path / f"look.{suffix}", pixels)
    assert "Sharpness" not in xmp_of(tmp_path / "look.xmp")[0]
    assert "Sharpening" not in pp3_of(tmp_path / "look.pp3")


@pytest.mark.parametrize("suffix", ["xmp", "pp3", "cube"])
def test_any_file_name_becomes_a_title(tmp_path, pixels, suffix):
    path = tmp_path / f'a & <b> "c"\n[Exposure].{suffix}'
    report = export(plan_of(("contrast", 0.5)), path, pixels)
    comment = f"mean {report.mean:.3f}, maximum {report.maximum:.3f}"
    title = "a & <b> _c__[Exposure]"
    if suffix == "xmp":
        lists = xmp_of(path)[1]
        assert lists["Name"] == [title]
        assert comment in lists["Description"][0]
    elif suffix == "pp3":
        assert path.read_text().startswith(f"# {title}\n# ")
        assert comment in path.read_text()
        assert pp3_of(path)["Exposure"]["Saturation"]
    else:
        assert f'TITLE "{title}"\n' in path.read_text()
        assert len(read_cube(path).table) == 33


def test_equal_plans_give_equal_presets_and_different_plans_different_ones(tmp_path, pixels):
    texts = []
    for strength in (0.5, 0.5, 0.4):
        export(plan_of(("contrast", strength)), tmp_path / "look.xmp", pixels, overwrite=True)
        texts.append((tmp_path / "look.xmp").read_text())
    assert texts[0] == texts[1]
    export(plan_of(("contrast", 0.5)), tmp_path / "other.xmp", pixels)
    uuids = {xmp_of(tmp_path / name)[0]["UUID"] for name in ("look.xmp", "other.xmp")}
    assert len(uuids) == 2
