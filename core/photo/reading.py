"""Reading photos: decode the picture files of cameras and editors to upright sRGB pixels."""
import contextlib
import io
import re
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from core.files import UserError
from core.photo.metadata import describe, is_adobe_rgb, orientation
from core.photo.photo import MAX_BYTES, MAX_PIXELS, RAW_SUFFIXES, Photo, check_size, fit, resize, shrink
from core.photo.profile import adobe_rgb_profile, to_srgb, unit
from core.photo.raw import develop

_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")

# Pillow's mode of a picture -> the mode that we convert it to: L, RGB or CMYK, with an A if it has transparency.
_MODES = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBX": "RGB",
          "RGBA": "RGBA", "RGBa": "RGBA", "YCbCr": "RGB", "CMYK": "CMYK"}
_COLOURS = {1: "grey", 3: "RGB", 4: "CMYK"}   # by the number of channels
_MAX_SCANS = 500   # scans of a JPEG: each takes a pass over the whole picture; cameras and editors write about 10
_ASSOCIATED, _UNASSOCIATED = 1, 2  # TIFF ExtraSamples: colours are multiplied by alpha, or not

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
    """Read a photo: JPEG, PNG, TIFF, WebP, or a camera's RAW file.

    8-bit files are decoded by Pillow, 16-bit files at their full depth; see `to_srgb` for colour. The EXIF
    orientation is applied. Grey, palette, 1-bit and CMYK pictures become RGB. Of several frames or pages the first
    is read. The `notes` of the result name these changes. With `long_edge` the photo is shrunk while it is decoded,
    which gives a preview in a fraction of the time and memory; its samples are rounded to the file's levels.

    Raises UserError if the file is missing, empty, broken, cut short, of another format or of an unsupported layout
    (the sentence names it), if it has more than `max_pixels` pixels or takes more than `max_bytes` bytes when decoded
    (pixels x channels x bytes per sample), or if it is a JPEG of hundreds of scans.
    """
    path = Path(path)
    data = _read_bytes(path)
    if path.suffix.lower() in RAW_SUFFIXES:
        with _naming(path):
            photo = develop(path, data, max_pixels, max_bytes)
            return shrink(photo, long_edge) if long_edge else photo
    with _pillow() as caught, _open(path, data) as image, _naming(path):
        depth = _depth(image, data)
        check_size(path, *image.size, _pixel_bytes(image, depth), max_pixels, max_bytes)
        _check_scans(path, image.format, data)
        notes = []
        if (frames := getattr(image, "n_frames", 1)) > 1:
            notes.append(f"{frames} frames or pages: only the first is read")
        if long_edge:
            image.draft(None, fit(*image.size, long_edge))   # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size
        samples, alpha = _decode_8(path, image) if depth == 8 else _decode_16(path, image, data)
        if long_edge:
            size = fit(*samples.shape[1::-1], long_edge)   # image.size may differ: Pillow may have rotated the samples
            samples, alpha = resize(samples, size), resize(alpha, size)
        exif, exif_notes = _exif(image)  # after decoding: Pillow rotates 8-bit TIFFs itself and removes the tag
        icc = image.info.get("icc_profile") or (adobe_rgb_profile() if is_adobe_rgb(exif) else b"")
        pixels, kept_icc, colour_notes = to_srgb(samples, icc)
        upright = _UPRIGHT.get(orientation(exif), lambda array: array)
        pixels = np.ascontiguousarray(upright(pixels))
        return Photo(
            pixels, depth, "JPEG" if image.format == "MPO" else image.format,  # MPO: a JPEG followed by another
            describe(exif, pixels.shape[1::-1], converted=kept_icc not in (icc, b"")), kept_icc,
            None if alpha is None else np.ascontiguousarray(upright(alpha)), _COLOURS[samples.shape[2]],
            (*notes, *_mode_notes(image.mode, samples), *exif_notes, *colour_notes, *_damage(caught)))


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
        raise UserError(f"{path}: {_why_not(data)}") from error


@contextlib.contextmanager
def _pillow():
    """Switch off Pillow's size limit, which `check_size` replaces, and yield the list of its warnings.

    The limit and the warnings are settings of the whole process, so photos must be read one at a time.
    """
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            yield caught
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _why_not(data):
    """Return the reason why Pillow does not open a file, for an error sentence."""
    if data[:4] in (b"II*\0", b"MM\0*"):
        import tifffile
        with contextlib.suppress(Exception), tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page = tiff.pages[0]
            return (f"a TIFF of {page.samplesperpixel} x {page.dtype} samples ({page.photometric.name}) is not read; "
                    "save it with 8 or 16 bits per sample")
    return "not a JPEG, PNG, TIFF or WebP picture, or broken in its first bytes; convert it to one of these"


def _depth(image, data):
    """Return 16 for a file with more than 8 bits per sample, else 8."""
    if image.format == "PNG":
        return 16 if data[24] == 16 else 8  # the bit depth of IHDR, always the first chunk
    if image.format == "TIFF":
        return 16 if max(image.tag_v2.get(258, (1,))) > 8 else 8
    return 8


