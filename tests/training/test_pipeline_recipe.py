"""The samples of the pipeline's first iterations, which have no pictures."""
from types import SimpleNamespace

import pytest
import torch

from core.datasets import WordVocab
from core.datasets.vocab import SPECIAL
from core.files import UserError
from core.operators import Mask
from core.requests.grammar import all_words
from core.requests.reader import read_wishes
from core.training.pipeline import PlansOnly

VOCAB = WordVocab((*SPECIAL, *sorted({*all_words(), "remove", "get", "rid", "erase", "dog", "cat", "the", "hello"})))
BRIGHT = {"attribute": "light", "sign": 1, "degree": "plain"}
SAID = ("brighten the dog", "remove the cat", "hello")


class Pairs(SimpleNamespace):
    def __len__(self):
        return len(self.annotations)


def pairs(*wishes):
    """Return a stand-in of a PairDataset of three pairs, one of which is local."""
    return Pairs(
        annotations=[{"input": f"{at}.png", "output": f"{at}o.png", "wishes": row, "region": region}
                     for at, (row, region) in enumerate(zip(wishes, ("the dog", "the cat", ""), strict=True))],
        areas=[[Mask.from_array([[1, 0]])], [None], []], vocab=VOCAB, path="train.json",
        request_ids=torch.tensor([VOCAB.encode(words) for words in SAID]), ops=torch.eye(3, 7), params=torch.eye(3, 5))


def samples_of(*wishes, **options):
    return PlansOnly(pairs(*wishes), **options)


def words(sample):
    return VOCAB.decode(sample["request_ids"].tolist()).removesuffix(" <END>")


def test_without_more_sentences_each_pair_is_one_sample():
    samples = samples_of([], [], [])
    assert [words(samples[at]) for at in range(len(samples))] == list(SAID)
    assert [samples[at]["local"].tolist() for at in range(3)] == [[True] + [False] * 4, [False] * 5, [False] * 5]


def test_other_sentences_ask_for_the_same_at_any_place():
    samples = samples_of([BRIGHT], [{"attribute": "removal", "sign": 1, "degree": "plain"}], [], sentences=40)
    assert len(samples) == 120
    assert words(samples[0]) == "brighten the dog"
    bright = [words(samples[at]) for at in range(1, 40)]
    assert len(set(bright)) > 30
    assert any("dog" in one for one in bright) and any("cat" in one for one in bright)
    read = [wish.direction for one in bright for wish in read_wishes(one)]
    assert read.count(("light", 1)) > 20
    assert all(torch.equal(samples[at]["ops"], samples.pairs.ops[0]) for at in range(40))
    assert {words(samples[at]) for at in range(80, 120)} == {"hello"}   # no wish is known, so no other sentence is
    assert words(samples[7]) == words(samples_of([BRIGHT], [], [], sentences=40)[7])


@pytest.mark.parametrize("wishes", [3, [{"attribute": "light"}], [BRIGHT | {"attribute": "joy"}]])
def test_malformed_wishes_are_named(wishes):
    samples_of(wishes, [], [])
    with pytest.raises(UserError, match=r"0.png>0o.png: field 'wishes' is missing or malformed .*--sentences 1"):
        samples_of(wishes, [], [], sentences=2)
