"""Where runs and their tests lie, and which code they ran with."""
import subprocess
from pathlib import Path


def run_folder(options):
    """Return `output/<dataset>_<experiment>_trial_<n>`, with `_seed_<k>` behind it for the k-th further seed."""
    return Path(options.output) / f"{options.dataset}_{options.experiment}_trial_{options.trial}{options.suffix}"


def tested_folder(options):
    """Return the folder of a run's test: `test`, or `test_val` and `test_train` for the other phases.

    A test with swapped photos has a folder of its own, `test_val_swapped`.
    """
    name = "test" if options.phase == "test" else f"test_{options.phase}"
    return run_folder(options) / (name + "_swapped" * options.swap_photos)


def revision():
    """Return the git revision of the code, with + when it was changed, or "unknown"."""
    try:
        found = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True,
                               cwd=Path(__file__).parent, timeout=10, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
