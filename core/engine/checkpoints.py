"""Checkpoints: tensors and plain values only, written whole or not at all, checked when read."""
import io
from pathlib import Path

import torch

from core.files import UserError, replacing

FORMAT, VERSION = "ldie-checkpoint", 1


def save_checkpoint(path, state):
    """Write `state`, a dict of tensors and plain values, through a temporary file."""
    buffer = io.BytesIO()   # on a full disk torch's own writer would hide the OSError behind a RuntimeError
    torch.save({"format": FORMAT, "version": VERSION, **state}, buffer)
    with replacing(path) as file:
        file.write(buffer.getbuffer())


def load_checkpoint(path, experiment=None):
    """Read a checkpoint onto the CPU. Raises UserError where it is missing, damaged, or of another experiment."""
    path = Path(path)
    if not path.is_file():
        last = path.with_name("last.pt")
        raise UserError(f"{path}: no such checkpoint; " + (
            f"give --checkpoint {last.name}, which is there" if last.is_file() else
            f"train one with core/train_{experiment or 'seq2seqL1'}.py (`make demo` trains a small seq2seqL1)"))
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise   # the disk's fault, not the file's
    except Exception:   # foreign bytes make the unpickler stumble over anything
        raise UserError(f"{path}: not a checkpoint, or damaged; take another one or train again") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise UserError(f"{path}: not a checkpoint of this project; take another one")
    if state["version"] > VERSION:
        raise UserError(f"{path}: checkpoint version {state['version']} is newer than this program's {VERSION}")
    if experiment and state["experiment"] != experiment:
        raise UserError(f"{path}: a checkpoint of experiment {state['experiment']!r}, not {experiment!r}; "
                        f"take the run folder of the right one")
    return state
