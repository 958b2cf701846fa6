"""write_photo: depth, EXIF and profile of the source are kept, options work, and no file is half written."""
import errno
import io
import os

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, JpegImagePlugin
from PIL.TiffImagePlugin import IFDRational

from core import files
from core.files import UserError
from core.photo import Photo, check_output, read_photo, write_photo

SUFFIXES = ["png", "tif", "jpg", "webp"]


def unit(samples):
    return (samples / np.float64(np.iinfo(samples.dtype).max)).astype(np.float32)


def camera_exif():
    exif = Image.Exif()
    exif[271], exif[272], exif[274], exif[315] = "LDIE", "Camera 1", 6, "A. Photographer"
    exif[0x8769] = {33434: IFDRational(1, 250), 34855: 400, 36867: "2024:05:06 07:08:09", 37500: b"maker",
                    40961: 1, 40962: 64, 40963: 48, 40965: {1: "R98", 2: b"0100"}}
    exif[0x8825] = {1: "N", 2: (47.0, 22.0, 0.0)}
    return exif.tobytes()


# ---- round trips

@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_8_bits_return_bit_for_bit(tmp_path, photo, suffix):
    picture = photo()
    Image.fromarray(picture).save(tmp_path / f"a.{suffix}")
    source = read_photo(tmp_path / f"a.{suffix}")
    assert write_photo(tmp_path / f"b.{suffix}", source.pixels, like=source) == ()
    written = Image.open(tmp_path / f"b.{suffix}")
    assert written.mode == "RGB"
    assert np.array_equal(np.asarray(written), picture)


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff"])
def test_all_65536_levels_return_bit_for_bit(tmp_path, suffix):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    samples = np.dstack([levels, levels[::-1], levels.T])
    path = tmp_path / f"a.{suffix}"
    assert write_photo(path, unit(samples), like=Photo(unit(samples), depth=16)) == ()
    assert np.array_equal(cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB), samples)
    again = read_photo(path)
    assert again.depth == 16
    assert np.array_equal(again.pixels, unit(samples))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_picture_and_alpha_return_bit_for_bit(tmp_path_factory, suffix, data):
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4])))
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    samples = data.draw(arrays.arrays(dtype, shape))
    alpha = unit(samples[..., 3]) if shape[2] == 4 else None
    source = Photo(unit(samples[..., :3]), depth=8 * samples.itemsize, alpha=alpha)
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    write_photo(path, source.pixels, like=source)
    again = read_photo(path)
    assert again.depth == source.depth
    assert np.array_equal(again.pixels, source.pixels)
    assert np.array_equal(again.alpha, alpha) if alpha is not None else again.alpha is None


def test_tall_tiff_of_many_strips_is_read_by_others(tmp_path):
    samples = np.random.default_rng(0).integers(0, 65536, (1500, 400, 3)).astype(np.uint16)
    write_photo(tmp_path / "a.tif", unit(samples), like=Photo(unit(samples), depth=16, exif=camera_exif()))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert len(tiff.pages[0].dataoffsets) > 1
        assert np.array_equal(tiff.asarray(), samples)


def test_samples_are_rounded_to_nearest_and_clipped(tmp_path):
    pixels = np.float32([[[0.4999, 0.5001, 1.5], [254.49, 254.51, 255.3], [-4, 0, 300]]]) / 255
    write_photo(tmp_path / "a.png", pixels)
    assert np.asarray(Image.open(tmp_path / "a.png")).tolist() == [[[0, 1, 2], [254, 255, 255], [0, 0, 255]]]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_photo_gives_the_same_file(tmp_path, photo, suffix):
    Image.fromarray(photo()).save(tmp_path / "a.png", exif=camera_exif())
    source = read_photo(tmp_path / "a.png")
    for name in ("b", "c"):
        write_photo(tmp_path / f"{name}.{suffix}", source.pixels, like=source)
    assert (tmp_path / f"b.{suffix}").read_bytes() == (tmp_path / f"c.{suffix}").read_bytes()


# ---- EXIF

