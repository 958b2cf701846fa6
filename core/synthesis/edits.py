"""Random edits: the operator of each direction of a wish, and random plans with the wishes that they fulfil."""
import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
import torch

from core.datasets.images import to_tensor
from core.operators import TABLE, Mask, Plan, Step, apply
from core.operators.functions import CURVE_STEPS
from core.planning.ways import WAYS, amount, joined, step_of
from core.requests.grammar import choose, intent, region_of
from core.requests.phrases import WORDS
from core.requests.wish import LEVELS, Wish

MIN_CHANGE = {"sharpness": 0.004}  # least mean absolute change of a visible edit; sharpening changes edges only
MIN_CHANGE_ELSE = 0.02             # the same for the other operators of the notebook
MIN_CHANGE_PANEL = 0.003           # the same for the develop panel, some of whose operators change few pixels
MAX_CLIPPED = 0.04                 # largest share of pixels that an edit may clip to black or white
MIN_CLIP = 0.03                    # least change of a pixel that counts as clipped by the edit
ATTEMPTS, WISHED = 180, 12         # most draws for a picture; the same for given wishes, which may not suit it
REDRAWS = (3, 8, 18)               # batch sizes of the further draws of the same wishes, for plans of several wishes
LEVEL_SHARES = (0.25, 0.4, 0.22)   # shares of LEVELS; the remaining degrees are in per cent, if `Edit.percent`
ELLIPSE_SHARE = 0.3                # share of elliptic masks; the others follow segments of the picture
MASK_AREAS = {"local": (0.06, 0.4), "inpaint": (0.01, 0.08)}  # share of the picture
SEGMENT_SIZE = 96                  # side in pixels of the thumbnail that is segmented


@dataclass(frozen=True)
class Edit:
    """The operator of one direction of a wish, and its strengths.

    `strengths` are the four bounds of the three levels, in increasing order; `params(strength, picture)` returns the
    operator's parameters for a picture (1, 3, H, W); `percent` says whether a request may also give the strength in
    per cent.
    """

    op: str
    strengths: tuple[float, float, float, float]
    params: Callable
    percent: bool = False


def _scale(sign):
    return lambda strength, _: [sign * strength]


def _curves(bump, *channels):
    """Return a function strength -> slopes of x + strength * channel * bump(x) for each of `channels`."""
    slopes = CURVE_STEPS * np.diff(bump(np.linspace(0, 1, CURVE_STEPS + 1)))
    return lambda strength, _: [1 + strength * channel * slope for channel in channels for slope in slopes]


def _bulge(x):
    return x * (1 - x)


def _low_bump(x):
    return x * (1 - x) ** 3


def _wave(x):
    return x * (1 - x) * (1 - 2 * x)


EDITS = {  # keys: Wish.direction, of edits that a later edit can undo
    ("light", 1): Edit("brightness", (0.1, 0.2, 0.4, 0.7), _scale(1), percent=True),
    ("light", -1): Edit("brightness", (0.1, 0.2, 0.35, 0.55), _scale(-1), percent=True),
    ("contrast", 1): Edit("contrast", (0.2, 0.35, 0.6, 0.95), _scale(1), percent=True),
    ("contrast", -1): Edit("contrast", (0.2, 0.3, 0.5, 0.75), _scale(-1), percent=True),
    ("saturation", 1): Edit("saturation", (0.2, 0.4, 0.7, 1.1), _scale(1), percent=True),
    ("saturation", -1): Edit("saturation", (0.2, 0.35, 0.6, 0.9), _scale(-1), percent=True),
    ("temperature", 1): Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, 1, 0.1, -1)),
    ("temperature", -1): Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, -1, 0, 1)),
    ("red", 1): Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, 1, -0.5, -0.5)),
    ("green", 1): Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, -0.5, 1, -0.5)),
    ("blue", 1): Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, -0.5, -0.25, 1)),
    ("sharpness", 1): Edit("sharpness", (0.15, 0.3, 0.55, 0.9), _scale(1), percent=True),
    ("sharpness", -1): Edit("sharpness", (0.05, 0.1, 0.15, 0.2), _scale(-1)),
    ("shadows", 1): Edit("tint", (0.5, 0.9, 1.6, 2.5), _curves(_low_bump, 1)),
    ("midtones", -1): Edit("tint", (0.2, 0.35, 0.55, 0.8), _curves(_bulge, -1)),
    ("fade", 1): Edit("tint", (0.4, 0.7, 1.1, 1.6), _curves(_wave, 1)),
}


