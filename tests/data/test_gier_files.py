"""data/GIER/GIER.py, prepro/fuse_op_request.py and their old names."""
import json
import runpy
import sys

import numpy as np
import pytest
from small_gier import pair, write_gier
from tiny_project import ROOT

from core.datasets.vocab import SPECIAL
from core.files import read_json

SCRIPT, FUSE = "data/GIER/GIER.py", "prepro/fuse_op_request.py"
MASK = np.zeros((20, 30))
MASK[:10] = 1
PAIRS = (pair(0, "brighter", "remove it", brightness=None, inpaint_obj=[0]), pair(1, "warmer", hue=[]),
         pair(2, "remove it", inpaint_obj=[7]), pair(3, "dark", hue=[0]), pair(4, ""), pair(5, "brighter", hue=[-1]))


@pytest.fixture()
def gier(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = write_gier(tmp_path / "data/GIER", {"train": PAIRS, "val": PAIRS[:1]},
                      lambda entry, side: np.zeros((20, 30, 3), np.uint8), masks=[MASK])
    square = [{"size": [20, 20], "counts": "`<"}]
    (root / "masks/p3_p3_mask.json").write_text(json.dumps(square))
    (tmp_path / "data/language").mkdir()
    (tmp_path / "data/language/GIER_vocabs_sess_3.json").write_text(json.dumps(
        {word: number for number, word in enumerate((*SPECIAL, "brighter", "remove", "it"))}))
    return root


def test_every_sample_that_cannot_be_used_is_counted_by_reason(succeed, gier, contents):
    before = contents()
    out = succeed("--check")
    assert contents() == before
    for words in ("1: a local operator has no mask (it cannot be grounded): p1_p1.png>p1_x.png, hue",
                  "1: an id is beyond the list of masks: p2_p2.png>p2_x.png, 7 of 1",
                  "1: masks have another aspect than the input (the loader leaves the pair out): p3_p3.png",
                  "1: field 'operator', hue: 'ids' is missing or malformed: p5_p5.png>p5_x.png"):
        assert words in out
    assert out.splitlines()[2].split() == ["pairs", "5", "1"]


def test_the_requests_are_written_for_each_phase_and_for_one_file(succeed, gier):
    succeed()
    assert len(read_json("data/GIER/annotations/IER_rl_3_train.json")) == 6
    assert len(read_json("data/GIER/annotations/IER_rl_3_val.json")) == 2
    (gier.parent / "IER2").mkdir()
    (gier.parent / "IER2/IER2.json").write_text(json.dumps(PAIRS[:2]))
    succeed("--annotations", "data/IER2/IER2.json")
    assert len(read_json("data/IER2/annotations/IER_rl_3.json")) == 3


def test_nothing_usable_is_refused(refuse, gier):
    (gier / "bad.json").write_text('[{"input": 3}]')
    refuse("--annotations", gier / "bad.json", words=["no entry can be used", "field 'input' is 3, not a text"])


def test_operators_and_masks_are_fused_by_pair_and_mismatches_are_listed(run_well, run_script, gier):
    operators = [pair(0, "brighter", hue=[], tint=None), pair(1, "brighter", inpaint_obj=[]), pair(2, "it", hue=None)]
    masks = [{"input": row["input"], "output": row["output"], "operator": table}
             for row, table in ((operators[0], {"hue": [1, 2]}), (operators[2], {"hue": [4]}), (PAIRS[3], {}))]
    for name, rows in (("operators", operators), ("masks", masks)):
        (gier / f"{name}.json").write_text(json.dumps(rows))
    flags = ("--operators", gier / "operators.json", "--masks", gier / "masks.json", "--out", "IER2.json")
    out = run_well(FUSE, *flags).out
    assert "1 pairs have masks but no operators, and are left out: p3_p3.png>p3_x.png" in out
    assert "1 local operators have no masks: p1_p1.png>p1_x.png, inpaint_obj" in out
    assert "1 operators have masks but are not local, and stay global: p2_p2.png>p2_x.png, hue" in out
    first, *_ = read_json("IER2.json")
    assert first["operator"]["hue"] == {"mask_mode": "inclusive", "local": True, "ids": [1, 2]}
    (gier / "masks.json").write_text('[{"input": "a.png", "output": "b.png", "operator": {"hue": 3}}]')
    refused = run_script(FUSE, *flags)
    assert refused.code == 2 and "masks.json, entry 0: field 'operator' is not {name: list of ids}" in refused.err


@pytest.mark.parametrize("alias", ["data/IER2/IER.py", "core/datasets_/IERdataset.py"])
def test_the_old_names_run_the_check(alias, gier, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [alias, "--check"])
    monkeypatch.setattr(sys, "path", [str((ROOT / alias).parent), *sys.path])
    monkeypatch.delitem(sys.modules, "_init_paths", raising=False)
    runpy.run_path(str(ROOT / alias), run_name="__main__")
    assert "remarks" in capsys.readouterr().out
