"""PNG chunks: the colour space that a file names, and the chunks of profile, EXIF, XMP and resolution to write."""
import struct
import zlib

from core.files import UserError
from core.photo.profile import D65, P3_PRIMARIES, REC2020_PRIMARIES, SRGB_PRIMARIES, rgb_profile

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# ITU-T H.273: colour primaries and transfer characteristics, of cICP chunks and HEIC's nclx boxes
_PRIMARIES = {1: SRGB_PRIMARIES, 9: REC2020_PRIMARIES, 12: P3_PRIMARIES}
_GAMMAS = {1: 1 / 0.45, 4: 2.2, 5: 2.8, 6: 1 / 0.45, 8: 1.0, 13: None, 14: 1 / 0.45, 15: 1 / 0.45}
_HDR = {16: "PQ", 18: "HLG"}


def named_profile(data: bytes, icc: bytes) -> tuple[bytes, list[str]]:
    """Return the ICC profile of the colour space that a PNG's chunks name, empty for sRGB, and a list of notes.

    The order is that of the standard (third edition): cICP, iCCP (given as `icc`), sRGB, gAMA and cHRM. Raises
    UserError for HDR (PQ, HLG).
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
    if near and (gamma is None or abs(gamma - 2.2) < 0.02):   # what writers of sRGB put there
        return b"", []
    try:
        return rgb_profile(SRGB_PRIMARIES if near else primaries, D65 if near else white, gamma or 2.2), []
    except ValueError:
        return b"", ["its gAMA or cHRM chunk is damaged: taken as sRGB"]


def coded_profile(primaries: int, transfer: int, icc: bytes = b"") -> tuple[bytes, list[str]]:
    """Return the profile of code points of ITU-T H.273, or `icc` and a note where they are unknown.

    Raises UserError for HDR (PQ, HLG).
    """
    if transfer in _HDR:
        raise UserError(f"an HDR picture ({_HDR[transfer]}) is not edited; convert it to SDR, such as Display P3")
    if primaries not in _PRIMARIES or transfer not in _GAMMAS:
        return icc, [f"its colour code points ({primaries}, {transfer}) are unknown: taken as "
                     f"{'its ICC profile says' if icc else 'sRGB'}"]
    if primaries == 1 and transfer in (1, 6, 13):   # BT.709 is displayed as sRGB
        return icc, []
    return rgb_profile(_PRIMARIES[primaries], D65, _GAMMAS[transfer]), []


def _chunks(data):
    """Return {type: data} of the chunks before the pixels; the first of a type counts."""
    found, place = {}, len(_SIGNATURE)
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"IDAT":
            break
        found.setdefault(kind, data[place + 8:place + 8 + size])
        place += size + 12
    return found


def with_metadata(png: bytes, icc: bytes, exif: bytes, xmp: bytes, dpi) -> bytes:
    """Insert chunks of profile, resolution, EXIF and XMP after the header chunk of an encoded PNG."""
    header, chunks = len(_SIGNATURE) + 25, b""
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
