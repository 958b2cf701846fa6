"""Camera RAW files: LibRaw develops them, through the optional package rawpy."""
import contextlib
import io
from pathlib import Path

from PIL import Image

from core.files import UserError
from core.photo.metadata import describe
from core.photo.photo import Photo, check_size
from core.photo.profile import Space, srgb_profile

_SRGB_GAMMA = (2.4, 12.92)  # power and slope of the linear part; LibRaw's own default is BT.709


def develop(path: Path | str, data: bytes, max_pixels: int, max_bytes: int) -> Photo:
    """Develop the bytes of a RAW file to a 16-bit sRGB Photo.

    White balance and exposure are the camera's. LibRaw's automatic brightness is off, so the photos of an exposure
    bracket keep their differences. The other settings are LibRaw's defaults. The photo is upright.
    EXIF data is kept if the RAW format is based on TIFF, as most are. The maker note is left out, because its offsets
    are valid in the RAW file only. Raises UserError if rawpy is not installed, the file is broken or from an unknown
    camera, or the picture is too large.
    """
    try:
        import rawpy
    except ImportError:
        raise UserError(f"{path}: RAW files need the package rawpy; "
                        "install it with: pip install -r requirements-raw.txt") from None
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            check_size(path, raw.sizes.width, raw.sizes.height, 6, max_pixels, max_bytes)   # RGB of 16 bits
            samples = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=_SRGB_GAMMA)
    except rawpy.LibRawError as error:
        raise UserError(f"{path}: cannot be developed ({error.args[0].decode()}); copy it again from the camera, "
                        "or convert it to DNG") from error
    if samples.shape[2] == 1:   # of a monochrome camera
        samples = samples.repeat(3, axis=2)
    kept = b""
    exif = Image.Exif()
    with contextlib.suppress(Exception):  # the RAW format is not based on TIFF
        exif.load_from_fp(io.BytesIO(data))
        kept = describe(exif, samples.shape[1::-1], converted=True, maker_note=False)
    return Photo(samples, 16, "RAW", kept, Space(srgb_profile()),
                 notes=("RAW: developed with the camera's white balance and exposure",))
