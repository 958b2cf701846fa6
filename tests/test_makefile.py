"""The Makefile: `make demo` announces each stage, and its first result needs no data and no training."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def demo():
    """Return the stages of `make demo` in an existing environment: a list of (sentence, script, flags)."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    # without the flags of `make test`, with which this make would print the folder that it enters
    of_its_own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    said = subprocess.run(["make", "-n", "-o", "E/installed", "VENV=E", "demo"], cwd=ROOT, check=True,
                          capture_output=True, text=True, env=of_its_own).stdout.splitlines()
    assert len(said) % 2 == 0
    stages = []
    for sentence, command in zip(said[::2], said[1::2], strict=True):
        python, script, *flags = command.split()
        assert python == "E/bin/python"
        stages.append((re.fullmatch('echo "(.*)"', sentence)[1], script, flags))
    return stages


def test_each_stage_announces_its_action_and_its_duration(demo):
    for number, (sentence, script, _) in enumerate(demo, 1):
        assert re.fullmatch(rf"{number}/{len(demo)} \w[\w ]+: .+ \(.*(second|minute)s?\)", sentence), sentence
        assert (ROOT / script).is_file()


def test_the_first_stage_uses_the_shipped_planner_and_the_last_the_trained_one(demo):
    _, script, flags = demo[0]
    assert (script, flags) == ("core/demo_seq2seqL1.py", [])
    _, script, flags = demo[-1]
    assert (script, flags[-2:]) == ("core/demo_seq2seqL1.py", ["--trial", "100"])
