"""Images of data sets: decode files to RGB arrays, convert arrays to tensors, cache thumbnails.

An array is uint8 (H, W, 3), RGB, sRGB-encoded; a tensor is float32 (3, H, W) in [0, 1].
"""
import contextlib
import hashlib
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from core.datasets.annotations import REMEDY
from core.files import UserError, listing, replacing
from core.photo import read_photo

_ANIMATED = ("GIF", "PNG", "WEBP")   # formats whose further frames are an animation, not a preview or a second page
_SIZED = ("JPEG", "PNG", "WEBP", "BMP", "GIF")   # formats whose header tells the size of the decoded picture
_ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap the sides
_ORIENTATION = 0x0112


def load_image(path):
    """Decode an image file as `core.photo.read_photo` does, and return its sRGB copy with 8 bits.

    EXIF orientation and colour profile are applied; grey, palette, CMYK and deep files are converted; transparent
    parts become white.

    Returns: uint8 (H, W, 3), RGB. Raises UserError naming the file if it is missing, empty, cut short, animated or not
    an image.
    """
    photo = read_photo(path)
    if photo.format in _ANIMATED and photo.frames > 1:
        raise UserError(f"{path}: is an animated {photo.format}; give a still image")
    pixels = photo.in_srgb()
    if photo.alpha is not None:
        pixels = pixels * photo.alpha[..., None] + (1 - photo.alpha[..., None])
    return np.rint(pixels * 255).astype(np.uint8)


def image_size(path):
    """Return the (height, width) that `load_image` will give, from the file's header if that is enough."""
    unreadable = OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError
    with contextlib.suppress(*unreadable), Image.open(path, formats=_SIZED) as image:
        if not (image.format in _ANIMATED and getattr(image, "is_animated", False)):
            width, height = image.size
            return (width, height) if image.getexif().get(_ORIENTATION) in _ROTATED else (height, width)
    return load_image(path).shape[:2]   # a TIFF of several pictures, a file that cannot be read, ...


def to_tensor(image):
    """Convert uint8 (H, W, 3) to float32 (3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(image.transpose(2, 0, 1), order="C")).float().div_(255)


def to_uint8(image):
    """Convert float (3, H, W), clipped to [0, 1], to a uint8 (H, W, 3) array by rounding."""
    return (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().cpu().numpy()


def resize(image, height, width):
    """Resize (H, W, 3): a side shrinks by area averaging (antialiased) and grows by linear interpolation."""
    rows, columns = image.shape[:2]
    if height < rows or width < columns:
        image = cv2.resize(image, (min(width, columns), min(height, rows)), interpolation=cv2.INTER_AREA)
    if height > rows or width > columns:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return image


def squash(image, size):
    """Resize (H, W, 3) to (size, size, 3), whatever its aspect."""
    return resize(image, size, size)


def fit_short_edge(image, short_edge=600):
    """Shrink (H, W, 3) to a short edge of `short_edge` pixels; smaller images stay as they are."""
    height, width = image.shape[:2]
    scale = short_edge / min(height, width)
    return image if scale >= 1 else resize(image, round(height * scale), round(width * scale))


def for_each(function, items, label):
    """Yield `function(item)` in order, with a progress bar; threads work, because decoding releases the GIL."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield from tqdm(pool.map(function, items), total=len(items), desc=label, unit="image", leave=False)
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C cancels items that have not started


class Thumbnails:
    """Squashed copies of a data set's images in one memory-mapped file, so that training decodes no images.

    The file is made on first use and shared by all runs and workers. Its name has a digest of the images' folder,
    names, sizes and times, so that a new file is made when an image changes.
    """

    def __init__(self, folder, names, size=128, cache="output/cache"):
        """Open or make the file of the thumbnails of `names` below `folder`; `size` is their side in pixels.

        Raises UserError naming the images that cannot be read.
        """
        self.folder, self.size = Path(folder), size
        self.names = sorted(set(names))
        self.rows = {name: row for row, name in enumerate(self.names)}
        self.path = Path(cache) / f"thumbnails_{size}_{self._digest()}.npy"
        self._records = None
        if not self.path.exists():
            self._make()

    def __len__(self):
        return len(self.names)

    def __getitem__(self, name):
        """Return the thumbnail of an image: uint8 (size, size, 3), RGB, read-only."""
        return self._mapped()[self.rows[name]]["pixels"]

    def original_size(self, name):
        """Return the (height, width) of the original image."""
        return tuple(self._mapped()[self.rows[name]]["size"].tolist())

    def __getstate__(self):
        return self.__dict__ | {"_records": None}  # a worker maps the file itself and gets no copy

    def _mapped(self):
        if self._records is None:
            self._records = np.load(self.path, mmap_mode="r")
        return self._records

    def _digest(self):
        digest = hashlib.sha256(str(self.folder.resolve()).encode())
        for name in self.names:
            status = (self.folder / name).stat()
            digest.update(f"\0{name}\0{status.st_size}\0{status.st_mtime_ns}".encode())
        return digest.hexdigest()[:16]

    def _make(self):
        kind = np.dtype([("pixels", "u1", (self.size, self.size, 3)), ("size", "<i4", 2)])
        header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (len(self),)}
        problems = []
        with replacing(self.path) as file:
            np.lib.format.write_array_header_2_0(file, header)
            for record in for_each(self._record, self.names, f"thumbnails of {self.folder}"):
                if isinstance(record, UserError):
                    problems.append(str(record))
                else:
                    file.write(np.array(record, dtype=kind).tobytes())
            if problems:
                raise UserError(f"{len(problems)} images cannot be used ({listing(problems)}); {REMEDY}")

    def _record(self, name):
        try:
            image = load_image(self.folder / name)
        except UserError as error:
            return error
        return squash(image, self.size), image.shape[:2]
