"""Synthetic edits: a crop of a photo, a random plan, and the words that ask for it.

Every sample is a pure function of (photos, seed, size, session, index, kind), and its entry in the record is
enough to make the same pixels again: `replay`.
"""
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.datasets.annotations import PHASES, pair_name
from core.datasets.grammar import LEVELS, Wish, describe, intent, region_of
from core.datasets.images import squash, to_tensor
from core.files import UserError, read_json, replacing, write_json
from core.operators import Mask, Plan, Step, execute_step
from core.operators.functions import CURVE_STEPS

SESSIONS = {0: ("global", "local", "inpaint", "compound"), 1: ("global",)}   # kinds that each has by default
KINDS = (*SESSIONS[0], "unchanged")
PHASE_CYCLE = ("train", "train", "val", "train", "test", "train", "train", "test", "train", "train")

MIN_CHANGE = {"sharpness": 0.004}  # mean absolute change below which nobody sees the edit ...
MIN_CHANGE_ELSE = 0.02             # ... sharpness moves few pixels, but those that the eye looks for
MAX_CLIPPED = 0.04                 # share of pixels that an edit may visibly drive to the end of the scale ...
MIN_CLIP = 0.03                    # ... moving them at least so far: black that becomes blacker is no loss
MIN_DEVIATION = 0.05               # of a crop: flatter ones (a wall, the night sky) show no edit
HIGHLIGHTS, COLORS = (0.5, 0.85), (0.4, 0.8)  # the 95th percentile of an input's values; its share of saturation
ATTEMPTS, INSIST = 60, 20          # draws before a picture is given up; of these, with the same several wishes
LEVEL_SHARES = (0.25, 0.4, 0.22)   # of LEVELS; the rest is said in per cent where the operator has them
ELLIPSE_SHARE = 0.3                # of masks; the others follow the segments of the picture
MASK_AREAS = {"local": (0.06, 0.4), "inpaint": (0.01, 0.08)}  # share of the picture
SEGMENT_SIZE = 96                  # pixels: segments are found on a thumbnail


@dataclass(frozen=True)
class Edit:
    """How an effect of the grammar is carried out.

    `strengths` are the four ends of the three levels, so a stronger word is a larger edit;
    `params(strength)` are the operator's parameters.
    """

    op: str
    strengths: tuple[float, float, float, float]
    params: Callable
    percent: bool = False


def _scale(sign):
    return lambda strength: [sign * strength]


def _curves(bump, *channels):
    """Slopes of x + strength * channel * bump(x); positive as long as the bump is never too steep."""
    slopes = CURVE_STEPS * np.diff(bump(np.linspace(0, 1, CURVE_STEPS + 1)))
    return lambda strength: [1 + strength * channel * slope for channel in channels for slope in slopes]


def _bulge(x):
    return x * (1 - x)


def _low_bump(x):
    return x * (1 - x) ** 3


def _wave(x):
    return x * (1 - x) * (1 - 2 * x)


EDITS = {  # effects that a later edit can undo
    "brighter": Edit("brightness", (0.1, 0.2, 0.4, 0.7), _scale(1), percent=True),
    "darker": Edit("brightness", (0.1, 0.2, 0.35, 0.55), _scale(-1), percent=True),
    "more contrast": Edit("contrast", (0.2, 0.35, 0.6, 0.95), _scale(1), percent=True),
    "less contrast": Edit("contrast", (0.2, 0.3, 0.5, 0.75), _scale(-1), percent=True),
    "more saturated": Edit("saturation", (0.2, 0.4, 0.7, 1.1), _scale(1), percent=True),
    "less saturated": Edit("saturation", (0.2, 0.35, 0.6, 0.9), _scale(-1), percent=True),
    "warmer": Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, 1, 0.1, -1)),
    "cooler": Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, -1, 0, 1)),
    "redder": Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, 1, -0.5, -0.5)),
    "greener": Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, -0.5, 1, -0.5)),
    "bluer": Edit("hue", (0.15, 0.25, 0.45, 0.75), _curves(_bulge, -0.5, -0.25, 1)),
    "sharper": Edit("sharpness", (0.15, 0.3, 0.55, 0.9), _scale(1), percent=True),
    "blurrier": Edit("sharpness", (0.05, 0.1, 0.15, 0.2), _scale(-1)),
    "lifted shadows": Edit("tint", (0.5, 0.9, 1.6, 2.5), _curves(_low_bump, 1)),
    "deeper midtones": Edit("tint", (0.2, 0.35, 0.55, 0.8), _curves(_bulge, -1)),
    "faded": Edit("tint", (0.4, 0.7, 1.1, 1.6), _curves(_wave, 1)),
}
OPERATORS = tuple(dict.fromkeys(edit.op for edit in EDITS.values()))  # drawn first: none is rare for having few effects
LOCAL_EDITS = ("brighter", "darker", "more contrast", "less contrast", "more saturated", "less saturated", "warmer",
               "cooler")


