"""Numbered trials: one readable file per experiment, `core/trials/<experiment>.toml`.

A data set may have trials of an experiment for itself, with numbers of their own: `<dataset>_<experiment>.toml`.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

from core.files import UserError, read_toml

FOLDER = Path(__file__).resolve().parents[1] / "trials"


@dataclass(frozen=True)
class Trial:
    """A numbered trial: what it tries, the flags it fixes, and the notebook's figures where it gives some."""

    number: int
    about: str = "a new trial"
    flags: dict = field(default_factory=dict)
    notebook: dict = field(default_factory=dict)
    tested_on: str = "FiveKReq test"   # where the notebook took them


FIELDS = {"about": str, "flags": dict, "notebook": dict, "tested_on": str}   # of a trial in a file
KINDS = {str: "text", dict: "a table"}


def trials_path(experiment, dataset=None):
    """Return the file of an experiment's trials on a data set."""
    own = FOLDER / f"{dataset}_{experiment}.toml"
    return own if own.exists() else FOLDER / f"{experiment}.toml"


def read_trials(experiment, dataset=None):
    """Return {number: Trial} of an experiment. Raises UserError naming file, line or trial where it is malformed.

    The flags are checked where they are known: see `core.engine.options.parse`.
    """
    path = trials_path(experiment, dataset)
    trials = [_trial(path, number, row) for number, row in read_toml(path).items()]
    return {trial.number: trial for trial in trials}


def _trial(path, number, row):
    """Return the Trial of a table of the file."""
    if not re.fullmatch("0|[1-9][0-9]{0,8}", number) or not isinstance(row, dict):
        raise UserError(f"{path}: {number[:60]!r} is no trial; each is a table under its number, such as [1]")
    for name, value in row.items():
        if name not in FIELDS:
            raise UserError(f"{path}, trial {number}: no field is called {name[:60]!r}; known are {', '.join(FIELDS)}")
        if not isinstance(value, FIELDS[name]):
            raise UserError(f"{path}, trial {number}: {name} must be {KINDS[FIELDS[name]]}")
    for name, value in row.get("notebook", {}).items():
        if type(value) not in (int, float) or not abs(value) < 2**63:   # nor is NaN
            raise UserError(f"{path}, trial {number}: notebook.{name[:60]} must be a finite number")
    return Trial(int(number), **row)


def get_trial(experiment, number, dataset=None):
    """Return a trial; a number that is not in the file is a new trial without flags of its own."""
    return read_trials(experiment, dataset).get(number, Trial(number))
