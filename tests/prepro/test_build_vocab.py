"""prepro/build_vocab.py, run as a user runs it."""
import json
import math

import numpy as np
import pytest

from core.datasets import WordVocab, glove, load_operator_vocab, load_word_vectors, vocab_files
from core.operators import SESSIONS

SCRIPT = "prepro/build_vocab.py"


@pytest.fixture
def root(tmp_path):
    requests = ["brighten the sky", "Brighten the SKY!", "brighten the tree", "the sky, the xyzzy", "xyzzy xyzzy",
                math.nan, ""]
    rows = [{"input": f"{i}_O.jpg", "output": f"{i}_A.jpg", "request": text} for i, text in enumerate(requests)]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "Mine.json").write_text(json.dumps(rows))
    (tmp_path / "glove.txt").write_text("the 1 2\nbrighten 3 4\nsky 5 6\n")
    return tmp_path / "set"


def test_the_script_writes_three_files_in_the_published_layout(root, tmp_path, run_script):
    result = run_script(SCRIPT, "--dataset", "Mine", "--session", 2, "--data_root", root, "--out", tmp_path / "out",
                        "--glove", tmp_path / "glove.txt")
    assert result.code == 0, result.err
    files = vocab_files("Mine", 2, tmp_path / "out")
    vocab = WordVocab.load(files.words)
    assert vocab.words == ("the", "brighten", "sky", "xyzzy")
    assert load_operator_vocab(files.operators).names == SESSIONS[2]
    np.testing.assert_array_equal(load_word_vectors(files.vectors, vocab)[:3], [[1, 2], [3, 4], [5, 6]])
    assert "entry 5: field 'request' is NaN, not a text; left out" in result.out
    assert "entry 6: field 'request' is empty; left out" in result.out
    assert "4 words; 1 of the 5 words of 5 requests occur less than" in result.out
    assert "1 words have none of their own and got a random one: xyzzy" in result.out


def test_a_missing_source_of_vectors_is_reported(root, tmp_path, run_script, monkeypatch):
    monkeypatch.setattr(glove, "PACKAGE", "no_such_package_of_vectors")
    result = run_script(SCRIPT, "--dataset", "Mine", "--data_root", root, "--out", tmp_path / "out")
    assert result.code == 0
    assert "trainable random vectors" in result.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "Mine_operator_vocabs_sess_1.json", "Mine_vocabs_sess_1.json"]


def test_without_the_whole_file_the_annotations_are_counted(root, tmp_path, run_script):
    rows = json.loads((root / "Mine.json").read_text())[:5]
    (root / "Mine.json").unlink()
    (root / "annotations").mkdir()
    (root / "annotations" / "train.json").write_text(json.dumps(rows[:2]))
    (root / "annotations" / "test_sess_1.json").write_text(json.dumps(rows[2:]))
    result = run_script(SCRIPT, "--dataset", "Mine", "--data_root", root, "--out", tmp_path / "out",
                        "--glove", tmp_path / "glove.txt")
    assert result.code == 0, result.err
    assert WordVocab.load(tmp_path / "out" / "Mine_vocabs_sess_1.json").words == ("the", "brighten", "sky", "xyzzy")


def test_a_mistake_gets_one_sentence(root, tmp_path, run_script):
    for flags, words in ((["--session", 9], "--session 9"), (["--min_count", 99], "smaller --min_count"),
                         (["--glove", tmp_path / "absent.txt"], "absent.txt: cannot be read"),
                         (["--data_root", tmp_path / "nowhere"], "no such file")):
        result = run_script(SCRIPT, "--dataset", "Mine", "--data_root", root, "--out", tmp_path / "out", *flags)
        assert (result.code, result.err.count("error: "), words in result.err) == (2, 1, True), result.err
    result = run_script(SCRIPT, "--dataset", "Mine")
    assert "known are: FiveK" in result.err