@pytest.mark.parametrize("into", SUFFIXES)
@pytest.mark.parametrize("source", SUFFIXES)
def test_exif_survives_from_any_format_into_any(tmp_path, photo, source, into):
    if source == "tif":  # Pillow does not write the interoperability directory into a TIFF
        write_photo(tmp_path / "a.tif", unit(photo()), like=Photo(unit(photo()), exif=camera_exif()))
    else:
        Image.fromarray(photo()).save(tmp_path / f"a.{source}", exif=camera_exif())
    like = read_photo(tmp_path / f"a.{source}")
    write_photo(tmp_path / f"b.{into}", like.pixels, like=like)
    written = Image.open(tmp_path / f"b.{into}")
    exif = written.getexif()
    assert written.size == (48, 64)  # rotated once
    assert exif.get(274, 1) == 1
    assert (exif[271], exif[272], exif[315]) == ("LDIE", "Camera 1", "A. Photographer")
    assert exif.get_ifd(0x8825)[1] == "N"
    assert exif.get_ifd(0x8825)[2] == (47, 22, 0)
    assert exif.get_ifd(40965)[1] == "R98"
    details = exif.get_ifd(0x8769)
    assert (details[33434], details[34855], details[36867]) == (IFDRational(1, 250), 400, "2024:05:06 07:08:09")
    assert details[37500] == b"maker"
    assert (details[40962], details[40963]) == (48, 64)


def test_tags_that_describe_the_old_bytes_and_the_thumbnail_are_dropped(tmp_path, photo):
    tifffile.imwrite(tmp_path / "a.tif", photo(), photometric="rgb", compression="lzw", description="a view",
                     metadata=None,   # otherwise tifffile writes a second description
                     extratags=[(271, "s", 0, "LDIE", True), (330, "I", 1, 8, True), (65000, "s", 0, "?", True)])
    source = read_photo(tmp_path / "a.tif")
    kept = Image.Exif()
    kept.load(source.exif)
    assert set(kept) <= {270, 271, 274, 282, 283, 296, 305, 306}
    assert kept[270] == "a view"


def test_exif_too_long_for_jpeg_is_left_out_and_reported(tmp_path, photo):
    exif = Image.Exif()
    exif[0x8769] = {37510: b"x" * 70_000}
    source = Photo(unit(photo()), exif=exif.tobytes())
    (note,) = write_photo(tmp_path / "a.jpg", source.pixels, like=source)
    assert "EXIF" in note
    assert write_photo(tmp_path / "a.webp", source.pixels, like=source) == ()
    assert len(Image.open(tmp_path / "a.webp").getexif().get_ifd(0x8769)[37510]) == 70_000


# ---- limits of the formats

@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_16_bits_become_8_with_a_note(tmp_path, photo, suffix):
    source = Photo(unit(photo()), depth=16)
    (note,) = write_photo(tmp_path / f"a.{suffix}", source.pixels, like=source)
    assert "8 instead of 16" in note
    assert read_photo(tmp_path / f"a.{suffix}").depth == 8


def test_transparency_is_laid_on_white_for_jpeg(tmp_path):
    pixels = np.zeros((32, 32, 3), np.float32)
    alpha = np.repeat(np.float32([[1] * 16 + [0] * 16]), 32, axis=0)
    (note,) = write_photo(tmp_path / "a.jpg", pixels, like=Photo(pixels, alpha=alpha))
    assert "transparent parts become white" in note
    written = np.asarray(Image.open(tmp_path / "a.jpg"))
    assert written[:, :14].max() < 10
    assert written[:, 18:].min() > 245


def test_webp_keeps_alpha_and_is_lossless_at_100(tmp_path, photo):
    picture = photo()
    alpha = unit(photo(seed=3)[..., 0])
    source = Photo(unit(picture), alpha=alpha)
    write_photo(tmp_path / "a.webp", source.pixels, like=source, quality=100)
    again = read_photo(tmp_path / "a.webp")
    assert np.array_equal(again.pixels, source.pixels)
    assert np.array_equal(again.alpha, alpha)
    write_photo(tmp_path / "b.webp", source.pixels, like=source, quality=99)
    assert not np.array_equal(read_photo(tmp_path / "b.webp").pixels, source.pixels)


def test_a_side_too_long_for_webp_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"16384 x 1 is more than WebP holds \(16383 on a side\)"):
        write_photo(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.float32))
    assert not list(tmp_path.iterdir())


# ---- options

def test_quality_and_subsampling_follow_the_options(tmp_path, photo):
    pixels = unit(photo())
    sizes, errors = [], []
    for quality in (50, 80, 95):
        write_photo(tmp_path / "a.jpg", pixels, quality=quality)
        sizes.append((tmp_path / "a.jpg").stat().st_size)
        errors.append(np.abs(read_photo(tmp_path / "a.jpg").pixels - pixels).mean())
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    assert len(set(sizes)) == len(set(errors)) == 3
    for number, subsampling in enumerate(("4:4:4", "4:2:2", "4:2:0")):
        write_photo(tmp_path / "a.jpg", pixels, subsampling=subsampling)
        assert JpegImagePlugin.get_sampling(Image.open(tmp_path / "a.jpg")) == number


