"""Metadata: select the EXIF and XMP data that an edited photo keeps, and describe the edit in its XMP packet."""
import contextlib
import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base

UPRIGHT = 1
ADOBE_RGB_INTEROP = "R03"   # DCF 2.0: marks Adobe RGB pixels without an embedded profile
ADOBE_RGB = 2               # value of ColorSpace that the standard lacks; some cameras write this value
MAKER_NOTE = 37500
MOST_XMP = 1 << 20          # bytes; larger packets usually contain pictures

# The tags of the first directory that describe the photo; its other tags describe the layout of the file.
_KEPT = [Base.ImageDescription, Base.Make, Base.Model, Base.XResolution, Base.YResolution, Base.ResolutionUnit,
         Base.Software, Base.DateTime, Base.Artist, Base.HostComputer, Base.Rating, Base.RatingPercent,
         Base.Copyright, Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords, Base.XPSubject]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XAP = "http://ns.adobe.com/xap/1.0/"
_OURS = "urn:ldie:edit:1.0/"
_ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
_WRAPPERS = {"x": "adobe:ns:meta/", "rdf": _RDF, "tiff": _TIFF, "Iptc4xmpExt": _EXT, "xmp": _XAP, "ldie": _OURS}
# Namespaces that describe parts which an edited photo lacks: gain map, depth map, motion photo, extended XMP.
_GAIN_MAP = ("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/")
_DEPTH_MAP = ("http://ns.google.com/photos/1.0/depthmap/", "http://ns.apple.com/depthData/1.0/",
              "http://ns.google.com/photos/dd/1.0/device/")
_GONE = (*_GAIN_MAP, *_DEPTH_MAP, "http://ns.google.com/photos/1.0/container/", "http://ns.adobe.com/xmp/note/",
         "http://ns.google.com/photos/1.0/container/item/", "http://ns.google.com/photos/1.0/camera/",
         "http://ns.apple.com/pixeldatainfo/1.0/")
# Properties that hold width and height.
_SIZES = (f"{{{_TIFF}}}ImageWidth", f"{{{_TIFF}}}ImageLength", f"{{{_EXIF}}}PixelXDimension",
          f"{{{_EXIF}}}PixelYDimension")
_PREFIX = re.compile(r"ns\d+")
_MOST_PREFIXES = 200   # real packets have about 10
_DECLARATION = re.compile(rb"<!(?!--|\[CDATA\[)")


class Text(str):
    """A text of EXIF data that is written as the bytes that were read, in UTF-8 as a rule.

    Pillow decodes texts as Latin-1, and would replace the letters that are not ASCII by question marks.
    """

    def encode(self, *_: str) -> bytes:
        return str.encode(self, "latin-1", "replace")


def written(tags: dict) -> dict:
    """Return {tag: value} with each text as a Text."""
    return {tag: Text(value) if isinstance(value, str) else value for tag, value in tags.items()}


def orientation(exif: Image.Exif) -> int:
    """Return the orientation of an `Image.Exif`, 1 to 8; a missing or invalid value counts as upright."""
    value = exif.get(Base.Orientation)
    return value if value in range(1, 9) else UPRIGHT


def exif_primaries(exif: Image.Exif) -> str | tuple | None:
    """Return the RGB primaries that EXIF data names, for a photo without a profile.

    Returns: the name "Adobe RGB"; or a tuple of three primaries (x, y), white point (x, y), and gamma (None for the
    sRGB curve); or None if EXIF data names no primaries.
    """
    details = exif.get_ifd(IFD.Exif)
    if interoperability(exif).get(1) == ADOBE_RGB_INTEROP or details.get(Base.ColorSpace) == ADOBE_RGB:
        return "Adobe RGB"
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError, KeyError):
        white, points = ([float(value) for value in exif[tag]] for tag in (318, 319))
        if len(white) == 2 and len(points) == 6:
            gamma = details.get(42240)
            return tuple(zip(points[::2], points[1::2], strict=True)), tuple(white), float(gamma) if gamma else None
    return None


