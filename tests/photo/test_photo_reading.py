"""read_photo and list_photos: every kind of file is read upright at its own depth; a bad file gets one sentence."""
import io

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from core.files import UserError
from core.photo import from_tensor, list_photos, read_photo, shrink

LEVELS_16 = np.arange(65536, dtype=np.uint16).reshape(256, 256)


def deep(height=6, width=5, channels=3):
    """Return random uint16 samples that use all 16 bits."""
    return np.random.default_rng(1).integers(0, 65536, (height, width, channels)).astype(np.uint16)


def levels(pixels, top=65535):
    """Return pixels as integer levels, after a check that they lie on levels."""
    scaled = pixels.astype(np.float64) * top
    assert np.abs(scaled - scaled.round()).max() < 0.01
    return scaled.round().astype(np.int64)


# ---- 8 bits

@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.tiff", "a.PNG"])
def test_8_bit_rgb_is_read_level_for_level(tmp_path, photo, name):
    picture = photo()
    Image.fromarray(picture).save(tmp_path / name)
    result = read_photo(tmp_path / name)
    assert result.depth == 8
    assert result.pixels.dtype == np.float32
    assert np.array_equal(levels(result.pixels, 255), picture)
    assert result.notes == ()
    assert (result.exif, result.icc, result.alpha) == (b"", b"", None)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_lossy_formats_agree_with_pillow(tmp_path, photo, name):
    Image.fromarray(photo()).save(tmp_path / name)
    result = read_photo(str(tmp_path / name))
    assert np.array_equal(levels(result.pixels, 255), np.asarray(Image.open(tmp_path / name).convert("RGB")))
    assert result.format == {"jpg": "JPEG", "webp": "WEBP"}[name[2:]]


@pytest.mark.parametrize(("mode", "suffix", "note"), [
    ("L", "png", "grey"), ("L", "jpg", "grey"), ("L", "tif", "grey"), ("1", "png", "grey"), ("1", "tif", "grey"),
    ("P", "png", "palette"), ("P", "tif", "palette"), ("CMYK", "jpg", "CMYK"), ("CMYK", "tif", "CMYK"),
    ("YCbCr", "tif", None)])
def test_other_modes_become_rgb(tmp_path, photo, mode, suffix, note):
    path = tmp_path / f"a.{suffix}"
    # Pillow 12.3 reads YCbCr only in the usual form, compressed
    Image.fromarray(photo()).convert(mode).save(path, compression="jpeg" if mode == "YCbCr" else None)
    result = read_photo(path)
    expected = np.asarray(Image.open(path).convert("RGB")).astype(float)
    assert np.abs(result.pixels * 255 - expected).max() < 1.01  # Pillow rounds during the conversion of CMYK
    assert any(note in line for line in result.notes) if note else result.notes == ()


@pytest.mark.parametrize(("mode", "suffix"), [
    ("LA", "png"), ("RGBA", "png"), ("RGBA", "tif"), ("LA", "tif"), ("RGBA", "webp")])
def test_alpha_is_returned_beside_the_pixels(tmp_path, photo, mode, suffix):
    path = tmp_path / f"a.{suffix}"
    alpha = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    picture = Image.fromarray(photo())
    picture.putalpha(Image.fromarray(alpha))
    picture.convert(mode).save(path, **({"lossless": True, "exact": True} if suffix == "webp" else {}))
    result = read_photo(path)
    assert np.array_equal(levels(result.alpha, 255), alpha)
    assert np.array_equal(levels(result.pixels, 255), np.asarray(picture.convert(mode).convert("RGB")))


