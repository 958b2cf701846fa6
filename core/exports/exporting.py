"""Export a plan: the suffix selects the format, steps that a format cannot hold are named, differences are measured."""
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.exports import lut, presets
from core.exports.controls import develop, fit
from core.exports.difference import colour_difference, sample
from core.exports.formats import LUT_SIZES
from core.files import UserError
from core.operators import TABLE, Plan, Step, execute
from core.photo.photo import check_free


@dataclass(frozen=True)
class Report:
    """An exported file, and its difference from executing the plan: mean and maximum CIEDE2000 over the photo.

    `notes` are sentences on the measurement and on steps that are not in the file; `rest` is the plan of these steps.
    """

    path: Path
    mean: float
    maximum: float
    notes: tuple[str, ...] = ()
    rest: Plan = field(default_factory=Plan)

    def __str__(self):
        return "\n  ".join([f"{self.path}: {_figure(self.mean, self.maximum)}", *self.notes])


def export(plan, path, pixels, lut_size=33, hald_level=8, split=False, overwrite=False):
    """Write a plan for other programs and measure the colour difference; the suffix selects the format.

    `.json` is the plan itself. `.cube` and `.png` (Hald CLUT, 16-bit) are look-up tables: they hold point-wise steps,
    sampled through the executor. `.xmp` (Lightroom, Camera Raw) and `.pp3` (RawTherapee) hold settings of controls that
    approximate the plan, see `controls`; their difference is computed with our model of the program.

    Args:
        plan: a Plan. Neutral steps are left out, because they change nothing.
        path: the file to write, whole or not at all; the folder is created.
        pixels: (H, W, 3) float array of sRGB values in [0, 1], the photo to measure on (see `sample`).
        lut_size: entries per side of a `.cube`, one of LUT_SIZES.
        hald_level: level of a Hald CLUT, one of HALD_LEVELS; 8 is a table of 64 in 512 x 512 pixels.
        split: write only the steps before the first step that the format cannot hold, and name the other steps. Later
            steps cannot be moved forward, because steps do not commute.
        overwrite: False refuses to replace a file.

    Returns: a Report. Raises UserError for an unknown suffix, size or level, an existing file, pixels that are not a
    finite picture, and a step that the format cannot hold.
    """
    path = Path(path)
    kind = check_export(path, overwrite)
    _check(lut_size, LUT_SIZES, "lut_size")
    _check(hald_level, lut.HALD_LEVELS, "hald_level")
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size or not np.isfinite(pixels).all():
        raise UserError(f"{path}: not written, the photo to measure on must be (H, W, 3) and finite, but has shape "
                        f"{pixels.shape} or NaN; read the photo again")
    held, rest, notes = _divide(plan, path, kind, split)
    if kind.prepare is None:
        held.save(path)
        return Report(path, 0.0, 0.0, ("replaying the plan gives identical pixels",))
    images = sample(pixels)
    measured = images.shape[0] * images.shape[2] * images.shape[3]
    if measured < pixels.shape[0] * pixels.shape[1]:
        notes.append(f"measured on {len(images)} blocks of {images.shape[3]} x {images.shape[2]} pixels, evenly over "
                     f"the photo: {measured / 1e6:.1f} of {pixels.shape[0] * pixels.shape[1] / 1e6:.1f} megapixels")
    applied, write = kind.prepare(held, lut_size, hald_level)
    target = execute(held, images)
    difference = colour_difference(applied(images), target)
    mean, maximum = float(difference.mean()), float(difference.max())
    before = f"without the edit, the mean difference is {colour_difference(images, target).mean():.3f}"
    notes = [*kind.notes, before, *notes]
    write(path, _title(path), [_figure(mean, maximum), *notes, *_listing(held)])
    return Report(path, mean, maximum, tuple(notes), rest)


def check_export(path, overwrite=False, plan=None, split=False):
    """Return the format of an export. Call this function before long work, too, to find mistakes early.

    Raises UserError if the suffix is unknown, the file cannot be written (see `check_free`), or the format cannot hold
    `plan` (None: not checked).
    """
    path = Path(path)
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path}: unknown suffix {path.suffix!r}; plans are exported as {' '.join(_KINDS)}")
    check_free(path, overwrite)
    if plan is not None:
        _divide(plan, path, kind, split)
    return kind


