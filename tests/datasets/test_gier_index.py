"""GIER's four indices, its counts, and the notebook's file of requests."""
import json

import pytest
from small_gier import pair

from core.datasets import WordVocab
from core.datasets.gier import operator_problem
from core.datasets.gier_index import GIERIndex, counts, read_rl, to_rl
from core.datasets.vocab import SPECIAL
from core.files import UserError
from core.operators import SESSIONS, OperatorVocab

NAMES = [name for name in SESSIONS[3] if name[0] != "<"]
WORDS, OPERATORS = WordVocab((*SPECIAL, "brighter", "remove", "it")), OperatorVocab(SESSIONS[3])
PAIRS = (pair(0, "brighter", "remove it", brightness=None, inpaint_obj=[0, 3], crop=[]),
         pair(1, "brighter", hue=[1], tint=[1], denoise=None), pair(2, "remove it", denoise=[2]))


def test_ids_are_positions_even_where_two_pairs_share_a_request():
    index = GIERIndex.of(PAIRS, NAMES)
    assert [index.request(at) for at in range(4)] == ["brighter", "remove it", "brighter", "remove it"]
    assert index.operators[1] == (0, "inpaint_obj")
    assert index.op_reqs == ((1, 0), (1, 1), (3, 2), (4, 2))   # crop has no mask, denoise is not among the names
    assert index.sample(3) == {"input": "p1_p1.png", "output": "p1_x.png", "request": "brighter", "operator": "tint",
                               "ids": [1], "mask_mode": "inclusive"}
    assert index.of_pair(1) == {"requests": [2], "operators": [3, 4, 5], "op_reqs": [2, 3]}
    assert len(GIERIndex.of(PAIRS).op_reqs) == 5


def test_a_pair_without_operators_has_none():
    index = GIERIndex.of([{"input": "a.png", "output": "b.png", "request": "brighter"}])
    assert (index.operators, index.op_reqs, len(index.requests)) == ((), (), 1)


def test_counts_tell_the_kinds_of_pairs_apart():
    found = counts(PAIRS, NAMES)
    assert (found["pairs"], found["requests"], found["pairs with a local operator"]) == (3, 4, 3)
    assert found["pairs with local and global operators"] == 2
    assert found["local operators without a mask"] == 1
    assert (found["local operators with one mask"], found["local operators with several masks"]) == (3, 1)
    assert found["pairs with several local operators"], found["of these, all with the same masks"] == (2, 1)
    assert found["operators x requests, of the vocabulary and with masks"] == 4
    assert found["pairs with no operator of the vocabulary"] == 1


def test_the_file_of_requests_is_written_and_read(tmp_path):
    rows, notes = to_rl(PAIRS, WORDS, OPERATORS)
    assert rows[1] == {
        "input": "p0_p0.png", "output": "p0_x.png", "request": "remove it", "is_local": [0, 1] + [0] * 8,
        "operator_idx": [3, 7] + [0] * 8, "request_idx": [5, 6] + [0] * 13, "mask_id": {"7": [0, 3]}}
    assert any("2 pairs use denoise, which the vocabulary lacks" in note for note in notes)
    path = tmp_path / "IER_rl_3.json"
    path.write_text(json.dumps(rows))
    entries = read_rl(path, OPERATORS)
    assert entries[1]["operator"] == {"brightness": {"local": False, "ids": []},
                                      "inpaint_obj": {"local": True, "ids": [0, 3]}}
    assert to_rl(entries, WORDS, OPERATORS)[0] == rows


def test_exclusive_masks_and_long_requests_are_told():
    entry = pair(0, "brighter " * 20, hue=[1])
    entry["operator"]["hue"]["mask_mode"] = "exclusive"
    rows, notes = to_rl([entry], WORDS, OPERATORS)
    assert len(rows[0]["request_idx"]) == 15
    assert "1 operators edit everything but their masks" in notes[0] and "1 requests are longer" in notes[1]
    assert GIERIndex.of([entry]).sample(0)["mask_mode"] == "exclusive"


@pytest.mark.parametrize(("change", "words"), [
    ({"operator_idx": [99]}, "IndexError"), ({"mask_id": {"x": [1]}}, "ValueError"), ({"is_local": None}, "TypeError"),
    ({"mask_id": {"3": [-1]}, "operator_idx": [3], "is_local": [1]}, "'ids' is missing or malformed"),
    ({"input": None}, "row 0")])
def test_a_malformed_row_is_named(change, words, tmp_path):
    row = to_rl(PAIRS, WORDS, OPERATORS)[0][0] | change
    if row["input"] is None:
        del row["input"]
    (tmp_path / "rl.json").write_text(json.dumps([row]))
    with pytest.raises(UserError, match=f"rl.json, row 0: .*{words}|{words}.*: a field is missing"):
        read_rl(tmp_path / "rl.json", OPERATORS)


@pytest.mark.parametrize("about", [3, {}, {"local": 1, "ids": []}, {"local": True, "ids": ["a"]},
                                   {"local": True, "ids": [1], "mask_mode": "maybe"}])
def test_a_malformed_operator_is_named(about):
    assert operator_problem({"operator": {"hue": about}}).startswith("field 'operator', hue: ")
