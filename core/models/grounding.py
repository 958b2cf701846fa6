"""The grounder: which segments of a photo the words mean, by the modular attention of MAttNet (Yu et al. 2018).

Words are read once. For each of three modules - subject, location, relation - attention over the words gives a phrase,
by weights of its own for each operator, and the cosine of phrase and segment is the module's score. A segment's score
is the sum of the three, weighted by the words.

Ours, and off in the notebook's trials: segments know the name of their class, by the vectors that read the words
(`use_names`), and the score is multiplied by a sign that the words give (`use_sign`), because "everything but the dog"
means what "the dog" does not.
"""
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from core.models.language import RequestEncoder, SentenceEncoder
from core.models.network import Network

MODULES = ("subject", "location", "relation")
SCALE = 20.0     # initial scale of normalised features


@dataclass(frozen=True)
class GrounderConfig:
    """Everything needed to rebuild the network, except its weights.

    `operators` are the names whose positions are the operators' ids; the first one stands for no operator, and is the
    only one if the words are read alike for all operators. `switched_off` are modules that have no weight.
    """

    words: tuple[str, ...]
    operators: tuple[str, ...] = ("",)
    coarse: int = 320
    fine: int = 112
    hidden_size: int = 512
    vector_size: int = 300
    fixed_vectors: bool = True
    lang_encoder: str = "words"
    norm: str = "layer"
    dropout: float = 0.2
    switched_off: tuple[str, ...] = ()
    use_names: bool = False
    use_sign: bool = False
    text_blind: bool = False   # a control: the network reads an empty request instead of each request


class Seen(NamedTuple):
    """Segments as the modules see them: `subject`, `location` (..., E), `relation` (..., K, E), `around` (..., K)."""

    subject: torch.Tensor
    location: torch.Tensor
    relation: torch.Tensor
    around: torch.Tensor     # bool: whether the neighbour exists

    def at(self, *index) -> "Seen":
        """Return the segments at an index."""
        return Seen(*(part[index] for part in self))


class Said(NamedTuple):
    """Words as the modules read them."""

    phrases: torch.Tensor     # (..., 3, E)
    weights: torch.Tensor     # (..., 3), the sum is 1
    sign: torch.Tensor        # (...,), 1 unless the network has use_sign
    attention: torch.Tensor   # (..., 3, L)

    def at(self, *index) -> "Said":
        """Return the words at an index."""
        return Said(*(part[index] for part in self))


class Grounded(NamedTuple):
    """The answer for a batch; of segments that are padding, scores and logits are -inf."""

    scores: torch.Tensor    # (B, N) in [-1, 1]
    logits: torch.Tensor    # (B, N), of the probability that the segment is meant
    modules: torch.Tensor   # (B, N, 3) in [-1, 1], the score of each module
    said: Said

    @property
    def confidence(self) -> torch.Tensor:
        """The probabilities (B, N) that the segments are meant; 0 for padding."""
        return self.logits.sigmoid()


