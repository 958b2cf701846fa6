"""Colour of photos: a photo keeps its own RGB primaries, with the sRGB transfer curve; an sRGB copy is made on demand.

Operators treat the numbers of every RGB space as sRGB. Networks and metrics get the sRGB copy, see `in_srgb`.
"""
import functools
import io
import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from core.matrices import BRADFORD

_SPACES = {b"GRAY": ("gray", 1), b"RGB ": ("rgb", 3), b"CMYK": ("cmyk", 4)}
_HALF_LEVEL = 0.5 / 255
_ROWS = 256   # rows of an image that are converted at once
_WHITE = 0.5   # by which the sum of a profile's primaries may miss D50: old profiles of monitors sum up to D65
_LEVELS = 64   # that 256 levels must become by a profile's curve; a linear curve leaves 183
_INVERSE = 2**20   # entries of the table by which pixels become values of a file
_D50 = np.array([0.9642, 1.0, 0.8249])   # XYZ of the white of ICC profiles
_BRADFORD = np.array(BRADFORD)
D65 = (0.3127, 0.3290)
SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_PRIMARIES = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
P3_PRIMARIES = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
REC2020_PRIMARIES = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
PROPHOTO_PRIMARIES, PROPHOTO_WHITE = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), (0.3457, 0.3585)
_NAMES = {SRGB_PRIMARIES: "sRGB primaries", ADOBE_PRIMARIES: "Adobe RGB (1998)", P3_PRIMARIES: "Display P3",
          REC2020_PRIMARIES: "Rec. 2020",
          PROPHOTO_PRIMARIES: "ProPhoto RGB"}
ADOBE_GAMMA = 563 / 256   # the exact value that the standard gives for 2.2


@dataclass(frozen=True, eq=False)
class Space:
    """The RGB space of a photo's file, and the conversion between the file's values and the pixels of a Photo.

    `icc` is the profile to embed, empty for sRGB by convention. `to_srgb` (3, 3) maps linear RGB to linear sRGB; None
    means that the primaries are those of sRGB. `curves` (65536, 3) maps the file's values, evenly spaced from 0 to 1,
    to numbers with the sRGB transfer curve; None means that the file has this curve already.
    """

    icc: bytes = b""
    to_srgb: np.ndarray | None = None
    curves: np.ndarray | None = None

    def decode(self, samples: np.ndarray) -> np.ndarray:
        """Return samples of the file (H, W, 3), uint8, uint16 or float32, as a Photo's pixels, float32 in [0, 1]."""
        if self.curves is None:
            return unit(samples)
        curves = self.curves.astype(np.float32)
        if samples.dtype == np.float32:
            return _by_rows(lambda rows: _each_channel(_interpolated, rows, curves), samples)
        table = curves[::257] if samples.dtype == np.uint8 else curves
        return _by_rows(lambda rows: _each_channel(lambda values, curve: curve[values], rows, table), samples)

    def encode(self, pixels: np.ndarray, depth: int) -> np.ndarray:
        """Return a Photo's pixels (rows, W, 3) in [0, 1] as values of the file in [0, 1]; the inverse of `decode`.

        The work is done in the calling thread, which has a few rows of the picture.
        It looks up the square root of a value, see `_inverse`, which is many times as fast as searching the curves.
        Floating-point files are interpolated.
        """
        if self.curves is None:
            return pixels
        if depth == 32:
            return _each_channel(lambda values, table: _interpolated(np.sqrt(values), table), pixels, self._inverse)
        return _each_channel(lambda values, table: table[np.rint(np.sqrt(values) * (_INVERSE - 1)).astype(np.int32)],
                             pixels, self._inverse)

    def same_primaries(self, other: "Space") -> bool:
        """Return whether equal pixels have the same colour in both spaces."""
        ours, theirs = (np.eye(3) if space.to_srgb is None else space.to_srgb for space in (self, other))
        return bool(np.allclose(ours, theirs, atol=1e-3))

    @functools.cached_property
    def _inverse(self):
        """The file's values of pixels k², k evenly spaced from 0 to 1: (_INVERSE, 3) float32.

        The squares put entries where gamma curves are flat, near black, so that each of 65,536 levels has its own.
        """
        squares, grid = np.linspace(0, 1, _INVERSE) ** 2, np.linspace(0, 1, len(self.curves))
        return np.stack([np.interp(squares, curve, grid) for curve in self.curves.T], 1).astype(np.float32)


SRGB = Space()


def in_srgb(pixels: np.ndarray, space: Space) -> np.ndarray:
    """Return pixels (H, W, 3) of a space as sRGB, float32 in [0, 1]; colours outside sRGB are clipped."""
    if space.to_srgb is None:
        return pixels

    def convert(rows):
        linear = np.where(rows <= 0.04045, rows / 12.92, ((rows + 0.055) / 1.055) ** 2.4)
        linear = (linear @ space.to_srgb.T.astype(np.float32)).clip(0, 1)
        return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)

    return _by_rows(convert, pixels)


