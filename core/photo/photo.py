"""A photo in memory, resizing, limits on size, the photos of a folder, and checks of output paths."""
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.files import UserError
from core.photo.profile import SRGB, Space, in_srgb, unit

if TYPE_CHECKING:
    import torch

MAX_PIXELS = 200_000_000
MAX_BYTES = 1200 * 2**20   # bytes of a decoded photo: MAX_PIXELS of RGB with 16 bits per sample
MAX_NAME = 240   # bytes of a file name: file systems allow 255, and the name of a temporary file is a little longer
RAW_SUFFIXES = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw")
READ_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".hif",
                 ".jxl", ".bmp", ".gif", *RAW_SUFFIXES)


@dataclass(frozen=True, eq=False)
class Photo:
    """The pixels of a photo, and the properties of its file that an edited photo keeps.

    `samples` is (H, W, 3), upright: RGB of the photo's own primaries with the sRGB transfer curve, as uint8 or uint16
    if the file has this curve and so many bits, else as float32 in [0, 1]; `pixels` are the same in floating point.
    `space` says which primaries these are, and holds the profile to embed. `alpha` is (H, W) float32 in [0, 1] or None;
    the pixels are not multiplied by alpha. `depth` (8, 16, or 32 for floating point) and `colour` ("grey", "RGB" or
    "CMYK") are those of the file. The orientation in `exif` is always upright. `xmp` and `iptc` are the file's packets,
    `dpi` its print resolution (across, down) or None, `frames` the number of its frames or pictures. `notes` are
    sentences about changes and losses on reading.
    """

    samples: np.ndarray
    depth: int = 8
    format: str = ""
    exif: bytes = b""
    space: Space = SRGB
    alpha: np.ndarray | None = None
    colour: str = "RGB"
    xmp: bytes = b""
    iptc: bytes = b""
    dpi: tuple[float, float] | None = None
    frames: int = 1
    notes: tuple[str, ...] = ()

    @property
    def pixels(self) -> np.ndarray:
        """The samples as float32 in [0, 1], (H, W, 3); a large photo takes time and memory."""
        return unit(self.samples)

    @property
    def icc(self) -> bytes:
        """The profile to embed; empty for sRGB by convention."""
        return self.space.icc

    def tensor(self) -> "torch.Tensor":
        """Return the pixels as an image for the executor: (3, H, W) float32 in [0, 1]."""
        import torch  # late: reading and writing need no PyTorch
        return torch.from_numpy(self.pixels).permute(2, 0, 1).contiguous()

    def srgb_tensor(self) -> "torch.Tensor":
        """Return the sRGB copy for a network: (3, H, W) float32 in [0, 1]."""
        import torch
        return torch.from_numpy(self.in_srgb()).permute(2, 0, 1).contiguous()

    def in_srgb(self) -> np.ndarray:
        """Return the pixels as sRGB, (H, W, 3) float32 in [0, 1], for networks, metrics and screens."""
        return in_srgb(self.pixels, self.space)


def from_tensor(image: "torch.Tensor") -> np.ndarray:
    """Return an image (3, H, W), on any device, as a float32 array (H, W, 3)."""
    return image.detach().permute(1, 2, 0).float().cpu().contiguous().numpy()


def shrink(photo: Photo, long_edge: int) -> Photo:
    """Return the photo with a long edge of at most `long_edge` pixels, antialiased; no photo is enlarged."""
    height, width = photo.samples.shape[:2]
    size = fit(width, height, long_edge)
    if size == (width, height):
        return photo
    return replace(photo, samples=resize(photo.pixels, size), alpha=resize(photo.alpha, size))


def fit(width: int, height: int, long_edge: int) -> tuple[int, int]:
    """Return (width, height) scaled down to a long edge of at most `long_edge` pixels; no size is enlarged."""
    scale = min(long_edge / max(width, height), 1)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def resize(array: np.ndarray | None, size: tuple[int, int]) -> np.ndarray | None:
    """Shrink samples (H, W) or (H, W, C) of any type to `size` (width, height), antialiased; None stays None."""
    import cv2
    if array is None or array.shape[1::-1] == size:
        return array
    shrunk = cv2.resize(np.ascontiguousarray(array), size, interpolation=cv2.INTER_AREA)
    return shrunk.reshape(*shrunk.shape[:2], *array.shape[2:])   # OpenCV drops an axis of one channel


def check_size(path: Path | str, width: int, height: int, pixel_bytes: int, max_pixels: int, max_bytes: int) -> None:
    """Raise UserError if a picture exceeds `max_pixels` or `max_bytes`.

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


def list_photos(folder: Path | str) -> list[Path]:
    """Return the sorted paths of the photos directly in `folder`, without hidden files and other suffixes.

    Raises UserError if `folder` is not a folder, cannot be read or holds no photo.
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


def check_free(path: Path | str, overwrite: bool, remedy: str = "another name") -> None:
    """Raise UserError if a file cannot be written to `path`, or if it exists and `overwrite` is False.

    Call this function before long work, so that errors are found early. The error sentence offers `remedy` as the
    alternative to --overwrite.
    """
    path = Path(path)
    if os.path.isdir(path):   # Path.is_dir raises OSError for a name that is too long
        raise UserError(f"{path}: is a folder; give the name of a file in it")
    if not overwrite and os.path.lexists(path):
        raise UserError(f"{path}: exists; give --overwrite or {remedy}")
    if len(os.fsencode(path.name)) > MAX_NAME:
        raise UserError(f"{path}: the name is longer than {MAX_NAME} bytes; give a shorter one")
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        reason = "permission denied" if os.path.isdir(folder) else "not a folder"
        raise UserError(f"{path}: cannot be written here ({folder}: {reason}); choose another folder")
