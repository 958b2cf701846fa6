"""HEIC and JPEG XL, through optional packages: pip install -r requirements-formats.txt."""
import io
from pathlib import Path

import numpy as np
from PIL import Image

from core.files import UserError, naming
from core.photo.metadata import as_bytes, frame_notes, mode_notes, read_exif
from core.photo.photo import check_size
from core.photo.png import coded_profile
from core.photo.profile import unit
from core.photo.tiff import clipped

_EXTRA = "pip install -r requirements-formats.txt"
_UNSPECIFIED = 2   # a code point of ITU-T H.273


def decode_heic(path: Path, data: bytes, max_pixels: int, max_bytes: int, long_edge: int | None = None) -> dict:
    """Decode HEIC, a format of phones; libheif returns upright pixels."""
    try:
        import pillow_heif
    except ImportError:
        raise UserError(f"{path}: HEIC photos need the package pillow-heif; install it with: {_EXTRA}") from None
    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    depth = 16 if file.info.get("bit_depth", 8) > 8 else 8
    check_size(path, *file.size, len(file.mode.partition(";")[0]) * depth // 8, max_pixels, max_bytes)
    samples = np.atleast_3d(np.asarray(file))
    samples = samples.astype(np.uint16 if depth == 16 else np.uint8, copy=False)
    samples, alpha = _split(samples)
    icc, notes = file.info.get("icc_profile") or b"", []
    exif = read_exif(lambda: _loaded(file.info.get("exif")), notes)
    nclx = file.info.get("nclx_profile")
    if not icc and nclx:
        codes = nclx["color_primaries"], nclx["transfer_characteristics"]
        with naming(path):
            icc, colour_notes = coded_profile(*codes) if _UNSPECIFIED not in codes else (b"", [])
        notes += colour_notes
    for name, present in (("HDR gain map", any("hdrgainmap" in str(kind).lower() for kind in file.info.get("aux", {}))),
                          ("depth map", file.info.get("depth_images"))):
        if present:
            notes.append(f"the photo's {name} is left out")
    if len(list(pillow_heif.open_heif(io.BytesIO(data)))) > 1:
        notes.append("several pictures: only the first is read")
    tags = {"icc": icc, "exif": exif, "xmp": as_bytes(file.info.get("xmp"))}
    return {"samples": samples, "alpha": alpha, "depth": depth, "tags": tags, "format": "HEIC", "upright": True,
            "notes": notes}


def decode_jxl(path: Path, data: bytes, max_pixels: int, max_bytes: int, long_edge: int | None = None) -> dict:
    """Decode JPEG XL: imagecodecs gives the samples, the Pillow plug-in the profile and the metadata."""
    try:
        import pillow_jxl  # noqa: F401  (registers itself with Pillow)
    except ImportError:
        raise UserError(f"{path}: JPEG XL photos need the package pillow-jxl-plugin; install it with: {_EXTRA}"
                        ) from None
    import imagecodecs
    try:
        opened = Image.open(io.BytesIO(data), formats=("JXL",))
    except Exception as error:   # the plug-in's text asks to build libjxl
        raise ValueError("its JPEG XL data is damaged or incomplete") from error
    with opened as image:
        check_size(path, *image.size, len(image.getbands()) * 2, max_pixels, max_bytes)
        notes = frame_notes(image)
        tags = {"icc": image.info.get("icc_profile") or b"", "xmp": as_bytes(image.info.get("xmp")),
                "exif": read_exif(image.getexif, notes)}
        frames = getattr(image, "n_frames", 1)
    samples = np.atleast_3d(imagecodecs.jpegxl_decode(data, index=0, keeporientation=False))
    samples = samples if samples.dtype in (np.uint8, np.uint16) else clipped(samples, notes)
    samples, alpha = _split(samples)
    return {"samples": samples, "alpha": alpha, "depth": 8 * min(samples.dtype.itemsize, 4), "tags": tags,
            "format": "JXL", "upright": True, "frames": frames, "notes": [*notes, *mode_notes("RGB", samples)]}


def _split(samples):
    """Return the colour samples (H, W, 1 or 3), and alpha (H, W) float32 or None."""
    return (samples[..., :-1], unit(samples[..., -1])) if samples.shape[2] in (2, 4) else (samples, None)


def _loaded(data):
    exif = Image.Exif()
    exif.load(data or b"")
    return exif
