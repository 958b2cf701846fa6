"""RAW files, read with rawpy: a small DNG, and the errors without rawpy and for a broken file."""
import sys

import numpy as np
import pytest
import tifffile
from dng import write_dng
from PIL import Image

from core.files import UserError
from core.photo import read_photo, write_photo


@pytest.fixture()
def dng(tmp_path):
    pytest.importorskip("rawpy", reason="RAW is an optional extra")
    across, down = np.meshgrid(np.linspace(0, 1, 96), np.linspace(0, 1, 64))
    write_dng(tmp_path / "a.dng", across, down, np.full((64, 96), 0.3), orientation=6)
    return tmp_path / "a.dng"


def test_dng_is_developed_upright_at_16_bits(dng):
    result = read_photo(dng)
    assert (result.depth, result.format) == (16, "RAW")
    assert result.pixels.shape == (96, 64, 3)
    red, green = result.pixels[..., 0], result.pixels[..., 1]
    assert (np.diff(red[10:-10, 32]) > 0).mean() > 0.9  # the ramp to the right now runs downwards
    assert (np.diff(green[48, 10:-10]) < 0).mean() > 0.9
    assert np.abs(red * 255 - np.rint(red * 255)).max() > 0.2  # finer than the levels of 8 bits


def test_developed_raw_is_written_with_camera_and_profile(dng):
    result = read_photo(dng)
    write_photo(dng.with_suffix(".tif"), result.pixels, like=result)
    written = Image.open(dng.with_suffix(".tif"))
    assert (written.getexif()[271], written.getexif()[272]) == ("LDIE", "Test")
    assert written.getexif().get(274, 1) == 1
    assert written.info["icc_profile"] == result.icc
    assert np.abs(read_photo(dng.with_suffix(".tif")).pixels - result.pixels).max() < 1e-6


def test_bad_raw_files_are_refused(dng):
    with pytest.raises(UserError, match="more than the limit"):
        read_photo(dng, max_pixels=100)
    dng.write_bytes(b"no picture" * 100)
    with pytest.raises(UserError, match="cannot be developed"):
        read_photo(dng)


def test_without_rawpy_it_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    (tmp_path / "a.NEF").write_bytes(b"MM\0*")
    with pytest.raises(UserError, match=r"package rawpy; install it with: pip install -r requirements-raw\.txt"):
        read_photo(tmp_path / "a.NEF")


def test_damaged_tags_of_a_raw_file_are_reported_and_not_printed(dng, recwarn):
    with tifffile.TiffFile(dng) as tiff:
        place = tiff.pages[0].tags[271].offset
    data = bytearray(dng.read_bytes())
    data[place + 8:place + 12] = b"\xff\xff\xff\x7f"   # the text is beyond the end
    dng.write_bytes(data)
    assert any(note.startswith("damaged in part") for note in read_photo(dng).notes)
    assert not recwarn.list


def test_a_monochrome_raw_file_becomes_rgb(tmp_path):
    pytest.importorskip("rawpy", reason="RAW is an optional extra")
    tifffile.imwrite(tmp_path / "a.dng", np.full((64, 96), 30000, np.uint16), photometric="minisblack", metadata=None,
                     extratags=[(50706, "B", 4, (1, 4, 0, 0), True), (50708, "s", 0, "LDIE Test", True),
                                (50717, "I", 1, 60000, True), (271, "s", 0, "LDIE", True)])
    with tifffile.TiffFile(tmp_path / "a.dng", mode="r+") as tiff:
        tiff.pages[0].tags[262].overwrite(34892)   # linear raw, which tifffile writes with 3 channels only
    assert read_photo(tmp_path / "a.dng").pixels.shape == (64, 96, 3)
