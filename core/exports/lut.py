"""3D look-up tables: `.cube` files and Hald CLUT pictures, written, read back and applied."""
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from PIL.ExifTags import Base

from core.files import UserError, read_text, write_text
from core.operators import execute
from core.photo.photo import Photo
from core.photo.reading import read_photo
from core.photo.writing import write_photo

HALD_LEVELS = (8, 12)    # a level of L is a table of L² entries along each axis, in a picture of L³ x L³ pixels
MAX_SIZE = 256           # the .cube specification's limit


@dataclass(frozen=True, eq=False)
class Lut:
    """A table of output colours: `table` (N, N, N, 3), float32, its axes blue, green, red (red runs fastest).

    Its first and last entries stand for the input values `low` and `high`, one for each of R, G and B.
    """

    table: np.ndarray
    low: tuple[float, float, float] = (0.0, 0.0, 0.0)
    high: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def apply(self, image):
        """Look up (B, 3, H, W) in [0, 1] by trilinear interpolation; the result is clipped to [0, 1].

        Input beyond the table's domain takes the colour of its border.
        """
        low, high = (torch.tensor(bound, dtype=image.dtype).view(3, 1, 1) for bound in (self.low, self.high))
        batch, _, height, width = image.shape
        position = ((image - low) / (high - low) * 2 - 1).permute(0, 2, 3, 1)   # grid_sample's [-1, 1]
        table = torch.from_numpy(self.table).to(image.dtype).permute(3, 0, 1, 2)[None]
        colours = F.grid_sample(table, position.reshape(1, 1, 1, -1, 3), padding_mode="border", align_corners=True)
        return colours.view(3, batch, height, width).transpose(0, 1).clamp(0, 1)


def apply_cube(path, pixels):
    """Apply a `.cube` file to pixels (H, W, 3) in [0, 1]; return the same shape, float32, in [0, 1].

    Raises UserError if the file is malformed, see `read_cube`.
    """
    image = torch.from_numpy(np.ascontiguousarray(pixels, dtype=np.float32)).permute(2, 0, 1)[None]
    return read_cube(path).apply(image)[0].permute(1, 2, 0).numpy()


def sample_plan(plan, size):
    """Sample a plan, whose steps are all point-wise, as a Lut of `size` entries along each axis."""
    level = torch.linspace(0, 1, size)
    blue, green, red = torch.meshgrid(level, level, level, indexing="ij")
    grid = torch.stack([red, green, blue]).view(3, size, -1)
    return Lut(execute(plan, grid).permute(1, 2, 0).reshape(size, size, size, 3).contiguous().numpy())


def round_cube(lut):
    """Return the Lut rounded to the six decimals of a `.cube` file."""
    return Lut(lut.table.astype(np.float64).round(6).astype(np.float32))


def write_cube(path, lut, title, comment):
    """Write a Lut on [0, 1] as a `.cube` file; `comment` is a list of lines."""
    head = [f"# {line}" for line in comment] + [f'TITLE "{title}"', f"LUT_3D_SIZE {len(lut.table)}",
                                                "DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    rows = [f"{red:.6f} {green:.6f} {blue:.6f}" for red, green, blue in lut.table.reshape(-1, 3).tolist()]
    write_text(path, "\n".join([*head, *rows]) + "\n")


def read_cube(path):
    """Read a 3D `.cube` file. Raises UserError naming the file and the line of a mistake."""
    size, bounds, rows = None, {"DOMAIN_MIN": (0.0,) * 3, "DOMAIN_MAX": (1.0,) * 3}, []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        where, words = f"{path}, line {number}", line.split()
        if not words or words[0].startswith("#") or words[0] == "TITLE":
            continue
        if words[0] == "LUT_3D_SIZE":
            size = _size(words[1:], where)
        elif words[0] in bounds:
            bounds[words[0]] = _numbers(words[1:], 3, where)
        elif words[0] == "LUT_3D_INPUT_RANGE":   # some programs write one range for all channels
            bounds["DOMAIN_MIN"], bounds["DOMAIN_MAX"] = ((value,) * 3 for value in _numbers(words[1:], 2, where))
        elif words[0] == "LUT_1D_SIZE":
            raise UserError(f"{where}: a 1D table; only 3D tables (LUT_3D_SIZE) are read")
        else:
            rows.append(_numbers(words, 3, where))
    low, high = bounds["DOMAIN_MIN"], bounds["DOMAIN_MAX"]
    if size is None:
        raise UserError(f"{path}: no LUT_3D_SIZE; it is not a 3D .cube file")
    if len(rows) != size**3:
        raise UserError(f"{path}: {len(rows)} colours, but LUT_3D_SIZE {size} needs {size**3}; export it again")
    if any(a >= b for a, b in zip(low, high, strict=True)):
        raise UserError(f"{path}: DOMAIN_MIN {low} is not below DOMAIN_MAX {high}; export it again")
    return Lut(np.array(rows, dtype=np.float32).reshape(size, size, size, 3), low, high)


def _size(words, where):
    if len(words) != 1 or not words[0].isdecimal() or len(words[0]) > 3 or not 2 <= int(words[0]) <= MAX_SIZE:
        raise UserError(f"{where}: LUT_3D_SIZE must be one whole number from 2 to {MAX_SIZE}")
    return int(words[0])


def _numbers(words, count, where):
    """Return the words as `count` finite numbers. Raises UserError beginning with `where`."""
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        raise UserError(f"{where}: {' '.join(words)[:60]!r} is not a row of numbers; export the file again") from None
    if len(values) != count or not all(map(math.isfinite, values)):
        raise UserError(f"{where}: needs {count} finite numbers, has {' '.join(words)[:60]!r}; export the file again")
    return values


def round_hald(lut):
    """Return the Lut rounded to 16-bit samples."""
    return Lut(np.rint(lut.table * 65535) / np.float32(65535))


def write_hald(path, lut, comment):
    """Write a Lut on [0, 1] with N = level² as a 16-bit Hald CLUT PNG; `comment` goes into its EXIF description."""
    side = round(len(lut.table)**1.5)
    exif = Image.Exif()
    exif[Base.ImageDescription] = "; ".join(comment)
    pixels = lut.table.reshape(side, side, 3)
    write_photo(path, pixels, like=Photo(pixels, depth=16, exif=exif.tobytes()))


def read_hald(path):
    """Read a Hald CLUT picture of any level. Raises UserError if the picture's size fits no level."""
    pixels = read_photo(path).pixels
    level = round(len(pixels)**(1 / 3))
    if level < 2 or pixels.shape[:2] != (level**3, level**3):
        raise UserError(f"{path}: {pixels.shape[1]} x {pixels.shape[0]} pixels are not a Hald CLUT, whose sides are "
                        "the cube of its level, such as 512 x 512; export it again")
    return Lut(pixels.reshape(level**2, level**2, level**2, 3))
