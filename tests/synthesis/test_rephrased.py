"""Other words for training requests: the wishes stay, and no word is unknown."""
import pytest
import torch

from core.datasets import WordVocab
from core.requests.corpus import read_corpus
from core.requests.reader import read_wishes
from core.synthesis.rephrased import Rephrased

REQUESTS = ["Brighten the photo a bit.", "make it slightly lighter", "more contrast and less saturation please",
            "make the sky bluer", "it was a lovely day"]
SAMPLES = 40   # of each request


class Pairs(list):
    """Stands for a PairDataset: one pair for each request, without pictures."""

    def __init__(self, requests):
        super().__init__({"request": request, "request_ids": None, "name": request} for request in requests)
        self.annotations = [{"request": request} for request in requests]


@pytest.fixture(scope="module")
def vocab():
    written = [sentence.request for sentence in read_corpus("train")[::20]]
    return WordVocab.build([*REQUESTS, *written, "slightly lighter darker more less light contrast saturation"],
                           min_count=1).wishing()


def meaning(request):
    return {(wish.attribute, wish.sign, wish.level) for wish in read_wishes(request)}


def test_other_sentences_have_the_same_wishes_and_known_words(vocab):
    rephrased = Rephrased(Pairs(REQUESTS), 1.0, vocab)
    for index, asked in enumerate(REQUESTS[:3]):
        samples = [rephrased[index + variant * len(REQUESTS)] for variant in range(SAMPLES)]
        requests = {sample["request"] for sample in samples}
        assert len(requests) > 1
        assert all(meaning(request) == meaning(asked) for request in requests)
        assert not any(vocab.unknown(request) for request in requests)
        assert all(sample["request_ids"].tolist() == vocab.encode(sample["request"]) and sample["name"] == asked
                   for sample in samples)


def test_requests_with_a_place_or_without_wishes_stay(vocab):
    rephrased = Rephrased(Pairs(REQUESTS), 1.0, vocab)
    assert [rephrased[index]["request"] for index in (3, 4)] == REQUESTS[3:]


def test_the_share_tells_how_many_change(vocab):
    pairs = Pairs(REQUESTS)
    none = Rephrased(pairs, 0.0, vocab)
    assert all(none[index] == pairs[index % len(pairs)] for index in range(len(none)))
    rephrased = Rephrased(pairs, 0.5, vocab)
    changed = sum(rephrased[variant * len(pairs)]["request_ids"] is not None for variant in range(200))
    assert 70 < changed < 130


def test_a_sample_depends_on_the_seed_and_the_index_alone(vocab):
    def drawn(seed):
        rephrased = Rephrased(Pairs(REQUESTS), 0.5, vocab, seed)
        torch.rand(seed + 1)   # other random numbers, as a resumed training draws them
        return [rephrased[index]["request"] for index in range(SAMPLES)]
    assert drawn(0) == drawn(0) != drawn(1)