class Grounder(Network):
    """The network; the module's docstring describes it. `threshold` is the confidence from which a segment is meant."""

    Config = GrounderConfig

    def __init__(self, config, vectors=None, minilm=None):
        """Build the network; `vectors` are the word vectors, or None, `minilm` the folder of the sentence encoder."""
        super().__init__()
        self.config, hidden = config, config.hidden_size
        if config.lang_encoder == "minilm":
            self.request_encoder = SentenceEncoder(minilm, hidden, config.dropout)
        else:
            self.request_encoder = RequestEncoder.of(config, vectors, config.dropout)
        size = self.request_encoder.words.shape[1]
        self.word_projection = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(size, hidden), nn.ReLU())
        self.word_attention = nn.Linear(hidden, len(config.operators) * len(MODULES))
        self.module_weights = nn.Linear(hidden, len(MODULES))
        self.sign_head = nn.Linear(hidden, 1) if config.use_sign else None

        self.coarse_scale, self.fine_scale = NormalizeScale(config.coarse), NormalizeScale(config.fine)
        self.attribute_projection = nn.Sequential(nn.Linear(config.coarse + config.fine, hidden),
                                                  _norm(config, hidden), nn.ReLU())
        self.name_projection = nn.Linear(size, hidden) if config.use_names else None
        named = hidden if config.use_names else 0
        self.subject_match = _matching(config, config.coarse + hidden + (6 + named if config.use_names else 0))
        self.location_scale, self.difference_scale = NormalizeScale(5), NormalizeScale(25)
        self.location_match = _matching(config, 30)
        self.relation_scale, self.around_scale = NormalizeScale(config.coarse), NormalizeScale(5)
        self.relation_match = _matching(config, config.coarse + 5 + named)
        self.phrase_matches = nn.ModuleList(_matching(config, hidden) for _ in MODULES)
        # phrase and class name go through the same weights, so that equal words match from the start
        self.shared_projection = nn.Linear(size, hidden, bias=False) if config.use_names else None

        self.bias = nn.Parameter(torch.full((len(config.operators),), 0.3))   # of the confidence, for each operator
        self.sharpness = nn.Parameter(torch.tensor(2.0))                      # log of 1 / temperature
        self.register_buffer("threshold", torch.tensor(0.5))
        kept = [name not in config.switched_off for name in MODULES]
        self.register_buffer("kept", torch.tensor(kept), persistent=False)

    def forward(self, batch):
        """Ground words: `batch` has the fields of `core.datasets.grounding.GroundingSet`. Returns Grounded."""
        return self._grounded(self.look(batch), self.read(batch["request_ids"], batch["operator"]), batch)

    def ranked(self, batch, rivals, draw):
        """Score the pairs of the ranking loss.

        Args:
            batch: as for `forward`, with `labels`.
            rivals: (request_ids (B, L), operators (B,)) of words that mean other segments.
            draw: a function of `batch` that returns rows and segments that are meant, both (M,), and (M, 2) rows and
                segments that are not meant.

        Returns: the scores (M,) of meant segments, of the other segments, and of the meant segments for the rival
        words; and Grounded for the batch.
        """
        seen, said = self.look(batch), self.read(batch["request_ids"], batch["operator"])
        wrong_said = self.read(*rivals)
        rows, meant, others = draw(batch)
        right = self._score(seen.at(rows, meant), said.at(rows))[0]
        wrong_segment = self._score(seen.at(*others.T), said.at(rows))[0]
        wrong_words = self._score(seen.at(rows, meant), wrong_said.at(rows))[0]
        return right, wrong_segment, wrong_words, self._grounded(seen, said, batch)

    def read(self, request_ids, operator):
        """Return what words (B, L) say to the modules, for operators (B,), as Said."""
        if self.config.text_blind:
            request_ids = torch.zeros_like(request_ids)
            request_ids[:, :2] = torch.tensor([1, 2], device=request_ids.device)   # <START> <END>
        request_ids = request_ids[:, :max(int((request_ids > 0).sum(1).max()), 1)]   # trailing padding costs time
        states, present, summary = self.request_encoder(request_ids)
        vectors = self.request_encoder.embed(request_ids, present)
        logits = self.word_attention(states).unflatten(-1, (-1, len(MODULES)))             # (B, L, operators, 3)
        logits = logits[torch.arange(len(logits)), :, self._operator(operator)]            # (B, L, 3)
        attention = logits.masked_fill(~present[..., None], -torch.inf).softmax(1).transpose(1, 2)
        phrases = attention @ self.word_projection(vectors)                                # (B, 3, hidden)
        matched = torch.stack([match(phrases[:, at]) for at, match in enumerate(self.phrase_matches)], 1)
        if self.shared_projection is not None:
            matched = matched + self.shared_projection(attention @ vectors)
        weights = self.module_weights(summary).masked_fill(~self.kept, -torch.inf).softmax(-1)
        sign = summary.new_ones(len(summary)) if self.sign_head is None else (1 + self.sign_head(summary)[:, 0]).tanh()
        return Said(F.normalize(matched, dim=-1), weights, sign, attention)

    def look(self, batch):
        """Return the segments of a batch as the modules see them, as Seen (B, N, ...); padding is not computed."""
        present = batch["present"]
        own = {name: batch[name][present] for name in ("coarse", "fine", "colour", "lfeats", "dif_lfeats")}   # (M, ...)
        coarse, fine = self.coarse_scale(own["coarse"]), self.fine_scale(own["fine"])
        subject = [coarse, self.attribute_projection(torch.cat((coarse, fine), -1))]
        location = torch.cat((self.location_scale(own["lfeats"]), self.difference_scale(own["dif_lfeats"])), -1)
        relation = [self.relation_scale(_neighbours(batch["coarse"], batch["context"])[present]),
                    self.around_scale(batch["context_lfeats"][present])]                                  # (M, K, ...)
        if self.config.use_names:
            names = self._names(batch["class_ids"])
            near = _neighbours(batch["classes"], batch["context"])[present]
            subject += [own["colour"], self.name_projection(names)[batch["classes"][present]]]
            relation.append(self.name_projection(names)[near])
        subject, location, relation = (match(part) for match, part in (
            (self.subject_match, torch.cat(subject, -1)), (self.location_match, location),
            (self.relation_match, torch.cat(relation, -1))))
        if self.config.use_names:
            shared = self.shared_projection(names)
            subject, relation = subject + shared[batch["classes"][present]], relation + shared[near]
        return Seen(*(_scatter(F.normalize(part, dim=-1), present) for part in (subject, location, relation)),
                    batch["context_present"])

    def _names(self, class_ids):
        """Return the mean word vectors (C, size) of class names (C, L)."""
        class_ids = class_ids[:, :max(int((class_ids > 0).sum(1).max()), 1)]
        present = class_ids > 0
        vectors = self.request_encoder.embed(class_ids, present)
        inner = present.float()
        return (vectors * inner[..., None]).sum(1) / inner.sum(1, keepdim=True).clamp_min(1)

    def _operator(self, operator):
        return torch.zeros_like(operator) if len(self.config.operators) == 1 else operator

    def _score(self, seen, said):
        """Return scores (...) and scores by module (..., 3) of segments for words of the same leading shape."""
        subject = (seen.subject * said.phrases[..., 0, :]).sum(-1)
        location = (seen.location * said.phrases[..., 1, :]).sum(-1)
        relation = (seen.relation * said.phrases[..., 2, None, :]).sum(-1).masked_fill(~seen.around, -torch.inf)
        relation = relation.amax(-1).masked_fill(~seen.around.any(-1), 0.0)
        modules = torch.stack((subject, location, relation), -1)
        return (modules * said.weights).sum(-1) * said.sign, modules

    def _grounded(self, seen, said, batch):
        scores, modules = self._score(seen, said.at(slice(None), None))
        logits = (scores - self.bias[self._operator(batch["operator"])][:, None]) * self.sharpness.exp()
        padding = ~batch["present"]
        return Grounded(scores.masked_fill(padding, -torch.inf), logits.masked_fill(padding, -torch.inf), modules, said)


