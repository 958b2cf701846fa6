"""A gallery of small photo files: one scene in as many formats, depths and colour spaces as cameras and editors write.

`write(folder)` writes the files and returns, for each, the expected properties of an unedited copy.
"""
import io
import struct
import zlib
from dataclasses import dataclass

import imagecodecs
import numpy as np
import tifffile
from dng import write_dng
from PIL import Image

from core.photo.profile import (
    ADOBE_GAMMA,
    ADOBE_PRIMARIES,
    D65,
    P3_PRIMARIES,
    REC2020_PRIMARIES,
    SRGB_PRIMARIES,
    rgb_profile,
)

D50, PROPHOTO = (0.3457, 0.3585), ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
SRGB_CURVE = None
XMP = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
       b'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"'
       b'%s/></rdf:RDF></x:xmpmeta>')
GAIN_MAP = b' xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
IPTC = b"\x1c\x02\x19\x00\x05beach" + b"\x1c\x02\x78\x00\x07caption"


@dataclass(frozen=True)
class Case:
    """A file of the gallery and its expectations: depth, words of the profile's name, a word of a note, metadata."""

    name: str
    depth: int = 8
    profile: str = ""
    note: str = ""
    kept: tuple[str, ...] = ()
    grey: bool = False
    size: tuple[int, int] = (48, 32)


def scene():
    """Return the scene: six shaded patches of linear sRGB, (32, 48, 3) in [0, 1], inside each of the colour spaces.

    The shades let the rounding to 8 bits cancel out in the mean; a palette of 256 holds them all.
    """
    colours = [[0.5, 0.25, 0.18], [0.2, 0.4, 0.15], [0.12, 0.2, 0.5], [0.6, 0.55, 0.5], [0.05, 0.05, 0.06],
               [0.45, 0.35, 0.1]]
    shades = np.tile(np.linspace(0.75, 1.25, 16), 3)[:, None]
    return np.kron(np.array(colours).reshape(2, 3, 3), np.ones((16, 16, 1))) * shades


def to_xyz(primaries, white):
    """Return the matrix of linear RGB to XYZ under D50, worked out here (Bradford)."""
    xyz = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    source, target = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in (white, D50))
    cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    return np.linalg.inv(cone) @ np.diag((cone @ target) / (cone @ source)) @ cone @ (
        xyz * np.linalg.solve(xyz, source))


def encoded(primaries=SRGB_PRIMARIES, gamma=SRGB_CURVE, white=D65, depth=8):
    """Return the scene as samples of a colour space: uint8, uint16, or float32 for a depth of 32."""
    matrix = np.linalg.inv(to_xyz(primaries, white)) @ to_xyz(SRGB_PRIMARIES, D65)
    linear = (scene() @ matrix.T).clip(0, 1)
    if gamma is SRGB_CURVE:
        values = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    else:
        values = linear ** (1 / gamma)
    if depth == 32:
        return values.astype(np.float32)
    return np.rint(values * (2**depth - 1)).astype(np.uint8 if depth == 8 else np.uint16)


def lab():
    """Return the mean L*a*b* (D50) of the scene."""
    xyz = scene() @ to_xyz(SRGB_PRIMARIES, D65).T / np.array([D50[0] / D50[1], 1, (1 - sum(D50)) / D50[1]])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])],
                    -1).mean((0, 1))


def write(folder):
    """Write the gallery; return its Cases."""
    cases = []

    def add(name, data=None, **expected):
        if data is not None:
            (folder / name).write_bytes(data)
        cases.append(Case(name, **expected))

    for part in (_jpegs, _pngs, _tiffs, _others):
        part(folder, add)
    return cases


def pil(samples, format, **options):
    file = io.BytesIO()
    image = samples if isinstance(samples, Image.Image) else Image.fromarray(samples)
    image.save(file, format, **options)
    return file.getvalue()


