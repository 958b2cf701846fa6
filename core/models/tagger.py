"""The tagger: a learned reader of requests, which finds the wishes of a sentence and the words that state them.

MiniLM with adapters encodes the word pieces. For each attribute, a learned query attends to the pieces; from the
attended state, linear maps read whether the attribute is wished for, with which sign and degree, and whether the wish
is limited to a part of the photo. The attention also gives the span of the words.
"""
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from core.files import FOREIGN, UserError, read_tensors, replacing
from core.models.minilm import AdaptedMiniLM
from core.pretrained import minilm_folder
from core.requests.votes import BACKED
from core.requests.wish import ATTRIBUTES, LEVELS, Guess

SHIPPED = Path(__file__).parents[2] / "data/requests/tagger.pt"
SIGNS = (None, 1, -1, 0)   # classes of an attribute: no wish, more, less, keep it as it is
ABSENT = 0                 # the index of "no wish"
MAX_PIECES = 64            # pieces that are read, [CLS] and [SEP] included
SCALES, TINY = "/scales", 1e-6   # end of the name of the scales of a matrix in 8 bits; the least scale
NEARLY = 0.5               # share of the largest attention: words with at least this share belong to the span


class Tags(NamedTuple):
    """Outputs of the network for B requests of L pieces and A attributes.

    `signs` (B, A, 4), `degrees` (B, A, 3) and `limited` (B, A) are logits; `attention` (B, A, L) sums to 1.
    """

    signs: torch.Tensor
    degrees: torch.Tensor
    limited: torch.Tensor
    attention: torch.Tensor


class TaggerNetwork(nn.Module):
    """Ids of word pieces -> Tags."""

    def __init__(self, attributes: Sequence[str] = ATTRIBUTES, rank: int = 8, dropout: float = 0.0) -> None:
        """Build the network for `attributes`, with adapters of this rank. Raises UserError without MiniLM's package."""
        super().__init__()
        self.config = {"attributes": list(attributes), "rank": rank}
        self.encoder = AdaptedMiniLM(minilm_folder(), rank, dropout)
        size, count = self.encoder.size, len(attributes)
        self.dropout = nn.Dropout(dropout)
        self.queries = nn.Parameter(0.05 * torch.randn(count, size))
        self.signs = nn.Parameter(torch.zeros(count, len(SIGNS), size))
        self.shared = nn.Linear(size, len(SIGNS), bias=False)   # "more" and "less" are said alike for most attributes
        self.bias = nn.Parameter(torch.tensor([3.0, 0, 0, -1]).repeat(count, 1))   # most attributes are absent
        self.degrees, self.limited = nn.Linear(size, len(LEVELS)), nn.Linear(size, 1)

    def forward(self, ids: torch.Tensor) -> Tags:
        """Read `ids` (B, L), 0 = padding."""
        states = self.encoder(ids)
        scores = (states @ self.queries.T).masked_fill((ids == 0)[..., None], -torch.inf)
        attention = scores.softmax(1).transpose(1, 2)
        seen = self.dropout(attention @ states)
        signs = torch.einsum("bad,acd->bac", seen, self.signs) + self.shared(seen) + self.bias
        return Tags(signs, self.degrees(seen), self.limited(seen)[..., 0], attention)

    @torch.no_grad()
    def grow_from(self, config: dict, weights: dict[str, torch.Tensor]) -> None:
        """Copy the weights of a tagger with fewer attributes or a smaller rank; added weights keep their start values.

        The network then has the same outputs as that tagger, because new adapters start at 0. Raises UserError for a
        tagger with a larger rank.
        """
        names = self.config["attributes"]
        if config["rank"] > self.config["rank"]:
            raise UserError(f"--start: has rank {config['rank']}; give at least this --rank")
        rows = [names.index(name) for name in config["attributes"]]
        for name, value in self.state_dict().items():
            saved = weights[name].to(value)
            if name in ("queries", "signs", "bias"):
                value[rows] = saved
            else:
                value[tuple(map(slice, saved.shape))] = saved

    def save(self, path: Path, **about) -> None:
        """Write the trained weights with plain values `about` their training; matrices are written in 8 bits."""
        weights = {part: tensor for name, value in self.state_dict().items() for part, tensor in _packed(name, value)}
        with replacing(path) as file:
            torch.save({"config": self.config, "about": about, "weights": weights}, file)


