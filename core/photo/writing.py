"""Writing photos: the suffix gives the format; depth, colour profile and metadata are those of the original photo."""
import io
import os
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.files import UserError, replacing
from core.photo import jpeg
from core.photo.metadata import edited_xmp, with_size
from core.photo.photo import Photo, check_free
from core.photo.png import with_metadata
from core.photo.profile import unit
from core.photo.tiff import write_tiff

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
_ROWS = 256   # rows of an image that are rounded at once


def write_photo(path: Path | str, pixels: np.ndarray, like: Photo | None = None, quality: int = 95,
                subsampling: str = "4:4:4", overwrite: bool = True, plan: str | None = None) -> tuple[str, ...]:
    """Write an image at its own size, whole or not at all; samples are rounded to the nearest level.

    Args:
        path: a name with one of WRITE_SUFFIXES; a missing folder is made.
        pixels: (H, W, 3) float array with the primaries of `like`, clipped to [0, 1]; or integers of the type that
            `stored_kind` gives, which are written as they are.
        like: the Photo that was edited; it gives depth, profile, alpha and metadata. None: 8 bits, sRGB, no alpha and
            no metadata.
        quality: 1 to 100, for JPEG and WebP; WebP is lossless at 100.
        subsampling: colour subsampling of JPEG: "4:4:4" (none), "4:2:2" or "4:2:0".
        overwrite: False refuses to replace a file.
        plan: the plan that edited the photo, as text; the result's XMP holds it.

    Returns: a tuple of notes about losses, such as a bit depth that the format lacks. Raises UserError for an unknown
    suffix, an existing file without `overwrite`, a bad option, NaN or infinite pixels, an image too large for the
    format, or a folder that is not writable.
    """
    path = Path(path)
    kind = check_output(path, overwrite, pixels.shape)
    if quality not in range(1, 101):
        raise UserError(f"quality: {quality!r} is not a whole number from 1 to 100")
    if subsampling not in SUBSAMPLINGS:
        raise UserError(f"subsampling: unknown {subsampling!r}; known are {', '.join(SUBSAMPLINGS)}")
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise UserError(f"{path}: not written, the picture has NaN or infinite pixels; check the plan's parameters")
    like = like or Photo(pixels)
    depth, alpha, notes = like.depth, like.alpha, []
    if depth > kind.max_depth:
        notes.append(f"{kind.name} holds {kind.max_depth} bits per sample: written with {kind.max_depth} instead of "
                     f"{depth}")
        depth = kind.max_depth
    if alpha is not None and not kind.alpha:
        notes.append(f"{kind.name} holds no transparency: transparent parts become white")
        pixels = unit(pixels)
        pixels, alpha = pixels * alpha[..., None] + (1 - alpha[..., None]), None
    parts, lost = _metadata(like, kind, plan, pixels.shape[1::-1])
    encoded = kind.encode(_quantise(pixels, alpha, depth, like.space), **parts, quality=quality,
                          subsampling=subsampling)
    with replacing(path) as file:
        file.write(encoded)
    return (*notes, *lost)


def _metadata(like, kind, plan, size):
    """Return the metadata that a format can hold, {exif, icc, xmp, iptc, dpi}, and notes on parts that are left out."""
    xmp, notes = edited_xmp(like.xmp, plan, size)
    parts = {"exif": with_size(like.exif, size), "icc": like.icc, "xmp": xmp, "iptc": like.iptc, "dpi": like.dpi}
    for part, name, most in (("exif", "EXIF data", kind.max_exif), ("xmp", "XMP data", kind.max_xmp),
                             ("iptc", "IPTC data", kind.max_iptc)):
        if len(parts[part]) > most:
            notes.append(f"{kind.name} holds {f'{most} bytes of' if most else 'no'} {name}: {len(parts[part])} "
                         f"bytes left out")
            parts[part] = b""
    return parts, notes