def interoperability(exif: Image.Exif) -> dict:
    """Return the tags of the interoperability directory; {} if it is missing."""
    try:
        return dict(exif.get_ifd(IFD.Interop))
    except KeyError:   # Pillow from 12.3 on raises KeyError for a missing directory
        return {}


def describe(exif: Image.Exif, size: tuple[int, int], converted: bool = False, maker_note: bool = True) -> bytes:
    """Return the EXIF bytes to write, with camera, exposure, place and author; empty if there is nothing to keep.

    The orientation becomes upright and the sizes become `size` (width, height). If the pixels were `converted`, the
    colour space becomes sRGB. The thumbnail is left out, because it shows the unedited photo.
    """
    kept = Image.Exif()
    kept.update(written({tag: exif[tag] for tag in _KEPT if tag in exif}))
    details, place = written(exif.get_ifd(IFD.Exif)), written(exif.get_ifd(IFD.GPSInfo))
    interop = interoperability(exif)
    details.pop(IFD.Interop, None)
    if interop and not converted:
        details[IFD.Interop] = interop
    for tag, value in ((Base.ExifImageWidth, size[0]), (Base.ExifImageHeight, size[1])):
        if tag in details:
            details[tag] = value
    if converted and Base.ColorSpace in details:
        details[Base.ColorSpace] = 1   # sRGB
    if not maker_note:
        details.pop(MAKER_NOTE, None)
    if details:
        kept[IFD.Exif] = details
    if place:
        kept[IFD.GPSInfo] = place
    if not kept:
        return b""
    kept[Base.Orientation] = UPRIGHT
    return kept.tobytes()


def with_size(exif: bytes, size: tuple[int, int]) -> bytes:
    """Return EXIF bytes of `describe` whose sizes, if they hold any, are `size` (width, height)."""
    held = Image.Exif()
    held.load(exif)
    sizes = [held.get_ifd(IFD.Exif).get(tag) for tag in (Base.ExifImageWidth, Base.ExifImageHeight)]
    fits = all(value in (None, side) for value, side in zip(sizes, size, strict=True))
    return exif if fits else describe(held, size)


def edited_xmp(xmp: bytes, plan: str | None, size: tuple[int, int]) -> tuple[bytes, list[str]]:
    """Return the XMP packet of an edited photo, and a list of notes.

    The new packet keeps all properties of the photo's packet, such as rating, title, keywords and rights, except three:
    the orientation becomes upright, the sizes become `size` (width, height) where the packet has them, and
    descriptions of left-out parts (gain map, depth map) are removed. With `plan`,
    a text, the packet also says that this plan edited the picture (IPTC digital source type "algorithmically
    enhanced"). A packet that is damaged or larger than 1 MiB is left out, with a note.
    """
    if xmp:
        try:
            return _packet(_parse(xmp), plan, size), []
        except (ValueError, ElementTree.ParseError, RecursionError):   # one that is nested too deeply
            return edited_xmp(b"", plan, size)[0], ["its XMP data is damaged or too large and was left out"]
    if plan is None:
        return b"", []
    root = ElementTree.Element(f"{{{_WRAPPERS['x']}}}xmpmeta")
    ElementTree.SubElement(root, f"{{{_RDF}}}RDF")
    return _packet(root, plan, size), []


def _packet(root, plan, size):
    """Return the bytes of an edited packet."""
    rdf = next(root.iter(f"{{{_RDF}}}RDF"))
    _update(rdf, size)
    first = rdf.find(f"{{{_RDF}}}Description")
    if first is None:
        first = ElementTree.SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    if plan is not None:
        _set(rdf, first, f"{{{_EXT}}}DigitalSourceType", _ENHANCED)
        _set(rdf, first, f"{{{_OURS}}}Plan", plan)
        _set(rdf, first, f"{{{_OURS}}}EditedBy", "LDIE")
    for prefix, uri in _WRAPPERS.items():
        ElementTree.register_namespace(prefix, uri)
    packet = ElementTree.tostring(root, encoding="unicode")
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{packet}<?xpacket end="w"?>'.encode()


