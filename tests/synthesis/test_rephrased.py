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
    torch.manual_seed(0)
    for index, asked in enumerate(REQUESTS[:3]):
        samples = [rephrased[index] for _ in range(SAMPLES)]
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
    assert all(Rephrased(pairs, 0.0, vocab)[0] == pairs[0] for _ in range(SAMPLES))
    rephrased = Rephrased(pairs, 0.5, vocab)
    torch.manual_seed(0)
    changed = sum(rephrased[0]["request_ids"] is not None for _ in range(200))
    assert 70 < changed < 130