def _jpegs(folder, add):
    def jpeg(samples, **options):
        return pil(samples, "JPEG", quality=100, subsampling=0, **options)

    p3, adobe = rgb_profile(P3_PRIMARIES), rgb_profile(ADOBE_PRIMARIES, gamma=ADOBE_GAMMA)
    in_p3, in_adobe = encoded(P3_PRIMARIES), encoded(ADOBE_PRIMARIES, ADOBE_GAMMA)
    add("plain.jpg", jpeg(encoded()))
    add("progressive.JPG", jpeg(encoded(), progressive=True))
    add("suffix.jfif", jpeg(encoded()))
    add("suffix.jpe", jpeg(encoded()))
    add("srgb_profile.jpg", jpeg(encoded(), icc_profile=rgb_profile(SRGB_PRIMARIES)), profile="sRGB")
    add("p3.jpg", jpeg(in_p3, icc_profile=p3), profile="Display P3")
    add("adobe.jpg", jpeg(in_adobe, icc_profile=adobe), profile="Adobe RGB")
    add("grey.jpg", jpeg(encoded()[..., 1]), grey=True, note="grey")
    add("print.jpg", jpeg(encoded(), dpi=(300, 300)), kept=("dpi",))
    segment = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
    app13 = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    add("words.jpg", jpeg(encoded(), xmp=XMP % b"", extra=app13), kept=("rating", "iptc"))
    add("gain_map.jpg", jpeg(encoded(), xmp=XMP % GAIN_MAP), kept=("rating",), note="gain map")
    first, second = Image.fromarray(encoded()), Image.fromarray(encoded()[::2, ::2])
    add("two_pictures.jpg", pil(first, "MPO", save_all=True, append_images=[second], quality=100, subsampling=0),
        note="2 frames")
    for name, tags in (("exif_r03.jpg", {0x8769: {40961: 65535, 40965: {1: "R03", 2: b"0100"}}}),
                       ("exif_colour_space.jpg", {0x8769: {40961: 2}})):
        exif = Image.Exif()
        exif.update(tags)
        add(name, jpeg(in_adobe, exif=exif.tobytes()), profile="Adobe RGB")
    exif = Image.Exif()
    exif.update({274: 6, 271: "LDIE"})
    add("turned.jpg", jpeg(np.rot90(encoded()).copy(), exif=exif.tobytes()), kept=("camera",))


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pngs(folder, add):
    def png(samples, *chunks):
        data = imagecodecs.png_encode(np.ascontiguousarray(samples))
        return data[:33] + b"".join(_chunk(*chunk) for chunk in chunks) + data[33:]

    def iccp(profile):
        return b"iCCP", b"p\0\0" + zlib.compress(profile)

    points = [value for pair in (D65, *ADOBE_PRIMARIES) for value in pair]
    chrm = b"cHRM", struct.pack(">8I", *(round(value * 100000) for value in points))
    gama = b"gAMA", struct.pack(">I", 45455)
    add("plain.png", png(encoded()))
    add("deep.png", png(encoded(depth=16)), depth=16)
    add("srgb_chunk.png", png(encoded(), (b"sRGB", b"\0"), gama))
    add("p3.png", png(encoded(P3_PRIMARIES), iccp(rgb_profile(P3_PRIMARIES))), profile="Display P3")
    add("prophoto.png", png(encoded(PROPHOTO, 1.8, D50, 16), iccp(rgb_profile(PROPHOTO, D50, 1.8))), depth=16,
        profile="ProPhoto")
    add("cicp_p3.png", png(encoded(P3_PRIMARIES), (b"cICP", bytes([12, 13, 0, 1]))), profile="Display P3")
    add("cicp_2020.png", png(encoded(REC2020_PRIMARIES, 1 / 0.45, depth=16), (b"cICP", bytes([9, 14, 0, 1]))),
        depth=16, profile="Rec. 2020")
    add("cicp_over_icc.png", png(encoded(P3_PRIMARIES), iccp(rgb_profile(ADOBE_PRIMARIES, gamma=ADOBE_GAMMA)),
                                 (b"cICP", bytes([12, 13, 0, 1]))), profile="Display P3")
    add("linear.png", png(encoded(gamma=1.0, depth=16), (b"gAMA", struct.pack(">I", 100000))), depth=16,
        profile="sRGB primaries")
    add("adobe_chrm.png", png(encoded(ADOBE_PRIMARIES, 2.2), gama, chrm), profile="Adobe RGB")
    add("palette.png", pil(Image.fromarray(encoded()).quantize(256), "PNG"), note="palette")
    add("grey.png", png(encoded(depth=16)[..., 1]), depth=16, grey=True, note="grey")
    opaque = np.dstack([encoded(), np.full((32, 48), 255, np.uint8)])
    add("alpha.png", png(opaque))
    packet = b"XML:com.adobe.xmp\0\0\0\0\0" + XMP % b""
    add("words.png", png(encoded(), (b"pHYs", struct.pack(">IIB", 9449, 9449, 1)), (b"iTXt", packet)),
        kept=("rating", "dpi"))


