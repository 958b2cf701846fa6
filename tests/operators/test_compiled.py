"""Machine code of kernels: kept in files, loaded without numba, and compiled again when anything has changed."""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.operators import compiled as module
from core.operators.compiled import compiled
from core.operators.kernels.light import scaled
from core.operators.kernels.sources import clip

ROOT = Path(__file__).parents[2]
EDIT = """
import sys
import numpy as np
from core.operators import Plan, Step, execute_samples
samples = np.arange(7 * 9 * 3, dtype=np.uint8).reshape(7, 9, 3)
print(execute_samples(Plan((Step.make("exposure", 0.4), Step.make("fade", 0.3))), samples).tolist(),
      "numba" in sys.modules)
"""


@pytest.fixture()
def edit(tmp_path):
    """Return a function that edits a picture in another process: (the result, whether numba was imported, stderr)."""
    def run(before="", folder=tmp_path):
        done = subprocess.run([sys.executable, "-c", before + EDIT], capture_output=True, text=True, check=True,
                              env=os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(folder)})
        picture, _, used = done.stdout.strip().rpartition(" ")
        return picture, used == "True", done.stderr
    return run


def test_a_second_process_loads_the_machine_code_without_numba_and_gives_the_same_picture(edit, tmp_path):
    first, second = edit(), edit()
    assert first[1:] == (True, "")
    assert second[1:] == (False, "")
    assert first[0] == second[0]
    assert {path.name.partition(".f2")[0] for path in tmp_path.glob("*.o")} >= {"light.scaled", "light.fade",
                                                                               "sources.clip"}


@pytest.mark.parametrize("change", ["damage", "truncation", "other sources", "other processor"])
def test_machine_code_that_does_not_fit_is_compiled_again(edit, tmp_path, change):
    picture, before = edit()[0], ""
    for path in tmp_path.glob("*.o"):
        data = bytearray(path.read_bytes())
        if change == "damage":
            data[-100] ^= 1
        path.write_bytes(data[:50] if change == "truncation" else data)
    if change == "other sources":
        (tmp_path / "helper.py").write_text("# another text\n", encoding="utf-8")
        before = ("from core.operators import compiled\n"
                  f"compiled.SOURCES += (compiled.Path({str(tmp_path / 'helper.py')!r}),)\n")
    if change == "other processor":
        before = ("import llvmlite.binding as llvm\nname = llvm.get_host_cpu_features().flatten()\n"
                  "class Fewer(llvm.FeatureMap):\n    def flatten(self, sort=True):\n        return '+sse2'\n"
                  "llvm.get_host_cpu_features = Fewer\n")
    found = edit(before)
    assert found == (picture, True, "")
    assert edit(before) == (picture, False, "")


def test_without_a_folder_that_can_be_written_kernels_work_and_one_sentence_says_so(edit, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    assert edit()[0] == (found := edit(folder=tmp_path / "file"))[0]
    assert found[2].count("NUMBA_CACHE_DIR") == 1


def test_arrays_that_the_machine_code_would_misread_are_refused():
    good = np.zeros((3, 4), np.float32)
    for bad in (good.astype(float), good.T, good[:, ::2], good[0]):
        with pytest.raises(TypeError, match=r"sources\.clip.*argument 0"):
            clip(bad)
    with pytest.raises(TypeError, match=r"light\.scaled.*argument 3"):
        scaled(good, good, good, np.zeros(2), np.zeros(5, np.int64))


def allocates(rows):
    rows[0, 0] = np.zeros(int(rows[0, 1]), np.float32).sum()


def test_numba_itself_calls_a_function_without_machine_code_and_one_sentence_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    function, rows = compiled(allocates, "f2"), np.full((3, 4), 2, np.float32)
    for _ in range(2):
        function(rows)
    assert capsys.readouterr().err.count("may not allocate memory") == 1
    assert not list(tmp_path.glob("*.o"))


def test_every_source_that_machine_code_can_hold_counts():
    names = {path.name for path in module.SOURCES}
    assert names >= {"arithmetic.py", "light.py", "colours.py", "detail.py", "runs.py", "sources.py", "constants.py",
                     "matrices.py", "compiled.py"}
    assert all(path.is_file() for path in module.SOURCES)