class NormalizeScale(nn.Module):
    """L2-normalise the last dimension, then scale each channel by a learnt factor (Liu et al. 2015, ParseNet)."""

    def __init__(self, size):
        super().__init__()
        self.scale = nn.Parameter(torch.full((size,), SCALE))

    def forward(self, features):
        return F.normalize(features, dim=-1) * self.scale


class FlatBatchNorm(nn.BatchNorm1d):
    """Batch norm over all leading dimensions, as in MAttNet."""

    def forward(self, features):
        return super().forward(features.flatten(0, -2)).view_as(features)


def _norm(config, size):
    return nn.LayerNorm(size) if config.norm == "layer" else FlatBatchNorm(size)


def _matching(config, inputs):
    hidden = config.hidden_size
    return nn.Sequential(nn.Linear(inputs, hidden), _norm(config, hidden), nn.ReLU(), nn.Dropout(config.dropout / 2),
                         nn.Linear(hidden, hidden), _norm(config, hidden))


def _neighbours(values, indices):
    """Return the rows of `values` (B, N, ...) at `indices` (B, N, K), as (B, N, K, ...)."""
    batch = torch.arange(len(values), device=values.device)[:, None, None]
    return values[batch, indices]


def _scatter(values, present):
    """Return `values` (M, ...) of the M cells that are present, bool (B, N), as (B, N, ...) with zeros for the rest."""
    return values.new_zeros(*present.shape, *values.shape[1:]).index_put((present,), values)
