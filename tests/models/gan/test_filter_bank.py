"""The filter bank: weights of its edits that depend on the words, and the choice of a single edit in bucket mode."""
import pytest
import torch

from core.models.gan.filter_bank import FilterBank, FilterBankConfig

WORDS = tuple(f"word{number}" for number in range(9))
REQUESTS = torch.tensor([[1, 4, 5, 2], [1, 6, 2, 0], [1, 7, 8, 2]])
PICTURES = torch.rand(3, 3, 18, 21)


def bank(bucket=False, num_G=3):
    torch.manual_seed(0)
    network = FilterBank(FilterBankConfig(WORDS, "unet_16", num_G, bucket, 4, "instance", 8, 5, False))
    torch.nn.init.normal_(network.weight_head.weight, std=5)   # so that the weights depend on the words
    return network


@pytest.mark.parametrize("bucket", [False, True])
def test_a_result_is_the_mean_of_the_edits_weighted_by_the_words(bucket):
    network = bank(bucket).eval()
    weights, pictures = network.weights(REQUESTS), [edit(PICTURES) for edit in network.bank]
    expected = sum(weights[:, k, None, None, None] * picture for k, picture in enumerate(pictures))
    torch.testing.assert_close(network(PICTURES, REQUESTS), expected)
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert (weights >= 0).all()
    assert bucket or not torch.allclose(weights[0], weights[1])


def test_bucket_mode_takes_only_the_edit_of_largest_weight():
    mixture, bucket = bank().eval(), bank(True).eval()
    taken = mixture.weights(REQUESTS).argmax(1)
    results = bucket(PICTURES, REQUESTS)
    for index, which in enumerate(taken):
        torch.testing.assert_close(results[index], bucket.bank[which](PICTURES)[index])


@pytest.mark.parametrize("bucket", [False, True])
def test_the_weights_and_the_chosen_edits_learn(bucket):
    network = bank(bucket)
    network(PICTURES, REQUESTS)[:, 0].mean().backward()
    assert network.weight_head.weight.grad.abs().sum() > 0
    assert network.request_encoder.lstm.weight_ih_l0.grad.abs().sum() > 0
    taken = set(network.weights(REQUESTS).argmax(1).tolist()) if bucket else {0, 1, 2}
    learnt = {index for index, edit in enumerate(network.bank)
              if any(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in edit.parameters())}
    assert learnt == taken


def test_one_picture_for_many_requests_equals_copies_of_the_picture():
    network = bank().eval()
    torch.testing.assert_close(network(PICTURES[:1], REQUESTS), network(PICTURES[:1].expand(3, -1, -1, -1), REQUESTS))


def test_a_checkpoint_rebuilds_the_same_bank():
    network = bank(True).eval()
    again = FilterBank.from_checkpoint(network.checkpoint()).eval()
    torch.testing.assert_close(again(PICTURES, REQUESTS), network(PICTURES, REQUESTS))
    assert again.divisor == network.divisor == 16
