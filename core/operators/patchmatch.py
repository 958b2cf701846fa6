"""Exemplar inpainting: a hole is filled with patches of the same photo, from coarse to fine.

For each patch that touches the hole, PatchMatch (Barnes et al. 2009) searches the most similar patch that does not, and
each pixel of the hole becomes a weighted mean of the patches that cover it (Wexler et al. 2007, "Space-Time Completion
of Video"). Search and vote repeat on each level of a pyramid. Patches are compared in colours and in texture, the mean
gradient of a neighbourhood (Newson et al. 2014, "Video Inpainting of Complex Scenes"): colours alone prefer smooth
patches. A patch may be lightened or darkened a little, so that a gradient, such as a sky's, continues.

The result depends on the photo and the hole only: random numbers are hashes of a patch's number, a pass over the
patches reads the matches of the pass before, and the sums of squared integers are exact in any order.
"""
import cv2
import numpy as np

from core.operators.compiled import compiled
from core.threads import in_parallel

RADIUS = 3               # pixels: a patch has a side of 2 RADIUS + 1; if the photo has no such patch, of less
SHIFT = 10.0             # the most by which a patch is lightened or darkened, in steps of 1 / 255
TEXTURE = 6.0            # weight of the texture relative to the colours
SEARCHED = 40_000        # a level with more patches only refines the matches of the level below it
ROUNDS = 16              # searches and votes on the coarsest level; half as many on each finer one, but
LEAST_ROUNDS = 4         # at least so many on a searched level, and one on a level that is only refined
SHARP = 2                # of these, so many votes at the end take the best patches only, which keeps fine detail
STEPS = 4, 2, 1, 1       # a search makes a pass over all patches for each of these distances of neighbours
REFINED = 2, 1           # the same for a level that is only refined
NEAR = 4                 # pixels around its match in which a patch of a refined level searches at random
POWER = 8                # of a sharp vote's weights: a patch twice as distant as the best has a weight of 1 / 2^8
TRUST = 1.3              # a patch's weight falls by this factor for each pixel of its centre's depth in the hole
RIM = 2                  # pixels around the hole at which the fill is compared with the photo
SEAM = 0.12              # a larger difference there is a structure that ends, and is not spread over the hole
GREY = np.float32([0.299, 0.587, 0.114])
CHUNK = 4096             # patches that a thread works on at a time
NUMBERS = 64             # a patch takes as long as so many numbers of other work, see `core.threads.in_parallel`


def fill(image: np.ndarray, hole: np.ndarray) -> np.ndarray | None:
    """Return the image with the pixels of the hole replaced; no source patch touches the hole or leaves the image.

    Args:
        image: float32 (H, W, 3) in [0, 1].
        hole: bool (H, W), True where pixels are to be filled.

    Returns: float32 (H, W, 3) in [0, 1], or None if the image has no patch, not even of 3 x 3 pixels, without a hole.
    """
    radius = next((radius for radius in range(RADIUS, 0, -1) if _sources(hole, radius).any()), None)
    if radius is None:
        return None
    level = None
    for index, (pixels, gap) in enumerate(reversed(_pyramid(image, hole, radius))):
        level = _Level(pixels, gap, radius, level)
        rounds = max(ROUNDS >> index, LEAST_ROUNDS) if level.searched else 1
        for turn in range(rounds):
            level.search(seed=100 * index + turn)
            level.vote(sharp=turn >= rounds - SHARP)
    return level.blended()