def _of_way(wish):
    """Return the Edit of the develop panel for a direction, with the strengths of docs/strengths.md."""
    way = WAYS[wish.attribute][wish.sign][0]
    slight, plain, strong = (abs(amount(replace(wish, degree=level), way, way.places[0])) for level in LEVELS)

    def params(strength, picture):
        step = list(step_of(wish, way, picture).params)
        neutral = TABLE[way.op].neutral.tolist()
        for place in way.places:
            step[place] = neutral[place] + strength * np.sign(amount(wish, way, place))
        return step
    return Edit(way.op, (slight / 2, (slight + plain) / 2, (plain + strong) / 2, strong), params)


@functools.cache
def panel_edits():
    """Return {direction: Edit} with the operators of the develop panel that planners use, for directions of `WAYS`."""
    edits = {wish.direction: _of_way(wish) for wish in (Wish(name, sign) for name in WAYS for sign in (1, -1))}
    return {direction: edit for direction, edit in edits.items() if TABLE[edit.op].plannable}


def edits_of(op_vocab):
    """Return EDITS if an OperatorVocab has the notebook's operators, else the edits of the develop panel."""
    return EDITS if "brightness" in op_vocab.ids else panel_edits()


LOCAL_EDITS = tuple((attribute, sign) for attribute in ("light", "contrast", "saturation", "temperature")
                    for sign in (1, -1))


class Draft(NamedTuple):
    """A random step before it is tested; its parameters are not in canonical form."""

    op: str
    params: list[float]
    mask: Mask | None = None


def draw(kind, picture, rng, shown=None, edits=EDITS):
    """Draw a random plan for a picture, and the wishes that this plan fulfils.

    Args:
        kind: one of "global", "compound", "local", "inpaint" and "unchanged"; or the wishes, a sequence with one
            direction of `edits` each, whose degree decides the strength.
        picture: uint8 (H, W, 3).
        rng: a numpy Generator; the same state draws the same plan.
        shown: a callable (after (N, 3, H, W) in [0, 1], intent) -> bool (N,): whether each edit of the whole picture
            fulfils its wishes. The test is needed because brightening, for example, also increases the contrast.
        edits: the table of edits, see `edits_of`.

    Returns: (plan, wishes), or None if no drawn edit of this kind is visible, clips few pixels and fulfils its wishes.
    """
    before = to_tensor(picture)[None]
    drawing = Drawing(picture, before, rng, edits)
    first = drawing.kinds[kind] if isinstance(kind, str) else lambda: drawing.wished(kind)
    for attempts in _attempts(drawing, first, ATTEMPTS if isinstance(kind, str) else WISHED):
        found = _first_granted(before, attempts, shown)
        if found is not None:
            steps, wishes = attempts[found]
            made = [Step.make(*step) for step in steps]
            return Plan(tuple(made)) if isinstance(kind, str) else joined(made), wishes
    return None


def _attempts(drawing, draw_first, most):
    """Yield batches of attempts; an attempt is a list of drafts and a list of wishes.

    The attempts of one batch have the same operators and wish for the same directions. If a draw of several wishes
    fails, the same wishes are tried again first; otherwise hard combinations would be under-sampled.
    """
    tried = 0
    while tried < most:
        first = draw_first()
        yield [first]
        tried += 1
        for count in REDRAWS if len(first[1]) > 1 else ():
            yield [drawing.redrawn(*first) for _ in range(count)]
            tried += count


