"""Two data sets mixed into one, and pairs that are drawn at random without end."""
import pytest
import torch

from core.datasets import Mixed, WordVocab
from core.datasets.vocab import SPECIAL
from core.operators import OperatorVocab, execute_batch
from core.synthesis import DrawnPairs
from core.synthesis.photos import Photo


@pytest.mark.parametrize(("share", "mixed"), [(0.5, "axbyaz"), (1.0, "xyz"), (0.25, "abaxbabyabaz")])
def test_parts_are_mixed_evenly_and_the_first_part_repeats(share, mixed):
    both = Mixed("ab", "xyz", share)
    assert "".join(both[index] for index in range(len(both))) == mixed


@pytest.fixture()
def drawn(photo):
    photos = [Photo(str(seed), "train", lambda seed=seed: photo(96, 128, seed), "me", "CC0", "here") for seed in (0, 1)]
    return DrawnPairs(photos, 64, WordVocab((*SPECIAL, "make")), OperatorVocab(),
                      lambda before: lambda after, intent: [True] * len(after))


def test_a_drawn_pair_is_what_its_plan_makes(drawn):
    lengths = set()
    for index in range(20):
        sample = drawn[index]
        image = execute_batch(drawn.op_vocab, sample["ops"][None, 1:-1], sample["input"][None], sample["params"][None])
        assert (image[0] - sample["target"]).abs().max() < 1 / 255
        lengths.add(int((sample["params"].abs().sum(1) > 0).sum()))
        assert len(sample["request_ids"]) == 17
    assert {0, 1} < lengths


def test_an_index_always_gives_the_same_pair_and_another_index_another(drawn):
    first, again, other = drawn[3], drawn[3], drawn[23]
    assert first["request"] == again["request"]
    assert torch.equal(first["target"], again["target"])
    assert not torch.equal(first["input"], other["input"])