def test_transparent_palette_entry_becomes_alpha(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.putdata([0, 1])
    picture.save(tmp_path / "a.png", transparency=1)
    result = read_photo(tmp_path / "a.png")
    assert result.pixels.tolist() == [[[1, 0, 0], [0, 1, 0]]]
    assert result.alpha.tolist() == [[1, 0]]


# ---- 16 bits

def test_16_bit_png_keeps_all_65536_levels(tmp_path):
    samples = np.dstack([LEVELS_16, LEVELS_16[::-1], LEVELS_16.T])
    cv2.imwrite(str(tmp_path / "a.png"), cv2.cvtColor(samples, cv2.COLOR_RGB2BGR))
    result = read_photo(tmp_path / "a.png")
    assert result.depth == 16
    assert np.array_equal(levels(result.pixels), samples)


def test_16_bit_png_with_alpha_and_grey(tmp_path):
    samples = deep(channels=4)
    cv2.imwrite(str(tmp_path / "a.png"), cv2.cvtColor(samples, cv2.COLOR_RGBA2BGRA))
    result = read_photo(tmp_path / "a.png")
    assert np.array_equal(levels(result.pixels), samples[..., :3])
    assert np.array_equal(levels(result.alpha), samples[..., 3])
    cv2.imwrite(str(tmp_path / "grey.png"), samples[..., 0])
    grey = read_photo(tmp_path / "grey.png")
    assert grey.depth == 16
    assert np.array_equal(levels(grey.pixels), samples[..., :1].repeat(3, axis=2))


@pytest.mark.parametrize("layout", [
    {}, {"compression": "lzw", "predictor": True}, {"compression": "zlib", "rowsperstrip": 2}, {"byteorder": ">"},
    {"planarconfig": "separate"}, {"tile": (16, 16)}], ids=str)
def test_16_bit_tiff_of_any_layout(tmp_path, layout):
    samples = deep(20, 17)
    stored = np.moveaxis(samples, 2, 0) if "planarconfig" in layout else samples
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **layout)
    result = read_photo(tmp_path / "a.tif")
    assert result.depth == 16
    assert np.array_equal(levels(result.pixels), samples)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_16_bit_grey_tiff(tmp_path, photometric):
    samples = deep()[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric=photometric)
    expected = samples if photometric == "minisblack" else 65535 - samples
    assert np.array_equal(levels(read_photo(tmp_path / "a.tif").pixels), expected[..., None].repeat(3, axis=2))


def test_16_bit_tiff_alpha_of_both_kinds(tmp_path):
    samples = deep(channels=4)
    samples[..., 3] |= 0x8000
    tifffile.imwrite(tmp_path / "plain.tif", samples, photometric="rgb", extrasamples=["unassalpha"])
    share = samples[..., 3:] / 65535
    multiplied = np.dstack([(samples[..., :3] * share).round(), samples[..., 3]]).astype(np.uint16)
    tifffile.imwrite(tmp_path / "times.tif", multiplied, photometric="rgb", extrasamples=["assocalpha"])
    for name, tolerance in (("plain.tif", 0), ("times.tif", 2)):
        result = read_photo(tmp_path / name)
        assert np.array_equal(levels(result.alpha), samples[..., 3])
        assert np.abs(levels(result.pixels) - samples[..., :3].astype(int)).max() <= tolerance


# ---- orientation, frames

@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_orientation_is_applied_once(tmp_path, photo, suffix, orientation):
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[274] = orientation
    picture = Image.fromarray(photo(7, 12))
    picture.putalpha(Image.fromarray(photo(7, 12)[..., 0]))
    if suffix == "jpg":
        picture = picture.convert("RGB")
    picture.save(path, exif=exif)
    result = read_photo(path)
    in_memory = Image.open(io.BytesIO(path.read_bytes()))  # Pillow garbles a rotated RGBA TIFF that it opens by name
    upright = np.asarray(ImageOps.exif_transpose(in_memory))
    assert np.array_equal(levels(result.pixels, 255), upright[..., :3])
    assert result.alpha is None or np.array_equal(levels(result.alpha, 255), upright[..., 3])
    saved = Image.Exif()
    saved.load(result.exif)
    assert saved.get(274, 1) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_16_bit_files(tmp_path, orientation):
    samples = deep()
    upright = np.asarray(ImageOps.exif_transpose(tagged(np.uint8(np.arange(30)).reshape(6, 5), orientation)))
    expected = samples.reshape(30, 3)[upright]
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    assert np.array_equal(levels(read_photo(tmp_path / "a.tif").pixels), expected)


