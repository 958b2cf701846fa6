"""Reading photos: decode the files of cameras, phones and editors to upright pixels with their own RGB primaries."""
import contextlib
import io
import struct
import threading
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.files import UserError, naming
from core.photo import jpeg
from core.photo.formats import decode_heic, decode_jxl
from core.photo.metadata import (
    DAMAGED_EXIF,
    as_bytes,
    describe,
    exif_primaries,
    frame_notes,
    mode_notes,
    orientation,
    parts_left_out,
    read_exif,
)
from core.photo.photo import MAX_BYTES, MAX_PIXELS, RAW_SUFFIXES, Photo, check_size, fit, resize, shrink
from core.photo.png import PNG, named_profile, pixels_only, sound
from core.photo.profile import ADOBE_GAMMA, ADOBE_PRIMARIES, rgb_profile, to_samples, unit
from core.photo.raw import develop
from core.photo.tiff import read_tiff

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP")   # formats that Pillow opens
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")

# Pillow's mode of a picture -> the mode that we convert it to: L, RGB or CMYK, with an A if it has transparency.
_MODES = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBX": "RGB",
          "RGBA": "RGBA", "RGBa": "RGBA", "YCbCr": "RGB", "CMYK": "CMYK"}
_COLOURS = {1: "grey", 3: "RGB", 4: "CMYK"}   # by the number of channels

# EXIF orientation -> the function that makes an array (H, W, ...) upright.
_UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[:, ::-1].swapaxes(0, 1),
}


def read_photo(path: Path | str, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES,
               long_edge: int | None = None) -> Photo:
    """Read a photo: JPEG, PNG, TIFF, WebP, AVIF, GIF, BMP, or, with optional packages, HEIC, JPEG XL and camera RAW.

    Files are decoded at their full depth; see `to_samples` for colour. The EXIF orientation is applied once. Grey,
    palette, 1-bit and CMYK pictures become RGB. If a file has several frames or pages, one of them is read: the
    largest page of a TIFF, the first frame of other formats. The `notes` of the result name these changes and the parts
    that are left out. With `long_edge` the photo is shrunk while it is decoded, which takes a fraction of the time and
    memory; the samples of the shrunk photo are rounded to the file's levels.

    Raises UserError if the file is missing, empty, broken, cut short, of another format or of an unsupported layout
    (the sentence names it), if it has more than `max_pixels` pixels or takes more than `max_bytes` bytes when decoded
    (pixels x channels x bytes per sample), or if it is a JPEG of hundreds of scans.
    """
    path = Path(path)
    data = _read_bytes(path)
    with _pillow() as caught, _naming(path):
        if path.suffix.lower() in RAW_SUFFIXES:
            photo = develop(path, data, max_pixels, max_bytes)
            photo = replace(photo, notes=(*photo.notes, *_damage(caught)))
        else:
            photo = _assemble(_decoder(data)(path, data, max_pixels, max_bytes, long_edge), long_edge, caught)
    return shrink(photo, long_edge) if long_edge else photo


def _decoder(data):
    """Return the function that decodes a file, by its first bytes."""
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _decode_tiff
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and b"avif" not in data[8:40]:
        return decode_heic
    if data.startswith(_JXL):
        return decode_jxl
    return _decode_by_pillow


def _assemble(decoded, long_edge, caught):
    """Make a Photo of a decoded file: resize, convert the colours, turn upright, describe."""
    samples, alpha, tags, notes = (decoded[key] for key in ("samples", "alpha", "tags", "notes"))
    exif, icc, xmp = tags.get("exif") or Image.Exif(), tags.get("icc") or b"", tags.get("xmp") or b""
    exif, exif_notes = _sound(exif, samples.shape[1::-1])
    channels = samples.shape[2]
    if long_edge:
        size = fit(*samples.shape[1::-1], long_edge)
        samples, alpha = resize(samples, size), resize(alpha, size)
    if not icc:
        icc, profile_notes = _exif_profile(exif)
        exif_notes += profile_notes
    samples, space, colour_notes = to_samples(samples, icc)
    turn = _UPRIGHT.get(1 if decoded.get("upright") else orientation(exif), lambda array: array)
    samples = np.ascontiguousarray(turn(samples))
    return Photo(
        samples, decoded["depth"], decoded["format"],
        describe(exif, samples.shape[1::-1], converted=space.icc not in (icc, b"")), space,
        None if alpha is None else np.ascontiguousarray(turn(alpha)), _COLOURS[channels], xmp,
        tags.get("iptc") or b"", tags.get("dpi"), decoded.get("frames", 1),
        (*notes, *exif_notes, *colour_notes, *parts_left_out(xmp), *_damage(caught)))


