"""Sources of pixels: the samples of a file, and pictures whose pixels lie at other places of the picture before.

A source has a `height`, a `width` and `window(top, bottom, left, right)`, which returns the pixels (3, h, w) float32 of
a part as an array of its own. A step that moves pixels or fills a hole makes a new source:
`source(step, picture, mask)`, where `mask` is (H, W) float32 or None. Its windows are computed of windows of the
picture before, so no step needs the whole picture in floating point.
"""
from typing import TYPE_CHECKING

import numpy as np

from core.operators import frames
from core.operators.compiled import compiled, fused
from core.operators.inpaint import TELEA, filled
from core.operators.kernels.arithmetic import clipped, f4, inlined, mixed

if TYPE_CHECKING:
    from core.operators.kernels.runs import Picture
    from core.operators.plan import Step

BLOCK = 64, 256   # rows and columns of a straightened picture that are computed of one window of the picture before


class Samples:
    """The samples (H, W, 3) of a file, uint8, uint16 or float32, of any memory layout."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples, (self.height, self.width) = samples, samples.shape[:2]

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """Return a part of the picture in [0, 1]."""
        part, rows = self.samples[top:bottom, left:right], np.empty((3, bottom - top, right - left), f4)
        if self.samples.flags.c_contiguous:
            _LOADS[part.dtype.char](self.samples.reshape(self.height, 3 * self.width), top, left, top_of(part), rows)
        elif part.dtype == f4:
            rows[:] = part.transpose(2, 0, 1)
        else:
            np.divide(part.transpose(2, 0, 1), top_of(part), out=rows, dtype=f4)
        if part.dtype == f4:
            clip(rows.reshape(3, -1))   # those of integers are in [0, 1]
        return rows


class Cropped:
    """A part of the picture; see `geometry.crop`."""

    def __init__(self, step: "Step", picture: "Picture", mask: np.ndarray | None = None) -> None:
        left, top, right, bottom = _rounded(step)
        (self.left, end), (self.top, below) = (frames.span(left, right, picture.width),
                                               frames.span(top, bottom, picture.height))
        self.source, self.height, self.width = picture, below - self.top, end - self.left

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        return self.source.window(self.top + top, self.top + bottom, self.left + left, self.left + right)


class Turned:
    """The picture with its axes exchanged, then mirrored along the rows, the columns, or both."""

    def __init__(self, picture: "Picture", exchanged: bool, along_rows: bool, along_columns: bool) -> None:
        self.source, self.exchanged, self.mirrored = picture, exchanged, (along_rows, along_columns)
        self.height, self.width = (picture.height, picture.width)[::-1 if exchanged else 1]

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        rows, columns = ((side - last, side - first) if mirrored else (first, last) for first, last, side, mirrored in
                         ((top, bottom, self.height, self.mirrored[0]), (left, right, self.width, self.mirrored[1])))
        if self.exchanged:
            part = self.source.window(*columns, *rows).transpose(0, 2, 1)
        else:
            part = self.source.window(*rows, *columns)
        return part[:, ::-1 if self.mirrored[0] else 1, ::-1 if self.mirrored[1] else 1]


def flipped(step: "Step", picture: "Picture", mask: np.ndarray | None = None) -> Turned:
    """Return the mirrored picture; see `geometry.flip`."""
    across, along = step.params
    return Turned(picture, False, along >= 0.5, across >= 0.5)


def rotated(step: "Step", picture: "Picture", mask: np.ndarray | None = None) -> "Turned | Straightened":
    """Return the picture turned by quarters, then straightened; see `geometry.rotate`."""
    quarters, rest = frames.turns(*_rounded(step))
    quarters %= 4
    turned = Turned(picture, quarters % 2 == 1, quarters in (1, 2), quarters in (2, 3))
    return Straightened(turned, rest) if rest else turned


class Straightened:
    """The picture turned by a small angle and enlarged, by bicubic interpolation; see `geometry.rotate`."""

    def __init__(self, source: "Turned", rest: float) -> None:
        self.source, self.height, self.width = source, source.height, source.width
        x, y = (_centres(side) for side in (self.width, self.height))
        a, b, c, d = map(f4, frames.straightening(rest, self.height, self.width))
        self.columns, self.rows = np.stack((x * a, x * c)), np.stack((y * b, y * d))

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        result = np.empty((3, bottom - top, right - left), f4)
        for row in range(top, bottom, BLOCK[0]):
            for column in range(left, right, BLOCK[1]):
                rows, columns = slice(row, min(row + BLOCK[0], bottom)), slice(column, min(column + BLOCK[1], right))
                block = self._block(self.rows[:, rows], self.columns[:, columns])
                result[:, rows.start - top:rows.stop - top, columns.start - left:columns.stop - left] = block
        return result

    def _block(self, rows, columns):
        """Return the pixels at some rows (2, h) and columns (2, w) from one window around the corners' places."""
        ends = rows[:, [0, -1]], columns[:, [0, -1]]
        across = _place((ends[1][0] - ends[0][0][:, None]), self.width)
        along = _place((ends[1][1] + ends[0][1][:, None]), self.height)
        (left, right), (top, bottom) = (
            (min(max(int(places.min()) - 2, 0), side - 1), min(max(int(places.max()) + 4, 1), side))
            for places, side in ((across, self.width), (along, self.height)))
        part = np.ascontiguousarray(self.source.window(top, bottom, left, right))
        result = np.empty((3, rows.shape[1], columns.shape[1]), f4)
        place = np.array((top, left, self.height, self.width))
        _bicubic(part, np.ascontiguousarray(rows), np.ascontiguousarray(columns), place, result)
        clip(result.reshape(3, -1))   # the weights are negative, too
        return result


