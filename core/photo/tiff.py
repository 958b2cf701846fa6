"""TIFF files: choose the photo among thumbnails and pages, decode any layout, and write photos with their metadata."""
import contextlib
import io
import logging
import math
import re
import struct
import threading
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from core.files import UserError
from core.photo.metadata import interoperability, written
from core.photo.photo import check_size

_COLOURS = {"MINISWHITE": 1, "MINISBLACK": 1, "PALETTE": 3, "RGB": 3, "YCBCR": 3, "SEPARATED": 4}   # channels
_REDUCED, _MASK = 1, 4   # bits of NewSubfileType: a thumbnail, a transparency mask
_ASSOCIATED, _UNASSOCIATED = 1, 2   # ExtraSamples: colours are multiplied by alpha, or not
_XMP, _IPTC, _ICC = 700, 33723, 34675
_LONG = 4   # the type of an offset
_MOST_PAGES = 100   # that are looked at
# The tags that `metadata.describe` keeps in the first directory
_FIRST = (270, 271, 272, 274, 305, 306, 315, 316, 18246, 18249, 33432, 40091, 40092, 40093, 40094, 40095)


class _Log(logging.Handler):
    """Collects tifffile's messages about damaged tags, for each thread; without a handler they would be printed."""

    def __init__(self):
        super().__init__()
        self.of_thread = threading.local()

    def emit(self, record):
        self.lines().append(re.sub(r"<[^<>]*> *", "", record.getMessage()))

    def lines(self):
        return self.of_thread.__dict__.setdefault("lines", [])


_LOG = _Log()
logging.getLogger("tifffile").addHandler(_LOG)


def read_tiff(path: Path | str, data: bytes, max_pixels: int, max_bytes: int) -> tuple:
    """Decode the largest full-resolution picture of a TIFF, of any compression, byte order and layout.

    Returns: samples (H, W, C) uint8, uint16 or float32 in [0, 1], C = 1, 3 or 4 (CMYK); alpha (H, W) float32 or None;
    the depth, 8, 16 or 32; a dict of the tags `icc`, `exif` (an Image.Exif), `xmp`, `iptc` and `dpi`; a list of notes.
    Raises UserError, which names the layout, if the layout is not supported.
    """
    import tifffile
    _LOG.lines().clear()
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page, notes = _choose(tiff)
        kind, channels = getattr(page.photometric, "name", str(page.photometric)), page.samplesperpixel
        _check(path, page, kind)
        check_size(path, page.imagewidth, page.imagelength, channels * page.dtype.itemsize, max_pixels, max_bytes)
        if not page.imagewidth * page.imagelength:
            raise ValueError("it has no pixels")
        _check_strips(page)
        samples = page.asarray()
        samples = np.atleast_3d(np.moveaxis(samples, 0, 2) if page.axes == "SYX" else samples)
        extra = [int(value) for value in page.extrasamples or ()]
        samples = _levels(samples, page, kind, notes)
        tags = _tags(tiff, page, data, notes)
    if kind == "MINISWHITE":
        samples = 1 - samples if samples.dtype == np.float32 else np.iinfo(samples.dtype).max - samples
    colours = _COLOURS[kind]
    colour, alpha = samples[..., :colours], None
    for place, meaning in enumerate(extra):
        if meaning in (_ASSOCIATED, _UNASSOCIATED) and alpha is None:
            colour, alpha = _unmultiply(colour, samples[..., colours + place], meaning == _ASSOCIATED)
    if unknown := samples.shape[2] - colours - (alpha is not None):
        notes.append(f"{unknown} channel(s) beside the colours are left out")
    depth = {1: 8, 2: 16, 4: 32}[samples.dtype.itemsize]
    return colour, alpha, depth, tags, [*notes, *(f"damaged in part: {line}" for line in dict.fromkeys(_LOG.lines()))]


def _choose(tiff):
    """Return the page that holds the photo, and notes on the others."""
    pages = []
    for page in tiff.pages[:_MOST_PAGES] if len(tiff.pages) > 1 else tiff.pages:
        pages += [page, *(page.pages or ())]
    if not pages:
        raise ValueError("it holds no picture")
    pages = [page.aspage() for page in pages]
    whole = [page for page in pages if not page.subfiletype & (_REDUCED | _MASK)] or pages
    chosen = max(whole, key=lambda page: page.imagewidth * page.imagelength)   # the first of the largest
    if len(pages) == 1:
        return chosen, []
    sizes = dict.fromkeys(f"{page.imagewidth} x {page.imagelength}" for page in pages if page is not chosen)
    more = ", ..." if len(sizes) > 3 or len(tiff.pages) > _MOST_PAGES else ""
    return chosen, [f"{max(len(pages), len(tiff.pages))} frames or pages: only one of {chosen.imagewidth} x "
                    f"{chosen.imagelength} is read, the others ({', '.join(list(sizes)[:3])}{more}) are left out"]


