"""EXIF data: select the tags that a written photo keeps, and update them for its upright sRGB pixels."""
from PIL import Image
from PIL.ExifTags import IFD, Base

UPRIGHT = 1
ADOBE_RGB_INTEROP = "R03"  # DCF 2.0: marks Adobe RGB pixels without an embedded profile
MAKER_NOTE = 37500

# The tags of the first directory that describe the photo; its other tags describe the layout of the file.
_KEPT = [Base.ImageDescription, Base.Make, Base.Model, Base.XResolution, Base.YResolution, Base.ResolutionUnit,
         Base.Software, Base.DateTime, Base.Artist, Base.HostComputer, Base.Rating, Base.RatingPercent,
         Base.Copyright, Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords, Base.XPSubject]


def orientation(exif: Image.Exif) -> int:
    """Return the orientation of an `Image.Exif`, 1 to 8; a missing or invalid value counts as upright."""
    value = exif.get(Base.Orientation)
    return value if value in range(1, 9) else UPRIGHT


def is_adobe_rgb(exif: Image.Exif) -> bool:
    """Return whether the EXIF data marks the pixels as Adobe RGB."""
    return _interoperability(exif).get(1) == ADOBE_RGB_INTEROP


def _interoperability(exif):
    """Return the tags of the interoperability directory; {} if it is missing."""
    try:
        return dict(exif.get_ifd(IFD.Interop))
    except KeyError:   # Pillow from 12.3 on raises it for a missing directory
        return {}


def describe(exif: Image.Exif, size: tuple[int, int], converted: bool = False, maker_note: bool = True) -> bytes:
    """Return the EXIF bytes to write, with camera, exposure, place and author; empty if there is nothing to keep.

    The orientation becomes upright and the sizes become `size` (width, height). If the pixels were `converted`, the
    colour space becomes sRGB. The thumbnail is left out, because it shows the unedited photo.
    """
    kept = Image.Exif()
    for tag in _KEPT:
        if tag in exif:
            kept[tag] = exif[tag]
    details, place = dict(exif.get_ifd(IFD.Exif)), dict(exif.get_ifd(IFD.GPSInfo))
    interop = _interoperability(exif)
    details.pop(IFD.Interop, None)
    if interop and not converted:
        details[IFD.Interop] = interop
    for tag, value in ((Base.ExifImageWidth, size[0]), (Base.ExifImageHeight, size[1])):
        if tag in details:
            details[tag] = value
    if converted and Base.ColorSpace in details:
        details[Base.ColorSpace] = 1  # sRGB
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