def _rounded(step):
    """Return the parameters rounded to float32, in which the definition works."""
    return np.array(step.params, f4).tolist()


def _centres(side):
    return (np.arange(side, dtype=f4) + f4(0.5)) * f4(2 / side) - f4(1)


def _place(at, side):
    return (at + f4(1)) * f4(side / 2) - f4(0.5)


class Filled:
    """The picture with a filled hole; see `inpaint.inpaint_obj`."""

    def __init__(self, step: "Step", picture: "Picture", mask: np.ndarray) -> None:
        self.source, self.height, self.width = picture, picture.height, picture.width
        self.box, self.patch = None, None
        found = filled(lambda rows, columns: picture.window(rows.start, rows.stop, columns.start, columns.stop)
                       .transpose(1, 2, 0), mask > 0.5, step.inpainter or TELEA)
        if found is not None:
            self.box, new = found
            rows, columns = self.box
            old = np.ascontiguousarray(picture.window(rows.start, rows.stop, columns.start, columns.stop))
            self.patch = np.ascontiguousarray(new.transpose(2, 0, 1), f4)
            mix(old.reshape(3, -1), self.patch.reshape(3, -1), np.ascontiguousarray(mask[self.box]).ravel())
            clip(self.patch.reshape(3, -1))

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        part = self.source.window(top, bottom, left, right)
        if self.box is not None:
            rows, columns = self.box
            above, below = max(top, rows.start), min(bottom, rows.stop)
            before, after = max(left, columns.start), min(right, columns.stop)
            if above < below and before < after:
                part[:, above - top:below - top, before - left:after - left] = self.patch[
                    :, above - rows.start:below - rows.start, before - columns.start:after - columns.start]
        return part


class Planes:
    """A picture (3, H, W) float32 in memory."""

    def __init__(self, planes: np.ndarray) -> None:
        self.planes, (self.height, self.width) = planes, planes.shape[1:]

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        return self.planes[:, top:bottom, left:right].copy()


class Whole(Planes):
    """The result of the PyTorch function of a step without a kernel, which needs the whole picture in floats."""

    def __init__(self, step: "Step", picture: "Picture", mask: np.ndarray | None) -> None:
        import torch  # late: most plans need no PyTorch

        from core.operators.executor import apply_step
        image = torch.empty(1, 3, picture.height, picture.width)
        picture.write(image[0].permute(1, 2, 0).numpy())
        with torch.no_grad():
            edited = apply_step(step, image, None if mask is None else torch.from_numpy(mask)[None, None])
        super().__init__(edited[0].contiguous().numpy())