def parts_left_out(xmp: bytes) -> list[str]:
    """Return a note for each part that XMP data announces but an edited photo lacks: gain map, depth map."""
    return [f"the photo's {name} is left out"
            for name, spaces in (("HDR gain map", _GAIN_MAP), ("depth map", _DEPTH_MAP))
            if any(space.encode() in xmp for space in spaces)]


def _parse(xmp):
    """Return the root element of a packet. Raises ValueError and ParseError on one that cannot be kept."""
    if len(xmp) > MOST_XMP or _DECLARATION.search(xmp):   # a document type could define entities
        raise ValueError("too large, or with a document type")
    text = xmp.decode("utf-8-sig").strip("\0 \r\n\t")
    prefixes = set(re.findall(r"xmlns:([\w.-]+)\s*=\s*[\"']([^\"']+)[\"']", text))
    if len(prefixes) > _MOST_PREFIXES:   # each costs time for every later one
        raise ValueError("too many prefixes")
    for prefix, uri in sorted(prefixes):
        if not _PREFIX.fullmatch(prefix) and prefix != "xml":
            ElementTree.register_namespace(prefix, uri)   # so that the packet is written with its own prefixes
    root = ElementTree.fromstring(text)
    if next(root.iter(f"{{{_RDF}}}RDF"), None) is None:
        raise ValueError("no RDF")
    return root


def _update(rdf, size):
    """Remove parts that the edited photo does not have, make the orientation upright, and set the size."""
    true = {f"{{{_TIFF}}}Orientation": "1"} | dict(zip(_SIZES, map(str, size * 2), strict=True))
    for element in list(rdf.iter()):
        for name in list(element.attrib):
            if name.startswith(tuple(f"{{{space}}}" for space in _GONE)):
                del element.attrib[name]
            elif name in true:
                element.set(name, true[name])
        for child in list(element):
            if child.tag.startswith(tuple(f"{{{space}}}" for space in _GONE)) or child.tag == f"{{{_XAP}}}Thumbnails":
                element.remove(child)
            elif child.tag in true:
                child.text = true[child.tag]


def _set(rdf, first, name, value):
    """Set a property as an attribute of the first description, and remove its other occurrences."""
    for element in list(rdf.iter(f"{{{_RDF}}}Description")):
        element.attrib.pop(name, None)
        for child in element.findall(name):
            element.remove(child)
    first.set(name, value)


DAMAGED_EXIF = "the photo's EXIF data is damaged and is left out"


def read_exif(read: Callable[[], Image.Exif], notes: list[str]) -> Image.Exif:
    """Return the EXIF data that `read` returns; if it fails, an empty one, and a note goes to `notes`."""
    try:
        return read()
    except Exception:   # damaged bytes can raise any exception
        notes.append(DAMAGED_EXIF)
        return Image.Exif()


def frame_notes(image: Image.Image) -> list[str]:
    """Return a list with a note if further frames or pictures are not read.

    The list is empty for an Ultra HDR photo, whose second picture is its gain map.
    """
    count = getattr(image, "n_frames", 1)
    if count < 2 or (count == 2 and parts_left_out(as_bytes(image.info.get("xmp")))):
        return []
    return [f"{count} frames or pages: only the first is read"]


def as_bytes(value: str | bytes | None) -> bytes:
    """Return a packet of a Pillow image as bytes; empty if there is none."""
    return value.encode() if isinstance(value, str) else value or b""


def mode_notes(mode: str, samples: np.ndarray) -> list[str]:
    """Return a note if a picture of Pillow's `mode`, decoded to samples (H, W, C), is converted to RGB."""
    if mode == "CMYK":
        return ["CMYK: converted to RGB"]
    if mode in ("P", "PA"):
        return ["palette picture: converted to RGB"]
    return ["grey picture: converted to RGB"] if samples.shape[2] == 1 else []
