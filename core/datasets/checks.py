"""Checks of a data set, entry by entry, before a long run."""
import math
from dataclasses import dataclass
from pathlib import Path

from core.datasets.annotations import annotation_path, entry_problem, has_nan, pair_name, read_entries, without_nan
from core.datasets.images import for_each, load_image
from core.files import UserError

DROP, NULL, RESIZE = "to be dropped", "NaN to be replaced by null", "resized when loaded"
ASPECT_TOLERANCE = 0.02  # rounding to whole pixels changes the aspect of small images by about this share


@dataclass(frozen=True)
class Problem:
    """A problem of an entry: its phase, index and name, the reason, and the remedy."""

    phase: str
    index: int
    name: str
    reason: str
    remedy: str = DROP

    def __str__(self):
        return f"{self.phase}[{self.index}] {self.name}: {self.reason} ({self.remedy})"


def check_dataset(root, phases, session):
    """Find the entries that cannot be used; this decodes every image.

    Returns: ({phase: unchanged entries}, list of Problem). Raises UserError if an annotation cannot be read.
    """
    entries = {phase: read_entries(annotation_path(root, phase, session)) for phase in phases}
    problems = [problem for phase in phases for problem in _check_entries(phase, entries[phase])]
    problems += _check_leaks(entries)
    broken = {(problem.phase, problem.index) for problem in problems if problem.remedy == DROP}
    usable = {phase: [(index, entry) for index, entry in enumerate(rows) if (phase, index) not in broken]
              for phase, rows in entries.items()}
    found = _look_at_images(Path(root) / "images", usable)
    problems += [problem for phase in phases for index, entry in usable[phase]
                 if (problem := _check_pair(phase, index, entry, found))]
    return entries, sorted(problems, key=lambda problem: (phases.index(problem.phase), problem.index))


def clean_entries(phase, entries, problems):
    """Return the entries of a phase without the dropped ones, and with null in place of NaN."""
    dropped = {problem.index for problem in problems if problem.phase == phase and problem.remedy == DROP}
    return [without_nan(entry) for index, entry in enumerate(entries) if index not in dropped]


def _check_entries(phase, entries):
    """Yield the problems of the annotation itself: unusable fields, NaN, duplicates."""
    seen = {}
    for index, entry in enumerate(entries):
        reason = entry_problem(entry)
        if reason:
            yield Problem(phase, index, _name(entry), reason)
            continue
        first = seen.setdefault((entry["input"], entry["output"], entry["request"]), index)
        if first != index:
            yield Problem(phase, index, pair_name(entry), f"duplicate of entry {first}")
        elif has_nan(entry):
            fields = ", ".join(field for field, value in entry.items() if has_nan(value))
            yield Problem(phase, index, pair_name(entry), f"NaN in {fields}", NULL)


def _check_leaks(entries):
    """Yield a Problem for each entry whose photo is also in a later phase, so that val and test stay complete."""
    phases = list(entries)
    photos = {phase: {entry["input"] for entry in rows if not entry_problem(entry)} for phase, rows in entries.items()}
    for position, phase in enumerate(phases):
        for index, entry in enumerate(entries[phase]):
            if entry_problem(entry):
                continue
            others = [other for other in phases[position + 1:] if entry["input"] in photos[other]]
            if others:
                yield Problem(phase, index, pair_name(entry), f"its photo is also in {' and '.join(others)}")


def _look_at_images(folder, usable):
    """Return {name: (height, width), or the reason why the image cannot be used}."""
    names = sorted({entry[field] for rows in usable.values() for _, entry in rows for field in ("input", "output")})

    def look(name):
        try:
            return load_image(folder / name).shape[:2]
        except UserError as error:
            return str(error).removeprefix(f"{folder / name}: ")

    return dict(zip(names, for_each(look, names, f"images of {folder}"), strict=True))


def _check_pair(phase, index, entry, found):
    """Return the Problem of a pair's images, or None."""
    reasons = [f"{entry[field]}: {found[entry[field]]}" for field in ("input", "output")
               if isinstance(found[entry[field]], str)]
    if reasons:
        return Problem(phase, index, pair_name(entry), "; ".join(reasons))
    (height, width), (other_height, other_width) = found[entry["input"]], found[entry["output"]]
    if (height, width) == (other_height, other_width):
        return None
    same = math.isclose(width * other_height, other_width * height, rel_tol=ASPECT_TOLERANCE)
    reason = (f"input is {width}x{height}, output {other_width}x{other_height}: "
              f"{'the same aspect' if same else 'another aspect, so pixels do not correspond'}")
    return Problem(phase, index, pair_name(entry), reason, RESIZE if same else DROP)


def _name(entry):
    if not isinstance(entry, dict):
        return "entry"
    return ">".join(str(entry.get(field, "?")) for field in ("input", "output"))
