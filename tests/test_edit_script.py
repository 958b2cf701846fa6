"""core/edit.py, run as a photographer runs it: kept properties, changed plans, exports, refusals, and second runs."""
import errno
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
import torch
from dng import write_dng
from PIL import Image, ImageCms

from core import files
from core.exports import apply_cube, read_hald
from core.exports.difference import colour_difference
from core.operators import Mask, Plan, Step, execute, execute_samples
from core.photo import from_tensor, read_photo

SCRIPT = "core/edit.py"
COLOUR = Plan((Step.make("brightness", [0.3]), Step.make("tint", range(2, 10)), Step.make("saturation", [0.4])))
SHARP = Plan((*COLOUR, Step.make("sharpness", [0.5]), Step.make("contrast", [0.2])))


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch, photo):
    """Change to a folder with `cat.png` and the plans `colour.json` and `sharp.json`."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo()).save("cat.png")
    COLOUR.save("colour.json")
    SHARP.save("sharp.json")
    return tmp_path


def replay(plan="colour.json", out="out.png"):
    return "--img", "cat.png", "--replay", plan, "--out", out


# The start

@pytest.mark.parametrize(("flags", "absent"), [
    (["--help"], ("torch", "numba", "cv2", "jsonschema")),
    (replay("sharp.json"), ("torch", "kornia", "numba", "scipy", "tqdm"))])
def test_libraries_that_are_not_needed_are_not_imported(flags, absent):
    execute_samples(SHARP, np.zeros((9, 9, 3), np.uint8))   # compiles the kernels
    code = ("import runpy, sys\nsys.argv, sys.path[0] = sys.argv[1:], sys.argv[1].rpartition('/')[0]\n"
            "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
            "finally:\n    print(*sys.modules, file=sys.stderr)")
    path = Path(__file__).resolve().parents[1] / SCRIPT
    done = subprocess.run([sys.executable, "-c", code, path, *flags], capture_output=True, text=True, check=True)
    assert not set(absent) & set(done.stderr.split())
    assert "core.files" in done.stderr.split()


# Properties of the photo that are kept

@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_and_the_profile_are_kept_and_edited_at_full_depth(suffix, succeed):
    ramp = np.linspace(0, 40000, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint16)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if suffix == "tif":
        tifffile.imwrite("deep.tif", ramp, photometric="rgb", iccprofile=profile)
    else:
        import imagecodecs
        Path("deep.png").write_bytes(imagecodecs.png_encode(ramp))
    Plan((Step.make("exposure", [0.5]),)).save("half.json")
    succeed("--img", f"deep.{suffix}", "--replay", "half.json")
    before, edited = read_photo(f"deep.{suffix}"), read_photo(f"deep_edited.{suffix}")
    assert edited.depth == 16
    assert edited.icc == before.icc
    assert len(np.unique(edited.pixels)) > 5000   # with 8 bits in between there would be 256
    assert np.abs(edited.pixels - np.clip(before.pixels * 2**0.5, 0, 1)).max() < 1 / 65535


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_upright_once_and_keeps_its_camera(orientation, succeed):
    exif = Image.Exif()
    exif[274], exif[271] = orientation, "LDIE"
    Image.open("cat.png").save("cat.jpg", quality=100, exif=exif)
    upright = read_photo("cat.jpg").pixels
    Plan().save("nothing.json")
    for source, out in (("cat.jpg", "once.jpg"), ("once.jpg", "twice.jpg")):
        succeed("--img", source, "--replay", "nothing.json", "--out", out, "--quality", 100)
        edited = Image.open(out)
        assert edited.getexif()[271] == "LDIE"
        assert edited.getexif().get(274, 1) == 1
        assert edited.size == ((64, 48) if orientation < 5 else (48, 64))
        assert np.abs(read_photo(out).pixels - upright).mean() < 0.02


def test_photos_are_never_enlarged_and_quality_follows_the_flag(succeed):
    succeed(*replay(out="large.png"), "--size", 5000)
    assert Image.open("large.png").size == (64, 48)
    for quality in (20, 95):
        succeed(*replay(out=f"q{quality}.jpg"), "--quality", quality)
    succeed(*replay(out="coarse.jpg"), "--subsampling", "4:2:0")
    sizes = [Path(name).stat().st_size for name in ("q20.jpg", "coarse.jpg", "q95.jpg")]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 9)])
def test_flat_and_tiny_photos_are_edited(level, size, succeed):
    Image.new("RGB", size, (level,) * 3).save("flat.png")
    out = succeed("--img", "flat.png", "--replay", "sharp.json", "--export", "f.xmp", "f.pp3", "f.json")
    assert out.count("CIEDE2000 to the plan: mean") == 3
    assert "nan" not in out
    expected = from_tensor(execute(SHARP, read_photo("flat.png").tensor()))
    assert np.abs(read_photo("flat_edited.png").pixels - expected).max() <= 0.5 / 255 + 1e-6


# The written plan is the applied plan

CHANGED = ("--strength", 0.5, "--drop", "sharpness", "--set", "brightness=0.2", "--set", "exposure=-0.4")


def test_the_written_plan_is_the_applied_plan(succeed):
    out = succeed(*replay("sharp.json"), *CHANGED)
    plan = Plan.load("out.plan.json")
    assert [step.op for step in plan] == ["brightness", "tint", "saturation", "contrast", "exposure"]
    assert [plan.steps[index].params[0] for index in (0, 2, 3, 4)] == pytest.approx([0.2, 0.2, 0.1, -0.4])
    assert all(f"{step.op} " in out for step in plan)
    expected = from_tensor(execute(plan, read_photo("cat.png").tensor()))
    assert np.array_equal(np.asarray(Image.open("out.png")), np.rint(expected * 255).astype(np.uint8))
    succeed(*replay("out.plan.json", "again.png"))
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()


def test_a_dropped_operator_that_the_plan_lacks_is_reported(succeed):
    assert "--drop sharpness: the plan has no such step" in succeed(*replay(), "--drop", "sharpness")
    assert Plan.load("out.plan.json") == COLOUR


@pytest.mark.parametrize(("flag", "value", "words"), [
    ("--set", "brightness=9", "9.0 is out of range (maximum 2)"), ("--set", "tint=-1,1,1,1,1,1,1,1", "out of range"),
    ("--set", "brightness=nan", "finite"), ("--set", "glow=1", "unknown operator 'glow'; known are: brightness"),
    ("--set", "tint=1,2", "has 2 values, needs 8"), ("--set", "brightness", "needs OP=VALUE"),
    ("--set", "color_bg=", "needs OP=VALUE"), ("--drop", "glow", "unknown operator 'glow'")])
@pytest.mark.parametrize("many", [False, True])
def test_changes_that_make_no_sense_name_their_flag(flag, value, words, many, refuse):
    Path("trip").mkdir()
    Image.open("cat.png").save("trip/a.png")
    target = ("--img", "trip", "--replay", "colour.json") if many else replay()
    refuse(*target, flag, value, words=(f"error: {flag} {value}: ", words))


def test_a_negative_strength_is_refused(refuse):
    refuse(*replay(), "--strength", -1, words=("--strength: -1 is out of range; give a number at least 0",))


# Plans of another photo

def test_a_mask_of_another_shape_is_refused_and_of_another_size_resized(succeed, refuse):
    for name, shape in (("narrow", (48, 20)), ("half", (24, 32))):
        Plan((Step.make("color_bg", mask=Mask.from_array(np.ones(shape))),)).save(f"{name}.json")
    refuse(*replay("narrow.json"), words=("cat.png: the mask of step 1 (color_bg) is 20x48, the photo 64x48",))
    assert "the mask of step 1 (color_bg) is 32x24, the photo 64x48: resized" in succeed(*replay("half.json"))
    assert np.asarray(Image.open("out.png")).min() == 255


def test_a_plan_together_with_a_request_is_refused(refuse):
    refuse(*replay(), "--request", "darker", words=("--replay, --request: give one of them",))


# Exports

FIGURE = r"{}: CIEDE2000 to the plan: mean (\d+\.\d+), maximum (\d+\.\d+)"


@pytest.mark.parametrize(("name", "flags"), [("look.png", ()), *((f"look{size}.cube", ("--lut_size", size))
                                                                 for size in (17, 33, 65))])
def test_a_look_up_table_read_back_agrees_with_the_printed_figure(name, flags, succeed):
    out = succeed(*replay(), *flags, "--export", name)
    printed = [float(number) for number in re.search(FIGURE.format(re.escape(name)), out).groups()]
    image = read_photo("cat.png").tensor()[None]
    looked_up = (read_hald(name).apply(image) if name.endswith(".png")
                 else torch.from_numpy(apply_cube(name, from_tensor(image[0]))).permute(2, 0, 1)[None])
    found = colour_difference(looked_up, execute(COLOUR, image))
    assert printed == pytest.approx([found.mean(), found.max()], abs=1e-3)
    if name.endswith(".cube"):
        assert f"mean {printed[0]:.3f}, maximum {printed[1]:.3f}" in Path(name).read_text()


def test_steps_that_a_format_cannot_hold_are_refused_before_writing_or_split_off_by_name(succeed, refuse):
    refuse(*replay("sharp.json"), "--export", "ok.json", "look.cube",
           words=("look.cube: step 4 (sharpness +0.500) cannot be held by a .cube table; export to .json .xmp .pp3",))
    out = succeed(*replay("sharp.json"), "--export", "look.cube", "--split")
    assert "apply the steps 4 sharpness, 5 contrast after the file" in out
    left = execute(COLOUR, read_photo("cat.png").tensor()[None])
    assert np.abs(apply_cube("look.cube", read_photo("cat.png").pixels) - from_tensor(left[0])).mean() < 0.01


def test_two_exports_of_one_kind(succeed):
    succeed(*replay(), "--export", "a.cube", "b.cube")
    assert Path("a.cube").read_text().replace('"a"', '"b"') == Path("b.cube").read_text()


@pytest.mark.parametrize("flags", [
    ("--export", "a.cube", "./a.cube"), ("--export", "out.png"), ("--export", "cat.png", "--overwrite"),
    ("--plan", "p.json", "--export", "p.json"), ("--plan", "p.json", "--export", "link/p.json")])
def test_no_result_is_written_over_another_or_over_the_photo(flags, refuse):
    Path("link").symlink_to(".")
    refuse(*replay(), *flags, words=("is named twice",))


@pytest.fixture()
def names():
    """Return other names of the photo: a symbolic link, a hard link, a path through a linked folder, the full path."""
    Path("soft.png").symlink_to("cat.png")
    Path("hard.png").hardlink_to("cat.png")
    Path("link").symlink_to(".")
    return "cat.png", "./cat.png", "soft.png", "hard.png", "link/cat.png", str(Path("cat.png").resolve())


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_the_original_is_never_replaced(overwrite, names, refuse):
    for source, out in itertools.product(names, names):
        refuse("--img", source, "--replay", "colour.json", "--out", out, *overwrite,
               words=(f"{Path(out)}: is named twice",))
    for name in names:
        refuse(*replay(), "--export", name, *overwrite, words=(f"{name}: is named twice",))


def test_a_replayed_plan_file_is_rewritten_only_without_changes(succeed, refuse):
    again = ("--img", "cat.png", "--replay", "cat_edited.plan.json", "--overwrite")
    succeed("--img", "cat.png", "--replay", "colour.json")
    succeed(*again)   # as a user does after a change of the plan by hand
    refuse(*again, "--strength", 0.5, words=("cat_edited.plan.json: is named twice",))
    Path("link.json").symlink_to("cat_edited.plan.json")
    refuse(*again, "--drop", "tint", "--out", "other.png", "--plan", "link.json", words=("link.json: is named twice",))
    assert Plan.load("cat_edited.plan.json") == COLOUR


@pytest.mark.parametrize(("flags", "words"), [
    (("--export", "mine.cube"), "mine.cube: exists; give --overwrite or another name"),
    (("--export", "new.xmp", "mine.cube"), "mine.cube: exists"), (("--export", "look.3dl"), "unknown suffix '.3dl'"),
    (("--plan", "other.json"), "other.json: exists; give --overwrite or another --out or --plan"),
    (("--plan", "cat.jpg", "--overwrite"), "cat.jpg: a plan is JSON; give a name that ends in .json"),
    (("--export", "colour.json/a.cube"), "colour.json: not a folder); choose another folder"),
    (("--plan", "colour.json/p.json"), "colour.json: not a folder"), (("--export", f"{'x' * 250}.cube"), "the name is"),
    (("--out", "colour.json/out.png"), "colour.json: not a folder"), (("--out", f"{'x' * 250}.png"), "the name is"),
    (("--img", ""), "--img: is empty"), (("--out", "."), ".: unknown suffix"), (("--out", "/"), "/: unknown suffix"),
    (("--img", f"{'x' * 300}.png"), "xxx.png: no such file"),
    (("--img", "gone.png"), "gone.png: no such file")])
def test_no_file_is_written_if_one_of_them_cannot_be_written(flags, words, refuse):
    Path("mine.cube").write_text("mine")
    SHARP.save("other.json")
    refuse(*replay(), *flags, words=(words,))


def test_a_folder_without_permission_is_named_before_the_work(refuse, monkeypatch):
    Path("locked").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "locked")   # root may write anywhere
    refuse(*replay(out="locked/out.png"), words=("locked/out.png: cannot be written here", "permission denied"))
    refuse(*replay(), "--export", "locked/look.cube", words=("locked/look.cube: cannot be written here",))


def test_a_dangling_link_is_a_file_that_exists(refuse):
    Path("out.png").symlink_to("gone.png")
    refuse(*replay(), words=("out.png: exists; give --overwrite or another --out",))


def test_a_photo_too_long_for_its_format_leaves_no_plan(refuse):
    Image.new("RGB", (17000, 1)).save("long.png")
    refuse("--img", "long.png", "--replay", "colour.json", "--out", "long.webp", words=("is more than WebP holds",))


# Metadata

XMP = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
       b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"'
       b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>')


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_result_says_in_its_xmp_which_plan_edited_it(photo, succeed, suffix):
    Image.fromarray(photo()).save("stars.jpg", xmp=XMP)
    succeed("--img", "stars.jpg", "--replay", "colour.json", "--out", f"out.{suffix}")
    packet = read_photo(f"out.{suffix}").xmp
    description, = ElementTree.fromstring(packet.decode()).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    said = {name.rpartition("}")[2]: value for name, value in description.attrib.items()}
    assert said["DigitalSourceType"].endswith("/algorithmicallyEnhanced")
    assert Plan.from_dict(json.loads(said["Plan"])) == Plan.load("colour.json")
    assert (said["Rating"], said["Orientation"]) == ("4", "1")


def test_an_empty_plan_does_not_claim_an_edit(photo, succeed):
    Image.fromarray(photo()).save("stars.jpg", xmp=XMP)
    Plan().save("empty.json")
    succeed("--img", "stars.jpg", "--replay", "empty.json", "--out", "out.jpg")
    packet = read_photo("out.jpg").xmp
    assert b'Rating="4"' in packet
    assert b"algorithmicallyEnhanced" not in packet


@pytest.mark.parametrize("packet", [b"<x", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<a/>", b"\xff\xfe<a",
                                    b" " * (1 << 21)])
def test_damaged_xmp_is_left_out_with_a_note(packet, photo, succeed):
    Image.fromarray(photo()).save("stars.webp", xmp=packet)
    out = succeed("--img", "stars.webp", "--replay", "colour.json", "--out", "out.webp")
    assert "its XMP data is damaged or too large and was left out" in out
    assert b"algorithmicallyEnhanced" in read_photo("out.webp").xmp


# Folders

@pytest.fixture()
def trip(photo):
    Path("trip").mkdir()
    for name in ("a.png", "b.png", "c.jpg"):
        Image.fromarray(photo(seed=ord(name[0]))).save(f"trip/{name}")
    Image.fromarray(photo()[..., 0]).save("trip/d.png")
    Path("trip/notes.txt").write_text("sunny")
    return "--img", "trip", "--replay", "colour.json", "--out", "done"


def test_a_folder_run_reports_skipped_and_converted_files(trip, succeed):
    out = succeed(*trip)
    assert "4 of 4 photos edited into done, each with its plan" in out
    assert "d.png: grey picture: converted to RGB" in out
    assert "1 file(s) of other kinds were skipped: notes.txt" in out


def test_an_interrupted_folder_run_resumes(trip, run_script, succeed, contents, on_opening):
    succeed(*trip)
    whole = contents("done")
    for path in Path("done").iterdir():
        path.unlink()
    end = on_opening(KeyboardInterrupt, "done/", nth=3)   # Ctrl-C before the plan of the second photo is written
    assert run_script(SCRIPT, *trip).code == 130
    end()
    assert sorted(contents("done")) == ["done/a.png", "done/a.png.plan.json"]
    (Path("done") / "b.png.plan.json").write_bytes(whole["done/b.png.plan.json"])   # or just after that
    out = succeed(*trip)
    assert "3 of 4 photos edited into done" in out
    assert "1 photo(s) were edited before, with the same plan; --overwrite edits them again: a.png" in out
    assert contents("done") == whole


def test_results_of_another_plan_do_not_count_as_done(trip, run_script, succeed, contents):
    succeed(*trip)
    whole = contents("done")
    result = run_script(SCRIPT, *trip, "--strength", 0.5)
    assert result.code == 2
    assert "4 photo(s) could not be edited:\n  done/a.png: exists; give --overwrite" in result.err
    assert contents("done") == whole
    succeed(*trip, "--strength", 0.5, "--overwrite")
    assert contents("done").keys() == whole.keys()
    assert contents("done") != whole


def test_two_photos_do_not_share_a_result(trip, run_script):
    pytest.importorskip("rawpy", reason="RAW is an optional extra")
    write_dng("trip/e.dng", *np.full((3, 64, 96), 0.3))
    Image.open("trip/a.png").save("trip/e.tif")
    result = run_script(SCRIPT, *trip, "--overwrite")
    assert result.code == 2
    assert "1 photo(s) could not be edited:\n  trip/e.tif: its result would replace that of e.dng" in result.err


@pytest.mark.parametrize(("flags", "words"), [
    (("--out", "cat.png"), "cat.png: is a file, but the results of a folder need a folder"),
    (("--out", "cat.png/done"), "cat.png: not a folder"), (("--export", "a.cube"), "--export: is for one photo"),
    (("--plan", "p.json"), "--plan p.json: is for one photo")])
def test_a_folder_is_refused_as_a_whole(flags, words, trip, refuse):
    refuse(*trip, *flags, words=(words,))


@pytest.mark.parametrize("out", ["trip", "./trip/", "soft", "link/trip", ".", "/"])
@pytest.mark.parametrize("source", ["trip", "soft"])
def test_results_inside_or_above_the_folder_of_photos_are_refused(source, out, trip, refuse):
    Path("soft").symlink_to("trip")
    Path("link").symlink_to(".")
    refuse("--img", source, "--replay", "colour.json", "--overwrite", "--out", out,
           words=(f"{Path(out)}: is or contains the folder of the photos; the results need another folder",))


def test_no_photo_of_a_folder_is_replaced_by_the_result_of_another(trip, run_script, contents):
    Path("done").mkdir()
    Path("done/a.png").hardlink_to("trip/b.png")
    Path("trip/b.png").rename("done/b.png")
    Path("trip/b.png").symlink_to("../done/b.png")
    photos = contents("trip")
    result = run_script(SCRIPT, *trip, "--overwrite")
    assert result.code == 2
    assert "2 photo(s) could not be edited:\n  done/a.png: is named twice (as trip/b.png)" in result.err
    assert contents("trip") == photos


def test_a_photo_that_cannot_be_written_leaves_a_plan_with_which_a_second_run_resumes(run_script, succeed, monkeypatch):
    made = files.create_beside

    def create(path):
        if path.suffix == ".png":
            raise PermissionError(errno.EACCES, "Permission denied")
        return made(path)

    with monkeypatch.context() as patch:
        patch.setattr(files, "create_beside", create)
        assert "out.png: cannot be written here (Permission denied)" in run_script(SCRIPT, *replay()).err
    succeed(*replay())
    assert Path("out.png").exists()


# Transparency

def test_painted_parts_become_transparent_on_demand_and_keep_their_colours(succeed):
    before = read_photo("cat.png")
    painted = np.zeros(before.pixels.shape[:2], np.uint8)
    painted[:, :20] = 1
    Plan((Step.make("color_bg", (), Mask.from_array(painted)),)).save("white.json")
    succeed(*replay("white.json"), "--transparent")
    after = read_photo("out.png")
    assert np.array_equal(after.alpha, 1 - painted) and np.array_equal(after.pixels, before.pixels)
    assert "transparent parts become white" in succeed(*replay("white.json", "out.jpg"), "--transparent")
    succeed(*replay("white.json", "white.png"))
    assert read_photo("white.png").alpha is None