def _check(path, page, kind):
    """Raise UserError if the layout of a page is not supported, with its name and the remedy."""
    import tifffile
    bits, channels = page.bitspersample, page.samplesperpixel
    remedy = "save it as RGB with 8 or 16 bits per sample"
    if kind not in _COLOURS:
        names = {"CIELAB": "CIELAB", "ICCLAB": "CIELAB", "ITULAB": "CIELAB", "CFA": "a raw mosaic",
                 "LINEAR_RAW": "linear raw"}
        raise UserError(f"{path}: a TIFF whose colours are {names.get(kind, kind)} is not read; {remedy}")
    if kind == "SEPARATED" and channels < 4:
        raise UserError(f"{path}: a TIFF of {channels} inks is not read; {remedy}")
    if page.dtype is None or page.dtype.kind not in "buf" or (page.dtype.kind == "u" and bits > 16):
        kinds = {"i": "signed integers", "u": "integers", "c": "complex numbers"}
        what = kinds.get(getattr(page.dtype, "kind", ""), "samples")
        raise UserError(f"{path}: a TIFF of {bits}-bit {what} is not read; {remedy}")
    if kind == "YCBCR" and page.compression == 1:
        raise UserError(f"{path}: a TIFF of YCbCr samples without compression is not read; {remedy}")
    try:
        tifffile.TIFF.DECOMPRESSORS[page.compression]
    except KeyError:
        compression = getattr(page.compression, "name", page.compression)
        raise UserError(f"{path}: a TIFF with {compression} compression is not read; save it without compression, or "
                        "with Deflate") from None
    if channels < (1 if kind == "PALETTE" else _COLOURS[kind]) or page.imagedepth != 1:
        raise UserError(f"{path}: a TIFF of {channels} channel(s) ({kind}) is not read; {remedy}")


def _check_strips(page):
    """Raise ValueError if strips or tiles are missing; tifffile would fill them with black."""
    expected = math.prod(page.chunked)
    parts = zip(page.dataoffsets, page.databytecounts, strict=False)   # a damaged file has lists of different lengths
    found = sum(1 for place, size in parts if place and size)
    if found < expected and not page.is_contiguous:
        raise ValueError(f"{expected - found} of its {expected} strips or tiles are missing")


def _levels(samples, page, kind, notes):
    """Return samples that use the whole range of uint8 or uint16, or float32 in [0, 1]; palette indices become RGB."""
    bits = page.bitspersample
    if kind == "PALETTE":
        notes.append("palette picture: converted to RGB")
        colours = np.asarray(page.colormap, np.uint16).T   # (entries, 3)
        return (colours[samples[..., 0]] >> 8).astype(np.uint8)
    if samples.dtype.kind == "f":
        return clipped(samples, notes)
    if bits in (8, 16):
        return samples
    top = 255 if bits < 8 else 65535
    return np.rint(samples * (top / (2**bits - 1))).astype(np.uint8 if bits < 8 else np.uint16)


def clipped(samples: np.ndarray, notes: list[str]) -> np.ndarray:
    """Return floating-point samples as float32 in [0, 1]; NaN becomes 0. A note goes to `notes` if any is changed."""
    with np.errstate(over="ignore"):   # a large number becomes infinite
        samples = samples.astype(np.float32)
    if np.isfinite(samples).all() and samples.min() >= 0 and samples.max() <= 1:
        return samples
    notes.append("floating-point samples outside [0, 1] are clipped")
    return np.nan_to_num(samples, nan=0.0).clip(0, 1)


def _unmultiply(colour, alpha, associated):
    """Return colour samples that are not multiplied by alpha, and alpha (H, W) float32 in [0, 1].

    `associated` says that the given colour samples are multiplied by alpha.
    """
    top = 1 if alpha.dtype == np.float32 else np.iinfo(alpha.dtype).max
    share = (alpha / np.float32(top)).astype(np.float32)
    if associated:
        plain = colour / np.maximum(share, 1 / 65535)[..., None]
        colour = plain.clip(0, 1) if top == 1 else plain.round().clip(0, top).astype(colour.dtype)
    return colour, share


