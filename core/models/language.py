"""Reading a request: word vectors and a bidirectional LSTM."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SPECIAL_TOKENS = 4   # <NONE> <START> <END> <UNK>, the first ids of every word vocabulary


class RequestEncoder(nn.Module):
    """Word vectors, then a 2-layer bidirectional LSTM.

    The vectors of words are fixed when they are given (GloVe) and trained otherwise; those of the special tokens are
    always trained. Where the vectors do not have the size of the LSTM's input, the LSTM adapts to them.
    """

    def __init__(self, vocab_size, vector_size=300, hidden_size=256, vectors=None, fixed=None, dropout=0.0):
        super().__init__()
        words = torch.randn(vocab_size - SPECIAL_TOKENS, vector_size) * 0.3 if vectors is None else vectors
        self.special = nn.Parameter(torch.randn(SPECIAL_TOKENS, words.shape[1]) * 0.3)
        self.words = nn.Parameter(words, requires_grad=not (fixed if fixed is not None else vectors is not None))
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(words.shape[1], hidden_size // 2, num_layers=2, batch_first=True, bidirectional=True,
                            dropout=dropout)

    def forward(self, request_ids):
        """Encode requests.

        Args: `request_ids` (B, L) integers, 0 = padding.
        Returns: word states (B, L, hidden), `present` bool (B, L), summary (B, hidden).
        """
        present = request_ids > 0
        lengths = present.sum(1).clamp_min(1)
        vectors = self.dropout(torch.cat((self.special, self.words))[request_ids])
        packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, (last, _) = self.lstm(packed)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=request_ids.shape[1])
        return self.dropout(states), present, self.dropout(torch.cat((last[-2], last[-1]), 1))


class WordAttention(nn.Module):
    """Attention of a decoder state over the words of the request (Luong et al. 2015, "general" score)."""

    def __init__(self, hidden_size):
        super().__init__()
        self.score = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, state, words, present):
        """Attend from `state` (B, T, hidden): return (B, T, hidden) and weights (B, T, L), zero on padding."""
        scores = self.score(state) @ words.transpose(1, 2)
        weights = scores.masked_fill(~present[:, None], -torch.inf).softmax(-1)
        return weights @ words, weights
