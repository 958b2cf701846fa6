"""Published figures: results under docs/results/, from which `make tables` writes the tables of the documents.

A file holds {"kind", "figures", "data", "seed", "command", "commit", "date", "machine"}. `kind` is the kind of
measurement, such as evaluation, obedience, repairs, critic, bench or calibration.
"""
import contextlib
import os
import platform
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import torch

from core.engine.folders import revision, run_folder
from core.engine.options import split_variant
from core.files import UserError, read_json, write_json

FOLDER = Path("docs/results")   # relative to the current folder, like output/ and data/


def publish(options, kind: str, figures: dict) -> None:
    """Write the figures of a script to docs/results/<--publish>.json; without --publish, do nothing.

    Args:
        options: the script's resolved options. The suffix of a run, such as _seed_1, is appended to the name.
        kind: kind of measurement, see the docstring of this module.
        figures: plain values.
    """
    if not options.publish:
        return
    path = FOLDER / f"{options.publish}{options.get('suffix', '')}.json"
    data = f"{options.dataset} {options.phase}" if options.get("phase") else None
    data = Path(options.folder).resolve().name if options.get("folder") else data
    write_json(path, {"kind": kind, "figures": portable(figures), "data": data, "seed": seed_of(options),
                      "command": command(), "commit": revision(), "date": time.strftime("%Y-%m-%d"),
                      "machine": machine()}, indent=1)
    print(f"published: {path}; `make tables` writes the figures into the documents")


def portable(value: Any) -> Any:
    """Return a JSON value in which each absolute path is shortened to <its name>."""
    if isinstance(value, dict):
        return {key: portable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [portable(part) for part in value]
    return f"<{Path(value).name}>" if isinstance(value, str) and os.path.isabs(value) else value


def seed_of(options) -> int | None:
    """Return the seed of a run's training, or None if no run was trained."""
    if options.get("trial") is None or options.get("reference"):
        return None
    with contextlib.suppress(UserError):
        return read_json(run_folder(options) / "options.json").get("manual_seed")
    return None


def command() -> str:
    """Return the command line of this process; an absolute path is shortened to <its name>."""
    script, *flags = sys.argv
    variant, flags = split_variant(flags)
    script = variant.get("script", script)   # a variant runs another script with other defaults
    root = Path(__file__).resolve().parents[2]
    with contextlib.suppress(ValueError):
        script = Path(script).resolve().relative_to(root).as_posix()
    flags = portable(flags)
    return re.sub("'(<[^' ]+>)'", r"\1", shlex.join(["python", script, *flags]))


def machine() -> dict:
    """Return the machine's properties that affect timings and rounding: processor, cores, threads, versions."""
    model = None
    with contextlib.suppress(OSError):
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return {"cpu": model[1] if model else platform.processor() or platform.machine(), "cores": os.cpu_count(),
            "threads": torch.get_num_threads(), "torch": torch.__version__, "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()}"}
