"""Folders of runs and of their tests, and the git revision of the code."""
import subprocess
from pathlib import Path


def run_folder(options):
    """Return `output/<dataset>_<experiment>_trial_<n>`, followed by `_seed_<k>` for the k-th further seed."""
    return Path(options.output) / f"{options.dataset}_{options.experiment}_trial_{options.trial}{options.suffix}"


def tested_folder(options):
    """Return the folder of a run's test: `test`, or `test_val` and `test_train` for the other phases.

    A test with swapped photos or with checked plans has its own folder, such as `test_val_swapped` or `test_val_mend`.
    """
    name = "test" if options.phase == "test" else f"test_{options.phase}"
    return run_folder(options) / (name + "_swapped" * options.swap_photos + checked(options))


def checked(options):
    """Return the end of the name of a test's folder: "_mend" or "_gate" for checked plans, else an empty text."""
    return f"_{options.check}" if options.check else ""


def revision():
    """Return the git revision of the code, with + for uncommitted changes, or "unknown"."""
    try:
        found = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True,
                               cwd=Path(__file__).parent, timeout=10, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
