"""JPEG without Pillow's copies: the same pixels and the same bytes as by Pillow."""
import io

import numpy as np
import pytest
from PIL import Image

from core.files import UserError
from core.photo import SUBSAMPLINGS, jpeg, read_photo


def picture(height, width, *channels):
    waves = np.add.outer(np.arange(height) * 5, np.arange(width) * 3)[(..., *[None] * len(channels))]
    return (waves * np.arange(1, 1 + np.prod(channels, dtype=int)).reshape(channels) % 256).astype(np.uint8)


def by_pillow(samples, **options):
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("quality", [1, 24, 75, 95, 100])
@pytest.mark.parametrize("metadata", [{}, {"exif": b"Exif\0\0" + b"e" * 99, "icc_profile": b"p" * 70000,
                                           "dpi": (300, 200), "xmp": b"<x/>", "extra": b"\xff\xed\0\x05abc"}])
def test_a_photo_is_encoded_to_the_bytes_of_pillow(subsampling, quality, metadata):
    for size in ((1, 1), (17, 33)):
        samples = picture(*size, 3)
        expected = by_pillow(samples, quality=quality, subsampling=subsampling, **metadata)
        assert jpeg.encode(samples, quality, subsampling, **metadata) == expected
        assert jpeg.encode(np.asfortranarray(samples), quality, subsampling, **metadata) == expected


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("progressive", [False, True])
def test_whole_and_damaged_photos_are_read_as_by_pillow_and_cut_ones_refused(tmp_path, channels, progressive):
    random, path, sound = np.random.default_rng(0), tmp_path / "a.jpg", 0
    data = by_pillow(picture(40, 60, *channels), progressive=progressive, subsampling="4:2:0", restart_marker_blocks=4)
    for damages in (0, *[3] * 30):
        damaged = bytearray(data)
        for place in random.integers(len(data) // 2, len(data), damages):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            with Image.open(path) as image:
                expected = np.asarray(image.convert("RGB"))
        except OSError:
            with pytest.raises(UserError, match="broken or cut short"):
                read_photo(path)
        else:
            assert np.array_equal(read_photo(path).samples, expected)
            sound += 1
    assert sound > 10
    for kept in range(len(data) // 2, len(data) - 2, 29):
        path.write_bytes(data[:kept])
        with pytest.raises(UserError, match="broken or cut short"):
            read_photo(path)