class Tagger:
    """The callable that finds the wishes of a request."""

    def __init__(self, network: TaggerNetwork) -> None:
        self.network, self.tokenizer = network.eval(), load_tokenizer()

    @classmethod
    def load(cls, path: str | Path | None = None) -> "Tagger":
        """Load a tagger; None loads the one that ships. Raises UserError without MiniLM, or for a wrong file."""
        path = SHIPPED if path is None else Path(path)
        config, weights = read_tagger(path)
        try:
            network = TaggerNetwork(**config)
            network.load_state_dict(weights)
        except FOREIGN as error:
            raise UserError(f"{path}: is no tagger, or is damaged; train one with core/train_tagger.py") from error
        network.encoder.merge()
        return cls(network.requires_grad_(False))

    def __call__(self, request: str, least: float = min(BACKED)) -> list[Guess]:
        """Return the wishes whose probability is at least `least`, in the order of their words.

        Only the first MAX_PIECES - 2 word pieces of a request, any text, are read. An attribute has at most one wish,
        also if the request has different wishes for several parts of the photo.
        """
        pieces, attributes = self.tokenizer.encode(request), self.network.config["attributes"]
        with torch.inference_mode():
            tags = Tags(*(part[0] for part in self.network(torch.tensor([pieces.ids]))))
            chances, signs = tags.signs.softmax(-1)[:, ABSENT + 1:].max(-1)
        guesses = []
        for index in (chances >= least).nonzero()[:, 0].tolist():
            span = span_of(tags.attention[index].tolist(), pieces.offsets, pieces.word_ids)
            sign, degree = SIGNS[ABSENT + 1:][signs[index]], LEVELS[tags.degrees[index].argmax()]
            guesses.append(Guess(attributes[index], sign, degree, float(tags.limited[index].sigmoid()),
                                 float(chances[index]), span))
        return sorted(guesses, key=lambda guess: guess.span)


def read_tagger(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """Return the config and the weights of a tagger's file. Raises UserError for a wrong file."""
    try:
        saved = read_tensors(path)
        if unknown := set(saved["config"]["attributes"]) - set(ATTRIBUTES):
            raise UserError(f"{path}: has the unknown attribute {min(unknown)!r}; train it anew with "
                            "core/train_tagger.py")
        return saved["config"], _unpacked(saved["weights"])
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); train a tagger with core/train_tagger.py"
                        ) from error
    except FOREIGN as error:
        raise UserError(f"{path}: is no tagger, or is damaged; train one with core/train_tagger.py") from error


def _packed(name, value):
    """Yield (name, tensor) of a weight in half precision, or of a matrix in 8 bits with the scales of its rows."""
    if value.ndim < 2:
        yield name, value.half()
        return
    scales = (value.abs().amax(-1, keepdim=True) / 127).clamp_min(TINY).half()
    yield name, (value / scales.float()).round().clamp(-127, 127).to(torch.int8)
    yield name + SCALES, scales


def _unpacked(weights):
    """Return the weights by name, float32, of a file's tensors."""
    return {name: value.float() * weights.get(name + SCALES, torch.ones(())).float() for name, value in weights.items()
            if not name.endswith(SCALES)}


def span_of(attention: Sequence[float], offsets: Sequence[tuple[int, int]], words: Sequence[int | None]
            ) -> tuple[int, int]:
    """Return the first and last + 1 character of the words around the largest attention; (0, 0) without words.

    Args: for each piece its `attention`, its `offsets` in the request, and the number of its word in `words`, which is
    None for [CLS] and [SEP].
    """
    known = [index for index, word in enumerate(words) if word is not None]
    if not known:
        return (0, 0)
    first = last = max(known, key=lambda index: attention[index])
    enough = NEARLY * attention[first]
    while first - 1 in known and (attention[first - 1] >= enough or words[first - 1] == words[first]):
        first -= 1
    while last + 1 in known and (attention[last + 1] >= enough or words[last] == words[last + 1]):
        last += 1
    return offsets[first][0], offsets[last][1]


@functools.cache
def load_tokenizer():
    """Return MiniLM's tokenizer, cut to MAX_PIECES. Raises UserError if its package is not installed."""
    folder = minilm_folder()
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_PIECES)
    return tokenizer
