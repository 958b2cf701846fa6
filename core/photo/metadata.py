"""EXIF: what of it is kept, and made true for the upright sRGB picture that is written."""
from PIL import Image
from PIL.ExifTags import IFD, Base

UPRIGHT = 1
ADOBE_RGB_INTEROP = "R03"  # DCF 2.0: how a camera says Adobe RGB without embedding a profile
MAKER_NOTE = 37500

# The first directory of a TIFF also says how its own bytes lie; these tags say something of the picture.
_KEPT = [Base.ImageDescription, Base.Make, Base.Model, Base.XResolution, Base.YResolution, Base.ResolutionUnit,
         Base.Software, Base.DateTime, Base.Artist, Base.HostComputer, Base.Rating, Base.RatingPercent,
         Base.Copyright, Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords, Base.XPSubject]


def orientation(exif):
    """Return the orientation 1 to 8 of an `Image.Exif`; anything else counts as upright."""
    value = exif.get(Base.Orientation)
    return value if value in range(1, 9) else UPRIGHT


def is_adobe_rgb(exif):
    """Whether the camera says that its pixels are Adobe RGB."""
    return _interoperability(exif).get(1) == ADOBE_RGB_INTEROP


def _interoperability(exif):
    """Return the tags of the interoperability directory, {} without one."""
    try:
        return dict(exif.get_ifd(IFD.Interop))
    except KeyError:   # from Pillow 12.3 on: there is none
        return {}


def describe(exif, size, converted=False, maker_note=True):
    """Return the EXIF bytes to write: camera, exposure, place and author are kept.

    The orientation becomes upright, sizes become `size` (width, height), and a converted picture says sRGB.
    The thumbnail goes, since it shows the unedited picture. Empty when there is nothing to keep.
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