def _exif_profile(exif):
    """Return the profile that EXIF data names for a photo without one, or empty, and a list of notes."""
    named = exif_primaries(exif)
    if named == "Adobe RGB":
        return rgb_profile(ADOBE_PRIMARIES, gamma=ADOBE_GAMMA), []
    try:
        return rgb_profile(*named) if named else b"", []
    except ValueError:
        return b"", ["the colours that its EXIF data names are impossible: taken as sRGB"]


def _read_bytes(path):
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not a photo") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if not data:
        raise UserError(f"{path}: the file is empty (0 bytes); copy it again from its source")
    return data


@contextlib.contextmanager
def _naming(path):
    """Turn any exception of a decoder into a UserError about a broken file; broken bytes can raise any type."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: the file is broken or cut short ({reason}); "
                        "copy it again from its source") from error


def _open(path, data):
    """Return the Pillow image, not decoded yet. Raises UserError for a file that Pillow cannot open."""
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, RuntimeError, EOFError,
            struct.error) as error:   # Pillow's readers of headers raise all of these
        raise UserError(f"{path}: not a picture of a known format, or broken in its first bytes; convert it to JPEG, "
                        "PNG, TIFF or WebP") from error


@contextlib.contextmanager
def _pillow():
    """Switch off Pillow's size limit, which `check_size` replaces, and yield a list that collects Pillow's warnings.

    The limit and the warning filters are settings of the whole process. So the limit is restored when the last thread
    has read its photo, and warnings are collected in the main thread only; other threads get a list that stays empty.
    """
    with _LIMIT.off():
        if threading.current_thread() is not threading.main_thread():
            yield []
            return
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            yield caught


class _Limit:
    """Pillow's limit of pixels, switched off while any thread reads a photo."""

    def __init__(self):
        self.lock, self.readers, self.before = threading.Lock(), 0, None

    @contextlib.contextmanager
    def off(self):
        with self.lock:
            if not self.readers:
                self.before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self.readers += 1
        try:
            yield
        finally:
            with self.lock:
                self.readers -= 1
                if not self.readers:
                    Image.MAX_IMAGE_PIXELS = self.before


_LIMIT = _Limit()


