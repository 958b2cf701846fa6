"""What the tests share: running a script as a user would, and small pictures."""
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from browser import browse, chromium  # noqa: F401  (fixtures)
from hypothesis import settings
from tiny_project import copy_of, tiny_project

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
torch.set_num_threads(1)  # the suite runs one process per core
settings.register_profile("untimed", deadline=None)   # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture()
def run_script(monkeypatch, capsys):
    """Return `run(script, *flags)`: the script runs in this process; gives its exit code and what it printed."""
    def run(script, *flags):
        path = ROOT / script
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, flags)])
        monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
        monkeypatch.delitem(sys.modules, "_init_paths", raising=False)
        capsys.readouterr()
        try:
            runpy.run_path(str(path), run_name="__main__")
            code = 0
        except SystemExit as leaving:
            code = leaving.code or 0
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)
    return run


@pytest.fixture()
def contents():
    """Return `contents(folder=".")`: the bytes of all files in there, by path."""
    def read(folder="."):
        return {str(path): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    return read


@pytest.fixture()
def run_well(run_script):
    """Return `run_script` for what must end with 0."""
    def run(*command):
        result = run_script(*command)
        assert result.code == 0, result.err
        return result
    return run


@pytest.fixture()
def succeed(request, run_well):
    """Return `succeed(*flags)`: the test module's SCRIPT ends with 0; gives what it printed."""
    def run(*flags):
        return run_well(request.module.SCRIPT, *flags).out
    return run


@pytest.fixture()
def refuse(request, run_script, contents):
    """Return `refuse(*flags, words)`: SCRIPT refuses in one sentence with these words, and no file is changed."""
    def run(*flags, words):
        before = contents()
        result = run_script(request.module.SCRIPT, *flags)
        assert result.code == 2, result.out
        assert result.err.count("error: ") == 1, result.err
        assert not [word for word in words if word not in result.err], result.err
        assert contents() == before
    return run


@pytest.fixture()
def photo():
    """Return `photo(height, width, seed)`: a smooth uint8 RGB picture with all hues, from dark to bright."""
    def make(height=48, width=64, seed=0):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:1:height * 1j, 0:1:width * 1j]
        waves = [0.5 + 0.5 * np.sin(6 * (a * x + b * y) + c) for a, b, c in rng.uniform(-1, 3, (3, 3))]
        return np.uint8(np.clip(np.stack(waves, 2) * 200 + rng.normal(28, 12, (height, width, 3)), 0, 255))
    return make


@pytest.fixture()
def project(tmp_path_factory, tmp_path, monkeypatch):
    """A copy of the tiny project, which is the current folder."""
    copy = copy_of(tiny_project(tmp_path_factory), tmp_path)
    monkeypatch.chdir(copy)
    return copy