def _check(value, known, name):
    if value not in known:
        raise UserError(f"{name}: {value!r} is not one of {', '.join(map(str, known))}")


def holds(path: Path | str, step: Step) -> bool:
    """Return whether the format of `path`, by its suffix, can hold a step; True for an unknown suffix."""
    kind = _KINDS.get(Path(path).suffix.lower())
    return kind is None or kind.holds(step)


def _divide(plan, path, kind, split):
    """Return (Plan of the steps that the file holds, Plan of the other steps, list of notes)."""
    if kind.prepare is None:
        return plan, Plan(), []
    steps = [(number, step) for number, step in enumerate(plan, start=1) if not step.is_neutral]
    held = list(itertools.takewhile(lambda numbered: kind.holds(numbered[1]), steps))
    if len(held) == len(steps):
        return Plan(tuple(step for _, step in held)), Plan(), []
    number, step = steps[len(held)]
    name = f"step {number} ({step.op}{', masked' if step.mask else ''} {step.describe()})"
    able = " ".join(suffix for suffix, other in _KINDS.items() if other.holds(step))
    if not split or not held:
        remedy = f", or add --drop {step.op}" if split else ", or add --split (or --drop) to export the other steps"
        raise UserError(f"{path}: {name} cannot be held by {kind.name}; export to {able}{remedy}")
    left = ", ".join(f"{index} {step.op}" for index, step in steps[len(held):])
    note = (f"{name} cannot be held by {kind.name} (only by {able}): the file ends before this step; apply the steps "
            f"{left} after the file; the difference is measured for the steps in the file")
    return Plan(tuple(step for _, step in held)), Plan(tuple(step for _, step in steps[len(held):])), [note]


def _figure(mean, maximum):
    return f"CIEDE2000 to the plan: mean {mean:.3f}, maximum {maximum:.3f}"


def _title(path):
    """Return the file's name as a title without characters that a format would have to escape."""
    return "".join(letter if letter.isprintable() and letter not in '"' else "_" for letter in path.stem)


def _listing(plan):
    """Return a line for each step."""
    return [f"step {step.op} {step.describe()}" for step in plan] or ["no steps: nothing is changed"]


def _is_point_wise(step):
    return step.mask is None and TABLE[step.op].radius == 0


def _is_control(step):
    """Return whether controls can approximate a step: it is point-wise, or sharpens (no slider softens)."""
    return _is_point_wise(step) or (step.mask is None and step.op == "sharpness" and step.params[0] > 0)


def _cube(plan, lut_size, hald_level):
    table = lut.round_cube(lut.sample_plan(plan, lut_size))
    return table.apply, lambda path, title, comment: lut.write_cube(path, table, title, comment)


def _hald(plan, lut_size, hald_level):
    table = lut.round_hald(lut.sample_plan(plan, hald_level**2))
    return table.apply, lambda path, title, comment: lut.write_hald(path, table, comment)


def _preset(program, write):
    """Return the `prepare` of a preset for `program`."""
    def prepare(plan, lut_size, hald_level):
        controls = fit(program, plan)
        return (lambda images: develop(program, controls, images),
                lambda path, title, comment: write(path, controls, title, comment))
    return prepare


@dataclass(frozen=True)
class _Kind:
    """A format. `prepare(plan, lut_size, hald_level)` returns two functions: apply the export, and write the file."""

    name: str
    holds: Callable
    prepare: Callable | None
    notes: tuple[str, ...] = ()


_LUT_NOTE = "for sRGB-encoded values, by trilinear interpolation"
_MODEL_NOTE = "an approximation; the difference was computed by a model of {}, not by the program"
_KINDS = {
    ".json": _Kind("a plan", lambda step: True, None),
    ".cube": _Kind("a .cube table", _is_point_wise, _cube, (_LUT_NOTE,)),
    ".png": _Kind("a Hald CLUT", _is_point_wise, _hald, (_LUT_NOTE,)),
    ".xmp": _Kind("a Camera Raw preset", _is_control, _preset(presets.CAMERA_RAW, presets.write_xmp),
                  (_MODEL_NOTE.format("Camera Raw"),)),
    ".pp3": _Kind("a RawTherapee profile", _is_control, _preset(presets.RAW_THERAPEE, presets.write_pp3),
                  (_MODEL_NOTE.format("RawTherapee"), "a Hald CLUT in RawTherapee's Film Simulation is closer")),
}
