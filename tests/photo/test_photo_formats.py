"""HEIC and JPEG XL, the formats of the extra: metadata, damage, animations, orientation."""
import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from core.files import UserError
from core.photo import read_photo, write_photo


def encode(kind, picture, **options):
    """Return the bytes of a HEIC or JPEG XL file; skip the test without the package."""
    file = io.BytesIO()
    if kind == "heic":
        pillow_heif = pytest.importorskip("pillow_heif")
        pillow_heif.from_pillow(Image.fromarray(picture)).save(file, quality=100, chroma=444, **options)
    else:
        pytest.importorskip("pillow_jxl")
        Image.fromarray(picture).save(file, "JXL", lossless=True, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["heic", "jxl"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.98])
def test_truncated_files_are_refused(tmp_path, photo, kind, kept):
    data = encode(kind, photo())
    path = tmp_path / f"a.{kind}"
    path.write_bytes(data[:int(len(data) * kept)])
    with pytest.raises(UserError, match=r"broken|cut short") as caught:
        read_photo(path)
    assert "\n" not in str(caught.value)
    assert "build" not in str(caught.value)


def test_damaged_exif_data_of_heic_is_reported(tmp_path, photo):
    (tmp_path / "a.heic").write_bytes(encode("heic", photo(), exif=b"Exif\0\0junk"))
    assert read_photo(tmp_path / "a.heic").notes == ("the photo's EXIF data is damaged and is left out",)


def test_heic_is_turned_once(tmp_path, photo):
    exif = Image.Exif()
    exif[274] = 6
    picture = photo()
    (tmp_path / "a.heic").write_bytes(encode("heic", picture, exif=exif.tobytes()))   # writes an irot box, too
    pixels = read_photo(tmp_path / "a.heic").pixels
    assert np.abs(pixels * 255 - np.rot90(picture, -1)).mean() < 3


def test_heic_of_10_bits_is_read_with_its_depth(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None].repeat(32, 0).repeat(3, 2)
    pillow_heif.from_bytes("RGB;16", (64, 32), ramp.tobytes()).save(tmp_path / "a.heic", quality=100, chroma=444)
    photo = read_photo(tmp_path / "a.heic")
    assert photo.depth == 16
    assert np.abs(photo.pixels - ramp / 65535).max() < 0.01


def test_jxl_samples_that_are_no_number_are_clipped(tmp_path):
    pytest.importorskip("pillow_jxl")
    samples = np.full((8, 8, 3), 0.5, np.float32)
    samples[0], samples[1] = np.nan, 3
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(samples, lossless=True))
    photo = read_photo(tmp_path / "a.jxl")
    assert np.isfinite(photo.pixels).all()
    assert "floating-point samples outside [0, 1] are clipped" in photo.notes
    write_photo(tmp_path / "b.tif", photo.pixels, like=photo)


def test_the_first_of_several_jxl_frames_is_read(tmp_path, photo):
    pytest.importorskip("pillow_jxl")
    frames = np.stack([photo(seed=seed) for seed in range(3)])
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(frames, lossless=True))
    assert np.array_equal(np.rint(read_photo(tmp_path / "a.jxl").pixels * 255), frames[0])
