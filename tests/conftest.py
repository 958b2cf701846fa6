"""Fixtures that the tests share: run a script as a user would, make a small picture, let files fail to open."""
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from browser import browse, chromium  # noqa: F401  (fixtures)
from hypothesis import settings
from tiny_project import RAN, ROOT, SCRIPTS, copy_of, tiny_project
from torch.optim.optimizer import register_optimizer_step_pre_hook

sys.path.insert(0, str(ROOT))
torch.set_num_threads(1)  # the suite runs one process per core
settings.register_profile("untimed", deadline=None)   # a test must not fail because the machine is busy
settings.load_profile("untimed")


def pytest_sessionfinish(session, exitstatus):
    """Fail a run of the whole suite in which no test ran some script to its end."""
    config = session.config
    whole = config.args_source == pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    if hasattr(config, "workerinput") or exitstatus or not whole:
        return
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    ran = {value for report in terminal.stats["passed"] for name, value in report.user_properties if name == RAN}
    if missing := set(SCRIPTS) - ran:
        terminal.write_line(f"no test runs these scripts to their end: {', '.join(sorted(missing))}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def no_stuff_head(monkeypatch, tmp_path_factory):
    """Hide the stuff head that a developer may have trained: regions are found as in a fresh clone."""
    monkeypatch.setattr("core.models.stuff_head.FILE", tmp_path_factory.getbasetemp() / "no_stuff_head.pt")


@pytest.fixture()
def run_script(request, monkeypatch, capsys):
    """Return `run(script, *flags)`: run a script in this process; return its exit code and its output."""
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
        if code == 0 and "--help" not in flags:
            request.node.user_properties.append((RAN, str(script)))
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)
    return run


OPENINGS = []   # functions of (path, writes), called before any file is opened


def _before_opening(event, arguments):
    if OPENINGS and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        path, mode, flags = arguments
        for look in list(OPENINGS):
            look(os.fsdecode(path), bool(flags & (os.O_WRONLY | os.O_RDWR)) or bool(set(mode or "r") & set("wax+")))


sys.addaudithook(_before_opening)   # permanent: Python cannot remove an audit hook


@pytest.fixture()
def on_opening():
    """Return `arrange(error, part="", nth=1, writes=True)`: let files fail to open.

    The `nth` opening of a file with `part` in its path raises `error`, and so do all later ones. Only openings for
    writing count, or with `writes=False` only openings for reading. The call returns a function that ends the failures.
    """
    def arrange(error, part="", nth=1, writes=True):
        count = 0

        def look(path, writing):
            nonlocal count
            if writing == writes and part in path and path != os.devnull:
                count += 1
                if count >= nth:
                    raise error
        OPENINGS.append(look)
        return lambda: OPENINGS.remove(look)
    yield arrange
    OPENINGS.clear()


@pytest.fixture()
def on_step():
    """Return `arrange(nth, act)`: `act()` is called before the `nth` step of any optimizer."""
    handles = []

    def arrange(nth, act):
        steps = iter(range(1, nth + 1))

        def look(*_):
            if next(steps, None) == nth:
                act()
        handles.append(register_optimizer_step_pre_hook(look))
    yield arrange
    for handle in handles:
        handle.remove()


@pytest.fixture()
def contents():
    """Return `contents(folder=".")`: the bytes of all files below a folder, by path."""
    def read(folder="."):
        return {str(path): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    return read


@pytest.fixture()
def run_well(run_script):
    """Return `run_script` for commands that must end with exit code 0."""
    def run(*command):
        result = run_script(*command)
        assert result.code == 0, result.err
        return result
    return run


@pytest.fixture()
def succeed(request, run_well):
    """Return `succeed(*flags)`: run the test module's SCRIPT, which must end with 0; return its standard output."""
    def run(*flags):
        return run_well(request.module.SCRIPT, *flags).out
    return run


@pytest.fixture()
def refuse(request, run_script, contents):
    """Return `refuse(*flags, words)`: run SCRIPT; it must print one error with these words and change no file."""
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
    """Return a copy of the tiny project, and make it the current folder."""
    copy = copy_of(tiny_project(tmp_path_factory), tmp_path)
    monkeypatch.chdir(copy)
    return copy
