"""PNG chunks: leave out damaged ones, find the colour space that a file names, and write the metadata of a photo."""
import itertools
import struct
import zlib

from core.files import UserError
from core.photo.profile import D65, P3_PRIMARIES, REC2020_PRIMARIES, SRGB_PRIMARIES, rgb_profile

PNG = b"\x89PNG\r\n\x1a\n"
# ITU-T H.273: colour primaries and transfer characteristics, of cICP chunks and HEIC's nclx boxes
_PRIMARIES = {1: SRGB_PRIMARIES, 9: REC2020_PRIMARIES, 12: P3_PRIMARIES}
_GAMMAS = {1: 1 / 0.45, 4: 2.2, 5: 2.8, 6: 1 / 0.45, 8: 1.0, 13: None, 14: 1 / 0.45, 15: 1 / 0.45}
_HDR = {16: "PQ", 18: "HLG"}
_SIZES = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4, b"acTL": 8, b"fcTL": 26}
_TRANSPARENT = {0: (2,), 2: (6,), 3: range(1, 257)}   # sizes of tRNS, by the colour type of IHDR
_MOST_TEXT, _MOST_ICC = 1 << 20, 1 << 24   # bytes, inflated


def sound(png: bytes) -> tuple[bytes, bytes, list[str]]:
    """Return a PNG without its profile and without metadata chunks that are damaged or too large, the profile, notes.

    Pillow refuses a whole file for one such chunk.
    """
    kept, icc, lost = [png[:len(PNG)]], b"", {}
    for kind, body, chunk in _walk(png):
        try:
            if kind == b"iCCP":
                icc = icc or _inflated(body.partition(b"\0")[2][1:], _MOST_ICC)
                continue
            if kind[0] & 32:   # a small letter: the picture can be decoded without the chunk
                _check_chunk(kind, body, chunk, png[25])
            kept.append(chunk)
        except (ValueError, zlib.error):
            lost[kind.decode("latin-1")] = None
    return b"".join(kept), icc, [f"its {kind} chunk is damaged or too large and was left out" for kind in lost]


def pixels_only(png: bytes) -> bytes:
    """Return a PNG of the chunks that its pixels need; libpng prints warnings about others."""
    return png[:len(PNG)] + b"".join(
        chunk for kind, _, chunk in _walk(png) if not kind[0] & 32 or kind == b"tRNS")


def _check_chunk(kind, body, chunk, colour):
    """Raise ValueError or zlib.error for a damaged metadata chunk, or for a text of more than _MOST_TEXT bytes."""
    if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
        raise ValueError("other bytes than were written")
    if len(body) != _SIZES.get(kind, len(body)) or (kind == b"tRNS" and len(body) not in _TRANSPARENT.get(colour, ())):
        raise ValueError("wrong size")
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        if len(body) > _MOST_TEXT:
            raise ValueError("too large")
        rest = body.partition(b"\0")[2]
        if kind == b"zTXt":
            _inflated(rest[1:], _MOST_TEXT)
        elif kind == b"iTXt" and rest[:1] == b"\1":
            _inflated(rest[2:].split(b"\0", 2)[-1], _MOST_TEXT)


def _inflated(data, most):
    """Return inflated data. Raises ValueError if it has more than `most` bytes or is cut short, and zlib.error."""
    reader = zlib.decompressobj()
    result = reader.decompress(data, most)
    if not reader.eof:
        raise ValueError("too large or cut short")
    return result


def _walk(png):
    """Yield (type, data, whole chunk) of each chunk, up to the end of the picture."""
    place = len(PNG)
    while place + 8 <= len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        end = place + size + 12
        yield kind, png[place + 8:end - 4], png[place:end]
        if kind == b"IEND":
            break
        place = end


def named_profile(data: bytes, icc: bytes) -> tuple[bytes, list[str]]:
    """Return the ICC profile of the colour space that a PNG's chunks name, empty for sRGB, and a list of notes.

    If several chunks name a colour space, the first of these counts, as in the standard (third edition): cICP, iCCP
    (given as `icc`), sRGB, gAMA and cHRM. Raises UserError for HDR (PQ, HLG).
    """
    chunks = _chunks(data)
    if len(cicp := chunks.get(b"cICP", b"")) == 4:
        return coded_profile(cicp[0], cicp[1], icc)
    if icc or b"sRGB" in chunks:
        return icc, []
    gamma, primaries, white = None, SRGB_PRIMARIES, D65
    if len(gama := chunks.get(b"gAMA", b"")) == 4 and (value := int.from_bytes(gama, "big")):
        gamma = 100000 / value
    if len(chrm := chunks.get(b"cHRM", b"")) == 32:
        points = [value / 100000 for value in struct.unpack(">8I", chrm)]
        white, *found = zip(points[::2], points[1::2], strict=True)
        primaries = tuple(found)
    near = max(abs(a - b) for pair, known in zip((*primaries, white), (*SRGB_PRIMARIES, D65), strict=True)
               for a, b in zip(pair, known, strict=True)) < 2e-3
    if near and (gamma is None or abs(gamma - 2.2) < 0.02):   # programs write these values for sRGB
        return b"", []
    try:
        return rgb_profile(SRGB_PRIMARIES if near else primaries, D65 if near else white, gamma or 2.2), []
    except ValueError:
        return b"", ["its gAMA or cHRM chunk is damaged: taken as sRGB"]


def coded_profile(primaries: int, transfer: int, icc: bytes = b"") -> tuple[bytes, list[str]]:
    """Return the profile for code points of ITU-T H.273, and a list of notes; for unknown code points, return `icc`.

    Raises UserError for HDR (PQ, HLG).
    """
    if transfer in _HDR:
        raise UserError(f"HDR pictures ({_HDR[transfer]}) cannot be edited; convert it to SDR, such as Display P3")
    if primaries not in _PRIMARIES or transfer not in _GAMMAS:
        return icc, [f"the photo's colour code points ({primaries}, {transfer}) are unknown: "
                     f"{'its ICC profile is used instead' if icc else 'taken as sRGB'}"]
    if primaries == 1 and transfer in (1, 6, 13):   # BT.709 is displayed as sRGB
        return icc, []
    return rgb_profile(_PRIMARIES[primaries], D65, _GAMMAS[transfer]), []


def _chunks(data):
    """Return {type: data} of the chunks before the pixels; the first of a type counts."""
    found = {}
    for kind, body, _ in itertools.takewhile(lambda chunk: chunk[0] != b"IDAT", _walk(data)):
        found.setdefault(kind, body)
    return found


def with_metadata(png: bytes, icc: bytes, exif: bytes, xmp: bytes, dpi: tuple[float, float] | None) -> bytes:
    """Insert chunks of profile, resolution, EXIF and XMP after the header chunk of an encoded PNG."""
    header, chunks = len(PNG) + 25, b""
    if icc:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if dpi:
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *(round(value / 0.0254) for value in dpi), 1))
    if exif:
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    if xmp:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    return png[:header] + chunks + png[header:]


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
