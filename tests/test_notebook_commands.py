"""The notebook's command lines run unchanged, on a tiny project with tiny networks and few iterations.

The flags for the tiny size are appended to a line, because the last of two equal flags counts.
"""
import shutil

import pytest
from tiny_project import ROOT, copy_of, tiny_project
from tiny_sets import add_fivek, add_gier

COMMANDS = ROOT / "tests/notebook_commands.txt"
TINY = {"--num_iters": 2, "--batch_size": 2, "--checkpoint_every": 2, "--num_workers": 0, "--gpu_ids": -1,
        "--vis_encoder": "small", "--hidden_size": 8, "--ngf": 2, "--ndf": 2, "--cond_nc": 4, "--rank": 4, "--num_D": 1,
        "--short_edge": 48, "--beam": 1, "--max_steps": 1, "--restart": None}


def sections():
    """Return {name of a section: its command lines}."""
    found = {}
    for line in COMMANDS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line.removeprefix("+ "))
    return found


@pytest.fixture(scope="module")
def with_sets(tmp_path_factory):
    """Return a copy of the tiny project with FiveK, which is planned, and GIER."""
    copy = copy_of(tiny_project(tmp_path_factory), tmp_path_factory.mktemp("notebook"))
    add_fivek(copy)
    add_gier(copy)
    return copy


@pytest.mark.parametrize("name", sections())
def test_the_lines_of_a_section_run_in_their_order(name, run_script, with_sets, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(with_sets, tmp_path / "project"))
    for line in sections()[name]:
        script, *flags = line.split()
        assert (ROOT / script).is_file(), script
        known = set(run_script(script, "--help").out.split())
        tiny = [word for flag, value in TINY.items() if {flag, f"[{flag}", f"[{flag}]"} & known
                for word in (flag, value) if word is not None]
        result = run_script(script, *flags, *tiny)
        assert result.code == 0, f"{line}: {result.err}"
