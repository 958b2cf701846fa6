"""Writing photos: the suffix gives the format; bit depth, EXIF data and colour profile are those of the read photo."""
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image

from core.files import UserError, replacing
from core.photo.photo import Photo, check_free

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
_ROWS = 256   # rows of an image that are rounded at once


def write_photo(path: Path | str, pixels: np.ndarray, like: Photo | None = None, quality: int = 95,
                subsampling: str = "4:4:4", overwrite: bool = True) -> tuple[str, ...]:
    """Write an image at its own size, whole or not at all; samples are rounded to the nearest level.

    Args:
        path: .jpg .jpeg .png .tif .tiff or .webp; a missing folder is made.
        pixels: (H, W, 3) float array of sRGB values, clipped to [0, 1].
        like: the Photo that was edited; it gives bit depth, EXIF, profile and alpha. None: 8 bits without the others.
        quality: 1 to 100, for JPEG and WebP; WebP is lossless at 100.
        subsampling: colour subsampling of JPEG: "4:4:4" (none), "4:2:2" or "4:2:0".
        overwrite: False refuses to replace a file.

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
    if not np.isfinite(pixels).all():
        raise UserError(f"{path}: not written, the picture has NaN or infinite pixels; check the plan's parameters")
    notes, depth, alpha, exif, icc = [], 8, None, b"", b""
    if like is not None:
        depth, alpha, exif, icc = like.depth, like.alpha, like.exif, like.icc
    if depth > kind.max_depth:
        notes.append(f"{kind.name} holds {kind.max_depth} bits per sample: written with {kind.max_depth} of {depth}")
        depth = kind.max_depth
    if alpha is not None and not kind.alpha:
        notes.append(f"{kind.name} holds no transparency: laid on white")
        pixels, alpha = pixels * alpha[..., None] + (1 - alpha[..., None]), None
    if len(exif) > kind.max_exif:
        notes.append(f"{kind.name} holds {kind.max_exif} bytes of EXIF data: {len(exif)} left out")
        exif = b""
    samples = _quantise(pixels, alpha, depth)
    encoded = kind.encode(samples, exif, icc, quality, subsampling)
    with replacing(path) as file:
        file.write(encoded)
    return tuple(notes)


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


def _quantise(pixels, alpha, depth):
    """Return samples (H, W, 3 or 4) of `depth` bits, computed in strips to avoid whole copies of a large photo."""
    top = 2**depth - 1
    samples = np.empty((*pixels.shape[:2], 3 if alpha is None else 4), np.uint16 if depth == 16 else np.uint8)
    for start in range(0, len(samples), _ROWS):
        rows = slice(start, start + _ROWS)
        samples[rows, :, :3] = np.rint(np.clip(pixels[rows], 0, 1) * top)
        if alpha is not None:
            samples[rows, :, 3] = np.rint(np.clip(alpha[rows], 0, 1) * top)
    return samples


def _jpeg(samples, exif, icc, quality, subsampling):
    return _pillow(samples, "JPEG", exif=exif, icc_profile=icc, quality=quality, subsampling=subsampling)


def _webp(samples, exif, icc, quality, subsampling):
    # `exact` keeps the colours of fully transparent pixels
    return _pillow(samples, "WEBP", exif=exif, icc_profile=icc, quality=quality, lossless=quality == 100, exact=True)


def _pillow(samples, format, **options):
    file = io.BytesIO()
    Image.fromarray(samples).save(file, format, **options)
    return file.getvalue()


def _png(samples, exif, icc, quality, subsampling):
    """Encode samples of 8 or 16 bits, then insert profile and EXIF data right after the header chunk."""
    import imagecodecs
    png = imagecodecs.png_encode(samples)
    header = len(b"\x89PNG\r\n\x1a\n") + 25
    chunks = b""
    if icc:
        chunks += _png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if exif:
        chunks += _png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return png[:header] + chunks + png[header:]


def _png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tiff(samples, exif, icc, quality, subsampling):
    """Encode samples of 8 or 16 bits with Deflate and horizontal differencing.

    EXIF data is a TIFF without pixels, so the file consists of the photo's EXIF data, the tags of the strips, and the
    strips.
    """
    import imagecodecs
    height, width, channels = samples.shape
    rows = max(1, 2**20 // samples[0].nbytes)
    differences = samples.copy()
    differences[:, 1:] -= samples[:, :-1]  # integers wrap around, as the format requires
    directory = Image.Exif()
    if exif:
        directory.load(exif)
    directory.endian = directory.endian or "<"
    order = differences.dtype.newbyteorder(directory.endian)
    strips = [imagecodecs.deflate_encode(differences[top:top + rows].astype(order).tobytes(), 4)
              for top in range(0, height, rows)]
    sizes = [len(strip) for strip in strips]
    directory.update({
        256: width, 257: height, 258: (samples.itemsize * 8,) * channels, 259: 8, 262: 2,  # Deflate, RGB
        273: tuple(accumulate(sizes[:-1], initial=0)),  # offsets after the directory; Pillow adds its size
        277: channels, 278: rows, 279: tuple(sizes), 284: 1, 317: 2})
    if channels == 4:
        directory[338] = 2  # unassociated alpha: colours are not multiplied by it
    if icc:
        directory[34675] = icc
    return b"".join([directory.tobytes().removeprefix(b"Exif\0\0"), *strips])


@dataclass(frozen=True)
class _Format:
    """The encoder of a file format and its limits."""

    name: str
    encode: Callable
    max_depth: int
    alpha: bool
    max_side: int
    max_exif: int = 2**32


_JPEG = _Format("JPEG", _jpeg, 8, alpha=False, max_side=65500, max_exif=65533)
_PNG = _Format("PNG", _png, 16, alpha=True, max_side=2**31 - 1)
_TIFF = _Format("TIFF", _tiff, 16, alpha=True, max_side=2**31 - 1)
_WEBP = _Format("WebP", _webp, 8, alpha=True, max_side=16383)
_FORMATS = {".jpg": _JPEG, ".jpeg": _JPEG, ".png": _PNG, ".tif": _TIFF, ".tiff": _TIFF, ".webp": _WEBP}
WRITE_SUFFIXES = tuple(_FORMATS)
