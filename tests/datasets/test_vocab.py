"""Words and ids: the published encoding, the files, and the files that are refused."""
import json

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets.vocab import (
    MAX_WISHES,
    REQUEST_LENGTH,
    SPECIAL,
    WordVocab,
    load_operator_vocab,
    load_word_vectors,
    save_operator_vocab,
    save_word_vectors,
    tokenize,
    vocab_files,
)
from core.files import UserError
from core.operators import SESSIONS, OperatorVocab

VOCAB = WordVocab((*SPECIAL, "the", "image", "brighten", "dont"))


def test_tokenize_follows_the_published_rules():
    assert tokenize("Brighten  the IMAGE, a bit.") == ["brighten", "the", "image", "bit"]
    assert tokenize("don't add 20% -- or 2x!") == ["dont", "add", "or"]
    assert tokenize("brightness/contrast up") == ["brightnesscontrast", "up"]
    assert tokenize("") == []


@settings(max_examples=50)
@given(st.text())
def test_any_text_encodes_to_seventeen_known_ids(request_text):
    ids = VOCAB.encode(request_text)
    words = min(len(tokenize(request_text)), 15)
    assert len(ids) == REQUEST_LENGTH
    assert ids[0] == 1
    assert ids[words + 1] == 2
    assert not any(ids[words + 2:])
    assert all(3 <= index < len(VOCAB) for index in ids[1:words + 1])


def test_encode_marks_unknown_words_and_decode_reads_back():
    ids = VOCAB.encode("Brighten the sky!")
    assert ids[:5] == [1, 6, 4, 3, 2]
    assert VOCAB.unknown("Brighten the sky!") == ["sky"]
    assert VOCAB.decode(ids) == "brighten the <UNK>"


def test_rare_words_are_strange_but_encoded():
    requests = ["brighten the image", "the image, the image", "brighten dont image"]
    assert VOCAB.rare_in(requests) == ("dont",)
    assert VOCAB.rare_in(requests, min_count=3) == ("the", "brighten", "dont")
    vocab = WordVocab(VOCAB.names, VOCAB.rare_in(requests))
    assert vocab.strange("dont brighten the sky") == ["dont", "sky"]
    assert vocab.unknown("dont brighten the sky") == ["sky"]
    assert vocab.encode("dont brighten the sky") == VOCAB.encode("dont brighten the sky")


def test_a_request_of_500_words_is_cut_and_counts_as_too_long():
    ids = VOCAB.encode("brighten " * 500)
    assert ids == [1, *[6] * 15, 2]
    assert VOCAB.too_long("brighten " * 16)
    assert not VOCAB.too_long("brighten " * 15)


WISHING = WordVocab((*SPECIAL, "brighter", "it", "contrast")).wishing()


@pytest.mark.parametrize(("request_text", "names"), [
    ("much brighter", ["<light +>", "<strong>"]), ("less contrast", ["<contrast ->"]),
    ("fix the exposure", ["<exposure repair>"]), ("leave it as it is", []), ("rotate it", []),
    ("make the sky bluer", []),
    ("add a slight red cast", ["<temperature +>", "<slight>", "<green-magenta +>", "<slight>"])])
def test_a_vocabulary_of_wishes_puts_them_in_front_of_the_words(request_text, names):
    read = WISHING.read(request_text)
    assert [word for word in read if word.startswith("<")] == names
    ids = WISHING.encode(request_text)
    assert len(ids) == REQUEST_LENGTH + MAX_WISHES
    assert ids[1:len(names) + 1] == [WISHING.ids[name] for name in names]
    assert ids[len(read) + 1] == WISHING.ids["<END>"]


ONLY = WordVocab((*SPECIAL, "brighter", "it", "contrast")).wishing(beside_words=False)


@pytest.mark.parametrize(("request_text", "read"), [
    ("much brighter, blorp", ["<light +>", "<strong>"]), ("brighten it a lot", ["<light +>", "<strong>"]),
    ("leave the contrast", ["<no wish>", "leave", "the", "contrast"])])
def test_a_vocabulary_of_wishes_only_reads_words_where_there_is_no_wish(request_text, read):
    assert ONLY.read(request_text) == read
    assert ONLY.unknown(request_text) == [word for word in read if word not in ONLY.ids]


def test_reading_wishes_changes_nothing_else(tmp_path):
    plain = WordVocab((*SPECIAL, "brighter", "it", "contrast"))
    assert WISHING.names[:len(plain)] == plain.names
    assert not plain.reads_wishes
    assert WISHING.unknown("blorp brighter") == plain.unknown("blorp brighter") == ["blorp"]
    WISHING.save(tmp_path / "words.json")
    assert WordVocab.load(tmp_path / "words.json").reads_wishes