def _tiffs(folder, add):
    def tiff(name, samples, photometric="rgb", **options):
        tifffile.imwrite(folder / name, samples, photometric=photometric, metadata=None, **options)

    rows = {
        "plain.tif": ({}, 8), "deep.tif": ({}, 16), "deep.TIFF": ({"byteorder": ">"}, 16),
        "lzw.tif": ({"compression": "lzw", "predictor": True}, 16), "deflate.tif": ({"compression": "zlib"}, 8),
        "jpeg_inside.tif": ({"compression": "jpeg", "compressionargs": {"level": 100}}, 8),
        "webp_inside.tif": ({"compression": "webp", "compressionargs": {"level": 101}}, 8),
        "jxl_inside.tif": ({"compression": "jpegxl"}, 8), "tiles.tif": ({"tile": (16, 16)}, 16),
        "big.tif": ({"bigtiff": True}, 16), "float.tif": ({}, 32)}
    for name, (options, depth) in rows.items():
        tiff(name, encoded(depth=depth), **options)
        add(name, depth=depth)
    tiff("half.tif", encoded(depth=32).astype(np.float16))
    add("half.tif", depth=32)
    tiff("planes.tif", np.moveaxis(encoded(depth=16), 2, 0), planarconfig="separate")
    add("planes.tif", depth=16)
    tiff("adobe.tif", encoded(ADOBE_PRIMARIES, ADOBE_GAMMA, depth=16),
         iccprofile=rgb_profile(ADOBE_PRIMARIES, gamma=ADOBE_GAMMA))
    add("adobe.tif", depth=16, profile="Adobe RGB")
    tiff("negative.tif", 255 - encoded()[..., 1], photometric="miniswhite")
    add("negative.tif", grey=True, note="grey")
    extra = np.dstack([encoded(depth=16), np.full((32, 48, 2), 65535, np.uint16)])
    tiff("five.tif", extra, extrasamples=["unassalpha", "unspecified"])
    add("five.tif", depth=16, note="1 channel")
    xmp = XMP % b""
    tags = [(700, "B", len(xmp), xmp, True), (33723, "B", len(IPTC), IPTC, True), (271, "s", 0, "LDIE", True)]
    tiff("words.tif", encoded(), extratags=tags, resolution=(300, 300), resolutionunit="INCH")
    add("words.tif", kept=("rating", "iptc", "camera", "dpi"))
    with tifffile.TiffWriter(folder / "thumbnail.tif") as file:
        file.write(encoded()[::4, ::4].copy(), photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        file.write(encoded(depth=16), photometric="rgb", subfiletype=0, metadata=None)
    add("thumbnail.tif", depth=16, note="12 x 8")
    with tifffile.TiffWriter(folder / "pages.tif") as file:
        for step in (4, 1, 2):
            file.write(encoded()[::step, ::step].copy(), photometric="rgb", metadata=None)
    add("pages.tif", note="3 frames or pages")


def _others(folder, add):
    add("plain.webp", pil(encoded(), "WEBP", lossless=True))
    add("p3.webp", pil(encoded(P3_PRIMARIES), "WEBP", lossless=True, icc_profile=rgb_profile(P3_PRIMARIES)),
        profile="Display P3")
    add("plain.avif", imagecodecs.avif_encode(encoded(), level=100))
    add("plain.bmp", pil(encoded(), "BMP"))
    add("plain.gif", pil(Image.fromarray(encoded()).quantize(256), "GIF"), note="palette")
    try:
        import pillow_heif
        heif = pillow_heif.from_pillow(Image.fromarray(encoded(P3_PRIMARIES)))
        file = io.BytesIO()
        heif.save(file, quality=100, chroma=444, icc_profile=rgb_profile(P3_PRIMARIES))
        add("p3.heic", file.getvalue(), profile="Display P3")
    except ImportError:
        pass
    try:
        import pillow_jxl  # noqa: F401
        add("plain.jxl", pil(encoded(), "JXL", lossless=True), profile="sRGB")
        add("deep.jxl", imagecodecs.jpegxl_encode(encoded(gamma=1.0, depth=16), lossless=True), depth=16,
            profile="RGB_D65_SRG_Rel_Lin")   # 16-bit samples are linear there
    except ImportError:
        pass
    try:
        import rawpy  # noqa: F401
        write_dng(folder / "bright.dng", *np.full((3, 64, 96), 0.5))
        write_dng(folder / "dark.dng", *np.full((3, 64, 96), 0.125))   # two stops
    except ImportError:
        pass