def to_samples(samples: np.ndarray, icc: bytes) -> tuple[np.ndarray, Space, list[str]]:
    """Return decoded samples as those of a Photo, (H, W, 3), their Space, and a list of notes.

    Samples of integers stay as they are if the file has the sRGB transfer curve; others become float32 in [0, 1].

    - With an RGB profile of primaries and curves (Display P3, Adobe RGB, ProPhoto, ...), pixels keep these primaries.
    - With another profile (grey, CMYK, an RGB profile of tables), LittleCMS converts samples to sRGB in floating point,
      relative colorimetric with black point compensation; colours outside sRGB are clipped.
    - A profile whose colours differ from sRGB by less than half an 8-bit level counts as sRGB; the file keeps it.
    - Without a profile, samples are sRGB by convention, and CMYK becomes RGB by (1 - ink) (1 - black).

    Args:
        samples: (H, W, C) uint8, uint16 or float32 in [0, 1]; C = 1 is grey, 3 RGB, 4 CMYK (0 = no ink).
        icc: the bytes of an ICC profile, or empty.
    """
    notes = []
    if icc:
        kind, channels = _SPACES.get(icc[16:20], ("", 0))
        if kind == "rgb" and samples.shape[2] == 1:
            samples = samples.repeat(3, axis=2)   # a grey picture may have an RGB profile
        try:
            if samples.shape[2] != channels:
                raise ValueError(f"it is made for {icc[16:20].decode('latin-1').strip()}" if channels else
                                 "it is made for no colours that photos have")
            if kind == "rgb" and (space := read_space(icc)):
                return samples if space.curves is None else space.decode(samples), space, notes
            if kind == "rgb":
                notes.append("its ICC profile is more than primaries and rising curves: converted to sRGB, colours "
                             "outside sRGB are clipped")
            return _transform(samples, icc, kind, srgb_profile()), Space(srgb_profile()), notes
        except ValueError as error:
            notes = [f"its ICC profile does not fit its pixels ({error}): taken as sRGB"]
        except RuntimeError:   # of LittleCMS
            notes = ["its ICC profile is damaged: taken as sRGB"]
    if samples.shape[2] == 4:
        pixels = unit(samples)
        notes.append("CMYK without a usable profile: colours are approximate")
        samples = (1 - pixels[..., :3]) * (1 - pixels[..., 3:])
    return samples if samples.shape[2] == 3 else samples.repeat(3, axis=2), SRGB, notes


def unit(samples: np.ndarray) -> np.ndarray:
    """Return samples as float32 in [0, 1]; integers are divided by the largest of their type."""
    if samples.dtype.kind == "f":
        return np.asarray(samples, np.float32)
    return np.divide(samples, np.float32(np.iinfo(samples.dtype).max), dtype=np.float32)


@functools.lru_cache(maxsize=8)   # a folder of photos has few profiles
def read_space(icc: bytes) -> Space | None:
    """Return the Space of an RGB profile of primaries and curves; None for a profile of tables.

    Raises RuntimeError (CmsError) if LittleCMS cannot read the profile, and ValueError if it can, but no picture has
    such a profile: its primaries are none, or its curves make nearly all tones equal.
    """
    from PIL import ImageCms
    level = np.linspace(0, 65535, 9).round().astype(np.uint16)
    grid = np.stack(np.meshgrid(level, level, level), axis=-1).reshape(1, -1, 3)
    if np.abs(_transform(grid, icc, "rgb", srgb_profile()) - unit(grid)).max() < _HALF_LEVEL:
        return Space(icc)
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile
        colorants = [profile.red_colorant, profile.green_colorant, profile.blue_colorant]
        matrix = np.array([colorant[0] for colorant in colorants]).T   # linear RGB to XYZ under D50
    except (OSError, TypeError):
        return None
    if not profile.is_matrix_shaper or b"A2B0" in _tags(icc):
        return None
    _check(matrix)
    # The same primaries with the sRGB curve: LittleCMS then converts each channel by a curve of its own.
    ramp = np.arange(65536, dtype=np.uint16)[None, :, None].repeat(3, 2)
    curves = _transform(ramp, icc, "rgb", matrix_profile("own primaries", matrix))[0].astype(np.float64)
    if min(len(np.unique((curve * 255).round())) for curve in curves[::257].T) < _LEVELS:
        raise ValueError("its curves leave few tones")
    if np.abs(curves - unit(ramp[0])).max() < _HALF_LEVEL / 257:   # half a level of 16 bits
        curves = None
    else:
        rising = np.maximum.accumulate(curves, axis=0)
        if (rising - curves).max() > _HALF_LEVEL:
            return None   # a curve that falls cannot be inverted
        curves = np.minimum(rising + np.arange(65536)[:, None] * 1e-12, 1)   # strictly rising
    to_srgb = np.linalg.inv(_to_xyz(SRGB_PRIMARIES, D65)) @ matrix
    return Space(icc, None if np.abs(to_srgb - np.eye(3)).max() < 2e-3 else to_srgb, curves)