def _decode_by_pillow(path, data, max_pixels, max_bytes, long_edge):
    """Decode JPEG, PNG, WebP, AVIF, GIF or BMP."""
    data, profile, chunk_notes = sound(data) if data.startswith(PNG) else (data, b"", [])
    with _open(path, data) as image:
        depth = _depth(image.format, data)
        bands = max(len(image.getbands()), len(_MODES.get(image.mode, "").rstrip("A")) + image.has_transparency_data)
        check_size(path, *image.size, bands * depth // 8, max_pixels, max_bytes)
        whole = image.format in ("JPEG", "MPO") and jpeg.is_whole(path, data)
        notes = [*chunk_notes, *frame_notes(image)]
        if long_edge:
            image.draft(None, fit(*image.size, long_edge))   # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size
        if whole and image.mode in ("L", "RGB") and not long_edge:
            samples, alpha = np.atleast_3d(jpeg.decode(data)), None
        else:
            samples, alpha = _decode_8(path, image) if depth == 8 else _decode_16(image, data)
        notes += mode_notes(image.mode, samples)
        exif = read_exif(image.getexif, notes)
        icc = image.info.get("icc_profile") or b""
        if image.format == "PNG":
            with naming(path):
                icc, colour_notes = named_profile(data, profile)
            notes += colour_notes
        tags = {"icc": icc, "exif": exif, "xmp": as_bytes(image.info.get("xmp")), "iptc": _iptc(image),
                "dpi": _dpi(image.info.get("dpi"))}
        return {"samples": samples, "alpha": alpha, "depth": depth, "tags": tags, "upright": image.format == "AVIF",
                "frames": getattr(image, "n_frames", 1),
                "format": "JPEG" if image.format == "MPO" else image.format,   # MPO: a JPEG followed by another
                "notes": notes}


def _decode_tiff(path, data, max_pixels, max_bytes, long_edge):
    samples, alpha, depth, tags, notes = read_tiff(path, data, max_pixels, max_bytes)
    mode = {1: "L", 4: "CMYK"}.get(samples.shape[2], "RGB")
    return {"samples": samples, "alpha": alpha, "depth": depth, "tags": tags, "format": "TIFF",
            "notes": [*notes, *mode_notes(mode, samples)]}


def _iptc(image):
    """Return the IPTC records of a JPEG, from its Photoshop resources; empty if it has none."""
    resources = image.info.get("photoshop")
    value = resources.get(0x0404) if isinstance(resources, dict) else None
    return value if isinstance(value, bytes) else b""


def _dpi(value):
    """Return (across, down) in dots per inch, or None if the file has no usable resolution."""
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        across, down = map(float, value)
        if 1 <= across < 1e5 and 1 <= down < 1e5:
            return across, down
    return None


def _depth(format, data):
    """Return 16 for a file with more than 8 bits per sample, else 8."""
    if format == "PNG":
        return 16 if data[24] == 16 else 8   # the bit depth of IHDR, always the first chunk
    if format == "AVIF" and (place := data.find(b"pixi")) > 0:
        return 16 if data[place + 9] > 8 else 8   # the bit depth, after the box's version and number of channels
    return 8


def _decode_8(path, image):
    """Return samples (H, W, C) uint8, C = 1, 3 or 4 (CMYK), and alpha (H, W) float32 or None."""
    if image.mode not in _MODES:
        raise UserError(f"{path}: {image.mode} pictures are not read; save it as RGB")
    mode = _MODES[image.mode]
    if "A" not in mode and image.has_transparency_data:  # a palette entry or a colour marked as transparent
        mode = "RGBA"
    image.load()
    samples = np.asarray(image if image.mode == mode else image.convert(mode))   # convert always copies
    samples = samples[..., None] if samples.ndim == 2 else samples
    return (samples[..., :-1], unit(samples[..., -1])) if mode.endswith("A") else (samples, None)


def _decode_16(image, data):
    """Return samples (H, W, C) uint16, C = 1 or 3, and alpha (H, W) float32 or None, of a PNG or an AVIF."""
    import imagecodecs
    if image.format == "AVIF":
        top = 2 ** data[data.find(b"pixi") + 9] - 1
        samples = np.atleast_3d(imagecodecs.avif_decode(data))
        samples = np.rint(samples * (65535 / top)).astype(np.uint16)
    else:
        samples = np.atleast_3d(imagecodecs.png_decode(pixels_only(data)))
    if samples.shape[2] % 2 == 0:   # grey or RGB, each with alpha
        return samples[..., :-1], unit(samples[..., -1])
    return samples, None


def _sound(exif, size):
    """Return EXIF data that can be written, and a list of notes; damaged data becomes empty, with a note."""
    try:
        describe(exif, size)
        exif_primaries(exif)
        return exif, []
    except Exception:   # as in `_naming`: damaged bytes can raise any exception; the pixels are still good
        return Image.Exif(), [DAMAGED_EXIF]


def _damage(caught):
    """Return a note for each of Pillow's warnings about damaged parts."""
    words = dict.fromkeys(str(warning.message).strip() for warning in caught
                          if issubclass(warning.category, UserWarning))
    return [f"damaged in part: {line}" for line in words]
