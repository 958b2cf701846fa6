"""Kernels of the operators of `detail` and `effects`, and the maps that they need; see `kernels.table`.

Maps are computed with NumPy and OpenCV on a reduced picture, as in `layers`, which is the definition. OpenCV is
imported where it is needed, because most plans start without it.
"""
import itertools
import math

import numpy as np

from core import matrices
from core.operators import constants
from core.operators.compiled import compiled
from core.operators.kernels.arithmetic import (
    EPSILON,
    at_least,
    at_most,
    clipped,
    f4,
    inlined,
    kernel,
    largest,
    luma,
    mixed,
)

RED, GREEN, BLUE = map(f4, matrices.LUMA)
NOISES, STRIP = 1 << 16, 16   # random numbers, and rows of a turned picture, that a thread works on at a time
NOISE, HALO = f4(constants.NOISE), f4(constants.HALO)


def grey_of(planes):
    """Return the luma (h, w) of planes (3, h, w)."""
    return RED * planes[0] + GREEN * planes[1] + BLUE * planes[2]


def radius_of(picture, share):
    return max(1, round(share * max(picture.height, picture.width)))


def reduced(picture, radius):
    """Return the picture (3, h, w) reduced for a filter of `radius` pixels, and the radius in it; see `layers`."""
    factor = max(1, radius // constants.REDUCED_RADIUS)
    small = picture.reduced(*(max(1, round(side / factor)) for side in (picture.height, picture.width)))
    return small, radius if factor == 1 else max(1, round(radius / factor))


def box_mean(image, radius):
    """Return the mean (h, w) over a square window, cropped at the border; see `filters.box_mean`."""
    import cv2
    counts = [np.minimum(places + radius, len(places) - 1) - np.maximum(places - radius, 0) + 1
              for places in map(np.arange, image.shape)]
    total = cv2.boxFilter(image, cv2.CV_32F, (2 * radius + 1,) * 2, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return total.reshape(image.shape) / np.outer(*counts).astype(f4)


def guided(image, guide, radius, epsilon):
    """Return slope and offset (h, w) of the guided filter; see `filters.guided_coefficients`."""
    mean_guide, mean_image = box_mean(guide, radius), box_mean(image, radius)
    slope = ((box_mean(guide * image, radius) - mean_guide * mean_image)
             / (box_mean(guide * guide, radius) - mean_guide * mean_guide + f4(epsilon)))
    return box_mean(slope, radius), box_mean(mean_image - slope * mean_guide, radius)


def base_maps(picture, share, variance):
    """Return slope and offset (2, h, w) of the base layer of the luma."""
    small, radius = reduced(picture, radius_of(picture, share))
    grey = grey_of(small)
    return np.stack(guided(grey, grey, radius, variance))


def blurred(picture, share, planes_of):
    """Return the Gaussian blur (C, h, w) of `planes_of(picture)` by a share of the long edge; see `layers.blurred`."""
    import cv2
    sigma = _pixels(share, picture.height, picture.width)
    factor = max(1, int(sigma / 1.5))
    small = planes_of(picture.reduced(*(max(1, round(side / factor)) for side in (picture.height, picture.width))))
    if factor > 1:
        sigma = math.sqrt(max(sigma * sigma / factor**2 - 0.25, 0))
    reach = max(4, math.ceil(3 * sigma))
    squares = np.arange(-reach, reach + 1.0) ** 2
    weights = np.exp(-squares / (2 * max(sigma, 0.05) ** 2))
    weights /= weights.sum()
    if sigma < 1:
        weights += (sigma * sigma - weights @ squares) * ((squares == 1) / 2 - (squares == 0))
    return np.stack([cv2.sepFilter2D(plane, cv2.CV_32F, weights, weights, borderType=cv2.BORDER_REPLICATE)
                     .reshape(plane.shape) for plane in small])


def local_minimum(image, radius):
    """Return the minimum (h, w) over a square window of (2 radius + 1) pixels."""
    import cv2
    return cv2.erode(image, np.ones((2 * radius + 1,) * 2, np.uint8), borderType=cv2.BORDER_REPLICATE
                     ).reshape(image.shape)


@kernel
def local_contrast(old, rows, maps, params, place):
    """Scale the distance of luma from the base layer `maps[0] * luma + maps[1]`, see `detail._local_contrast`."""
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        grey = luma(r, g, b)
        detail = grey - (maps[0, i] * grey + maps[1, i])
        change = params[0] * clipped(f4(4) * grey * (f4(1) - grey)) * detail
        rows[0, i], rows[1, i], rows[2, i] = r + change, g + change, b + change


def haze(params, picture):
    """Return the amount and the airlight, and the maps of the haze; see `detail.dehaze`."""
    import torch  # late: of equal values, only PyTorch's topk takes the same ones as the definition
    small, radius = reduced(picture, radius_of(picture, 0.025))
    dark = local_minimum(small.min(0), radius)
    count = max(1, round(constants.DARKEST * dark.size))
    places = torch.from_numpy(dark).flatten().topk(count).indices.numpy()
    airlight = small.reshape(3, -1)[:, places].mean(1)
    covered = local_minimum((small / np.maximum(airlight, f4(0.05))[:, None, None]).min(0), radius)
    return np.append(params, airlight), np.stack(guided(covered, grey_of(small), 4 * radius, 1e-3))


@kernel
def dehaze(old, rows, maps, params, place):
    amount, r0, g0, b0 = params[0], params[1], params[2], params[3]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        covered = clipped(maps[0, i] * luma(r, g, b) + maps[1, i])
        transmission = f4(1) - (f4(0.85) * at_least(amount, f4(0))) * covered
        r, g, b = r - r0, g - g0, b - b0
        tolerance = at_least(f4(0.3) / at_least(largest(abs(r), abs(g), abs(b)), EPSILON), f4(1))
        clear = f4(1) / at_most(at_least(transmission * tolerance, f4(0.25)), f4(1))
        added = f4(0.6) * at_least(-amount, f4(0))
        rows[0, i], rows[1, i] = mixed(r * clear + r0, r0, added), mixed(g * clear + g0, g0, added)
        rows[2, i] = mixed(b * clear + b0, b0, added)


def softened(params, picture):
    """Return the parameters of sharpening, and the blurred luma; see `detail.sharpen_scaled`."""
    return params, blurred(picture, params[1], lambda planes: grey_of(planes)[None])


def reach_of_sharpening(params, picture):
    return _reach(params, picture.height, picture.width)


def _reach(params, height, width):
    return max(1, round(_pixels(params[1], height, width)))


def _pixels(share, height, width):
    """Return a share of the long edge in pixels, rounded as PyTorch does, because it decides on whole numbers."""
    return float(f4(share) * f4(max(height, width)))


def sharpen_scaled(old, rows, maps, params, place):
    import cv2
    width, reach = place[2], _reach(params, place[3], place[4])
    grey = grey_of(old).reshape(-1, width)
    window = np.ones((1, 2 * reach + 1), np.uint8)
    low, high = (change(change(grey, window, borderType=cv2.BORDER_REPLICATE), window.T,
                        borderType=cv2.BORDER_REPLICATE).ravel() for change in (cv2.erode, cv2.dilate))
    _sharpen(rows, grey.ravel(), maps, low, high, params)


@compiled(arguments="f2 f1 f2 f1 f1 f1", fastmath={"contract"})
def _sharpen(rows, greys, maps, low, high, params):
    amount = params[0]
    for i in range(rows.shape[1]):
        grey = greys[i]
        detail = grey - maps[0, i]
        size = abs(detail)
        detail = amount * detail * (size / (size + NOISE))
        change = at_most(at_least(grey + detail, low[i] - HALO * amount), high[i] + HALO * amount) - grey
        rows[0, i], rows[1, i], rows[2, i] = rows[0, i] + change, rows[1, i] + change, rows[2, i] + change


def noise_maps(params, picture):
    """Return the maps of noise reduction: slope and offset of the luma, of R and of B; see `detail.denoise`."""
    small, radius = reduced(picture, radius_of(picture, 0.004))
    grey = grey_of(small)
    noise = min(max(10 * noise_level(picture) ** 2, 1e-6), 0.004)
    red, blue = (guided(colour, colour, 2 * radius, 4 * noise) for colour in (small[0] - grey, small[2] - grey))
    return params, np.stack((*guided(grey, grey, radius, noise), *red, *blue))


def noise_level(picture):
    """Estimate the standard deviation of the luma's noise; see `detail.noise_level`."""
    height, width = picture.height, picture.width
    if min(height, width) < 3:
        return 0.0
    step = max(1, math.isqrt(height * width >> 16))
    weights = np.outer((1, -2, 1), (1, -2, 1)).astype(f4)

    def response(top):
        grey = grey_of(picture.window(top, top + 3, 0, width))
        return sum(weights[down, right] * grey[down, right:width - 2 + right:step]
                   for down, right in itertools.product(range(3), repeat=2))
    values = np.abs(np.concatenate(picture.in_parallel(response, range(0, height - 2, step))))
    return float(np.partition(values, (len(values) - 1) // 2)[(len(values) - 1) // 2]) / (6 * 0.6745)


@kernel
def denoise(old, rows, maps, params, place):
    light, colour = params[0], params[1]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        grey = luma(r, g, b)
        red, blue = r - grey, b - grey
        red = mixed(red, maps[2, i] * red + maps[3, i], colour)
        blue = mixed(blue, maps[4, i] * blue + maps[5, i], colour)
        green = (RED * red + BLUE * blue) * (f4(-1) / GREEN)
        grey = mixed(grey, maps[0, i] * grey + maps[1, i], light)
        rows[0, i], rows[1, i], rows[2, i] = grey + red, grey + green, grey + blue


def soft_picture(params, picture):
    """Return the blurred picture; see `detail.gaussian_blur`."""
    return params, blurred(picture, params[0], lambda planes: planes)


@kernel
def replaced(old, rows, maps, params, place):
    for c in range(3):
        for i in range(rows.shape[1]):
            rows[c, i] = maps[c, i]


def edge(old, rows, maps, params, place):
    _draw_edges(old, rows, np.empty((rows.shape[1] // place[2] + 2, place[2] + 2), f4), params[0])


@compiled(arguments="f2 f2 f2 f", fastmath={"contract"})
def _draw_edges(old, rows, grey, share):
    """Mix with 1 minus four times the Sobel gradient of the luma, see `effects.edge`; the border is replicated."""
    height, width = grey.shape[0] - 2, grey.shape[1] - 2
    for y in range(height + 2):
        first = min(max(y - 1, 0), height - 1) * width
        for x in range(width):
            grey[y, x + 1] = luma(old[0, first + x], old[1, first + x], old[2, first + x])
        grey[y, 0], grey[y, width + 1] = grey[y, 1], grey[y, width]
    for y in range(height):
        first, down = y * width, y + 2
        for x in range(width):
            right = x + 2
            across = ((grey[y, right] - grey[y, x]) + f4(2) * (grey[y + 1, right] - grey[y + 1, x])
                      + (grey[down, right] - grey[down, x]))
            along = ((grey[down, x] - grey[y, x]) + f4(2) * (grey[down, x + 1] - grey[y, x + 1])
                     + (grey[down, right] - grey[y, right]))
            slope = np.sqrt((across * across + along * along) * f4(1 / 64) + f4(1e-12))
            drawn = at_least(f4(1) - f4(4) * slope, f4(0))
            for c in range(3):
                rows[c, first + x] = mixed(rows[c, first + x], drawn, share)


def grains(params, picture):
    """Return the parameters and the noise (1, H, W) of the seed; see `effects.grain`."""
    return params, noise(round(float(f4(params[1]))), picture)[None]


def noise(seed, picture):
    """Return the Gaussian noise (H, W) that `torch.randn` draws for a picture.

    PyTorch makes noise of blocks of 16 uniform numbers by the method of Box and Muller; for a last block that is not
    full it draws 16 numbers more, which replace the last 16.
    """
    count = picture.height * picture.width
    if count < 16:
        import torch  # late: it draws so few numbers in another way
        return torch.randn(picture.height, picture.width, generator=torch.Generator().manual_seed(seed)).numpy()
    random = np.random.RandomState(seed)   # the same Mersenne twister
    bits, last = (random.randint(0, 1 << 32, size, np.uint32) for size in (count, 16))
    made = bits.view(f4)

    def work(first):
        end = min(first + NOISES, count // 16 * 16)
        made[first:end] = _normal(bits[first:end])
    picture.in_parallel(work, range(0, count // 16 * 16, NOISES))
    if count % 16:
        made[-16:] = _normal(last)
    return made.reshape(picture.height, picture.width)


def _normal(bits):
    """Return Gaussian numbers of random uint32; the number of both is a multiple of 16."""
    uniform = ((bits & 0xffffff) * f4(2**-24)).reshape(-1, 2, 8)
    radius, turn = np.sqrt(-2 * np.log(1 - uniform[:, 0])), f4(math.tau) * uniform[:, 1]
    return np.stack((radius * np.cos(turn), radius * np.sin(turn)), 1).ravel()


@kernel
def grain(old, rows, maps, params, place):
    amount = f4(0.1) * params[0]
    for i in range(rows.shape[1]):
        r, g, b = rows[0, i], rows[1, i], rows[2, i]
        grey = luma(r, g, b)
        change = amount * maps[0, i] * at_least(f4(4) * grey * (f4(1) - grey), f4(0.1))
        rows[0, i], rows[1, i], rows[2, i] = r + change, g + change, b + change


def turned_picture(params, picture):
    """Return the picture (3, h, w) blurred along circles; see `effects.radial_blur`."""
    factor = max(1, max(picture.height, picture.width) // constants.BLURRED_SIDE)
    small = picture.reduced(*(max(1, round(side / factor)) for side in (picture.height, picture.width)))
    angle = math.radians(f4(params[0]))
    for power in range(1, constants.DOUBLINGS + 1):
        turn, result = angle * 0.5 ** (power + 1), np.empty_like(small)

        def work(top, small=small, result=result, turn=turn):
            _turn(small, top, min(top + STRIP, small.shape[1]), math.cos(turn), math.sin(turn), result)
        picture.in_parallel(work, range(0, small.shape[1], STRIP))
        small = result
    return params, small


@compiled(arguments="f3 q q d d f3")
def _turn(image, top, bottom, cos, sin, result):
    """Write the mean of the picture turned both ways into the rows from `top` to `bottom`."""
    height, width = image.shape[1], image.shape[2]
    for y in range(top, bottom):
        v = y + 0.5 - height / 2
        for x in range(result.shape[2]):
            u = x + 0.5 - width / 2
            for c in range(3):
                result[c, y, x] = f4(0)
            for way in range(2):
                s = sin if way == 0 else -sin
                across = _mirrored(u * cos - v * s + width / 2 - 0.5, width)
                along = _mirrored(u * s + v * cos + height / 2 - 0.5, height)
                i, j = int(across), int(along)
                a, b = f4(across - i), f4(along - j)
                right, below = min(i + 1, width - 1), min(j + 1, height - 1)
                for c in range(3):
                    above = image[c, j, i] + a * (image[c, j, right] - image[c, j, i])
                    under = image[c, below, i] + a * (image[c, below, right] - image[c, below, i])
                    result[c, y, x] += f4(0.5) * (above + b * (under - above))


@inlined
def _mirrored(place, side):
    """Return a place inside the picture, mirrored at the outer edges of the border's pixels."""
    place = abs(place + 0.5)
    turns = math.floor(place / side)
    place -= turns * side
    return min(max((place if turns % 2 == 0 else side - place) - 0.5, 0.0), side - 1.0)


def facets(params, picture):
    """Return the share, and the mean colours and the variance of the luma (4, h, w) of a window; see `detail`."""
    small, radius = reduced(picture, reach_of_facets(params, picture))
    means = window_means(np.concatenate((small, grey_of(small)[None] ** 2)), radius)
    means[3] -= grey_of(means) ** 2
    return np.append(params, reach_of_facets(params, picture)), means


def reach_of_facets(params, picture):
    return radius_of(picture, 0.004)


def window_means(planes, radius):
    """Return the means (C, h, w) over a square window, with the bits of `filters.box_mean`; it replaces `planes`.

    `box_mean` of this module is faster, but a difference in the last bit can choose another facet.
    """
    counts = np.ones(planes.shape[1:], f4)
    for plane in (*planes, counts):
        for axis in (1, 0):
            side = plane.shape[axis]
            sums = np.insert(np.cumsum(plane, axis, np.float64), 0, 0, axis)
            last, first = np.minimum(np.arange(side) + radius + 1, side), np.maximum(np.arange(side) - radius, 0)
            plane[:] = sums.take(last, axis) - sums.take(first, axis)
    return planes / counts


@kernel
def facet_blur(old, rows, maps, params, place):
    """Mix with the mean of that one of four windows whose variance `maps[3]` is least, see `detail.facet_blur`."""
    share, radius, width = params[0], np.int64(params[1]), place[2]
    height = rows.shape[1] // width
    for y in range(height):
        above, below = max(y - radius, 0) * width, min(y + radius, height - 1) * width
        for x in range(width):
            before, after = max(x - radius, 0), min(x + radius, width - 1)
            best = below + after
            for k in (below + before, above + after, above + before):   # in the order of the definition
                best = k if maps[3, k] < maps[3, best] else best
            for c in range(3):
                rows[c, y * width + x] = mixed(rows[c, y * width + x], maps[c, best], share)