@torch.no_grad()
def _first_granted(before, attempts, shown):
    """Return the index of the first of `attempts` with good steps that fulfil the wishes, or None."""
    steps, wishes = attempts[0]
    image, left = before.expand(len(attempts), -1, -1, -1), list(range(len(attempts)))
    for place, step in enumerate(steps):
        params = torch.tensor([attempts[index][0][place].params for index in left], dtype=torch.float64)
        mask = None if step.mask is None else step.mask.tensor(*before.shape[-2:]).expand(len(left), -1, -1, -1)
        after = apply(TABLE[step.op], image, TABLE[step.op].normalise(params).float(), mask)
        good = are_good(step, image, after)
        left = [index for index, kept in zip(left, good, strict=True) if kept]
        if not left:
            return None
        image = after[torch.tensor(good)]
    if not shown or any(step.mask is not None for step in steps):
        return left[0]
    granted = shown(image, intent(wishes))
    return next((index for index, kept in zip(left, granted, strict=True) if kept), None)


def are_good(step, before, after):
    """Return a list of N bools: whether each edit changes enough in its mask and clips few pixels."""
    area = 1.0 if step.mask is None else step.mask.array().mean()
    before, after = before.numpy(), after.numpy()   # NumPy compares three times as fast as PyTorch
    change = np.abs(after - before)
    clipped = ((after < 0.5 / 255) | (after > 254.5 / 255)) & (change > MIN_CLIP)
    clipped = clipped[:, 0] | clipped[:, 1] | clipped[:, 2]
    least = MIN_CHANGE_PANEL if TABLE[step.op].version == 2 else MIN_CHANGE.get(step.op, MIN_CHANGE_ELSE)
    return ((change.mean((1, 2, 3)) >= area * least)
            & (clipped.mean((1, 2)) <= area * MAX_CLIPPED)).tolist()