def _pixel_bytes(image, depth):
    """Return the bytes of a decoded pixel: channels x bytes per sample, in the file or after conversion, if more."""
    channels = max(len(image.getbands()), len(_MODES.get(image.mode, "").rstrip("A")) + image.has_transparency_data)
    if image.format == "TIFF":   # it may have further channels, which are decoded and dropped
        channels = max(channels, image.tag_v2.get(277, 1))
    return channels * depth // 8


def _check_scans(path, format, data):
    """Raise UserError for a progressive JPEG of hundreds of scans, which would take minutes to decode."""
    if format not in ("JPEG", "MPO"):
        return
    scans, place = 0, 2
    while (marker := _MARKER.search(data, place)) and marker[1] != b"\xd9":   # the end of the picture
        scans += marker[1] == b"\xda"
        if scans > _MAX_SCANS:
            raise UserError(f"{path}: a progressive JPEG of more than {_MAX_SCANS} scans is not read; save it again")
        place = marker.end() + int.from_bytes(data[marker.end():marker.end() + 2])   # skips the marker's segment


# A marker that begins a segment. 0xff 0x00 is a data byte of 255 in a scan; markers 1 and 0xd0 to 0xd8 have no segment.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)


def _decode_8(path, image):
    """Return samples (H, W, C) uint8, C = 1, 3 or 4 (CMYK), and alpha (H, W) float32 or None."""
    if image.mode not in _MODES:
        raise UserError(f"{path}: {image.mode} pictures are not read; save it as RGB")
    mode = _MODES[image.mode]
    if "A" not in mode and image.has_transparency_data:  # a palette entry or a colour marked as transparent
        mode = "RGBA"
    image.load()
    samples = np.asarray(image if image.mode == mode else image.convert(mode))   # convert would copy
    samples = samples[..., None] if samples.ndim == 2 else samples
    return (samples[..., :-1], unit(samples[..., -1])) if mode.endswith("A") else (samples, None)


def _decode_16(path, image, data):
    """Return samples (H, W, C) uint16, C = 1, 3 or 4 (CMYK), and alpha (H, W) float32 or None."""
    if image.format == "TIFF":
        return _decode_tiff(path, image, data)
    import imagecodecs
    samples = np.atleast_3d(imagecodecs.png_decode(data))
    if samples.shape[2] % 2 == 0:  # grey or RGB, each with alpha
        return samples[..., :-1], unit(samples[..., -1])
    return samples, None


def _decode_tiff(path, image, data):
    """Decode the first page of a 16-bit TIFF, of any compression, byte order and planar layout."""
    import tifffile
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        photometric = page.photometric.name
        colours = {"MINISWHITE": 1, "MINISBLACK": 1, "RGB": 3, "SEPARATED": 4}.get(photometric)
        if colours is None or page.dtype != np.uint16 or page.bitspersample != 16:
            raise UserError(f"{path}: a TIFF of {page.bitspersample}-bit {page.dtype} samples ({photometric}) is not "
                            "read; save it as RGB with 8 or 16 bits per sample")
        if page.nbytes > image.width * image.height * _pixel_bytes(image, 16):
            raise ValueError("its tags contradict each other")   # `check_size` saw tags other than the decoded ones
        samples = page.asarray()
        if samples.ndim == 3 and page.axes.startswith("S"):
            samples = np.moveaxis(samples, 0, 2)
        extra = page.extrasamples[0] if page.extrasamples else None
    samples = np.atleast_3d(samples)
    if photometric == "MINISWHITE":
        samples = 65535 - samples
    colour = samples[..., :colours]
    if extra not in (_ASSOCIATED, _UNASSOCIATED):
        return colour, None
    alpha = samples[..., colours]
    if extra == _ASSOCIATED:
        plain = colour * (65535 / np.maximum(alpha, 1)[..., None].astype(np.float32))
        colour = plain.round().clip(0, 65535).astype(np.uint16)
    return colour, unit(alpha)


def _exif(image):
    """Return the picture's `Image.Exif` and a list of notes; damaged EXIF data gives an empty one and a note."""
    try:
        exif = image.getexif()
        describe(exif, image.size)
        return exif, []
    except Exception:  # as in `_naming`, damaged bytes can raise any exception; the pixels are still good
        return Image.Exif(), ["its EXIF data is damaged and was left out"]


def _damage(caught):
    """Return a note for each of Pillow's warnings about damaged parts."""
    words = dict.fromkeys(str(warning.message).strip() for warning in caught
                          if issubclass(warning.category, UserWarning))
    return [f"damaged in part: {line}" for line in words]


def _mode_notes(mode, samples):
    if mode == "CMYK":
        return ["CMYK: converted to RGB"]
    if mode in ("P", "PA"):
        return ["palette picture: converted to RGB"]
    return ["grey picture: converted to RGB"] if samples.shape[2] == 1 else []
