"""Numbered trials: one readable file per experiment, `core/trials/<experiment>.toml`.

A data set may have trials of an experiment for itself, with numbers of their own: `<dataset>_<experiment>.toml`.
"""
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from core.files import UserError, read_text

FOLDER = Path(__file__).resolve().parents[1] / "trials"


@dataclass(frozen=True)
class Trial:
    """A numbered trial: what it tries, the flags it fixes, and the notebook's figures where it gives some."""

    number: int
    about: str = "a new trial"
    flags: dict = field(default_factory=dict)
    notebook: dict = field(default_factory=dict)
    tested_on: str = "FiveKReq test"   # where the notebook took them


def trials_path(experiment, dataset=None):
    """Return the file of an experiment's trials on a data set."""
    own = FOLDER / f"{dataset}_{experiment}.toml"
    return own if own.exists() else FOLDER / f"{experiment}.toml"


def read_trials(experiment, dataset=None):
    """Return {number: Trial} of an experiment. Raises UserError naming file and line where it is malformed."""
    path = trials_path(experiment, dataset)
    try:
        rows = tomllib.loads(read_text(path))
        return {int(number): Trial(int(number), **row) for number, row in rows.items()}
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None


def get_trial(experiment, number, dataset=None):
    """Return a trial; a number that is not in the file is a new trial without flags of its own."""
    return read_trials(experiment, dataset).get(number, Trial(number))
