"""Numbered trials: one readable file per experiment, `core/trials/<experiment>.toml`.

A data set may have its own trials of an experiment, numbered separately: `<dataset>_<experiment>.toml`.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

from core.files import UserError, read_toml

FOLDER = Path(__file__).resolve().parents[1] / "trials"


@dataclass(frozen=True)
class Trial:
    """A numbered trial: a description, the flags that it sets, and the notebook's figures, if any."""

    number: int
    about: str = "a new trial"
    flags: dict = field(default_factory=dict)
    notebook: dict = field(default_factory=dict)
    tested_on: str = "FiveKReq test"   # the data of the notebook's figures


FIELDS = {"about": str, "flags": dict, "notebook": dict, "tested_on": str}   # fields of a trial in a file
KINDS = {str: "text", dict: "a table"}


def trials_path(experiment, dataset=None):
    """Return the file of an experiment's trials on a data set."""
    own = FOLDER / f"{dataset}_{experiment}.toml"
    return own if own.exists() else FOLDER / f"{experiment}.toml"


def read_trials(experiment, dataset=None):
    """Return {number: Trial} of an experiment. Raises UserError naming file and line or trial if the file is malformed.

    The flags are checked later, by `core.engine.options.parse`, which knows the script's flags.
    """
    path = trials_path(experiment, dataset)
    trials = [_trial(path, number, row) for number, row in read_toml(path).items()]
    return {trial.number: trial for trial in trials}


def _trial(path, number, row):
    """Return the Trial of a table of the file."""
    if not re.fullmatch("0|[1-9][0-9]{0,8}", number) or not isinstance(row, dict):
        raise UserError(f"{path}: {number[:60]!r} is not a trial; a trial is a table under its number, such as [1]")
    for name, value in row.items():
        if name not in FIELDS:
            raise UserError(f"{path}, trial {number}: unknown field {name[:60]!r}; known are {', '.join(FIELDS)}")
        if not isinstance(value, FIELDS[name]):
            raise UserError(f"{path}, trial {number}: {name} must be {KINDS[FIELDS[name]]}")
    for name, value in row.get("notebook", {}).items():
        if type(value) not in (int, float) or not abs(value) < 2**63:   # true for NaN, too
            raise UserError(f"{path}, trial {number}: notebook.{name[:60]} must be a finite number")
    return Trial(int(number), **row)


def get_trial(experiment, number, dataset=None):
    """Return a trial; a number that is not in the file gives a new trial that sets no flags."""
    return read_trials(experiment, dataset).get(number, Trial(number))
