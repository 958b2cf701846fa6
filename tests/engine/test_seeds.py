"""Several seeds of one trial: their run folders, and the mean and the spread of their metrics."""
import json

import pytest
from easydict import EasyDict

from core.engine.folders import run_folder
from core.engine.options import Parser
from core.engine.seeds import over_seeds


def options(tmp_path, **flags):
    return EasyDict({"suffix": "", "output": str(tmp_path), "dataset": "toy", "experiment": "line", "trial": 4,
                     "manual_seed": 7, "seeds": 3} | flags)


def test_each_seed_has_a_run_folder_and_a_seed_of_its_own(tmp_path):
    seen = []
    given = options(tmp_path)
    over_seeds(given, lambda chosen: seen.append((run_folder(chosen).name, chosen.manual_seed)) or {}, run_folder)
    assert seen == [("toy_line_trial_4", 7), ("toy_line_trial_4_seed_1", 8), ("toy_line_trial_4_seed_2", 9)]
    assert given == options(tmp_path)


def test_mean_and_spread_are_written_and_printed(tmp_path, capsys):
    over_seeds(options(tmp_path), lambda chosen: {"L1": float(chosen.manual_seed), "FID": None}, run_folder)
    saved = json.loads((tmp_path / "toy_line_trial_4/seeds.json").read_text())
    assert (saved["mean"], saved["spread"]) == ({"L1": 8.0}, {"L1": 1.0})   # an undefined metric has neither
    assert [row["L1"] for row in saved["runs"]] == [7, 8, 9]
    assert (saved["experiment"], saved["trial"], saved["dataset"]) == ("line", 4, "toy")
    assert "L1: 8.0000 ± 1.0000" in capsys.readouterr().out


def test_one_seed_writes_and_prints_no_summary(tmp_path, capsys):
    over_seeds(options(tmp_path, seeds=1), lambda chosen: {"L1": 0.5}, run_folder)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_an_impossible_number_of_seeds_is_refused(count, capsys):
    with pytest.raises(SystemExit):
        Parser("about").add_test().add_seeds("test").parse_args(["--seeds", count])
    assert "argument --seeds" in capsys.readouterr().err