class Drawing:
    """Draws drafts and wishes for one picture, from a table of edits."""

    def __init__(self, picture, before, rng, edits):
        """Set the picture as uint8 (H, W, 3) and as a tensor `before` (1, 3, H, W), the generator and the edits."""
        self.picture, self.before, self.rng, self.edits = picture, before, rng, edits
        self.directions = [direction for direction in edits if direction in WORDS]   # the grammar has words for these
        self.operators = tuple(dict.fromkeys(edits[direction].op for direction in self.directions))
        self.kinds = {"global": self.whole, "compound": self.compound, "local": self.local, "inpaint": self.inpaint,
                      "unchanged": lambda: ([], [Wish("unchanged")])}

    def whole(self):
        """Draw one step; each operator has the same probability."""
        step, wish = self._step(self._direction(choose(self.rng, self.operators)))
        return [step], [wish]

    def compound(self):
        """Draw two or three operators whose wishes have different intents, so that no step undoes another."""
        while True:
            ops = self.rng.permutation(self.operators)[:choose(self.rng, (2, 2, 3))]
            drawn = [self._step(self._direction(op)) for op in ops]
            steps, wishes = map(list, zip(*drawn, strict=True))
            if sum(len(intent([wish])) for wish in wishes) == len(intent(wishes)):
                return steps, wishes

    def wished(self, wishes):
        """Draw the steps of given wishes; their levels bound the strengths. Wishes without an edit get no step."""
        steps = []
        for wish in wishes:
            if edit := self.edits.get(wish.direction):
                rank = LEVELS.index(wish.level)
                strength = self.rng.uniform(edit.strengths[rank], edit.strengths[rank + 1])
                steps.append(Draft(edit.op, edit.params(strength, self.before)))
        return steps, list(wishes)

    def local(self):
        """Draw one step with a mask."""
        mask = _draw_mask(self.picture, MASK_AREAS["local"], self.rng)
        step, wish = self._step(choose(self.rng, LOCAL_EDITS), mask)
        return [step], [wish]

    def inpaint(self):
        """Draw a mask that is filled."""
        mask = _draw_mask(self.picture, MASK_AREAS["inpaint"], self.rng)
        return [Draft("inpaint_obj", [], Mask.from_array(mask))], [Wish("removal", where=region_of(mask))]

    def _direction(self, op):
        return choose(self.rng, [direction for direction in self.directions if self.edits[direction].op == op])

    def _step(self, direction, mask=None):
        """Return a step of random strength, and the wish whose degree matches this strength."""
        edit, shares = self.edits[direction], np.cumsum(LEVEL_SHARES)
        rank = int(np.searchsorted(shares, self.rng.random() * (1 if edit.percent else shares[-1]), side="right"))
        if rank < len(LEVELS):
            degree = LEVELS[rank]
            strength = self.rng.uniform(edit.strengths[rank], edit.strengths[rank + 1])
        else:
            degree = _draw_percent(edit, self.rng)
            strength = degree / 100
        step = Draft(edit.op, edit.params(strength, self.before), None if mask is None else Mask.from_array(mask))
        return step, Wish(*direction, degree, None if mask is None else region_of(mask))

    def redrawn(self, steps, wishes):
        """Return several steps and wishes with new strengths, each at most one level from the degree of its wish.

        Some wishes work against each other: darkening reduces the contrast, so "darker, with more contrast" needs a
        weaker darkening or a much stronger contrast. A degree in per cent is drawn again.
        """
        redrawn, masks = [], [step.mask for step in steps]
        known = [wish for wish in wishes if wish.direction in self.edits]
        others = [wish for wish in wishes if wish.direction not in self.edits]
        for mask, wish in zip(masks, known, strict=True):
            edit = self.edits[wish.direction]
            if wish.degree in LEVELS or not edit.percent:
                rank = LEVELS.index(wish.level)
                strength = self.rng.uniform(edit.strengths[max(rank - 1, 0)], edit.strengths[min(rank + 2, 3)])
            else:
                wish = replace(wish, degree=_draw_percent(edit, self.rng))
                strength = wish.degree / 100
            redrawn.append((Draft(edit.op, edit.params(strength, self.before), mask), wish))
        steps, wishes = map(list, zip(*redrawn, strict=True))
        return steps, wishes + others


def _draw_percent(edit, rng):
    return 5 * int(rng.integers(round(edit.strengths[0] * 20), int(edit.strengths[-1] * 20) + 1))


def _draw_mask(picture, areas, rng):
    """Return a bool mask (H, W), a segment or an ellipse; its share of the picture is roughly within `areas`."""
    size = picture.shape[0]
    if rng.random() >= ELLIPSE_SHARE:
        from skimage.segmentation import felzenszwalb

        small = cv2.resize(picture, (SEGMENT_SIZE, SEGMENT_SIZE), interpolation=cv2.INTER_AREA)
        segments = felzenszwalb(small, scale=150, sigma=0.8, min_size=int(areas[0] * small[..., 0].size))
        shares = np.bincount(segments.ravel()) / segments.size
        fitting = np.flatnonzero((shares >= areas[0]) & (shares <= areas[1]))
        if len(fitting):
            inside = np.float32(segments == rng.choice(fitting))
            mask = cv2.resize(inside, (size, size), interpolation=cv2.INTER_LINEAR) > 0.5
            if mask.any():   # a segment that is one pixel wide can vanish
                return mask
    area, stretch = rng.uniform(*areas), rng.uniform(0.6, 1.6)
    radius = np.sqrt(area / np.pi) * np.array([stretch, 1 / stretch])
    centre = rng.uniform(np.minimum(radius, 0.5), np.maximum(1 - radius, 0.5))
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    return ((y - centre[0]) / radius[0]) ** 2 + ((x - centre[1]) / radius[1]) ** 2 < 1