def _tags(icc):
    """Return the signatures of a profile's tags."""
    count = min(int.from_bytes(icc[128:132], "big"), 200)
    return {icc[132 + 12 * place:136 + 12 * place] for place in range(count)}


def rgb_profile(primaries: Sequence, white: Sequence[float] = D65, gamma: float | None = None) -> bytes:
    """Return an ICC profile of RGB primaries, three (x, y), a white (x, y) and a gamma; None is the sRGB curve.

    Raises ValueError if no colour space has such primaries, white or gamma.
    """
    name = _NAMES.get(tuple(map(tuple, primaries)), "RGB primaries of the file")
    numbers = np.array([*primaries, white])
    if not (np.isfinite(numbers).all() and numbers[:, 1].min() > 0 and (gamma is None or 0.2 < gamma < 5)):
        raise ValueError("a primary colour, the white or the gamma is impossible")
    return matrix_profile(name, _check(_to_xyz(primaries, white)), gamma)


def _check(matrix):
    """Return the matrix of linear RGB to XYZ. Raises ValueError if its primaries are no colours or no basis."""
    if abs(np.linalg.det(matrix)) < 1e-4 or np.abs(matrix.sum(1) - _D50).max() > _WHITE or np.abs(matrix).max() > 4:
        raise ValueError("its primaries are impossible")
    return matrix


def matrix_profile(name: str, matrix: np.ndarray, gamma: float | None = None) -> bytes:
    """Return an ICC profile (version 4.2) of a matrix (3, 3) from linear RGB to XYZ under D50, and of a gamma.

    A gamma of None is the sRGB curve.
    """
    text = name.encode("utf-16-be")
    words = b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    curve = (struct.pack(">4sIHH", b"para", 0, 0, 0) + _fixed(gamma) if gamma else
             struct.pack(">4sIHH", b"para", 0, 3, 0) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    tags = {b"desc": words, b"cprt": words, b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50)}
    for letter, column in zip((b"r", b"g", b"b"), np.asarray(matrix).T, strict=True):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(*column)
        tags[letter + b"TRC"] = curve
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    header = (struct.pack(">I4sI", start + len(body), b"\0" * 4, 0x04200000) + b"mntrRGB XYZ "
              + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + _fixed(*_D50))
    return header.ljust(128, b"\0") + table + body


def _fixed(*values):
    """Return ICC's s15Fixed16 numbers."""
    return b"".join(struct.pack(">i", round(float(value) * 65536)) for value in values)


def _to_xyz(primaries, white):
    """Return the matrix from linear RGB of these chromaticities to XYZ, adapted to D50 (Bradford)."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    source = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ source)) @ _BRADFORD
    return adapt @ (columns * np.linalg.solve(columns, source))


@functools.cache
def srgb_profile() -> bytes:
    """Return the bytes of an sRGB profile, with a fixed date; LittleCMS would write the current time."""
    from PIL import ImageCms
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]


def _transform(samples, icc, kind, target):
    """Convert samples to the profile `target` on all cores; return (H, W, 3) float32 in [0, 1].

    One core takes 0.3 s per megapixel. Integer output would be faster, but LittleCMS then interpolates in a coarse
    table, with errors of several levels. We call LittleCMS through imagecodecs; Pillow's binding has 8 bits only.
    """
    import imagecodecs

    def convert(rows):
        return imagecodecs.cms_transform(
            rows, icc, target, colorspace=kind, outcolorspace="rgb", outdtype=np.float32,
            intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
            flags=imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION).clip(0, 1)

    return _by_rows(convert, samples[..., 0] if kind == "gray" else samples)


def _each_channel(function: Callable, samples, tables):
    """Apply `function(channel, table)` to each channel (H, W); return (H, W, 3)."""
    return np.stack([function(samples[..., channel], tables[:, channel]) for channel in range(3)], -1)


def _interpolated(values, table):
    """Return values in [0, 1] looked up in a table of evenly spaced entries, linearly interpolated."""
    place = values * np.float32(len(table) - 1)
    low = np.minimum(place.astype(np.int32), len(table) - 2)
    return table[low] + (place - low) * np.diff(table)[low]


def _by_rows(function, samples):
    """Apply a function, which returns (rows, W, 3), to strips of rows, by all cores; return float32 (H, W, 3)."""
    result = np.empty((*samples.shape[:2], 3), np.float32)

    def convert(start):
        rows = slice(start, start + _ROWS)
        result[rows] = function(np.ascontiguousarray(samples[rows]))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(convert, range(0, len(samples), _ROWS)))
    return result