def _tags(tiff, page, data, notes):
    """Return the metadata of a page; tags that it lacks come from the first page. Notes on damage go to `notes`."""
    def raw(code):
        tag = page.tags.get(code) or tiff.pages.first.tags.get(code)
        return data[tag.valueoffset:tag.valueoffset + tag.valuebytecount] if tag else b""

    exif = Image.Exif()
    try:
        if tiff.is_bigtiff:   # Pillow does not read its EXIF data
            found = {code: page.tags[code].value for code in _FIRST if code in page.tags}
            exif.update({code: value.encode().decode("latin-1") if isinstance(value, str) else value
                         for code, value in found.items()})   # texts as Pillow gives them
            if IFD.Exif in page.tags or IFD.GPSInfo in page.tags:
                raise ValueError("unread")
        else:
            exif.load_from_fp(io.BytesIO(data))
    except Exception:   # damaged tags can raise any exception; the pixels are still good
        notes.append("its EXIF data cannot be read in full")
    if page is not tiff.pages.first and 274 in page.tags:
        exif[274] = page.tags[274].value
    dpi = None
    with contextlib.suppress(Exception):
        unit = {2: 1.0, 3: 2.54}[int(page.resolutionunit)]
        dpi = tuple(float(value) * unit for value in page.resolution)
    return {"icc": raw(_ICC), "exif": exif, "xmp": raw(_XMP).rstrip(b"\0"), "iptc": raw(_IPTC), "dpi": dpi}


def write_tiff(samples: np.ndarray, exif: bytes, icc: bytes, xmp: bytes, iptc: bytes,
               dpi: tuple[float, float] | None) -> bytes:
    """Encode samples (H, W, 3 or 4) uint8, uint16 or float32 with Deflate; return the bytes of a TIFF."""
    import tifffile
    kept = Image.Exif()
    if exif:
        kept.load(exif)
    extra = [(code, "B", len(value), value, True) for code, value in ((_XMP, xmp), (_IPTC, iptc)) if value]
    file = io.BytesIO()
    resolution = {"resolution": dpi, "resolutionunit": "INCH"} if dpi else {}
    tifffile.imwrite(file, samples, photometric="rgb", compression="zlib", predictor=True, iccprofile=icc or None,
                     extrasamples=["unassalpha"] if samples.shape[2] == 4 else None, metadata=None, software=False,
                     byteorder="<", rowsperstrip=max(1, 2**20 // samples[0].nbytes), extratags=extra, **resolution)
    details = dict(kept.get_ifd(IFD.Exif))
    if interop := interoperability(kept):
        details[IFD.Interop] = interop
    first = {code: kept[code] for code in _FIRST if code in kept}
    return _with_directories(file.getvalue(), {None: first, IFD.Exif: details,
                                               IFD.GPSInfo: dict(kept.get_ifd(IFD.GPSInfo))})


def _with_directories(tiff, directories):
    """Append to a TIFF directories {tag: {tag: value}} and a new first directory, which points to them.

    The tags of the directory None are added to the first one. Pillow gives the values their types: tifffile writes no
    EXIF and GPS directories, and refuses damaged values and text that is not ASCII. The old first directory stays in
    the file as unused bytes.
    """
    place, = struct.unpack_from("<I", tiff, 4)
    entries, result = _entries(tiff, place), bytearray(tiff)
    for code, tags in directories.items():
        if not tags:
            continue
        result += b"\0" * (len(result) % 2)
        directory = ImageFileDirectory_v2(b"II*\0\0\0\0\0", group=code and int(code))
        for tag, value in written(tags).items():
            directory[tag] = value
        block = directory.tobytes(len(result))
        entries += [struct.pack("<HHII", code, _LONG, 1, len(result))] if code else _entries(block, 0)
        result += block
    result += b"\0" * (len(result) % 2)
    struct.pack_into("<I", result, 4, len(result))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry))   # as the format requires
    return bytes(result + struct.pack("<H", len(entries)) + b"".join(entries) + b"\0" * 4)


def _entries(data, place):
    """Return the entries of a directory, 12 bytes each."""
    count, = struct.unpack_from("<H", data, place)
    return [data[start:start + 12] for start in range(place + 2, place + 2 + 12 * count, 12)]
