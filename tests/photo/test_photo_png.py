"""PNG files: damaged metadata chunks are left out with a note, and the pixels are read."""
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from core.files import UserError
from core.photo import read_photo, write_photo
from core.photo.profile import P3_PRIMARIES, rgb_profile

BAD_CHUNKS = {
    "short gamma": (b"gAMA", b"\0\1"), "short chromaticities": (b"cHRM", b"abc"), "short resolution": (b"pHYs", b"\0"),
    "empty sRGB": (b"sRGB", b""), "short transparency": (b"tRNS", b"\0"), "no animation": (b"acTL", b""),
    "empty profile": (b"iCCP", b""), "method of the profile": (b"iCCP", b"p\0\7junk"),
    "profile cut short": (b"iCCP", b"p\0\0" + zlib.compress(bytes(range(256)) * 9)[:40]),
    "inflated profile": (b"iCCP", b"p\0\0" + zlib.compress(bytes(2**25))),
    "inflated text": (b"zTXt", b"k\0\0" + zlib.compress(bytes(2**22))), "text": (b"tEXt", b"k\0" + b"x" * 2**21),
    "inflated XMP": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * 2**22))}


def samples(depth):
    return np.random.default_rng(1).integers(0, 2**depth, (6, 5, 3)).astype(np.uint8 if depth == 8 else np.uint16)


def with_chunk(data, kind, body, size=None, crc=None):
    """Insert a chunk after the header of a PNG."""
    chunk = struct.pack(">I", len(body) if size is None else size) + kind + body
    return data[:33] + chunk + struct.pack(">I", zlib.crc32(kind + body) if crc is None else crc) + data[33:]


@pytest.mark.parametrize("kind", BAD_CHUNKS)
@pytest.mark.parametrize("depth", [8, 16])
def test_damaged_png_chunks_are_left_out_and_reported(tmp_path, capfd, depth, kind):
    picture = samples(depth)
    name, body = BAD_CHUNKS[kind]
    (tmp_path / "a.png").write_bytes(with_chunk(imagecodecs.png_encode(picture), name, body))
    result = read_photo(tmp_path / "a.png")
    assert np.array_equal(np.rint(result.pixels * (2**depth - 1)), picture)
    assert result.notes == (f"its {name.decode()} chunk is damaged or too large and was left out",)
    assert capfd.readouterr() == ("", "")


def test_a_png_chunk_of_changed_bytes_is_left_out(tmp_path, photo):
    picture = photo()
    (tmp_path / "a.png").write_bytes(with_chunk(imagecodecs.png_encode(picture), b"gAMA", b"\0\1\0\0", crc=0))
    assert read_photo(tmp_path / "a.png").notes == ("its gAMA chunk is damaged or too large and was left out",)


@pytest.mark.parametrize("kind", [b"tEXt", b"IDAT"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_chunk_that_ends_beyond_the_file(tmp_path, depth, kind):
    data = imagecodecs.png_encode(samples(depth))
    (tmp_path / "a.png").write_bytes(with_chunk(data, kind, b"x", size=2**32 - 1))
    with pytest.raises(UserError, match="broken"):
        read_photo(tmp_path / "a.png")


def test_a_profile_of_megabytes_is_kept(tmp_path, photo):
    icc = rgb_profile(P3_PRIMARIES) + bytes(3 * 2**20)
    Image.fromarray(photo()).save(tmp_path / "a.jpg", icc_profile=icc)
    first = read_photo(tmp_path / "a.jpg")
    write_photo(tmp_path / "b.png", first.pixels, like=first)
    again = read_photo(tmp_path / "b.png")
    assert (again.icc, again.notes) == (icc, ())
