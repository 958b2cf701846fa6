"""Every experiment trains in two processes that torchrun starts, on a CPU."""
import math
import os
import subprocess
import sys
from pathlib import Path

import train_all
from small_grounding import write_grounding_set, write_language

from core.files import read_jsonl


def test_every_experiment_trains_in_two_processes(project):
    write_grounding_set(project / "data/RegionReq", photos=2)
    write_language(project / "data/language")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
               train_all.__file__]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
                          timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    for experiment in train_all.COMMANDS:
        folder, = (path for path in Path("output").glob("*_trial_77")   # "ground" is no part of "op_ground"
                   if path.name.partition("_")[2] == f"{experiment}_trial_77")
        rows = read_jsonl(folder / "log.jsonl")   # only one process writes rows; two would write each row twice
        assert [row["iteration"] for row in rows] == [1, 2], experiment
        assert all(math.isfinite(total) for row in rows for total in row["sums"].values())
        assert (folder / "last.pt").exists()


def test_the_list_of_experiments_is_complete():
    scripts = {path.stem.removeprefix("train_") for path in Path(train_all.ROOT, "core").glob("train_*.py")}
    scripts -= {"tagger", "stuff", "faults"}   # they train parts that ship
    assert {name for name in scripts if not name.startswith("GIER_")} == set(train_all.COMMANDS)