@settings(max_examples=50)
@given(st.text())
def test_any_text_encodes_to_known_ids_with_wishes(request_text):
    ids = WISHING.encode(request_text)
    assert len(ids) == REQUEST_LENGTH + MAX_WISHES
    assert all(0 <= index < len(WISHING) for index in ids)


def test_a_request_of_unknown_words_has_only_the_unknown_id():
    assert VOCAB.encode("xyzzy plugh")[:4] == [1, 3, 3, 2]


def test_build_orders_by_frequency_then_alphabet():
    vocab = WordVocab.build(["dark dark dark sky", "Sky, tree! sky", "tree tree bird bird", "sky"])
    assert vocab.names == (*SPECIAL, "sky", "dark", "tree")


def test_a_saved_vocabulary_loads_again(tmp_path):
    VOCAB.save(tmp_path / "words.json")
    assert WordVocab.load(tmp_path / "words.json").names == VOCAB.names
    assert json.loads((tmp_path / "words.json").read_text())["the"] == 4
    save_operator_vocab(tmp_path / "operators.json", OperatorVocab(SESSIONS[2]))
    assert load_operator_vocab(tmp_path / "operators.json").names == SESSIONS[2]


def test_vocab_files_have_the_published_names():
    assert [path.name for path in vocab_files("GIER", 3)] == [
        "GIER_vocabs_sess_3.json", "GIER_operator_vocabs_sess_3.json", "GIER_vocabs_glove_feat_3.h5"]


@pytest.mark.parametrize("content", [
    [1, 2], {"<NONE>": 0, "<START>": 2}, {"<NONE>": 0, "<START>": 0}, {"<NONE>": None}, {"the": 0},
])
def test_broken_vocabularies_are_refused_by_name(tmp_path, content):
    (tmp_path / "words.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"words\.json"):
        WordVocab.load(tmp_path / "words.json")


def test_malformed_json_names_file_and_line(tmp_path):
    (tmp_path / "words.json").write_text('{"<NONE>": 0,\n "<START>" 1}')
    with pytest.raises(UserError, match=r"words\.json, line 2"):
        WordVocab.load(tmp_path / "words.json")


def test_word_vectors_load_in_the_published_layout(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)
    with h5py.File(tmp_path / "published.h5", "w") as file:
        file["glove"] = vectors
    save_word_vectors(tmp_path / "ours.h5", vectors)
    for name in ("published.h5", "ours.h5"):
        loaded = load_word_vectors(tmp_path / name, VOCAB)
        assert loaded.dtype == np.float32
        np.testing.assert_array_equal(loaded, vectors)


@pytest.mark.parametrize(("vectors", "sentence"), [
    (np.zeros((3, 50)), "4 words"), (np.zeros(4), "4 words"), (np.full((4, 2), np.nan), "NaN"),
])
def test_word_vectors_of_another_vocabulary_are_refused(tmp_path, vectors, sentence):
    save_word_vectors(tmp_path / "feat.h5", vectors)
    with pytest.raises(UserError, match=rf"feat\.h5.*{sentence}"):
        load_word_vectors(tmp_path / "feat.h5", VOCAB)


def test_a_file_without_word_vectors_is_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load_word_vectors(tmp_path / "absent.h5", VOCAB)
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(UserError, match="not a readable HDF5"):
        load_word_vectors(tmp_path / "text.h5", VOCAB)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["other"] = np.zeros((4, 2))
    with pytest.raises(UserError, match="'glove'"):
        load_word_vectors(tmp_path / "other.h5", VOCAB)


def test_a_forgiving_vocabulary_reads_amounts_and_misspelt_words():
    plain = WordVocab((*SPECIAL, "brighten", "the", "photo", "color", "saturated", "contrast", "by", "sharp"))
    vocab = plain.forgiving()
    assert vocab.read("Brigten teh photoo, by 12%!") == ["brighten", "the", "photo", "by", "10%"]
    assert vocab.read("the colour by 250 percent") == ["the", "color", "by", "100%", "percent"]
    assert vocab.read("oversaturated unsharp zebra") == ["oversaturated", "unsharp", "zebra"]   # not misspelt
    assert vocab.unknown("oversaturated zebra contrats 3") == ["oversaturated", "zebra"]
    assert plain.read("Brigten teh photoo, by 12%!") == ["brigten", "teh", "photoo", "by"]
    assert vocab.encode("by 40%")[2] == vocab.ids["40%"]
    assert vocab.forgiving().names == vocab.names
    assert WordVocab(vocab.names).read("contrats") == ["contrast"]   # a checkpoint keeps only the names