def check_output(path: Path | str, overwrite: bool = True, shape: tuple[int, ...] = (0, 0)) -> "_Format":
    """Return the file format of an output path. Call this function before long work, too, to find errors early.

    Raises UserError if the suffix is unknown, the format cannot hold an image of `shape` (H, W, ...), or the file
    cannot be written, see `check_free`.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise UserError(f"{path}: unknown suffix {path.suffix!r}; photos are written as {' '.join(_FORMATS)}")
    kind = _FORMATS[path.suffix.lower()]
    if max(shape[:2]) > kind.max_side:
        raise UserError(f"{path}: {shape[1]} x {shape[0]} is more than {kind.name} holds ({kind.max_side} on a side); "
                        "choose .png or .tif")
    check_free(path, overwrite, "another --out")
    return kind


def stored_kind(path: Path | str, like: Photo) -> np.dtype:
    """Return the type of samples that `write_photo` stores unchanged in a file for an edited photo: no rounding twice.

    This is uint8 or uint16, or float32 if the writer has to convert colours or blend transparent parts first.
    """
    kind = check_output(path)
    if like.samples.dtype.kind == "f" or like.space.curves is not None or not (like.alpha is None or kind.alpha):
        return np.dtype(np.float32)
    return np.dtype({8: np.uint8, 16: np.uint16, 32: np.float32}[min(like.depth, kind.max_depth)])


def _quantise(pixels, alpha, depth, space):
    """Return samples (H, W, 3 or 4) of `depth` bits in the file's own space, uint8, uint16 or float32.

    All cores compute them in strips, because whole copies of a large photo take much memory.
    """
    top, kind = {8: (255, np.uint8), 16: (65535, np.uint16), 32: (1, np.float32)}[depth]
    ready = pixels.dtype == kind and depth < 32 and space.curves is None
    if ready and alpha is None:
        return pixels
    pixels = pixels if ready else unit(pixels)
    samples = np.empty((*pixels.shape[:2], 3 if alpha is None else 4), kind)
    finish = np.rint if depth < 32 else np.asarray

    def convert(start):
        rows = slice(start, start + _ROWS)
        samples[rows, :, :3] = (pixels[rows] if ready else
                                finish(space.encode(np.clip(pixels[rows], 0, 1), depth) * top))
        if alpha is not None:
            samples[rows, :, 3] = finish(np.clip(alpha[rows], 0, 1) * top)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(convert, range(0, len(samples), _ROWS)))
    return samples


def _jpeg(samples, exif, icc, xmp, iptc, dpi, quality, subsampling):
    options = {"dpi": tuple(map(round, dpi))} if dpi else {}
    if iptc:   # a Photoshop resource of kind 0x0404, in a segment of its own
        resource = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(resource) + 2) + resource
    if xmp:
        options["xmp"] = xmp
    return jpeg.encode(samples, quality, subsampling, exif=exif, icc_profile=icc, **options)


def _webp(samples, exif, icc, xmp, iptc, dpi, quality, subsampling):
    # `exact` keeps the colours of fully transparent pixels
    return _pillow(samples, "WEBP", exif=exif, icc_profile=icc, xmp=xmp, quality=quality, lossless=quality == 100,
                   exact=True)


def _pillow(samples, format, **options):
    file = io.BytesIO()
    Image.fromarray(samples).save(file, format, **options)
    return file.getvalue()


def _png(samples, exif, icc, xmp, iptc, dpi, quality, subsampling):
    import imagecodecs
    return with_metadata(imagecodecs.png_encode(samples), icc, exif, xmp, dpi)


def _tiff(samples, exif, icc, xmp, iptc, dpi, quality, subsampling):
    return write_tiff(samples, exif, icc, xmp, iptc, dpi)


@dataclass(frozen=True)
class _Format:
    """The encoder of a file format and its limits."""

    name: str
    encode: Callable
    max_depth: int
    alpha: bool
    max_side: int
    max_exif: int = 2**32
    max_xmp: int = 2**32
    max_iptc: int = 0


_JPEG = _Format("JPEG", _jpeg, 8, alpha=False, max_side=65500, max_exif=65533, max_xmp=65502, max_iptc=65504)
_PNG = _Format("PNG", _png, 16, alpha=True, max_side=2**31 - 1)
_TIFF = _Format("TIFF", _tiff, 32, alpha=True, max_side=2**31 - 1, max_iptc=2**32)
_WEBP = _Format("WebP", _webp, 8, alpha=True, max_side=16383)
_FORMATS = {".jpg": _JPEG, ".jpeg": _JPEG, ".jpe": _JPEG, ".jfif": _JPEG, ".png": _PNG, ".tif": _TIFF, ".tiff": _TIFF,
            ".webp": _WEBP}
WRITE_SUFFIXES = tuple(_FORMATS)
