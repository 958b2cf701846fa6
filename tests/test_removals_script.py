"""core/test_removals.py on two drawn pairs, run as a researcher runs it."""
import json
from pathlib import Path

import numpy as np
from small_gier import pair, write_gier
from small_regions import BALLS, draw

SCRIPT = "core/test_removals.py"
BALL = np.asarray(BALLS[1].mask(), float)
PAIRS = (pair(0, "remove the frisbee", "erase it", inpaint_obj=[0]), pair(1, "remove the ball", inpaint_obj=[0]),
         pair(2, "brighten it", brightness=None))


def pictures(entry, side):
    return draw((BALLS[1],) if side == "input" else (), noise=3)[0]


def test_fills_are_compared_with_the_truth(project, run_script):
    write_gier(Path("data/GIER"), {"test": PAIRS}, pictures, masks=(BALL,))
    result = run_script(SCRIPT, "--dataset", "GIER", "--output", "out", "--publish", "GIER/removals")
    assert result.code == 0, result.err
    rows = [json.loads(line) for line in Path("out/removals/items.jsonl").read_text().splitlines()]
    assert [row["request"] for row in rows] == ["remove the frisbee", "remove the ball"]
    assert all(row[name]["psnr"] > 20 for row in rows for name in ("patch", "telea"))
    assert all(row["words"]["found"] in (0, 1) for row in rows)
    figures = json.loads(Path("docs/results/GIER/removals.json").read_text())["figures"]
    assert figures["pairs"] == 2 and "patch minus telea" in figures["rows"]
    assert Path("out/removals/sheet.png").stat().st_size > 1000


def test_a_phase_without_removals_is_named(project, run_script):
    write_gier(Path("data/GIER"), {"test": PAIRS[2:]}, pictures, masks=(BALL,))
    result = run_script(SCRIPT, "--dataset", "GIER")
    assert result.code == 2
    assert "no pair removes a thing" in result.err
