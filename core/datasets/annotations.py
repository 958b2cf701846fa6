"""Annotations: lists of (input, output, request) in FiveKReq's format, and checks of their entries.

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
    """Return the path `annotations/{phase}_sess_{session}.json` below `root`, or else `annotations/{phase}.json`.

    `folder` replaces the folder name `annotations`. Raises UserError if neither file exists.
    """
    candidates = _candidates(root, phase, session, folder)
    for path in candidates:
        if path.exists():
            return path
    raise UserError(f"{candidates[0]}: no such file (nor {candidates[1].name}); set up the data set as in "
                    f"data/README.md, or give another --data_root or --session")


def existing_phases(root, session, folder=FOLDER):
    """Return the phases that have an annotation. Raises UserError if no phase has one."""
    phases = [phase for phase in PHASES if any(path.exists() for path in _candidates(root, phase, session, folder))]
    if not phases:
        annotation_path(root, PHASES[0], session, folder)  # raises the UserError
    return phases


def _candidates(root, phase, session, folder):
    folder = Path(root) / folder
    return folder / f"{phase}_sess_{session}.json", folder / f"{phase}.json"


def read_entries(path):
    """Return the entries of an annotation file, unchecked. Raises UserError unless the file holds a list."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise UserError(f"{path}: holds {_kind(entries)}, not a list of entries; see data/README.md")
    return entries


def read_annotation(path):
    """Return the entries of an annotation. Raises UserError naming the entry and the field that cannot be used."""
    entries = read_entries(path)
    for index, entry in enumerate(entries):
        problem = entry_problem(entry)
        if problem:
            raise UserError(f"{path}, entry {index}: {problem}; correct it or {REMEDY}")
    if not entries:
        raise UserError(f"{path}: has no entries")
    return entries


def entry_problem(entry):
    """Return a short reason, with the field, why an entry cannot be used; None if it can."""
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
    """Return the name of a pair, as in "0001_O.jpg>0001_A.jpg"; it is the key of the pair's plan."""
    return f"{entry['input']}>{entry['output']}"


def source_photo(entry):
    """Return the photo of an entry, over which intervals draw: several inputs of RegionReq are made of one photo."""
    return entry.get("photo", entry["input"])


def has_nan(value):
    """Return whether a JSON value contains NaN or infinity, at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(map(has_nan, value))
    return isinstance(value, float) and not math.isfinite(value)


def without_nan(value):
    """Return a JSON value with null in place of NaN and infinity, which JSON cannot hold."""
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_nan(part) for part in value]
    return None if has_nan(value) else value


def _stays_below(name):
    path = PureWindowsPath(name)  # handles both kinds of slashes, drives and shares
    return not path.anchor and ".." not in path.parts and "\0" not in name


def _kind(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "infinite"
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(type(value), json.dumps(value))
