"""Colour profiles: photos keep their primaries; the sRGB copy agrees with formulas worked out here."""
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms

from core.photo import read_photo, write_photo
from core.photo.profile import ADOBE_PRIMARIES, P3_PRIMARIES, SRGB_PRIMARIES, to_samples, unit
from core.photo.profile import rgb_profile as profile_of

D50, D65 = np.array([0.9642, 1.0, 0.8249]), np.array([0.3127 / 0.3290, 1.0, 0.3583 / 0.3290])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
ADOBE_GAMMA = 563 / 256  # the standard's exact value, about 2.2


def to_xyz(*chromaticities):
    """Return the matrix from linear RGB with these primaries (x, y) and white D65 to XYZ under D50."""
    primaries = np.array([(x / y, 1, (1 - x - y) / y) for x, y in chromaticities]).T
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ D65)) @ BRADFORD
    return adapt @ primaries * np.linalg.solve(primaries, D65)


ADOBE_RGB = to_xyz((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
DISPLAY_P3 = to_xyz((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
PROPHOTO = to_xyz((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))   # close: its white is D50
TO_SRGB = np.linalg.inv(to_xyz((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))


def fixed(*values):
    """Return ICC s15Fixed16 numbers."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def profile(kind, space, pcs, tags):
    """Return the bytes of an ICC version 2 profile."""
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    header = (struct.pack(">I4sI", start + len(body), b"\0" * 4, 0x02100000) + kind + space + pcs
              + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + fixed(*D50))
    return header.ljust(128, b"\0") + table + body


def gamma_curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def xyz(values):
    return b"XYZ \0\0\0\0" + fixed(*values)


def rgb_profile(primaries, gamma):
    columns = {name: xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma_curve(gamma))
    return profile(b"mntr", b"RGB ", b"XYZ ", {b"wtpt": xyz(D50), **columns, **curves})


def cmyk_profile(paper_and_inks):
    """Return a profile whose 16 corners of ink (C slowest, K fastest) have the given (L, a, b)."""
    ramp = bytes(range(256))
    corners = b"".join(bytes([round(light * 2.55), round(a + 128), round(b + 128)]) for light, a, b in paper_and_inks)
    table = (b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + ramp * 4 + corners + ramp * 3)
    return profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": xyz(D50), b"A2B0": table, b"A2B1": table})


def encode_srgb(linear):
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def rgb_to_srgb(values, primaries, gamma):
    return encode_srgb(values.astype(np.float64) ** gamma @ primaries.T @ TO_SRGB.T)


def lab_to_srgb(light, a, b):
    y = (light + 16) / 116
    f = np.array([y + a / 500, y, y - b / 200])
    return encode_srgb(TO_SRGB @ (np.where(f > 6 / 29, f ** 3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * D50))


@pytest.mark.parametrize(("primaries", "gamma"), [(ADOBE_RGB, ADOBE_GAMMA), (DISPLAY_P3, 2.0), (ADOBE_RGB, 1.0)])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_the_srgb_copy_of_8_bit_pictures_is_not_rounded(tmp_path, photo, primaries, gamma, suffix):
    picture = photo()
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture).save(path, icc_profile=rgb_profile(primaries, gamma))
    expected = rgb_to_srgb(picture / 255, primaries, gamma)
    assert np.abs(expected - picture / 255).max() > 0.05  # the profile matters
    result = read_photo(path)
    assert np.abs(result.in_srgb() - expected).max() < 5e-4  # an eighth of an 8-bit level
    assert np.abs(result.pixels - encode_srgb((picture / 255) ** gamma)).max() < 5e-4   # its own primaries
    torch.testing.assert_close(result.srgb_tensor()[:, 3, 5], torch.from_numpy(result.in_srgb()[3, 5]))


def test_the_srgb_copy_of_16_bit_pictures_has_their_precision(tmp_path):
    base = np.random.default_rng(0).integers(15_000, 50_000, (40, 40, 3)).astype(np.uint16)
    icc = rgb_profile(ADOBE_RGB, ADOBE_GAMMA)
    results = []
    for name, samples in (("a.tif", base), ("b.tif", base + np.uint16(16))):
        tifffile.imwrite(tmp_path / name, samples, photometric="rgb", iccprofile=icc)
        pixels = read_photo(tmp_path / name).in_srgb()
        expected = rgb_to_srgb(samples / 65535, ADOBE_RGB, ADOBE_GAMMA)
        inside = (expected > 0) & (expected < 1)
        assert np.abs(pixels - expected)[inside].max() < 3e-4
        results.append((pixels, expected))
    (low, expected_low), (high, expected_high) = results
    inside = (expected_low > 0.02) & (expected_low < 0.98)
    rise, expected_rise = (high - low)[inside], (expected_high - expected_low)[inside]
    assert np.abs(rise - expected_rise).max() < 0.25 / 65535 * 16  # a step of a sixteenth of a level of 8 bits survives


def description(icc):
    return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc)))


@pytest.mark.parametrize(("primaries", "gamma"), [(ADOBE_RGB, ADOBE_GAMMA), (DISPLAY_P3, 2.0), (ADOBE_RGB, 1.0),
                                                  (PROPHOTO, 1.8)])
@pytest.mark.parametrize("depth", [8, 16])
def test_an_unedited_picture_is_written_back_with_its_own_profile(tmp_path, photo, primaries, gamma, depth):
    icc, samples = rgb_profile(primaries, gamma), photo()
    if depth == 16:
        samples = samples.astype(np.uint16) * 257 + np.uint16(11)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", iccprofile=icc)
    result = read_photo(tmp_path / "a.tif")
    for name in ("b.png", "b.tif"):
        write_photo(tmp_path / name, result.pixels, like=result)
        again = read_photo(tmp_path / name)
        assert again.icc == icc
        assert np.abs(again.pixels - result.pixels).max() < 1e-6
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), samples)   # to the level


def test_formats_that_lose_keep_the_profile(tmp_path, photo):
    Image.fromarray(photo()).save(tmp_path / "a.png", icc_profile=rgb_profile(ADOBE_RGB, ADOBE_GAMMA))
    result = read_photo(tmp_path / "a.png")
    for name in ("b.jpg", "b.webp"):
        write_photo(tmp_path / name, result.pixels, like=result)
        assert Image.open(tmp_path / name).info["icc_profile"] == result.icc
        assert np.abs(read_photo(tmp_path / name).in_srgb() - result.in_srgb()).mean() < 0.05


def test_srgb_by_another_name_is_left_alone_with_its_own_profile(tmp_path, photo):
    picture = photo()
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(picture).save(tmp_path / "a.png", icc_profile=icc)
    result = read_photo(tmp_path / "a.png")
    assert np.array_equal(result.pixels, (picture / np.float32(255)).astype(np.float32))
    assert result.icc == icc


def test_grey_profile_is_applied(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    icc = profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": xyz(D50), b"kTRC": gamma_curve(1)})
    Image.fromarray(grey).save(tmp_path / "a.png", icc_profile=icc)
    result = read_photo(tmp_path / "a.png")
    assert np.abs(result.pixels - encode_srgb(grey / 255)[..., None]).max() < 1e-3


def test_grey_picture_in_an_rgb_space(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "a.tif", icc_profile=rgb_profile(ADOBE_RGB, 1.0))
    assert np.abs(read_photo(tmp_path / "a.tif").pixels - encode_srgb(grey / 255)[..., None]).max() < 1e-3


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_goes_through_its_profile(tmp_path, suffix):
    corners = [(0, 0, 0)] * 16
    corners[0b0000], corners[0b1000], corners[0b0100] = (100, 0, 0), (60, -20, -30), (50, 40, 5)
    inks = np.zeros((16, 48, 4), np.uint8)
    inks[:, 16:32, 0] = inks[:, 32:, 1] = 255  # paper, cyan, magenta
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(inks, "CMYK").save(path, icc_profile=cmyk_profile(corners), **(
        {"quality": 100} if suffix == "jpg" else {}))
    result = read_photo(path)
    for column, colour in ((8, corners[0b0000]), (24, corners[0b1000]), (40, corners[0b0100])):
        assert np.abs(result.pixels[8, column] - lab_to_srgb(*colour)).max() < 0.01
    assert result.notes == ("CMYK: converted to RGB",)
    assert result.icc


@pytest.mark.parametrize(("icc", "why"), [
    (b"not a profile" * 20, "made for"), (rgb_profile(ADOBE_RGB, 1.0)[:200], "is damaged"),
    (profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": xyz(D50), b"kTRC": gamma_curve(1)}), "made for GRAY")])
def test_unusable_profiles_are_reported_and_not_embedded(tmp_path, photo, icc, why):
    picture = photo()
    Image.fromarray(picture).save(tmp_path / "a.tif", icc_profile=icc)
    result = read_photo(tmp_path / "a.tif")
    assert np.array_equal(result.pixels, (picture / np.float32(255)).astype(np.float32))
    assert result.icc == b""
    (note,) = result.notes
    assert note.startswith("its ICC profile")
    assert why in note


def test_adobe_rgb_named_in_exif_alone(tmp_path, photo):
    picture = photo()
    exif = Image.Exif()
    exif[0x8769] = {40961: 65535, 40965: {1: "R03", 2: b"0100"}}
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif.tobytes())
    result = read_photo(tmp_path / "a.png")
    assert np.abs(result.in_srgb() - rgb_to_srgb(picture / 255, ADOBE_RGB, ADOBE_GAMMA)).max() < 1e-3
    write_photo(tmp_path / "b.png", result.pixels, like=result)
    written = Image.open(tmp_path / "b.png")
    assert np.array_equal(np.asarray(written), picture)
    assert "Adobe RGB" in description(written.info["icc_profile"])   # so that readers without EXIF know it, too
    assert written.getexif().get_ifd(40965)[1] == "R03"


@pytest.mark.parametrize("tags", [{0x8769: {40961: 2}}, {
    318: (0.3127, 0.329), 319: (0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 0x8769: {40961: 65535, 42240: ADOBE_GAMMA}}])
def test_adobe_rgb_named_by_colour_space_or_primaries(tmp_path, photo, tags):
    picture, exif = photo(), Image.Exif()
    exif.update(tags)
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif.tobytes())
    result = read_photo(tmp_path / "a.png")
    assert np.abs(result.in_srgb() - rgb_to_srgb(picture / 255, ADOBE_RGB, ADOBE_GAMMA)).max() < 2e-3


# ---- every level of every known space, and damaged profiles

SPACES = {"sRGB": {"primaries": SRGB_PRIMARIES}, "Display P3": {"primaries": P3_PRIMARIES},
          "Adobe RGB": {"primaries": ADOBE_PRIMARIES, "gamma": ADOBE_GAMMA},
          "ProPhoto": {"primaries": ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), "white": (0.3457, 0.3585),
                       "gamma": 1.8},
          "linear": {"primaries": P3_PRIMARIES, "gamma": 1.0}}


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_every_level_of_a_space_returns(space, kind):
    top = np.iinfo(kind).max
    levels = np.arange(top + 1, dtype=kind).reshape(-1, 16, 1).repeat(3, 2)
    samples, found, notes = to_samples(levels, profile_of(**SPACES[space]))
    pixels = unit(samples)
    assert notes == []
    assert pixels.min() == 0
    assert pixels.max() == 1
    assert np.array_equal(np.rint(found.encode(pixels, 8 * levels.itemsize) * top), levels)


@pytest.mark.parametrize("space", SPACES)
def test_random_samples_of_each_depth_return(tmp_path, space):
    icc = profile_of(**SPACES[space])
    for kind in (np.uint8, np.uint16, np.float32):
        rng = np.random.default_rng(3)
        samples = (rng.random((40, 50, 3), np.float32) if kind is np.float32 else
                   rng.integers(0, np.iinfo(kind).max, (40, 50, 3), kind, endpoint=True))
        tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", iccprofile=icc)
        first = read_photo(tmp_path / "a.tif")
        for suffix in (("tif",) if kind is np.float32 else ("tif", "png")):
            write_photo(tmp_path / f"b.{suffix}", first.pixels, like=first)
            again = read_photo(tmp_path / f"b.{suffix}")
            assert (again.depth, again.icc) == (first.depth, icc)
            assert np.abs(again.pixels - first.pixels).max() <= (2e-6 if kind is np.float32 else 0)


def replaced(**tags):
    """Return an Adobe RGB profile whose tags are replaced."""
    columns = {name: xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), ADOBE_RGB.T, strict=True)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma_curve(ADOBE_GAMMA))
    return profile(b"mntr", b"RGB ", b"XYZ ", {
        b"wtpt": xyz(D50), **columns, **curves, **{name.encode(): data for name, data in tags.items()}})


def curve(*entries):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(entries)}H", len(entries), *entries)


def of_curve(*entries):
    return replaced(**dict.fromkeys(("rTRC", "gTRC", "bTRC"), curve(*entries)))


BAD_PROFILES = {
    "flat": of_curve(*[30000] * 256), "black": of_curve(*[0] * 256), "step": of_curve(*[0] * 128, *[65535] * 128),
    "gamma 0": of_curve(0), "gamma 256": of_curve(65535), "65536 entries": of_curve(*range(65536)),
    "one primary twice": replaced(rXYZ=xyz(ADOBE_RGB[:, 1])), "no light": replaced(
        **dict.fromkeys(("rXYZ", "gXYZ", "bXYZ"), xyz((0, 0, 0)))),
    "negative": replaced(**{f"{letter}XYZ": xyz(-column) for letter, column in zip("rgb", ADOBE_RGB.T, strict=True)}),
    "huge": replaced(rXYZ=xyz((32000, -32000, 32000))), "cut short": replaced()[:200], "header": replaced()[:128],
    "20 bytes": replaced()[:20], "zeros": b"\0" * 3000,
    "device link": replaced()[:12] + b"link" + replaced()[16:], "a tag beyond the end": replaced(
    )[:136 + 12 * 2] + b"\0\x10\0\0" + replaced()[140 + 12 * 2:]}


@pytest.mark.parametrize("kind", BAD_PROFILES)
def test_a_damaged_profile_leaves_the_pixels_as_they_are(tmp_path, photo, kind):
    picture = photo()
    Image.fromarray(picture).save(tmp_path / "a.png", icc_profile=BAD_PROFILES[kind])
    result = read_photo(tmp_path / "a.png")
    assert np.array_equal(np.rint(result.pixels * 255), picture)
    assert result.icc == b""
    note, = result.notes
    assert note.startswith("its ICC profile")
    assert note.endswith("taken as sRGB")
    assert note.isprintable()


def test_a_curve_that_falls_slowly_is_converted(tmp_path, photo):
    Image.fromarray(photo()).save(tmp_path / "a.png", icc_profile=of_curve(0, 40000, 20000, 65535))
    note, = read_photo(tmp_path / "a.png").notes
    assert "converted to sRGB" in note


@pytest.mark.parametrize("values", [
    {"cHRM": [0] * 8}, {"cHRM": [2**32 - 1] * 8}, {"cHRM": [1] * 8}, {"gAMA": [1]}, {"gAMA": [2**32 - 1]},
    {"cHRM": [31270, 32900, 10000, 10000, 20000, 20000, 30000, 30000]}])
def test_impossible_colours_of_png_chunks_count_as_srgb(tmp_path, photo, values):
    picture = photo()
    Image.fromarray(picture).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    for kind, numbers in values.items():
        body = kind.encode() + struct.pack(f">{len(numbers)}I", *numbers)
        data = data[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]
    (tmp_path / "a.png").write_bytes(data)
    result = read_photo(tmp_path / "a.png")
    assert np.array_equal(np.rint(result.pixels * 255), picture)
    assert result.notes == ("its gAMA or cHRM chunk is damaged: taken as sRGB",)


@pytest.mark.parametrize(("points", "gamma"), [
    ([1, 1] * 3, 2.2), ([0.64, 0.33, 0.21, 0.71, 0.15, 0.06], 1e9), ([0.64, 0.33, 0.21, 0.71, 0.15, 0.06], 1e-9),
    ([0.64, 0, 0.21, 0.71, 0.15, 0.06], 2.2)])
def test_impossible_colours_of_exif_data_count_as_srgb(tmp_path, photo, points, gamma):
    picture, exif = photo(), Image.Exif()
    exif.update({318: (0.3127, 0.329), 319: tuple(points), 0x8769: {42240: gamma}})
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif.tobytes())
    result = read_photo(tmp_path / "a.png")
    assert np.array_equal(np.rint(result.pixels * 255), picture)
    assert result.notes == ("the colours that its EXIF data names are impossible: taken as sRGB",)
