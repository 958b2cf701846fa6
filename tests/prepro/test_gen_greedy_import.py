"""Import of plans in the published layout: a set records its source, and planned pairs are not mixed into it."""
import json

import pytest
from small_dataset import entries_of, write_dataset

PLAN = "prepro/gen_greedy_seqs.py"


@pytest.fixture()
def command(tmp_path, monkeypatch, photo):
    """Return the command that imports `published/` for a training set of two pairs; both lie in the current folder."""
    monkeypatch.chdir(tmp_path)
    entries = entries_of(range(2))
    write_dataset(tmp_path / "set", photo, {"train": entries})
    for index, entry in enumerate(entries):
        folder = tmp_path / f"published/train{index}"
        folder.mkdir(parents=True)
        (folder / f"{index:05d}.json").write_text(json.dumps({
            "request": entry["request"], "init distance": 0.2, "operation sequence": [[["brightness", [0.5], 0.1]]]}))
    return PLAN, "--data_root", "set", "--import_from", "published"


def test_an_imported_set_records_its_source_and_may_be_imported_again(command, run_script, tmp_path):
    for _ in range(2):
        assert run_script(*command).code == 0
        path = tmp_path / "output/actions_set_1/FiveK_train_sess_1"
        assert json.loads(path.with_suffix(".options.json").read_text()) == {"import_from": "published"}
        assert len(path.with_suffix(".jsonl").read_text().splitlines()) == 2


def test_imported_and_planned_pairs_do_not_mix(command, run_script, tmp_path):
    run_script(*command)
    rows = tmp_path / "output/actions_set_1/FiveK_train_sess_1.jsonl"
    before = rows.read_bytes()
    for other, words in (((PLAN, "--data_root", "set"), "was planned with import_from published, not None"),
                         ((*command[:-1], "set"), "was planned with import_from published, not set")):
        result = run_script(*other)
        assert (result.code, words in result.err) == (2, True), result.err
        assert rows.read_bytes() == before
    rows.with_suffix(".options.json").write_text('{"operators": ["hue"]}')   # as planning writes it
    assert "was planned with import_from None, not published" in run_script(*command).err