def tagged(array, orientation):
    """Return a Pillow picture with an EXIF orientation."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(array).save(file, "PNG", exif=exif)
    return Image.open(file)


def test_orientation_out_of_range_counts_as_upright(tmp_path, photo):
    exif = Image.Exif()
    exif[274] = 77
    Image.fromarray(photo(7, 12)).save(tmp_path / "a.png", exif=exif)
    assert read_photo(tmp_path / "a.png").pixels.shape == (7, 12, 3)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_first_of_several_frames_is_read(tmp_path, photo, suffix):
    first, second = (Image.fromarray(photo(seed=seed)) for seed in (0, 1))
    options = {"lossless": True} if suffix == "webp" else {}
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second], **options)
    result = read_photo(tmp_path / f"a.{suffix}")
    assert np.array_equal(levels(result.pixels, 255), np.asarray(first))
    assert [note for note in result.notes if note.startswith("2 frames or pages: only")]


# ---- bad files

def broken_file(kind, path, photo):
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("not a picture at all")
    elif kind == "jpeg 2000":
        path.write_bytes(imagecodecs.jpeg2k_encode(photo()))
    elif kind == "signed":
        tifffile.imwrite(path, np.zeros((4, 4), np.int16))
    elif kind == "complex":
        tifffile.imwrite(path, np.zeros((4, 4), np.complex64))
    elif kind == "32-bit":
        tifffile.imwrite(path, np.zeros((4, 4), np.uint32))
    elif kind == "Lab":
        Image.new("LAB", (4, 4)).save(path, format="TIFF")
    elif kind == "Lab 16":
        tifffile.imwrite(path, np.zeros((4, 4, 3), np.uint16), photometric="cielab")


@pytest.mark.parametrize(("kind", "words"), [
    ("missing", "no such file"), ("folder", "a folder, not a photo"), ("empty", r"empty \(0 bytes\)"),
    ("text", "not a picture of a known format"), ("32-bit", "32-bit integers is not read"),
    ("signed", "16-bit signed integers is not read"), ("complex", "complex numbers is not read"),
    ("Lab", "CIELAB is not read"), ("Lab 16", "CIELAB is not read"), ("jpeg 2000", "not a picture of a known format")])
def test_bad_files_are_refused_by_name(tmp_path, photo, kind, words):
    path = tmp_path / "photo.jpg"
    broken_file(kind, path, photo)
    with pytest.raises(UserError, match=words) as caught:
        read_photo(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0.97, 0.5, 0.05])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "deep.png", "deep.tif"])
def test_truncated_files_are_refused(tmp_path, photo, name, kept):
    path = tmp_path / name
    if name == "deep.png":
        cv2.imwrite(str(path), deep(40, 40))
    elif name == "deep.tif":
        tifffile.imwrite(path, deep(40, 40), photometric="rgb", compression="zlib")
    else:
        Image.fromarray(photo()).save(path)
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * kept)])
    with pytest.raises(UserError, match=r"broken|cut short"):
        read_photo(path)


def test_size_limit_holds_before_decoding_and_can_be_raised(tmp_path):
    Image.new("1", (20_000, 10_001)).save(tmp_path / "bomb.png")  # a few kilobytes on disk
    with pytest.raises(UserError, match="20000 x 10001 is 200 megapixels, more than the limit of 200"):
        read_photo(tmp_path / "bomb.png")
    Image.new("RGB", (30, 20)).save(tmp_path / "small.png")
    with pytest.raises(UserError, match="raise the limit"):
        read_photo(tmp_path / "small.png", max_pixels=599)
    assert read_photo(tmp_path / "small.png", max_pixels=600).pixels.shape == (20, 30, 3)


@pytest.mark.parametrize(("name", "bytes_of_a_pixel"), [
    ("rgb.png", 3), ("rgba.png", 4), ("grey.png", 1), ("deep.png", 6), ("deep_alpha.png", 8), ("deep.tif", 6),
    ("more.tif", 8), ("transparent.png", 4)])
def test_the_limit_of_bytes_counts_channels_and_depth(tmp_path, name, bytes_of_a_pixel):
    path, deeper = tmp_path / name, np.zeros((20, 30, 4), np.uint16)
    if path.suffix == ".tif":
        stored = deeper[..., :3] if name == "deep.tif" else deeper
        tifffile.imwrite(path, stored, photometric="rgb", extrasamples=["unspecified"] * (stored.shape[2] - 3))
    elif name.startswith("deep"):
        cv2.imwrite(str(path), deeper[..., :3 if name == "deep.png" else 4])
    else:
        mode = {"rgba.png": "RGBA", "grey.png": "L"}.get(name, "RGB")
        Image.new(mode, (30, 20)).save(path, **({"transparency": (0, 0, 0)} if name == "transparent.png" else {}))
    with pytest.raises(UserError, match=f"30 x 20 pixels of {bytes_of_a_pixel} bytes .* raise the limit"):
        read_photo(path, max_bytes=600 * bytes_of_a_pixel - 1)
    read_photo(path, max_bytes=600 * bytes_of_a_pixel)


def test_a_tiff_whose_tags_contradict_each_other_is_refused(tmp_path):
    samples = np.zeros((64, 64, 3), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        place = tiff.pages[0].tags["Software"].offset
    data[place:place + 12] = np.array([32997, 3], "<u2").tobytes() + np.array([1, 1000], "<u4").tobytes()   # bits
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(UserError, match="is not read"):
        read_photo(tmp_path / "a.tif")


def without_strips(path, kept):
    """Rewrite a TIFF whose lists of strips name the first `kept` only; the others have size 0."""
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages[0].tags["StripByteCounts"]
        size = tag.valuebytecount // tag.count
        data[tag.valueoffset + kept * size:tag.valueoffset + tag.count * size] = bytes((tag.count - kept) * size)
    path.write_bytes(data)


def test_a_tiff_with_missing_strips_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", deep(40, 40), photometric="rgb", compression="zlib", rowsperstrip=8)
    without_strips(tmp_path / "a.tif", 3)
    with pytest.raises(UserError, match="2 of its 5 strips or tiles are missing"):
        read_photo(tmp_path / "a.tif")


def test_damaged_tiff_tags_are_reported_and_not_printed(tmp_path, capfd):
    samples = deep(40, 40)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", software=False, metadata=None,
                     extratags=[(700, "B", 9, b"something", True)])
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        place = tiff.pages[0].tags[700].offset
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[place + 8:place + 12] = b"\xff" * 4   # the packet is beyond the end
    (tmp_path / "a.tif").write_bytes(data)
    result = read_photo(tmp_path / "a.tif")
    assert np.array_equal(levels(result.pixels), samples)
    assert result.notes
    assert all(note.startswith("damaged in part: ") for note in result.notes)
    assert capfd.readouterr() == ("", "")
    tifffile.imwrite(tmp_path / "b.tif", samples, photometric="rgb")
    assert read_photo(tmp_path / "b.tif").notes == ()


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_the_exif_data_of_a_big_tiff(tmp_path, byteorder):
    tifffile.imwrite(tmp_path / "a.tif", deep(), photometric="rgb", bigtiff=True, byteorder=byteorder,
                     extratags=[(271, "s", 0, "LDIE", True), (274, "H", 1, 6, True)])
    result = read_photo(tmp_path / "a.tif")
    assert result.notes == ()
    assert result.pixels.shape == deep().swapaxes(0, 1).shape
    assert b"LDIE" in result.exif


def scans(picture, path, count):
    """Save a progressive JPEG and repeat its last scan until there are `count`."""
    Image.fromarray(picture).save(path, progressive=True)
    data = path.read_bytes()
    last = data.rindex(b"\xff\xda")
    missing = count - data.count(b"\xff\xda")
    path.write_bytes(data[:last] + data[last:-2] * (missing + 1) + data[-2:])


def test_a_jpeg_of_too_many_scans_is_refused(tmp_path, photo):
    path = tmp_path / "a.jpg"
    scans(photo(), path, 501)
    with pytest.raises(UserError, match="a progressive JPEG of more than 500 scans is not read"):
        read_photo(path)
    scans(photo(), path, 10)
    read_photo(path)


def test_bytes_that_look_like_scans_behind_the_picture_do_not_count(tmp_path, photo):
    path = tmp_path / "a.jpg"
    Image.fromarray(photo()).save(path, comment=b"\xff\xda" * 600)
    path.write_bytes(path.read_bytes() + b"\xff\xda" * 600)   # like the film that a phone appends to a "motion photo"
    assert read_photo(path).pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "deep.png", "deep.tif", "turned.jpg",
                                  "turned.tif", "clear.png"])
def test_a_photo_shrunk_while_it_is_read_equals_the_photo_shrunk_afterwards(tmp_path, photo, name):
    path, picture, exif = tmp_path / name, photo(120, 200), Image.Exif()
    if name.startswith("turned"):
        exif[274] = 6
    if name == "deep.tif":
        tifffile.imwrite(path, picture.astype(np.uint16) * 257, photometric="rgb")
    elif name == "deep.png":
        cv2.imwrite(str(path), picture[..., ::-1].astype(np.uint16) * 257)
    else:
        opaque = Image.fromarray(picture)
        if name == "clear.png":
            opaque.putalpha(Image.fromarray(picture[..., 0]))
        opaque.save(path, exif=exif, **({"quality": 95} if path.suffix == ".jpg" else {}))
    whole = shrink(read_photo(path), 50)
    small = read_photo(path, long_edge=50)
    assert small.pixels.shape == whole.pixels.shape
    assert np.abs(small.pixels - whole.pixels).mean() < 0.004
    assert (small.alpha is None) == (whole.alpha is None)
    assert (small.depth, small.icc, small.notes) == (whole.depth, whole.icc, whole.notes)
    assert np.array_equal(read_photo(path, long_edge=200).pixels, read_photo(path).pixels)   # never enlarged


def test_pillows_own_limit_of_pixels_is_restored(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png").pixels.shape == (20, 30, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize(("exif", "note"), [
    (b"Exif\0\0this is no TIFF", "the photo's EXIF data is damaged and is left out"),
    (b"Exif\0\0II*\0\xff\xff\xff\x7f", "damaged in part: Corrupt EXIF data")])
def test_damaged_exif_is_left_out_and_reported(tmp_path, photo, recwarn, exif, note):
    picture = photo()
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    result = read_photo(tmp_path / "a.png")
    assert np.array_equal(levels(result.pixels, 255), picture)
    assert result.exif == b""
    assert any(line.startswith(note) for line in result.notes)
    assert not recwarn.list


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_randomly_changed_bytes_raise_nothing_but_a_user_error(tmp_path, photo, suffix):
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[271], exif[274] = "LDIE", 6
    Image.fromarray(photo(12, 16)).save(path, exif=exif)
    good = path.read_bytes()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), min_size=1, max_size=6))
    def damage(changes):
        data = bytearray(good)
        for place, value in changes:
            data[place] = value
        path.write_bytes(data)
        try:
            result = read_photo(path, max_pixels=100_000)
        except UserError:
            pass  # another exception fails the test
        else:
            assert result.pixels.min() >= 0
            assert result.pixels.max() <= 1

    damage()


# ---- folders and tensors

def test_list_photos_is_sorted_and_skips_other_files(tmp_path):
    for name in ("b.jpg", "a.TIF", "c.nef", ".hidden.jpg", "notes.txt", "d.webp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_photos(tmp_path)] == ["a.TIF", "b.jpg", "c.nef", "d.webp"]


def test_list_photos_refuses_missing_and_empty_folders(tmp_path):
    with pytest.raises(UserError, match=r"no photos here; known suffixes are .*\.jpg"):
        list_photos(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        list_photos(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not a folder"):
        list_photos(tmp_path / "file")


def test_tensor_and_back(tmp_path, photo):
    Image.fromarray(photo()).save(tmp_path / "a.png")
    result = read_photo(tmp_path / "a.png")
    tensor = result.tensor()
    assert tensor.shape == (3, 48, 64)
    assert tensor.dtype == torch.float32
    assert torch.equal(tensor[1], torch.from_numpy(result.pixels[..., 1]))
    assert np.array_equal(from_tensor(tensor.double().requires_grad_()), result.pixels)
