"""The corpus of requests: its size, its kinds, and how different its sentences are."""
import json
import re
from collections import Counter
from functools import cache

import pytest
from tiny_project import ROOT

from core.files import UserError
from core.requests.corpus import SPLITS, as_row, as_wish, read_corpus
from core.requests.words import split

PUBLISHED = ("data/FiveK/annotations", "data/GIER", "data/RetouchReq/annotations")   # where users put the annotations


@pytest.fixture(scope="module")
def corpus():
    return {name: read_corpus(name) for name in SPLITS}


@pytest.fixture(scope="module")
def sentences(corpus):
    return [sentence for name in SPLITS for sentence in corpus[name]]


def test_the_corpus_has_enough_sentences_of_each_kind(sentences):
    kinds = Counter(sentence.kind for sentence in sentences)
    assert len(sentences) >= 2000
    assert len(kinds) >= 25
    assert min(kinds.values()) >= 50
    assert kinds["things"] >= 200
    assert kinds["place"] >= 100


def test_every_kind_is_in_every_split(corpus, sentences):
    """New sentences are for training, so the shares of dev and test become smaller."""
    kinds = Counter(sentence.kind for sentence in sentences)
    for name, fewest in (("train", 50), ("dev", 8), ("test", 16)):
        here = Counter(sentence.kind for sentence in corpus[name])
        assert all(here[kind] >= fewest for kind in kinds), name


def test_no_sentence_occurs_twice(sentences):
    assert len({sentence.request.casefold() for sentence in sentences}) == len(sentences)


def skeleton(request):
    """Return the words of a request; words for attributes, degrees and numbers are left out."""
    words = re.findall(r"[\w'’-]+", request.lower())   # one by one, because the reader gives many phrases one meaning
    return re.sub(r"(_ )+", "_ ", "".join(("_" if names_wish(word) else word) + " " for word in words)).strip()


@cache
def names_wish(text):
    """Return whether a word names an attribute, a degree or a number."""
    return any(word.entry or word.number is not None or word.roles & {"slight", "strong"}
               for sentence in split(text) for word in sentence)


def test_no_skeleton_occurs_more_than_three_times(sentences):
    """A grammar would repeat the same words around other attributes and degrees."""
    skeletons = Counter(skeleton(sentence.request) for sentence in sentences)
    del skeletons["_"]   # sentences without other words have no skeleton
    most = skeletons.most_common(1)[0]
    assert most[1] <= 3, most


def test_no_sentence_is_from_a_published_set(sentences):
    published = set()
    for place in PUBLISHED:
        for path in (ROOT / place).glob("*.json"):
            published |= set(map(plain, texts_of(json.loads(path.read_text(encoding="utf-8")))))
    if not published:
        pytest.skip("no published annotations in data/")
    assert not published & {plain(sentence.request) for sentence in sentences}


def texts_of(value):
    """Yield all texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_of(part)


def plain(text):
    return " ".join(re.findall(r"\w+", text.casefold()))


def test_a_wish_is_the_same_after_writing_and_reading(sentences):
    for sentence in sentences:
        for wish in sentence.wishes:
            assert as_wish(json.loads(json.dumps(as_row(wish)))) == wish


@pytest.mark.parametrize("line", ['{"request": "x"}', "nonsense",
                                  '{"request": "x", "kind": "k", "wishes": [{"sign": 1}]}',
                                  '{"request": "x", "kind": "k", "wishes": [{"attribute": "glow"}]}'])
def test_a_wrong_line_is_named(tmp_path, line):
    (tmp_path / "dev.jsonl").write_text(line + "\n")
    with pytest.raises(UserError, match="dev.jsonl, line 1: is no sentence"):
        read_corpus("dev", tmp_path)


def test_a_missing_split_is_named(tmp_path):
    with pytest.raises(UserError, match="splits are: train, dev, test"):
        read_corpus("train", tmp_path)
