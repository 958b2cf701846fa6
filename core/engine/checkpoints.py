"""Checkpoints: files of tensors and plain values, written whole or not at all, and checked when they are read."""
import io
from pathlib import Path

import torch

from core.files import FOREIGN, UserError, read_tensors, replacing

FORMAT, VERSION = "ldie-checkpoint", 1
PLAIN = (str, int, float, bool, type(None))


def save_checkpoint(path, state):
    """Write `state`, a dict of tensors and plain values, through a temporary file."""
    buffer = io.BytesIO()   # on a full disk torch's own writer would hide the OSError behind a RuntimeError
    torch.save({"format": FORMAT, "version": VERSION, **state}, buffer)
    with replacing(path) as file:
        file.write(buffer.getbuffer())


def load_checkpoint(path, experiment=None):
    """Read a checkpoint onto the CPU.

    Raises UserError if the file is missing, damaged, of another experiment, lacks a required field, or has a field that
    fails its check in `FIELDS`. The classes of the networks check configurations and weights.
    """
    path = Path(path)
    if not path.is_file():
        last = path.with_name("last.pt")
        raise UserError(f"{path}: no such checkpoint; " + (
            f"give --checkpoint {last.name}, which exists" if last.is_file() else
            f"train one with core/train_{experiment or 'seq2seqL1'}.py (`make demo` trains a small seq2seqL1)"))
    try:
        state = read_tensors(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except FOREIGN as error:
        raise UserError(f"{path}: not a checkpoint, or damaged; take another one or train again") from error
    if not isinstance(state, dict) or not isinstance(state.get("format"), str) or state["format"] != FORMAT:
        raise UserError(f"{path}: not a checkpoint of this project; take another one")
    for field, (check, words) in FIELDS.items():
        if field in state and not check(state[field]):
            raise UserError(f"{path}: its field {field!r} is not {words}; take another checkpoint or train again")
    require(state, path, "version", "experiment", "model")
    if state["version"] > VERSION:
        raise UserError(f"{path}: checkpoint version {state['version']} is newer than this program's {VERSION}; "
                        "update the program")
    if experiment and state["experiment"] != experiment:
        raise UserError(f"{path}: a checkpoint of experiment {state['experiment']!r}, not {experiment!r}; "
                        f"give a run folder of the right experiment")
    return state


def require(state, path, *fields):
    """Raise UserError if a checkpoint, or a part of a checkpoint, lacks one of the fields."""
    for field in fields:
        if field not in state:
            raise UserError(f"{path}: lacks the field {field!r}; take another checkpoint or train again")


ADAM = {"step", "exp_avg", "exp_avg_sq"}   # state of a parameter in Adam, the optimizer of every network


def restore_optimizer(optimizer, saved, source):
    """Load an optimizer's saved state, but not its settings, such as the learning rate.

    Raises UserError if the state does not fit the optimizer's parameters.
    """
    flags = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    try:
        optimizer.load_state_dict(saved)
        for group, own in zip(optimizer.param_groups, flags, strict=True):
            group.update(own)
        states = [(parameter, state) for parameter, state in optimizer.state.items() if state != {}]
        if any(state.keys() != ADAM for _, state in states):
            raise ValueError("some of the states lack an entry")
        for parameter, state in states:
            for name, value in state.items():
                shape = () if name == "step" else parameter.shape
                fits = value.shape == shape and value.is_floating_point() and value.isfinite().all()
                if not fits or (name == "step" and value < 0):
                    raise ValueError(f"{name} has another shape, or is not finite")
    except FOREIGN as error:
        raise UserError(f"{source}: its optimizer does not fit its network; give another --trial, or --restart to "
                        f"train anew") from error


def _is_whole(value):
    return type(value) is int and 0 <= value < 2**63


def _is_plain(value):
    """Return whether a value is a dict of plain values and lists of plain values; deeper nesting may be endless."""
    return isinstance(value, dict) and all(
        isinstance(key, str) and all(isinstance(part, PLAIN) for part in (
            entry if isinstance(entry, (list, tuple)) else [entry])) for key, entry in value.items())


def _is_network(value):
    """Return whether a value is a dict whose `config` and `weights`, if present, hold plain values and tensors."""
    if not isinstance(value, dict):
        return False
    config, weights = (value.get(part, {}) for part in ("config", "weights"))
    return _is_plain(config) and isinstance(weights, dict) and all(map(torch.is_tensor, weights.values()))


FIELDS = {   # {name: (check, description)}; a shrunk checkpoint lacks the fields that only resuming needs
    "version": (_is_whole, "a whole number"),
    "experiment": (lambda value: isinstance(value, str) and len(value) < 100, "a name"),
    "iteration": (_is_whole, "a whole number"),
    "best": (lambda value: value is None or type(value) in (int, float), "a number"),
    "options": (_is_plain, "a table of flags"),
    "model": (_is_network, "a network with a configuration and weights"),
    "others": (lambda value: isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(part, dict) and _is_network(part.get("model"))
        for name, part in value.items()), "a table of networks"),
}


def tested_network(state: dict) -> dict:
    """Return the part of a checkpoint that a test loads: the average of the weights (--ema), if the run kept one."""
    return state.get("others", {}).get("average", state)["model"]
