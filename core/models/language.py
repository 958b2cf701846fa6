"""Request encoders: word vectors and a bidirectional LSTM."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SPECIAL_TOKENS = 4   # <NONE> <START> <END> <UNK>, the first ids of every word vocabulary
READ_AT_ONCE = 16       # requests that MiniLM encodes in one call; sorted by length, because padding costs time
MOST_KNOWN = 50_000     # the most encoded requests in the cache, about 10 kB each


class RequestEncoder(nn.Module):
    """Word vectors, then a 2-layer bidirectional LSTM.

    Word vectors that are given (GloVe) stay fixed, while random ones are trained; `fixed` overrides this rule. The
    vectors of the special tokens are always trained. The LSTM's input has the size of the given vectors, if any.
    """

    def __init__(self, vocab_size, vector_size=300, hidden_size=256, vectors=None, fixed=None, dropout=0.0):
        super().__init__()
        words = torch.randn(vocab_size - SPECIAL_TOKENS, vector_size) * 0.3 if vectors is None else vectors
        self.special = nn.Parameter(torch.randn(SPECIAL_TOKENS, words.shape[1]) * 0.3)
        self.words = nn.Parameter(words, requires_grad=not (fixed if fixed is not None else vectors is not None))
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(words.shape[1], hidden_size // 2, num_layers=2, batch_first=True, bidirectional=True,
                            dropout=dropout)

    @classmethod
    def of(cls, config, vectors=None, dropout=0.0):
        """Build the encoder that a network's `config` describes.

        Args: `config` with the fields `words`, `vector_size`, `hidden_size` and `fixed_vectors`; `vectors`
        (len(words) - 4, D), the word vectors, or None.
        """
        return cls(len(config.words), config.vector_size, config.hidden_size, vectors, config.fixed_vectors, dropout)

    def forward(self, request_ids):
        """Encode requests.

        Args: `request_ids` (B, L) integers, 0 = padding.
        Returns: word states (B, L, hidden), `present` bool (B, L), summary (B, hidden).
        """
        present = request_ids > 0
        lengths = present.sum(1).clamp_min(1)
        vectors = self.dropout(self.embed(request_ids, present))
        if vectors.is_cuda:
            packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
            states, (last, _) = self.lstm(packed)
            states, _ = pad_packed_sequence(states, batch_first=True, total_length=request_ids.shape[1])
            last = torch.cat((last[-2], last[-1]), 1)
        else:
            states, last = read_both_ways(self.lstm, vectors, lengths)
        return self.dropout(states), present, self.dropout(last)

    def embed(self, request_ids, present):
        """Return the LSTM's input: vectors (B, L, D) of the words."""
        return torch.cat((self.special, self.words))[request_ids]


def read_both_ways(lstm, vectors, lengths):
    """Run a bidirectional LSTM over padded sequences: the result of `lstm` on packed sequences, in half of the time.

    PyTorch's fast CPU kernels do not accept packed sequences. The backward direction reads each sequence
    reversed within its length, so that padding comes last in both directions.

    Args: `lstm`, batch first; `vectors` (B, L, D); `lengths` (B,), each at least 1.
    Returns: states (B, L, hidden), 0 on padding; the last state of both directions (B, hidden).
    """
    places = torch.arange(vectors.shape[1], device=vectors.device)
    present = places < lengths[:, None]
    reverse = torch.where(present, lengths[:, None] - 1 - places, places)
    hidden = vectors.new_zeros(1, len(vectors), lstm.hidden_size)
    for layer in range(lstm.num_layers):
        states = []
        for backward, weights in enumerate(lstm.all_weights[2 * layer:2 * layer + 2]):
            read = _reorder(vectors, reverse) if backward else vectors
            states.append(torch.lstm(read, (hidden, hidden), weights, True, 1, 0.0, lstm.training, False, True)[0])
        last = torch.cat([state[torch.arange(len(state)), lengths - 1] for state in states], 1)
        vectors = torch.cat((states[0], _reorder(states[1], reverse)), 2) * present[..., None]
        if layer + 1 < lstm.num_layers:
            vectors = nn.functional.dropout(vectors, lstm.dropout, lstm.training)
    return vectors, last


def _reorder(states, places):
    """Return the states (B, L, D) at the positions `places` (B, L)."""
    return states.gather(1, places[..., None].expand_as(states))


class SentenceEncoder(RequestEncoder):
    """The frozen all-MiniLM-L6-v2 (Wang et al. 2020), whose states of word pieces are the input of the LSTM.

    A package ships MiniLM's weights, so a checkpoint does not hold them. A cache keeps encoded requests.
    """

    def __init__(self, folder, hidden_size=256, dropout=0.0):
        import logging

        from transformers import BertModel
        from transformers.utils import logging as library
        library.set_verbosity_error()
        library.disable_progress_bar()
        logging.getLogger("transformers").setLevel(logging.ERROR)
        network = BertModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True)
        super().__init__(SPECIAL_TOKENS, hidden_size=hidden_size, dropout=dropout,
                         vectors=torch.zeros(0, network.config.hidden_size))
        self.frozen = [network.eval().requires_grad_(False)]   # inside a list, the network is neither trained nor saved
        self.known = {}

    def embed(self, request_ids, present):
        requests = [tuple(row[:length]) for row, length in
                    zip(request_ids.tolist(), present.sum(1).tolist(), strict=True)]
        new = [request for request in dict.fromkeys(requests) if request not in self.known]
        if len(self.known) + len(new) > MOST_KNOWN:
            self.known.clear()
            new = list(dict.fromkeys(requests))
        new.sort(key=len)
        for start in range(0, len(new), READ_AT_ONCE):
            self._remember(new[start:start + READ_AT_ONCE], request_ids.device)
        vectors = torch.zeros(*request_ids.shape, self.words.shape[1])
        for row, request in zip(vectors, requests, strict=True):
            row[:len(request)] = self.known[request]
        return vectors.to(request_ids.device)

    @torch.no_grad()
    def _remember(self, requests, device):
        """Encode requests, tuples of ids, by MiniLM and cache the vectors in half precision."""
        ids = torch.zeros(len(requests), max(map(len, requests)), dtype=torch.long)
        for row, request in zip(ids, requests, strict=True):
            row[:len(request)] = torch.tensor(request)
        with torch.autocast(device.type, enabled=False):
            states = self.frozen[0].to(device)(ids.to(device), attention_mask=(ids > 0).long().to(device))
        for request, state in zip(requests, states.last_hidden_state.half().cpu(), strict=True):
            self.known[request] = state[:len(request)].clone()


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
