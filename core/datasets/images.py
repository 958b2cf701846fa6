"""Images of data sets: decode files to RGB arrays, convert arrays to tensors, cache thumbnails.

An array is uint8 (H, W, 3), RGB, sRGB-encoded; a tensor is float32 (3, H, W) in [0, 1].
"""
import contextlib
import hashlib
import io
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from core.datasets.annotations import REMEDY, listing
from core.files import UserError, replacing

_ANIMATED = ("GIF", "PNG", "WEBP")  # formats in which several frames are an animation, not previews or pages
_DAMAGED = (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, struct.error,
            Image.DecompressionBombError)  # exceptions of Pillow's readers on broken files
_ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap the sides
_ORIENTATION = 0x0112


def load_image(path):
    """Decode an image file.

    EXIF orientation and colour profile are applied. Grey, palette, CMYK and 16-bit files are converted to 8-bit RGB;
    transparent pixels become white.

    Returns: uint8 (H, W, 3), RGB. Raises UserError naming the file if it is missing, empty, truncated, animated or
    not an image.
    """
    with _opened(path) as image:
        profile = image.info.get("icc_profile")
        image.load()
        return np.array(_to_srgb(_eight_bit(ImageOps.exif_transpose(image)), profile))


def image_size(path):
    """Return the (height, width) of the result of `load_image`, from the file's header if possible."""
    with _opened(path) as image:
        if image.format != "TIFF":  # Pillow's TIFF reader may swap the sides on decoding
            width, height = image.size
            return (width, height) if image.getexif().get(_ORIENTATION) in _ROTATED else (height, width)
    return load_image(path).shape[:2]


@contextlib.contextmanager
def _opened(path):
    """Open an image file lazily; errors of Pillow inside the block become a UserError."""
    try:
        if not os.path.getsize(path):
            raise UserError(f"{path}: the file is empty (0 bytes)")
        with Image.open(path) as image:
            if image.format in _ANIMATED and getattr(image, "is_animated", False):
                raise UserError(f"{path}: is an animated {image.format}; give a still image")
            yield image
    except _DAMAGED as error:
        raise UserError(f"{path}: {_reason(error)}") from None


def _reason(error):
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnidentifiedImageError):
        return "not an image in a known format"
    if isinstance(error, Image.DecompressionBombError):
        return f"has more than {2 * Image.MAX_IMAGE_PIXELS // 10 ** 6} megapixels; scale it down"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    return f"truncated or damaged ({error})"


def _eight_bit(image):
    """Convert an image of any Pillow mode to RGB or CMYK of 8 bits."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it at 255
        image = Image.fromarray(np.uint8(np.clip(np.array(image), 0, 65535) // 257))
    elif image.mode == "F":
        raise ValueError("floating-point pixels; save it with 8 or 16 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == "CMYK" else image.convert("RGB")


def _to_srgb(image, profile):
    """Convert RGB or CMYK pixels to sRGB by their colour profile; without a usable profile they count as sRGB."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(source):
                return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # viewers, too, ignore a broken profile or a profile of another mode
    return image.convert("RGB")


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
