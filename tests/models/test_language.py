"""The bidirectional LSTM that reads requests: its states agree with PyTorch's packed sequences."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from core.models.language import read_both_ways

LENGTHS = torch.tensor([5, 1, 7, 3])


def packed(lstm, vectors, lengths):
    """Return the states computed with PyTorch's packed sequences."""
    states, (last, _) = lstm(pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False))
    states, _ = pad_packed_sequence(states, batch_first=True, total_length=vectors.shape[1])
    return states, torch.cat((last[-2], last[-1]), 1)


def lstm_and_vectors(**options):
    torch.manual_seed(0)
    return nn.LSTM(6, 4, num_layers=2, batch_first=True, bidirectional=True, **options), torch.randn(4, 8, 6)


def test_states_and_gradients_equal_those_of_packed_sequences():
    lstm, vectors = lstm_and_vectors()
    weights = torch.randn(4, 8, 8), torch.randn(4, 8)
    results = []
    for read in (read_both_ways, packed):
        found = read(lstm, vectors, LENGTHS)
        loss = sum((part * weight).sum() for part, weight in zip(found, weights, strict=True))
        results.append((*found, *torch.autograd.grad(loss, list(lstm.parameters()))))
    for ours, reference in zip(*results, strict=True):
        torch.testing.assert_close(ours, reference, atol=1e-5, rtol=1e-4)


def test_vectors_at_padding_are_ignored():
    lstm, vectors = lstm_and_vectors()
    other = torch.where(torch.arange(8)[:, None] < LENGTHS[:, None, None], vectors, 9.0)
    for ours, theirs in zip(read_both_ways(lstm, vectors, LENGTHS), read_both_ways(lstm, other, LENGTHS), strict=True):
        assert torch.equal(ours, theirs)


def test_dropout_acts_between_the_layers_and_in_training_only():
    lstm, vectors = lstm_and_vectors(dropout=0.5)
    first, again = (read_both_ways(lstm, vectors, LENGTHS)[0] for _ in range(2))
    assert not torch.equal(first, again)
    lstm.eval()
    first, again = (read_both_ways(lstm, vectors, LENGTHS)[0] for _ in range(2))
    assert torch.equal(first, again)