class _Level:
    """One level of the pyramid: its image (h, w, C), the patches that touch the hole, and their matches.

    The arrays y, x hold the centres of the patches, v, u the centres of their matches, and cost the distances.
    """

    def __init__(self, image, hole, radius, coarser):
        self.hole, self.radius, self.area = hole, radius, (2 * radius + 1) ** 2
        self.valid = _sources(hole, radius)
        self.y, self.x = _places(_grown(hole, radius) & _interior(hole.shape, radius))
        self.place = np.full(hole.shape, -1, np.int32)
        self.place[self.y, self.x] = np.arange(len(self.y))
        self.searched = coarser is None or _is_searched(hole, radius)
        depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 3)[self.y, self.x]
        self.trust = (TRUST ** -np.minimum(depth, 100)).astype(np.float32)
        self.holes = _places(hole)
        if coarser is None:
            self.image = membrane(image, ~hole)
            self.v, self.u = self._drawn(len(self.y))
            self.cost = np.zeros(len(self.y), np.float32)
            self._encode()
        else:
            self._refine(image, coarser)

    def _drawn(self, count):
        """Draw the centres of `count` source patches at random."""
        places = np.flatnonzero(self.valid)
        picked = places[np.random.default_rng(0).integers(0, len(places), count)]
        return tuple(part.astype(np.int32) for part in np.divmod(picked, self.hole.shape[1]))

    def _nearest(self, patches):
        """Return the centres of the source patches that are nearest to some patches."""
        labels = cv2.distanceTransformWithLabels((~self.valid).view(np.uint8), cv2.DIST_L2, 5,
                                                 labelType=cv2.DIST_LABEL_PIXEL)[1]
        places = np.zeros(labels.max() + 1, np.int64)
        places[labels[self.valid]] = np.flatnonzero(self.valid)
        return np.divmod(places[labels[self.y[patches], self.x[patches]]], self.hole.shape[1])

    def _refine(self, image, coarser):
        """Take the matches of a coarser level, and fill the hole by them."""
        height, width = self.hole.shape
        parent = coarser.place[tuple(np.clip(place // 2, self.radius, side - self.radius - 1)
                                     for place, side in zip((self.y, self.x), coarser.hole.shape, strict=True))]
        self.v, self.u = (np.clip(2 * match[parent] + place - 2 * centre[parent], 0, side - 1).astype(np.int32)
                          for match, place, centre, side in ((coarser.v, self.y, coarser.y, height),
                                                             (coarser.u, self.x, coarser.x, width)))
        lost = np.flatnonzero((parent < 0) | ~self.valid[self.v, self.u])
        self.cost = coarser.cost[parent]
        if len(lost):
            self.v[lost], self.u[lost] = self._nearest(lost)
            self.cost[lost] = coarser.cost.max()
        self.image = image.copy()
        rows, columns = box = self._box(0)
        guess = coarser.image[rows.start // 2:rows.stop // 2 + 1, columns.start // 2:columns.stop // 2 + 1]
        guess = cv2.resize(guess[..., :image.shape[2]], None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
        guess = guess[rows.start % 2:, columns.start % 2:][:rows.stop - rows.start, :columns.stop - columns.start]
        self.image[box][self.hole[box]] = guess[self.hole[box]]
        self._encode()
        self.vote(sharp=True)

    def _encode(self):
        """Round the image to integers from 0 to 255 for comparisons, and sum the colours of each patch."""
        self.codes = cv2.convertScaleAbs(self.image, alpha=255).reshape(self.image.shape)
        self.sums = self._summed(self.codes)

    def _summed(self, codes):
        return cv2.boxFilter(codes[..., :3], cv2.CV_32S, (2 * self.radius + 1,) * 2, normalize=False)

    def search(self, seed):
        """Search better matches: of neighbours, and at random around the own match."""
        reach, steps = (max(self.hole.shape), STEPS) if self.searched else (NEAR, REFINED)
        flat = self.codes.reshape(len(self.codes), -1)
        for number, step in enumerate(steps):
            new = tuple(np.empty_like(part) for part in (self.v, self.u, self.cost))

            def work(first, new=new, step=step, salt=10 * seed + number):
                _search(flat, self.sums, self.valid, self.place, self.y, self.x, self.v, self.u, *new,
                        first, min(first + CHUNK, len(self.y)), step, reach, salt, self.radius)
            in_parallel(work, range(0, len(self.y), CHUNK), NUMBERS * len(self.y))
            self.v, self.u, self.cost = new

    def vote(self, sharp=False):
        """Set each pixel of the hole to the weighted mean of the patches that cover it; `sharp`: of the best ones."""
        votes = self._voted(*self.holes, sharp)
        self.image[self.holes], self.codes[self.holes] = votes, np.rint(votes * 255)
        wide, box = self._box(2 * self.radius), self._box(self.radius)
        inner = tuple(slice(part.start - whole.start, part.stop - whole.start)
                      for part, whole in zip(box, wide, strict=True))
        self.sums[box] = self._summed(self.codes[wide])[inner]

    def _box(self, margin):
        """Return the rows and columns of the hole's box and of a margin around it."""
        return tuple(slice(max(place.min() - margin, 0), place.max() + margin + 1) for place in self.holes)

    def _voted(self, y, x, sharp=True):
        """Return the votes (n, C) for the pixels at y, x."""
        shift = (self.sums[self.y, self.x] - self.sums[self.v, self.u]).astype(np.float32)
        shift = np.clip(shift / self.area, -SHIFT, SHIFT) / 255
        votes = np.empty((len(y), self.image.shape[2]), np.float32)

        def work(first):
            part = slice(first, first + CHUNK)
            _vote(self.image, self.place, self.v, self.u, self.cost, self.trust, shift, y[part], x[part], self.radius,
                  votes[part], sharp)
        in_parallel(work, range(0, len(y), CHUNK), NUMBERS * len(y))
        return np.clip(votes, 0, 1, out=votes)

    def blended(self):
        """Return the image; the difference of fill and photo at the hole's rim is spread smoothly over the hole."""
        box = self._box(RIM)
        hole, image = self.hole[box], self.image[box][..., :3]
        rim = _grown(hole, RIM) & ~hole & (self.place[box] >= 0)
        y, x = _places(rim)
        difference = np.zeros_like(image)
        difference[y, x] = image[y, x] - self._voted(y + box[0].start, x + box[1].start)[:, :3]
        rim &= np.abs(difference).max(2) < SEAM
        image[hole] = np.clip(image + membrane(difference, rim), 0, 1)[hole]
        return self.image[..., :3]


def membrane(values: np.ndarray, known: np.ndarray, sweeps: int = 12) -> np.ndarray:
    """Return `values` (h, w, C) with the unknown ones interpolated smoothly, about as a harmonic function.

    A reduced copy, filled in the same way, is the first guess; sweeps of Jacobi's iteration smooth it.
    """
    if known.all() or not known.any():
        return values
    small = membrane(*_halved(values, known), sweeps)
    guess = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)[:known.shape[0], :known.shape[1]]
    guess = guess.reshape(values.shape)
    guess[known] = values[known]
    cross = np.float32([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]])
    for _ in range(sweeps):
        guess = cv2.filter2D(guess, -1, cross, borderType=cv2.BORDER_REPLICATE).reshape(values.shape)
        guess[known] = values[known]
    return guess


def _pyramid(image, hole, radius):
    """Return [(image, hole), ...] from fine to coarse; searched levels have two more channels, the texture.

    On the coarsest level, a few patches reach from the rim to the middle of the hole.
    """
    levels, textured = [], False
    while True:
        if not textured and _is_searched(hole, radius):
            image, textured = np.dstack((image, _texture(image, hole, radius))), True
        levels.append((image, hole))
        depth = cv2.distanceTransform(np.pad(hole, 1, mode="edge").view(np.uint8), cv2.DIST_C, 3).max()
        image, known = _halved(image, ~hole, most=True)
        hole = ~known
        if (textured and depth <= 2 * radius) or known.all() or not _sources(hole, radius).any():
            return levels


def _halved(values, known, most=False):
    """Return the mean of the known values (h, w, C) in each 2 x 2 pixels, and where one is known, or `most` are."""
    height, width = known.shape
    odd = (0, height % 2), (0, width % 2)
    weight = np.pad(known, odd, mode="edge").astype(np.float32)
    values = np.pad(values, (*odd, (0, 0)), mode="edge")
    values *= weight[..., None]
    size = values.shape[1] // 2, values.shape[0] // 2
    weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA).reshape(size[::-1])
    values = cv2.resize(values, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], -1)
    return values / np.maximum(weight, 0.25)[..., None], weight > (0.6 if most else 0)