# Drawing a sample

def pick_photo(photos, seed, index):
    """Return the photo of an index: the phase by its place in a cycle of ten, then one of that phase by chance."""
    phase = PHASE_CYCLE[index % len(PHASE_CYCLE)]
    candidates = [photo for photo in photos if photo.phase == phase]
    return candidates[_rng(seed, index, "photo").integers(len(candidates))]


def pick_crop(pixels, rng):
    """Return a square `box` [top, left, side] of at least half the shorter side, and whether to mirror it."""
    height, width = pixels.shape[:2]
    for _ in range(ATTEMPTS):
        side = round(min(height, width) * rng.uniform(0.5, 1))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        if pixels[top:top + side:4, left:left + side:4].std() > MIN_DEVIATION * 255:
            break
    return [top, left, side], bool(rng.random() < 0.5)


def crop(pixels, box, flip, size):
    """Return `box` of uint8 `pixels` (H, W, 3) at `size` x `size`, mirrored if `flip`."""
    top, left, side = box
    part = pixels[top:top + side, left:left + side]
    return squash(part[:, ::-1] if flip else part, size)


def draw_preparation(picture, rng):
    """Draw the plan that makes an input of a crop: exposed at random and a little dull.

    Finished photos fill the scale, so to brighten or saturate one clips it; what people ask to have edited does not.
    """
    bright = np.percentile(picture.max(2), 95) / 255
    return Plan((Step.make("brightness", [rng.uniform(*HIGHLIGHTS) / max(bright, 0.01) - 1]),
                 Step.make("saturation", [rng.uniform(*COLORS) - 1])))


def draw(kind, picture, rng, fulfils=None):
    """Draw a plan for a uint8 picture (H, W, 3) and the wishes that it fulfils.

    `fulfils`, a callable (before, after, intent) -> bool on float pictures (1, 3, H, W), says whether an edit of the
    whole picture shows what was wished for: to brighten a photo also spreads its tones, to darken it the reverse.

    Returns (plan, wishes), or None where no edit of that kind is visible, free of clipping and fulfils its wishes.
    """
    wishes = []
    for attempt in range(ATTEMPTS):
        if attempt % INSIST == 0 or len(wishes) < 2:
            steps, wishes = _DRAW[kind](picture, rng)
        else:
            steps = _redrawn(steps, wishes, rng)
        images = _trace(steps, picture)
        everywhere = all(step.mask is None for step in steps)
        if all(map(_is_good, steps, images, images[1:])) and not (
                fulfils and everywhere and not fulfils(images[0], images[-1], intent(wishes))):
            return Plan(tuple(steps)), wishes
    return None


def make_sample(photos, seed, size, session, index, kind, requests=1, fulfils=None):
    """Return (entry, input, output): the entry of the record and uint8 pictures, or None where `draw` gives up."""
    return sample_of(pick_photo(photos, seed, index), seed, size, session, index, kind, requests, fulfils)


def input_of(photo, seed, size, index):
    """Return the input of an index: its uint8 pixels (size, size, 3), and its box, flip and preparation."""
    rng = _rng(seed, index, "crop")
    box, flip = pick_crop(photo.load(), rng)
    cropped = crop(photo.load(), box, flip, size)
    preparation = draw_preparation(cropped, rng)
    return run(preparation, cropped), box, flip, preparation


def sample_of(photo, seed, size, session, index, kind, requests=1, fulfils=None):
    """As `make_sample`, of a given photo."""
    source, box, flip, preparation = input_of(photo, seed, size, index)  # the samples of an index share it
    rng = _rng(seed, index, f"{session} {kind}")
    drawn = draw(kind, source, rng, fulfils)
    if drawn is None:
        return None
    plan, wishes = drawn
    request, words = describe(wishes, rng), _rng(seed, index, f"{session} {kind} words")
    entry = {
        "input": f"{index:06d}_O.png", "output": output_name(session, index, kind),
        "request": request, "paraphrases": [describe(wishes, words) for _ in range(requests - 1)],
        "intent": intent(wishes), "plan": plan.to_dict(),
        "session": session, "index": index, "kind": kind, "phase": photo.phase, "photo": photo.name,
        "crop": box, "flip": flip, "size": size, "preparation": preparation.to_dict(), "seed": seed,
    }
    return entry, source, run(plan, source)


def record_plans(folder):
    """Return {pair name: Plan} of a synthetic set: the plans that its pairs were made by. Raises UserError."""
    path = Path(folder) / "op_record.json"
    record = read_json(path)
    try:
        return {pair_name(entry): Plan.from_dict(entry["plan"], f"{path}, {entry['output']}")
                for entry in record["samples"]}
    except (TypeError, KeyError):
        raise UserError(f"{path}: not a record of synthetic data; synthdata/gen_data.py makes one") from None


