"""Word vectors from a GloVe text file, from the package, or without any source."""
import numpy as np
import pytest

from core.datasets import glove
from core.datasets.glove import glove_vectors
from core.files import UserError


@pytest.fixture
def glove_file(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("the 0.1 0.2 0.3\nat the door 1 1 1\nimage -1 0 1e-2\nthe end 5 5 5\nsky 0 0 1\n")
    return path


def test_words_get_their_vectors_and_the_rest_random_ones(glove_file):
    vectors, missing = glove_vectors(["image", "xyzzy", "the"], glove_file)
    assert missing == ["xyzzy"]
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors[[0, 2]], [[-1, 0, 0.01], [0.1, 0.2, 0.3]])
    assert np.isfinite(vectors[1]).all()
    assert vectors[1].any()
    np.testing.assert_array_equal(vectors, glove_vectors(["image", "xyzzy", "the"], glove_file)[0])
    assert not np.array_equal(vectors, glove_vectors(["image", "xyzzy", "the"], glove_file, seed=1)[0])


def test_word2vec_header_is_skipped(tmp_path):
    (tmp_path / "vectors.txt").write_text("2 3\nthe 1 2 3\nsky 4 5 6\n")
    vectors, missing = glove_vectors(["sky"], tmp_path / "vectors.txt")
    np.testing.assert_array_equal(vectors, [[4, 5, 6]])
    assert missing == []


def test_files_that_are_no_word_vectors_are_refused(tmp_path, glove_file):
    with pytest.raises(UserError, match="cannot be read"):
        glove_vectors(["the"], tmp_path / "absent.txt")
    with pytest.raises(UserError, match="none of the 1 words"):
        glove_vectors(["xyzzy"], glove_file)
    (tmp_path / "prose.txt").write_text("once upon a time\nthe sky was blue\n")
    with pytest.raises(UserError, match=r"prose\.txt, line 2"):
        glove_vectors(["the"], tmp_path / "prose.txt")


def test_without_a_source_there_are_none(monkeypatch):
    monkeypatch.setattr(glove, "PACKAGE", "no_such_package_of_vectors")
    assert glove_vectors(["the"]) is None


def test_the_package_has_real_vectors():
    pytest.importorskip(glove.PACKAGE)
    pytest.importorskip("pyarrow")
    vectors, missing = glove_vectors(["brighten", "lighten", "photo", "xyzzyplugh"])
    assert missing == ["xyzzyplugh"]
    assert vectors.shape == (4, 50)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > unit[0] @ unit[2]  # words of similar meaning are closer
