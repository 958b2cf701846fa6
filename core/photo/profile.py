"""Colour profiles: convert samples of any ICC profile to sRGB, in floating point, by LittleCMS."""
import functools
import os
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_SPACES = {b"GRAY": ("gray", 1), b"RGB ": ("rgb", 3), b"CMYK": ("cmyk", 4)}
_HALF_LEVEL = 0.5 / 255
_ROWS = 256  # rows of an image that are converted at once


def to_srgb(samples: np.ndarray, icc: bytes) -> tuple[np.ndarray, bytes, list[str]]:
    """Convert decoded samples to sRGB.

    With a profile, LittleCMS converts the file's own 8 or 16-bit samples to floating point in one step, relative
    colorimetric with black point compensation, so nothing is rounded before the edit. We call LittleCMS through
    imagecodecs, because Pillow's binding has 8 bits only. Colours outside sRGB are clipped. A profile that moves no
    colour by half an 8-bit level counts as sRGB: the samples stay as they are, and the profile is kept.
    Without a profile, samples are sRGB by convention, and CMYK becomes RGB by (1 - ink) (1 - black).

    Args:
        samples: (H, W, C) uint8 or uint16; C = 1 is grey, 3 RGB, 4 CMYK (0 = no ink).
        icc: the bytes of an ICC profile, or empty.

    Returns: pixels (H, W, 3) float32 in [0, 1], the profile to embed (may be empty), and a list of notes.
    """
    notes = []
    if icc:
        space, channels = _SPACES.get(icc[16:20], ("", 0))
        if space == "rgb" and samples.shape[2] == 1:
            samples = samples.repeat(3, axis=2)  # a grey picture may have an RGB profile
        try:
            if samples.shape[2] != channels:
                raise ValueError(f"made for {icc[16:20].decode('latin-1').strip() or 'nothing'}")
            if space == "rgb" and _is_srgb(icc):
                return unit(samples), icc, notes
            return _transform(samples, icc, space), srgb_profile(), notes
        except (ValueError, RuntimeError) as error:  # CmsError is a RuntimeError
            notes.append(f"its ICC profile does not fit its pixels ({error}): taken as sRGB")
    pixels = unit(samples)
    if samples.shape[2] == 4:
        notes.append("CMYK without a usable profile: colours are approximate")
        pixels = (1 - pixels[..., :3]) * (1 - pixels[..., 3:])
    return pixels if pixels.shape[2] == 3 else pixels.repeat(3, axis=2), b"", notes


def unit(samples: np.ndarray) -> np.ndarray:
    """Return integer samples as float32 in [0, 1]."""
    return np.divide(samples, np.float32(np.iinfo(samples.dtype).max), dtype=np.float32)


@functools.cache
def srgb_profile() -> bytes:
    """Return the bytes of an sRGB profile, with a fixed date; LittleCMS would write the current time."""
    from PIL import ImageCms
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]


def adobe_rgb_profile() -> bytes:
    """Return the bytes of an Adobe RGB (1998) profile, for cameras that name it in EXIF but do not embed it."""
    import imagecodecs
    return imagecodecs.cms_profile("adobergb")


@functools.lru_cache(maxsize=8)  # a folder of photos has few profiles
def _is_srgb(icc):
    level = np.linspace(0, 65535, 9).round().astype(np.uint16)
    grid = np.stack(np.meshgrid(level, level, level), axis=-1).reshape(1, -1, 3)
    return np.abs(_transform(grid, icc, "rgb") - unit(grid)).max() < _HALF_LEVEL


def _transform(samples, icc, space):
    """Return (H, W, 3) float32 in [0, 1], converted by all cores; one core takes 0.3 s per megapixel.

    Integer output would be faster, but LittleCMS then interpolates in a coarse table, with errors of several levels.
    """
    import imagecodecs

    def convert(rows):
        return imagecodecs.cms_transform(
            rows, icc, srgb_profile(), colorspace=space, outcolorspace="rgb", outdtype=np.float32,
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
            flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION).clip(0, 1)

    samples = np.ascontiguousarray(samples[..., 0] if space == "gray" else samples)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(convert, np.split(samples, range(_ROWS, len(samples), _ROWS)))))
