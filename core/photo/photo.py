"""A photo in memory, the photos of a folder, and whether a file may be written."""
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core.files import UserError

MAX_PIXELS = 200_000_000
MAX_BYTES = 1200 * 2**20   # when decoded: so many pixels of RGB with 16 bits per sample
MAX_NAME = 240   # bytes of a file name: file systems allow 255, and a temporary file has a few more than its result
RAW_SUFFIXES = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw")
READ_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", *RAW_SUFFIXES)


@dataclass(frozen=True, eq=False)
class Photo:
    """Pixels ready for editing, and what is needed to write the edited ones back in their place.

    `pixels` is (H, W, 3) float32 in [0, 1], sRGB-encoded RGB, upright. `alpha` is (H, W) float32 in [0, 1]
    or None; the pixels are not multiplied by it. `depth` is the file's, 8 or 16 bits per sample, and so is `colour`:
    "grey", "RGB" or "CMYK". `exif` says "upright" whatever the file said. `icc` is the profile to embed: empty for a
    file that had none (sRGB by convention). `notes` are sentences on what reading changed or left out.
    """

    pixels: np.ndarray
    depth: int = 8
    format: str = ""
    exif: bytes = b""
    icc: bytes = b""
    alpha: np.ndarray | None = None
    colour: str = "RGB"
    notes: tuple[str, ...] = ()

    def tensor(self):
        """Return the pixels as a picture for the executor: (3, H, W) float32 in [0, 1]."""
        return torch.from_numpy(self.pixels).permute(2, 0, 1).contiguous()


def from_tensor(image):
    """Return the pixels (H, W, 3), float32 array, of a picture (3, H, W) on any device."""
    return image.detach().permute(1, 2, 0).float().cpu().contiguous().numpy()


def shrink(photo, long_edge):
    """Return the photo with a long edge of at most `long_edge` pixels, antialiased; it is never enlarged."""
    height, width = photo.pixels.shape[:2]
    size = fit(width, height, long_edge)
    if size == (width, height):
        return photo
    return replace(photo, pixels=resize(photo.pixels, size), alpha=resize(photo.alpha, size))


def fit(width, height, long_edge):
    """Return the size (width, height) of a picture that is shrunk to a long edge; it is never enlarged."""
    scale = min(long_edge / max(width, height), 1)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def resize(array, size):
    """Shrink (H, W) or (H, W, C) samples of any type to a size (width, height), antialiased; None stays None."""
    import cv2
    if array is None or array.shape[1::-1] == size:
        return array
    shrunk = cv2.resize(np.ascontiguousarray(array), size, interpolation=cv2.INTER_AREA)
    return shrunk.reshape(*shrunk.shape[:2], *array.shape[2:])   # OpenCV drops an axis of one channel


def check_size(path, width, height, pixel_bytes, max_pixels, max_bytes):
    """Raise UserError where a picture is more than may be decoded.

    Args: `pixel_bytes`, the bytes of a decoded pixel: channels x bytes per sample.
    """
    pixels = width * height
    if pixels > max_pixels:
        raise UserError(f"{path}: {width} x {height} is {pixels / 1e6:.0f} megapixels, more than the limit of "
                        f"{max_pixels / 1e6:g}; make it smaller or raise the limit")
    if pixels * pixel_bytes > max_bytes:
        raise UserError(f"{path}: {width} x {height} pixels of {pixel_bytes} bytes are "
                        f"{pixels * pixel_bytes / 2**20:.0f} MB when decoded, more than the limit of "
                        f"{max_bytes / 2**20:.0f}; make it smaller, save it with 8 bits or raise the limit")


def list_photos(folder):
    """Return the photos that lie in `folder` itself, sorted; hidden files and other suffixes are passed over.

    Raises UserError where it is no folder or holds no photo.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}")
    try:
        photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in READ_SUFFIXES
                        and not path.name.startswith(".") and path.is_file())
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from None
    if not photos:
        raise UserError(f"{folder}: no photos here; known suffixes are {' '.join(READ_SUFFIXES)}")
    return photos


def check_free(path, overwrite, remedy="another name"):
    """Raise UserError where a file cannot be written, or would replace another without `overwrite`.

    Call it before long work: what it finds would otherwise be found after it. `remedy` is what to give instead.
    """
    path = Path(path)
    if os.path.isdir(path):   # unlike Path.is_dir, also of a name that is too long
        raise UserError(f"{path}: a folder; name a file in it")
    if not overwrite and os.path.lexists(path):
        raise UserError(f"{path}: exists; give --overwrite or {remedy}")
    if len(os.fsencode(path.name)) > MAX_NAME:
        raise UserError(f"{path}: the name is longer than {MAX_NAME} bytes; give a shorter one")
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        reason = "permission denied" if os.path.isdir(folder) else "not a folder"
        raise UserError(f"{path}: cannot be written here ({folder}: {reason}); choose another folder")
