"""Annotations: lists of (input, output, request) in FiveKReq's format, and what can be wrong with an entry.

An annotation is a JSON list of objects with at least `input` and `output` (image names below `images/`) and
`request` (text). Other fields are kept as they are.
"""
import json
import math
from pathlib import Path, PureWindowsPath

from core.files import UserError, read_json

PHASES = ("train", "val", "test")
FIELDS = ("input", "output", "request")
FOLDER = "annotations"
REMEDY = "run prepro/filter_gif_data.py --fix"


def annotation_path(root, phase, session, folder=FOLDER):
    """Return `annotations/{phase}_sess_{session}.json` below `root` or, failing that, `annotations/{phase}.json`.

    `folder` is the name of another folder than `annotations`. Raises UserError where neither exists.
    """
    candidates = _candidates(root, phase, session, folder)
    for path in candidates:
        if path.exists():
            return path
    raise UserError(f"{candidates[0]}: no such file (nor {candidates[1].name}); bring the data set as data/README.md "
                    f"says, or give another --data_root or --session")


def existing_phases(root, session, folder=FOLDER):
    """Return the phases that have an annotation. Raises UserError where none has."""
    phases = [phase for phase in PHASES if any(path.exists() for path in _candidates(root, phase, session, folder))]
    if not phases:
        annotation_path(root, PHASES[0], session, folder)  # says what is missing
    return phases


def _candidates(root, phase, session, folder):
    folder = Path(root) / folder
    return folder / f"{phase}_sess_{session}.json", folder / f"{phase}.json"


def read_entries(path):
    """Return the entries of an annotation file as they stand. Raises UserError unless it holds a list."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise UserError(f"{path}: holds {_kind(entries)}, not a list of entries; see data/README.md")
    return entries


def read_annotation(path):
    """Return the entries of an annotation. Raises UserError with entry and field where one cannot be used."""
    entries = read_entries(path)
    for index, entry in enumerate(entries):
        problem = entry_problem(entry)
        if problem:
            raise UserError(f"{path}, entry {index}: {problem}; mend it or {REMEDY}")
    if not entries:
        raise UserError(f"{path}: has no entries")
    return entries


def entry_problem(entry):
    """Return in a few words why an entry cannot be used, naming the field, or None."""
    if not isinstance(entry, dict):
        return f"is {_kind(entry)}, not an object"
    for field in FIELDS:
        if field not in entry:
            return f"field {field!r} is missing"
        value = entry[field]
        if not isinstance(value, str):
            return f"field {field!r} is {_kind(value)}, not a text"
        if not value.strip():
            return f"field {field!r} is empty"
        if field != "request" and not _stays_below(value):
            return f"field {field!r} ({value!r}) leaves the folder of the images"
    return None


def pair_name(entry):
    """Return the name of a pair, as in "0001_O.jpg>0001_A.jpg"; plans are kept under it."""
    return f"{entry['input']}>{entry['output']}"


def listing(names, limit=5):
    """Return the first names and how many more there are, for one sentence."""
    names = list(names)
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def has_nan(value):
    """Return whether a JSON value contains NaN or infinity, at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(map(has_nan, value))
    return isinstance(value, float) and not math.isfinite(value)


def without_nan(value):
    """Return a JSON value with null in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_nan(part) for part in value]
    return None if has_nan(value) else value


def _stays_below(name):
    path = PureWindowsPath(name)  # it knows both kinds of slashes, drives and shares
    return not path.anchor and ".." not in path.parts and "\0" not in name


def _kind(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinite"
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(type(value), json.dumps(value))