def _texture(image, hole, radius):
    """Return the mean absolute gradient in x and y of the known neighbours of each pixel, (h, w, 2), weighted."""
    grey, side = image @ GREY, (4 * radius + 1,) * 2
    parts = []
    for axis in (1, 0):
        both = (~hole & ~_next(hole, axis)).astype(np.float32)
        steps = np.abs(_next(grey, axis) - grey) * both
        parts.append(cv2.blur(steps, side) / np.maximum(cv2.blur(both, side), 1e-6))
    return np.minimum(TEXTURE * np.dstack(parts), 1).astype(np.float32)


def _next(values, axis):
    """Return the next value of each along an axis; the last one is its own next."""
    return np.concatenate((np.delete(values, 0, axis), np.take(values, [-1], axis)), axis)


def _places(mask):
    """Return the rows and the columns of the pixels of a mask, int32 (n,)."""
    return tuple(place.astype(np.int32) for place in np.nonzero(mask))


def _grown(mask, radius):
    """Return the pixels of a mask and those up to `radius` rows and columns away."""
    return cv2.dilate(mask.view(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0


def _interior(shape, radius):
    """Return where the patches around a pixel lie inside an image, bool (h, w)."""
    inside = np.zeros(shape, bool)
    inside[radius:shape[0] - radius, radius:shape[1] - radius] = True
    return inside


def _sources(hole, radius):
    """Return the centres of the patches that lie inside the image and do not touch the hole, bool (h, w)."""
    return ~_grown(hole, radius) & _interior(hole.shape, radius)


def _is_searched(hole, radius):
    """Return whether the patches that touch the hole are few enough for a search in the whole image."""
    return np.count_nonzero(_grown(hole, radius)) <= SEARCHED


@compiled
def _hash(number):
    """Return 64 random bits of a number: SplitMix64 (Steele et al. 2014)."""
    z = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled(fastmath={"reassoc"})
def _squares(first, second, start, other, count):
    """Return the sum of squared differences of `count` integers of two rows; below 2^24, float32 is exact."""
    total = np.float32(0)
    for k in range(count):
        difference = np.float32(first[start + k]) - np.float32(second[other + k])
        total += difference * difference
    return total


@compiled
def _distance(flat, sums, y, x, v, u, radius, best):
    """Return the squared distance of the patches at (y, x) and (v, u) after the best shift, or more than `best`."""
    side, channels = 2 * radius + 1, flat.shape[1] // sums.shape[1]
    gain = np.float32(0)
    for c in range(3):
        total = np.float32(sums[y, x, c] - sums[v, u, c])
        shift = min(max(total / np.float32(side * side), np.float32(-SHIFT)), np.float32(SHIFT))
        gain += shift * (np.float32(2) * total - np.float32(side * side) * shift)
    distance = -gain
    for row in range(-radius, radius + 1):
        distance += _squares(flat[y + row], flat[v + row], (x - radius) * channels, (u - radius) * channels,
                             side * channels)
        if distance > best:
            break
    return max(distance, np.float32(0))


@compiled
def _search(flat, sums, valid, place, y, x, v, u, new_v, new_u, new_cost, first, last, step, reach, salt, radius):
    """One pass over the patches from `first` to `last`: try the neighbours' matches, then random ones."""
    height, width = valid.shape
    for i in range(first, last):
        a, b, best_v, best_u = y[i], x[i], v[i], u[i]
        best = _distance(flat, sums, a, b, best_v, best_u, radius, np.float32(np.inf))
        for side in range(4):
            dy = step * ((side == 0) - (side == 1))
            dx = step * ((side == 2) - (side == 3))
            if 0 <= a + dy < height and 0 <= b + dx < width:
                j = place[a + dy, b + dx]
                if j >= 0:
                    c, d = v[j] - dy, u[j] - dx
                    if 0 <= c < height and 0 <= d < width and valid[c, d] and (c != best_v or d != best_u):
                        cost = _distance(flat, sums, a, b, c, d, radius, best)
                        if cost < best:
                            best, best_v, best_u = cost, c, d
        span = reach
        number = (np.uint64(salt) << np.uint64(32)) + np.uint64(i) * np.uint64(64)
        while span >= 1:
            number += np.uint64(1)
            bits = _hash(number)
            c = best_v + np.int64(((bits >> np.uint64(32)) * np.uint64(2 * span + 1)) >> np.uint64(32)) - span
            d = best_u + np.int64(((bits & np.uint64(0xFFFFFFFF)) * np.uint64(2 * span + 1)) >> np.uint64(32)) - span
            if 0 <= c < height and 0 <= d < width and valid[c, d]:
                cost = _distance(flat, sums, a, b, c, d, radius, best)
                if cost < best:
                    best, best_v, best_u = cost, c, d
            span //= 2
        new_v[i], new_u[i], new_cost[i] = best_v, best_u, best


@compiled
def _vote(image, place, v, u, cost, trust, shift, y, x, radius, votes, sharp):
    """Write the weighted means of the patches that cover the pixels at y, x; good patches dominate."""
    height, width, channels = image.shape
    for i in range(len(y)):
        low, mean, count = np.float32(np.inf), np.float32(0), 0
        for q in range(max(y[i] - radius, 0), min(y[i] + radius + 1, height)):
            for p in range(max(x[i] - radius, 0), min(x[i] + radius + 1, width)):
                j = place[q, p]
                if j >= 0:
                    low, mean, count = min(low, cost[j] / trust[j]), mean + cost[j], count + 1
        mean = mean / np.float32(count) + np.float32(1)
        total = np.float32(0)
        votes[i] = 0
        for q in range(max(y[i] - radius, 0), min(y[i] + radius + 1, height)):
            for p in range(max(x[i] - radius, 0), min(x[i] + radius + 1, width)):
                j = place[q, p]
                if j >= 0:
                    if sharp:
                        weight = ((low + np.float32(1)) / (cost[j] / trust[j] + np.float32(1))) ** POWER
                    else:
                        weight = trust[j] / (np.float32(1) + (cost[j] / mean) ** 2)
                    total += weight
                    for c in range(channels):
                        value = image[v[j] + y[i] - q, u[j] + x[i] - p, c]
                        votes[i, c] += weight * (value + (shift[j, c] if c < 3 else np.float32(0)))
        for c in range(channels):
            votes[i, c] /= total