def output_name(session, index, kind):
    """Return the file name of a sample's output; inputs are shared by the samples of an index."""
    return f"{index:06d}_{session}_{kind}.png"


def replay(entry, photos):
    """Return the uint8 pictures of a recorded sample: the input, then the result of each step of its plan."""
    photo = {photo.name: photo for photo in photos}.get(entry["photo"])
    if photo is None:
        raise UserError(f"{entry['output']}: its photo {entry['photo']!r} is missing; give the folder by --photos")
    cropped = crop(photo.load(), entry["crop"], entry["flip"], entry["size"])
    source = run(Plan.from_dict(entry["preparation"], entry["output"]), cropped)
    return [to_picture(image) for image in _trace(Plan.from_dict(entry["plan"], entry["output"]), source)]


def run(plan, picture):
    """Execute `plan` on a uint8 picture (H, W, 3); the result is rounded to uint8, once, at the end."""
    return to_picture(_trace(plan, picture)[-1])


def to_picture(image):
    """Round a float (1, 3, H, W) image in [0, 1] to uint8 (H, W, 3)."""
    return (image[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


def _trace(steps, picture):
    images = [to_tensor(picture)[None]]
    for step in steps:
        images.append(execute_step(step, images[-1]))
    return images


def _is_good(step, before, after):
    """Whether a step changes enough where it applies, and drives few pixels to the end of the scale."""
    area = 1.0 if step.mask is None else step.mask.array().mean()
    change = (after - before).abs()
    clipped = ((after < 0.5 / 255) | (after > 254.5 / 255)) & (change > MIN_CLIP)
    return (change.mean() >= area * MIN_CHANGE.get(step.op, MIN_CHANGE_ELSE)
            and clipped.any(1).float().mean() <= area * MAX_CLIPPED)


def _draw_effect(op, rng):
    return _choose(rng, [effect for effect, edit in EDITS.items() if edit.op == op])


def _draw_global(picture, rng):
    step, wish = _draw_step(_draw_effect(_choose(rng, OPERATORS), rng), rng)
    return [step], [wish]


def _draw_compound(picture, rng):
    """Two or three operators; no two wishes speak of the same attribute, so that none undoes another."""
    while True:
        ops = rng.permutation(OPERATORS)[:_choose(rng, (2, 2, 3))]
        drawn = [_draw_step(_draw_effect(op, rng), rng) for op in ops]
        steps, wishes = map(list, zip(*drawn, strict=True))
        if sum(len(intent([wish])) for wish in wishes) == len(intent(wishes)):
            return steps, wishes


def _draw_local(picture, rng):
    mask = _draw_mask(picture, MASK_AREAS["local"], rng)
    step, wish = _draw_step(_choose(rng, LOCAL_EDITS), rng, mask)
    return [step], [wish]


def _draw_inpaint(picture, rng):
    mask = _draw_mask(picture, MASK_AREAS["inpaint"], rng)
    return [Step.make("inpaint_obj", (), Mask.from_array(mask))], [Wish("removed", region=region_of(mask))]


def _draw_unchanged(picture, rng):
    return [], [Wish("unchanged")]


_DRAW = {"global": _draw_global, "compound": _draw_compound, "local": _draw_local, "inpaint": _draw_inpaint,
         "unchanged": _draw_unchanged}


def _draw_step(effect, rng, mask=None):
    """Return a step of random strength and the wish whose level says how strong it is."""
    edit, shares = EDITS[effect], np.cumsum(LEVEL_SHARES)
    rank = int(np.searchsorted(shares, rng.random() * (1 if edit.percent else shares[-1]), side="right"))
    if rank < len(LEVELS):
        level = LEVELS[rank]
        strength = rng.uniform(edit.strengths[rank], edit.strengths[rank + 1])
    else:
        level = 5 * int(rng.integers(round(edit.strengths[0] * 20), int(edit.strengths[-1] * 20) + 1))
        strength = level / 100
    step = Step.make(edit.op, edit.params(strength), None if mask is None else Mask.from_array(mask))
    return step, Wish(effect, level, None if mask is None else region_of(mask))


def _redrawn(steps, wishes, rng):
    """Return the steps of several wishes with other strengths, each up to a level weaker or stronger than it was said.

    To darken takes contrast away: who asks for more of it as well is granted both only by less of the one, or by far
    more of the other.
    """
    redrawn = []
    for step, wish in zip(steps, wishes, strict=True):
        if wish.level in LEVELS and wish.effect in EDITS:
            edit, rank = EDITS[wish.effect], LEVELS.index(wish.level)
            strength = rng.uniform(edit.strengths[max(rank - 1, 0)], edit.strengths[min(rank + 2, 3)])
            step = Step.make(edit.op, edit.params(strength), step.mask)
        redrawn.append(step)
    return redrawn


def _draw_mask(picture, areas, rng):
    """Return a bool (H, W) mask whose share of the picture is about in `areas`: a segment, or else an ellipse."""
    size = picture.shape[0]
    if rng.random() >= ELLIPSE_SHARE:
        from skimage.segmentation import felzenszwalb

        small = cv2.resize(picture, (SEGMENT_SIZE, SEGMENT_SIZE), interpolation=cv2.INTER_AREA)
        segments = felzenszwalb(small, scale=150, sigma=0.8, min_size=int(areas[0] * small[..., 0].size))
        shares = np.bincount(segments.ravel()) / segments.size
        fitting = np.flatnonzero((shares >= areas[0]) & (shares <= areas[1]))
        if len(fitting):
            inside = np.float32(segments == rng.choice(fitting))
            return cv2.resize(inside, (size, size), interpolation=cv2.INTER_LINEAR) > 0.5
    area, stretch = rng.uniform(*areas), rng.uniform(0.6, 1.6)
    radius = np.sqrt(area / np.pi) * np.array([stretch, 1 / stretch])
    centre = rng.uniform(np.minimum(radius, 0.5), np.maximum(1 - radius, 0.5))
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    return ((y - centre[0]) / radius[0]) ** 2 + ((x - centre[1]) / radius[1]) ** 2 < 1


def _choose(rng, options):
    return options[rng.integers(len(options))]


def _rng(seed, index, purpose):
    """An independent stream for each use, so that one more draw here changes nothing there."""
    return np.random.default_rng([seed, index, *purpose.encode()])


# The data set on disk

class SynthSet:
    """A synthetic data set in a folder: the record is the truth, the annotations are drawn from it."""

    def __init__(self, folder, photos, seed, size, requests=1, fulfils=None):
        """Open `folder` or begin it; `requests` is how many ways of saying it a training pair has; see `draw`.

        Raises UserError where it was made with other settings: they can't be mixed.
        """
        self.folder, self.photos, self.requests, self.fulfils = Path(folder), photos, requests, fulfils
        self.settings = {"seed": seed, "size": size, "photos": {
            phase: [photo.name for photo in photos if photo.phase == phase] for phase in PHASES}}
        self.entries = {}
        if self.record_path.exists():
            record = read_json(self.record_path)
            try:
                settings, entries = record["settings"], {entry["output"]: entry for entry in record["samples"]}
            except (TypeError, KeyError):
                raise UserError(f"{self.record_path}: not a record of synthetic data; choose another --out") from None
            for name, value in self.settings.items():
                if settings.get(name) != value:
                    raise UserError(f"{self.record_path}: this set was made with another --{name} "
                                    f"({_brief(settings.get(name))}); give that again, or choose another --out")
            self.entries = entries

    @property
    def record_path(self):
        """The file of every operation with its parameters."""
        return self.folder / "op_record.json"

    def has(self, session, index, kind):
        """Whether a sample is recorded and its pictures are there."""
        entry = self.entries.get(output_name(session, index, kind))
        images = self.folder / "images"
        return entry is not None and (images / entry["input"]).exists() and (images / entry["output"]).exists()

    def make(self, session, index, kind):
        """Make one sample and write its pictures; returns False where no edit suits the picture."""
        sample = make_sample(self.photos, self.settings["seed"], self.settings["size"], session, index, kind,
                             self.requests, self.fulfils)
        if sample is None:
            return False
        entry, *pictures = sample
        for name, picture in zip((entry["input"], entry["output"]), pictures, strict=True):
            with replacing(self.folder / "images" / name) as file:
                file.write(cv2.imencode(".png", picture[..., ::-1])[1])
        self.entries[entry["output"]] = entry
        return True

    def select(self, session, indices=None):
        """Return the entries of a session, of all indices or of some, in order."""
        entries = (self.entries[name] for name in sorted(self.entries))
        return [entry for entry in entries
                if entry["session"] == session and (indices is None or entry["index"] in indices)]

    def save(self):
        """Write the record and the annotations of every session in it."""
        samples = [self.entries[name] for name in sorted(self.entries)]
        for session in sorted({entry["session"] for entry in samples}):
            for phase in PHASES:
                rows = [{"input": entry["input"], "output": entry["output"], "request": request,
                         "intent": entry["intent"]}
                        for entry in self.select(session) if entry["phase"] == phase
                        for request in (entry["request"], *(entry["paraphrases"] if phase == "train" else ()))]
                write_json(self.folder / "annotations" / f"{phase}_sess_{session}.json", rows, indent=1)
        write_json(self.record_path, {"settings": self.settings, "samples": samples})


def _brief(value):
    text = str(value)
    return text if len(text) < 60 else f"{text[:57]}..."
