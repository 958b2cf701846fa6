"""The multi-label classifier: what it reads, what it ignores, and its checkpoint."""
import pytest
import torch

from core.models.multilabel import OperatorClassifier, OperatorClassifierConfig

IDS = torch.tensor([[1, 5, 6, 2, 0, 0], [1, 7, 2, 0, 0, 0]])


def build(**changes):
    torch.manual_seed(0)
    config = OperatorClassifierConfig(words=tuple("abcdefgh"), operators=("hue", "tint", "white"), hidden_size=8,
                                      vector_size=6, fixed_vectors=False, **changes)
    return OperatorClassifier(config).eval()


@pytest.mark.parametrize("pool_words", [False, True])
def test_padding_changes_nothing_and_each_operator_has_a_logit(pool_words):
    network = build(pool_words=pool_words)
    found = network(IDS)
    assert found.shape == (2, 3)
    assert torch.allclose(found[1:], network(IDS[1:, :3]), atol=1e-6)


def test_without_an_encoder_the_photo_is_ignored_and_with_one_it_is_seen():
    dark, light = torch.zeros(2, 3, 32, 32), torch.ones(2, 3, 32, 32)
    assert torch.equal(build()(IDS, dark), build()(IDS, light))
    seeing = build(vis_encoder="photometric")
    assert not torch.allclose(seeing(IDS, dark), seeing(IDS, light))


def test_a_text_blind_network_gives_all_requests_the_same_answer():
    first, second = build(text_blind=True)(IDS)
    assert torch.equal(first, second)


def test_the_checkpoint_rebuilds_the_network():
    network = build(vis_encoder="photometric", pool_words=True)
    again = OperatorClassifier.from_checkpoint(network.checkpoint()).eval()
    image = torch.rand(2, 3, 32, 32)
    assert torch.equal(network(IDS, image), again(IDS, image))
