"""Synthetic pairs: a crop of a photo, a random plan, and a request for it.

Each sample is a pure function of (photos, seed, size, session, index, kind). `replay` makes the pixels of a sample
again from the sample's entry in the record.
"""
from pathlib import Path

import cv2
import numpy as np

from core.datasets.annotations import PHASES, pair_name
from core.datasets.images import squash, to_tensor, to_uint8
from core.files import UserError, read_json, replacing, write_json
from core.operators import Plan, Step, execute, trace
from core.requests.grammar import describe, intent
from core.synthesis.edits import EDITS, draw

SESSIONS = {0: ("global", "local", "inpaint", "compound"), 1: ("global",)}   # session -> its default kinds
KINDS = (*SESSIONS[0], "unchanged")
PHASE_CYCLE = ("train", "train", "val", "train", "test", "train", "train", "test", "train", "train")

ATTEMPTS = 60           # most attempts at a crop
MIN_DEVIATION = 0.05    # least standard deviation of a crop; edits of a flat crop (a wall, a night sky) are invisible
HIGHLIGHTS, COLORS = (0.5, 0.85), (0.4, 0.8)  # ranges: 95th percentile of an input's HSV value; saturation factor


# Drawing a sample

def pick_photo(photos, seed, index):
    """Return the photo of an index: PHASE_CYCLE gives the phase, and a photo of this phase is chosen at random."""
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
    """Draw the plan that turns a crop into an input: random exposure and reduced saturation.

    A finished photo uses the full range, so brightening or saturating it would clip; unedited photos have headroom.
    """
    bright = np.percentile(picture.max(2), 95) / 255
    return Plan((Step.make("brightness", [rng.uniform(*HIGHLIGHTS) / max(bright, 0.01) - 1]),
                 Step.make("saturation", [rng.uniform(*COLORS) - 1])))


def make_sample(photos, seed, size, session, index, kind, requests=1, fulfils=None):
    """Return (entry, input, output), the entry of the record and two uint8 pictures; None if `draw` finds no edit.

    `fulfils` is a callable from the input, (1, 3, H, W) in [0, 1], to the argument `shown` of `draw`.
    """
    return sample_of(pick_photo(photos, seed, index), seed, size, session, index, kind, requests, fulfils)


def input_of(photo, seed, size, index):
    """Return the input of an index: its uint8 pixels (size, size, 3), its box, its flip, and its preparation plan."""
    rng = _rng(seed, index, "crop")
    box, flip = pick_crop(photo.load(), rng)
    cropped = crop(photo.load(), box, flip, size)
    preparation = draw_preparation(cropped, rng)
    return run(preparation, cropped), box, flip, preparation


def sample_of(photo, seed, size, session, index, kind, requests=1, fulfils=None):
    """Return (entry, input, output) as `make_sample` does, for a given photo."""
    drawn = edited_crop(photo, seed, size, session, index, kind, fulfils)
    if drawn is None:
        return None
    source, result, plan, wishes, rng = drawn
    _, box, flip, preparation = input_of(photo, seed, size, index)
    request, words = describe(wishes, rng), _rng(seed, index, f"{session} {kind} words")
    entry = {
        "input": f"{index:06d}_O.png", "output": output_name(session, index, kind),
        "request": request, "paraphrases": [describe(wishes, words) for _ in range(requests - 1)],
        "intent": intent(wishes), "plan": plan.to_dict(),
        "session": session, "index": index, "kind": kind, "phase": photo.phase, "photo": photo.name,
        "crop": box, "flip": flip, "size": size, "preparation": preparation.to_dict(), "seed": seed,
    }
    return entry, source, result


def edited_crop(photo, seed, size, session, index, kind, fulfils=None, edits=EDITS):
    """Return (input, result, plan, wishes, generator) of a random edit of a crop; None if `draw` finds no edit.

    Input and result are uint8 pictures (size, size, 3); the generator draws the words. For `kind` and `edits` see
    `draw`, for `fulfils` see `make_sample`.
    """
    source, *_ = input_of(photo, seed, size, index)   # shared by the samples of an index
    rng = _rng(seed, index, f"{session} {kind}")
    drawn = draw(kind, source, rng, fulfils and fulfils(to_tensor(source)[None]), edits)
    if drawn is None:
        return None
    plan, wishes = drawn
    return source, run(plan, source), plan, wishes, rng


def record_plans(folder):
    """Return {pair name: Plan}, the plans that made the pairs of a synthetic set. Raises UserError."""
    path = Path(folder) / "op_record.json"
    record = read_json(path)
    try:
        return {pair_name(entry): Plan.from_dict(entry["plan"], f"{path}, {entry['output']}")
                for entry in record["samples"]}
    except (TypeError, KeyError):
        raise UserError(f"{path}: not a record of synthetic data; make the set by synthdata/gen_data.py") from None


def output_name(session, index, kind):
    """Return the file name of a sample's output; the samples of an index share their input."""
    return f"{index:06d}_{session}_{kind}.png"


def replay(entry, photos):
    """Return the uint8 pictures of a recorded sample: the input, then the result of each step of its plan."""
    photo = {photo.name: photo for photo in photos}.get(entry["photo"])
    if photo is None:
        raise UserError(f"{entry['output']}: its photo {entry['photo']!r} is missing; give its folder by --photos")
    cropped = crop(photo.load(), entry["crop"], entry["flip"], entry["size"])
    before = to_tensor(run(Plan.from_dict(entry["preparation"], entry["output"]), cropped))
    after = trace(Plan.from_dict(entry["plan"], entry["output"]), before)
    return [to_uint8(image) for image in (before, *after)]


def run(plan, picture):
    """Execute `plan` on a uint8 picture (H, W, 3); only the final result is rounded to uint8."""
    return to_uint8(execute(plan, to_tensor(picture)))


def _rng(seed, index, purpose):
    """Return an independent Generator for each purpose, so that more draws for one purpose do not change another."""
    return np.random.default_rng([seed, index, *purpose.encode()])


# The data set on disk

class SynthSet:
    """A synthetic data set in a folder. Its record holds every sample; `save` writes the annotations from it."""

    def __init__(self, folder, photos, seed, size, requests=1, fulfils=None):
        """Read the record of `folder`, if it has one.

        Args: `requests`, the number of sentences of a training pair; `fulfils`, see `make_sample`.

        Raises UserError if the set was made with other settings, because a set has one seed, size and list of photos.
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
                                    f"({_brief(settings.get(name))}); give that value, or choose another --out")
            self.entries = entries

    @property
    def record_path(self):
        """The path of the record, a JSON file of all samples and their plans."""
        return self.folder / "op_record.json"

    def has(self, session, index, kind):
        """Return whether a sample is recorded and its pictures exist."""
        entry = self.entries.get(output_name(session, index, kind))
        images = self.folder / "images"
        return entry is not None and (images / entry["input"]).exists() and (images / entry["output"]).exists()

    def make(self, session, index, kind):
        """Make one sample and write its pictures; return False if `make_sample` finds no edit."""
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
        """Return the entries of a session in order, of all indices or of `indices`."""
        entries = (self.entries[name] for name in sorted(self.entries))
        return [entry for entry in entries
                if entry["session"] == session and (indices is None or entry["index"] in indices)]

    def save(self):
        """Write the record, and the annotations of every session in the record."""
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