@pytest.mark.parametrize(("options", "words"), [
    ({"quality": 0}, "quality: 0 is not a whole number from 1 to 100"), ({"quality": 101}, "quality"),
    ({"subsampling": "4:1:0"}, "unknown '4:1:0'; known are 4:4:4, 4:2:2, 4:2:0")])
def test_bad_options_are_refused(tmp_path, photo, options, words):
    with pytest.raises(UserError, match=words):
        write_photo(tmp_path / "a.jpg", unit(photo()), **options)
    assert not list(tmp_path.iterdir())


# ---- files that cannot be written

@pytest.mark.parametrize("name", ["a.bmp", "a.dng", "a", "a.jpg.txt"])
def test_unknown_suffix_names_the_known_ones(tmp_path, photo, name):
    with pytest.raises(UserError, match=r"unknown suffix .*written as \.jpg .*\.png \.tif \.tiff \.webp"):
        write_photo(tmp_path / name, unit(photo()))


def test_an_existing_file_is_kept_without_overwrite(tmp_path, photo):
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")
    for refuse in (lambda: write_photo(path, unit(photo()), overwrite=False),
                   lambda: check_output(path, overwrite=False)):
        with pytest.raises(UserError, match="exists; give --overwrite or another --out"):
            refuse()
    assert path.read_bytes() == b"mine"
    write_photo(path, unit(photo()))
    assert read_photo(path).pixels.shape == (48, 64, 3)


def test_nan_pixels_are_refused(tmp_path, photo):
    pixels = unit(photo())
    pixels[3, 4, 1] = np.nan
    with pytest.raises(UserError, match="NaN"):
        write_photo(tmp_path / "a.png", pixels)
    assert not list(tmp_path.iterdir())


def test_a_folder_at_the_files_path_or_a_file_at_the_folders_path_is_refused(tmp_path, photo):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(UserError, match="is a folder; give the name of a file in it"):
        write_photo(tmp_path / "a.png", unit(photo()))
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written here"):
        write_photo(tmp_path / "file" / "a.png", unit(photo()))


def test_a_read_only_folder_is_reported(tmp_path, photo, on_opening):
    on_opening(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))   # simulated: root may write anywhere
    with pytest.raises(UserError, match=r"cannot be written here \(Permission denied\)"):
        write_photo(tmp_path / "a.png", unit(photo()))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, photo, monkeypatch, suffix):
    class Full(io.FileIO):
        def write(self, data):
            super().write(bytes(data)[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"the old one")
    monkeypatch.setattr(files.os, "fdopen", lambda handle, mode, encoding=None: Full(handle, "wb"))
    with pytest.raises(OSError, match="No space left") as caught:
        write_photo(path, unit(photo()))
    assert caught.value.errno == errno.ENOSPC
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"the old one"


def test_a_view_of_another_memory_order_is_written(tmp_path):
    pixels = np.random.default_rng(0).random((3, 10, 12), dtype=np.float32).transpose(1, 2, 0)
    for name in ("a.png", "a.tif", "a.jpg", "a.webp"):
        write_photo(tmp_path / name, pixels)
        assert read_photo(tmp_path / name).pixels.shape == (10, 12, 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("tag", "kind", "value"), [
    (315, 2, "Zoë Müller".encode()), (270, 7, b"\xff\xfe\0"), (18246, 4, b"\xff" * 4), (18246, 2, b"five\0"),
    (271, 3, b"\1\0"), (40091, 4, b"\xff" * 4), (274, 2, b"up\0"), (33432, 1, b"\xa9\xff")])
def test_exif_values_of_other_types_and_alphabets_are_written(tmp_path, photo, suffix, tag, kind, value):
    size = {3: 2, 4: 4}.get(kind, 1)
    exif = (b"II*\0\x08\0\0\0\1\0" + np.array([tag, kind], "<u2").tobytes()
            + np.array([len(value) // size], "<u4").tobytes()
            + (value.ljust(4, b"\0") if len(value) <= 4 else np.array([26], "<u4").tobytes()) + b"\0" * 4
            + (value if len(value) > 4 else b""))
    picture = photo()
    Image.fromarray(picture).save(tmp_path / "a.png", exif=b"Exif\0\0" + exif)
    source = read_photo(tmp_path / "a.png")
    write_photo(tmp_path / f"b.{suffix}", source.pixels, like=source)
    again = read_photo(tmp_path / f"b.{suffix}")
    assert again.notes == ()
    if tag == 315:
        assert "Zoë Müller".encode() in again.exif