def top_of(samples: np.ndarray) -> np.float32:
    """Return the sample that stands for 1."""
    return f4(1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max)


def _load_samples(samples, top, left, high, rows):
    """Read a part of samples (H, 3 W) into planes (3, h, w)."""
    for y in range(rows.shape[1]):
        line = samples[top + y, 3 * left:3 * (left + rows.shape[2])]
        for x in range(rows.shape[2]):
            rows[0, y, x] = f4(line[3 * x]) / high
            rows[1, y, x] = f4(line[3 * x + 1]) / high
            rows[2, y, x] = f4(line[3 * x + 2]) / high


_LOADS = {kind: compiled(_load_samples, f"{kind}2 q q f f3") for kind in "BHf"}   # by the type of samples


@compiled(arguments="f2 f2 f1", fastmath={"contract"})
def mix(old, rows, mask):
    """Mix pixels (3, n) with those before by a mask (n,), in place."""
    for c in range(3):
        for i in range(rows.shape[1]):
            rows[c, i] = mixed(old[c, i], rows[c, i], mask[i])


@compiled(arguments="f2")
def clip(rows):
    """Clip pixels (3, n) to [0, 1], in place."""
    for c in range(3):
        for i in range(rows.shape[1]):
            rows[c, i] = clipped(rows[c, i])


@compiled(arguments="f3 f2 f2 q1 f3")
def _bicubic(part, rows, columns, place, result):
    """Interpolate a part of a picture, which begins at `place`, as `grid_sample` does: cubic convolution, A = -.75."""
    top, left, height, width = place[0], place[1], place[2], place[3]
    for y in range(result.shape[1]):
        for x in range(result.shape[2]):
            u = fused((columns[0, x] - rows[0, y]) + f4(1), f4(width * 0.5), f4(-0.5))   # rounded as by PyTorch
            v = fused((columns[1, x] + rows[1, y]) + f4(1), f4(height * 0.5), f4(-0.5))
            first, above = np.floor(u), np.floor(v)
            a0, a1, a2, a3 = _cubic(u - first)
            b0, b1, b2, b3 = _cubic(v - above)
            i, j = np.int64(first) - 1, np.int64(above) - 1
            x0, x1 = _inside(i, width) - left, _inside(i + 1, width) - left
            x2, x3 = _inside(i + 2, width) - left, _inside(i + 3, width) - left
            y0, y1 = _inside(j, height) - top, _inside(j + 1, height) - top
            y2, y3 = _inside(j + 2, height) - top, _inside(j + 3, height) - top
            for c in range(3):
                result[c, y, x] = (
                    b0 * (a0 * part[c, y0, x0] + a1 * part[c, y0, x1] + a2 * part[c, y0, x2] + a3 * part[c, y0, x3])
                    + b1 * (a0 * part[c, y1, x0] + a1 * part[c, y1, x1] + a2 * part[c, y1, x2] + a3 * part[c, y1, x3])
                    + b2 * (a0 * part[c, y2, x0] + a1 * part[c, y2, x1] + a2 * part[c, y2, x2] + a3 * part[c, y2, x3])
                    + b3 * (a0 * part[c, y3, x0] + a1 * part[c, y3, x1] + a2 * part[c, y3, x2] + a3 * part[c, y3, x3]))


@inlined
def _cubic(t):
    """Return the weights of the four pixels around a place between the middle two, at a share t of the way."""
    s = f4(1) - t
    return (_tail(t + f4(1)), (f4(1.25) * t - f4(2.25)) * t * t + f4(1),
            (f4(1.25) * s - f4(2.25)) * s * s + f4(1), _tail(s + f4(1)))


@inlined
def _tail(t):
    return ((f4(-0.75) * t + f4(3.75)) * t - f4(6)) * t + f4(3)


@inlined
def _inside(i, side):
    return min(max(i, 0), side - 1)
