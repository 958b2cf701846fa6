"""A gallery of small files: an unedited copy has the colours, depth, profile and metadata of its original."""
import io

import imagecodecs
import numpy as np
import pytest
import tifffile
from gallery import lab, write
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000

from core.datasets import load_image
from core.photo import read_photo, write_photo
from core.studio.jobs import suffix_of

LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()   # D50
TOLERANCE = 0.3   # CIEDE2000 of the mean colour


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    return folder, write(folder)


def mean_lab(path):
    """Return the mean L*a*b* (D50) of a file as independent readers decode it: tifffile or Pillow, and LittleCMS."""
    if path.suffix.lower() in (".tif", ".tiff"):
        with tifffile.TiffFile(path) as tiff:
            samples, icc = tiff.pages[0].asarray()[..., :3], tiff.pages[0].iccprofile
    else:
        image = Image.open(path)
        icc = image.info.get("icc_profile")
        samples = np.asarray(image.convert("RGB")) if image.mode != "RGB" else np.asarray(image)
    if samples.dtype == np.uint16:
        samples = np.rint(samples / 257).astype(np.uint8)
    elif samples.dtype == np.float32:
        samples = np.rint(samples * 255).astype(np.uint8)
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc)) if icc else ImageCms.createProfile("sRGB")
    source = source if icc else ImageCms.ImageCmsProfile(source)
    values = imagecodecs.cms_transform(
        np.ascontiguousarray(samples), source.tobytes(), LAB, colorspace="rgb",
        outcolorspace="lab", outdtype=np.float64, intent=1)
    return values.reshape(-1, 3).mean(0), ImageCms.getProfileDescription(source) if icc else ""


def test_the_gallery_is_large_and_of_many_kinds(gallery):
    _, cases = gallery
    assert len(cases) >= 40
    assert len({case.name for case in cases}) == len(cases)


def test_an_unedited_copy_is_what_the_original_was(gallery, tmp_path):
    folder, cases = gallery
    expected, wrong = lab(), []
    for case in cases:
        photo = read_photo(folder / case.name)
        out = tmp_path / f"{case.name.replace('.', '_')}{suffix_of(folder / case.name)}"
        write_photo(out, photo.pixels, like=photo, quality=100)
        found, profile = mean_lab(out)
        again = read_photo(out)
        colour = np.abs(found[1:]).max() if case.grey else deltaE_ciede2000(found, expected)
        facts = {
            "colour": colour <= TOLERANCE, "depth": photo.depth == case.depth, "profile": case.profile in profile,
            "note": any(case.note in note for note in photo.notes) if case.note else photo.notes == (),
            "size": photo.pixels.shape[1::-1] == case.size,
            "dpi": "dpi" not in case.kept or again.dpi is not None,
            "rating": "rating" not in case.kept or b'Rating="4"' in again.xmp,
            "iptc": "iptc" not in case.kept or b"beach" in again.iptc,
            "camera": "camera" not in case.kept or b"LDIE" in again.exif}
        wrong += [f"{case.name}: {fact} ({colour:.2f}, {photo.depth}, {profile!r}, {photo.notes})"
                  for fact, holds in facts.items() if not holds]
    assert wrong == []


def test_data_sets_see_the_same_pixels(gallery):
    folder, cases = gallery
    for case in cases:
        expected = np.rint(read_photo(folder / case.name).in_srgb() * 255).astype(np.uint8)
        assert np.array_equal(load_image(folder / case.name), expected), case.name


def test_a_bracket_of_raw_photos_stays_a_bracket(gallery):
    folder, _ = gallery
    pytest.importorskip("rawpy", reason="RAW is an optional extra")
    bright, dark = (np.mean(((read_photo(folder / name).pixels + 0.055) / 1.055) ** 2.4)
                    for name in ("bright.dng", "dark.dng"))
    assert bright / dark == pytest.approx(4, rel=0.05)
