"""The planner: a sequence-to-sequence network from (thumbnail, request) to a plan.

At each step the planner encodes the picture as edited so far, attends over the words, chooses an operator that it has
not used yet (or END), and predicts that operator's parameters. Masks limit the steps to areas of the picture; then the
planner sees the picture of the area (core/models/areas.py).
"""
from dataclasses import dataclass

import torch
from torch import nn

from core.models.areas import Areas
from core.models.language import RequestEncoder, SentenceEncoder, WordAttention
from core.models.network import Network
from core.models.vision import FEATURES, make_encoder
from core.operators import END, MAX_STEPS, SESSIONS, START, OperatorVocab, Plan, Step, apply_batch

INPAINTER = "patch"   # of the steps that remove something
UNKNOWN = 3   # the id of <UNK> in every word vocabulary


@dataclass(frozen=True)
class PlannerConfig:
    """Everything needed to rebuild the network, except its weights."""

    words: tuple[str, ...]
    operators: tuple[str, ...] = SESSIONS[3]
    vis_encoder: str = "resnet18"
    hidden_size: int = 256
    vector_size: int = 300
    fixed_vectors: bool = True
    use_attention: bool = True
    dropout: float = 0.0
    text_blind: bool = False   # a control: the network reads an empty request instead of each request
    image_blind: bool = False  # a control: the network sees a grey picture instead of each picture
    lang_encoder: str = "words"
    max_steps: int = MAX_STEPS
    hide_words: float = 0.0    # share, below 1, of the requests whose words are hidden in training; their wishes stay
    rare: tuple[str, ...] = ()   # words that training hardly showed; the gate says requests with them in other words
    unasked: float = 0.5       # price, in mending, of a just visible step of an attribute that nobody mentioned
    local: bool = False        # whether the network can choose operators that need a mask, where it is given masks


@dataclass
class Unrolled:
    """Plans of B pictures: `ops`, ids (B, T), `params` (B, T, P), `attention` (B, T, L), and results (B, 3, H, W)."""

    ops: torch.Tensor
    params: torch.Tensor
    attention: torch.Tensor
    image: torch.Tensor

    def plan(self, vocab, index, masks=None):
        """Return the Plan of one sample, and the indices (among the T steps) of the steps in this plan.

        `masks` is the Mask of all steps, or a list with a Mask or None for each; None edits everywhere.
        """
        kept = [step for step, op in enumerate(self.ops[index].tolist()) if vocab[op] is not None]
        made = []
        for step in kept:
            operator = vocab[self.ops[index, step].item()]
            mask = masks[min(step, len(masks) - 1)] if isinstance(masks, list) else masks
            made.append(Step.make(operator.name, self.params[index, step, :operator.n_params].detach().cpu(), mask,
                                  INPAINTER if operator.inpaints else ""))
        return Plan(tuple(made)), kept


class Planner(Network):
    """The notebook's seq2seq planner; the module's docstring describes it."""

    Config = PlannerConfig

    def __init__(self, config, vectors=None, minilm=None):
        """Build the network; `vectors` are the word vectors, or None, `minilm` the folder of the sentence encoder."""
        super().__init__()
        self.config = config
        self.vocab = OperatorVocab(config.operators)
        hidden = config.hidden_size
        if config.lang_encoder == "minilm":
            self.request_encoder = SentenceEncoder(minilm, hidden, config.dropout)
        else:
            self.request_encoder = RequestEncoder.of(config, vectors, config.dropout)
        self.visual_encoder = make_encoder(config.vis_encoder)
        self.operator_vectors = nn.Embedding(len(self.vocab), hidden)
        self.visual_projection = nn.Sequential(nn.Linear(FEATURES, hidden), nn.Dropout(config.dropout))
        self.decoder = nn.LSTM(2 * hidden, hidden, batch_first=True)
        self.attention = WordAttention(hidden) if config.use_attention else None
        self.attention_projection = nn.Linear(3 * hidden if config.use_attention else 2 * hidden, hidden)
        self.operator_head = nn.Linear(hidden, len(self.vocab))
        self.heads = nn.ModuleDict({operator.name: nn.Linear(2 * hidden, operator.n_params)
                                    for _, operator in self.vocab.plannable})
        for head in self.heads.values():   # start from edits that are nearly neutral
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
        names = config.words or ("",)
        self.register_buffer("are_words", torch.tensor([not name.startswith("<") for name in names]), persistent=False)
        choosable = torch.zeros(len(self.vocab), dtype=torch.bool)
        choosable[[self.vocab.ids[END], *(index for index, _ in self.vocab.plannable)]] = True
        inside = choosable.clone()
        inside[[index for index, operator in self.vocab.operators if operator.local and config.local]] = True
        self.register_buffer("choosable", choosable, persistent=False)
        self.register_buffer("choosable_inside", inside, persistent=False)

    def teacher_forced(self, image, request_ids, ops, params, masks=None):
        """Predict each step of known plans, given the steps before it.

        Args:
            image: (B, 3, H, W); request_ids: (B, L).
            ops: (B, T + 2) ids: START, up to T operators, END, padding 0.
            params: (B, T, P), padded with 0.
            masks: of all steps (B, 1, H, W), or of each step (B, T, 1, H, W); None edits everywhere.

        Returns: log-probabilities of the next operator (B, T + 1, V), parameters (B, T, P) of the known operators.
        """
        areas = None if masks is None else Areas(masks)
        states, seen = self._teacher_states(image, request_ids, ops, params, areas)
        logits = self.operator_head(states).masked_fill(~self._allowed(ops[:, :-1], areas), -torch.inf)
        predicted = self._params(states[:, :-1], seen[:, :-1], ops[:, 1:-1])
        return logits.log_softmax(-1), predicted

    def _teacher_states(self, image, request_ids, ops, params, areas):
        """Return decoder states and visual features, both (B, T + 1, hidden); the encoder runs once for all steps."""
        real = ops[:, 1:] > 0                                              # (B, T + 1): steps with something to predict
        pictures, features = [image], image.new_zeros(*real.shape, FEATURES)
        with torch.no_grad():
            for step in range(ops.shape[1] - 2):
                pictures.append(apply_batch(self.vocab, ops[:, step + 1], pictures[-1], params[:, step],
                                            areas and areas.mask(step)))
            if areas:
                pictures = [areas.pictures(picture, step) for step, picture in enumerate(pictures)]
            real_pictures = torch.cat([picture[real[:, step]] for step, picture in enumerate(pictures)])
        where = real.t().nonzero()                                         # in the order of `real_pictures`
        features = features.index_put((where[:, 1], where[:, 0]), self._visual_features(real_pictures).to(features))
        seen = self.visual_projection(features)
        words, present, summary = self._encode_request(request_ids)
        start = summary[None].contiguous()
        hidden, _ = self.decoder(torch.cat((self.operator_vectors(ops[:, :-1]), seen), -1),
                                 (start, torch.zeros_like(start)))
        return self._attend(hidden, seen, words, present)[0], seen

    def forward(self, image, request_ids, steps=None, masks=None):
        """Plan freely and execute each step; gradients reach the parameters through the executor, not the encoder.

        Args: `image` (B, 3, H, W), `request_ids` (B, L), `steps` the most steps, `masks` as in `teacher_forced`.
        Returns `Unrolled`; pixels outside the masks keep their bits.
        """
        areas = None if masks is None else Areas(masks)
        words, present, summary = self._encode_request(request_ids)
        hidden = (summary, torch.zeros_like(summary))
        history = torch.full((len(image), 1), self.vocab.ids[START], device=image.device)
        params, attention = [], []
        for step in range(steps or self.config.max_steps):
            ended = (history == self.vocab.ids[END]).any(1)
            picture = areas.pictures(image.detach(), step) if areas else image.detach()
            seen = self.visual_projection(self._visual_features_of(picture, ~ended))[:, None]
            told = torch.cat((self.operator_vectors(history[:, -1:]), seen), -1)
            hidden = torch.lstm_cell(told[:, 0], hidden, *self.decoder.all_weights[0])   # faster than the module
            state, weights = self._attend(hidden[0][:, None], seen, words, present)
            logits = self.operator_head(state[:, 0]).masked_fill(~self._allowed(history, areas)[:, -1], -torch.inf)
            op = logits.argmax(1).masked_fill(ended, self.vocab.ids[END])
            params.append(self._params(state, seen, op[:, None])[:, 0])
            attention.append(weights[:, 0])
            history = torch.cat((history, op[:, None]), 1)
            image = apply_batch(self.vocab, op, image, params[-1], areas and areas.mask(step))
            if (ended | (op == self.vocab.ids[END])).all():
                break
        return Unrolled(history[:, 1:], torch.stack(params, 1), torch.stack(attention, 1), image)

    def _visual_features(self, image):
        return self.visual_encoder(torch.full_like(image, 0.5) if self.config.image_blind else image)

    def _visual_features_of(self, image, wanted):
        """Return features (B, FEATURES); samples that are not `wanted`, bool (B,), are not encoded and get zeros."""
        if wanted.all():
            return self._visual_features(image)
        seen = self._visual_features(image[wanted])
        return seen.new_zeros(len(image), FEATURES).index_put((wanted,), seen)

    def _encode_request(self, request_ids):
        if self.config.text_blind:
            request_ids = torch.zeros_like(request_ids)
            request_ids[:, :2] = torch.tensor([1, 2], device=request_ids.device)   # <START> <END>
        elif self.training and self.config.hide_words:
            hidden = torch.rand(len(request_ids), 1, device=request_ids.device) < self.config.hide_words
            request_ids = request_ids.masked_fill(hidden & self.are_words[request_ids], UNKNOWN)
        return self.request_encoder(request_ids)

    def _attend(self, state, seen, words, present):
        """Return the decoder state (B, T, hidden) joined with visual features and attended words, and the weights."""
        if self.attention is None:
            weights = present.float()[:, None].expand(-1, state.shape[1], -1) / present.sum(1)[:, None, None]
            return self.attention_projection(torch.cat((state, seen), -1)).tanh(), weights
        context, weights = self.attention(state, words, present)
        return self.attention_projection(torch.cat((state, seen, context), -1)).tanh(), weights

    def _allowed(self, history, areas):
        """Return bool (B, T, V): the ids that may follow each step of `history` (B, T): END and unused operators."""
        used = nn.functional.one_hot(history, len(self.vocab)).cumsum(1) > 0
        used[..., self.vocab.ids[END]] = False
        return (self.choosable_inside if areas else self.choosable) & ~used

    def _params(self, state, seen, ops):
        """Return the parameters (B, T, P) of the operators `ops` (B, T), padded with 0."""
        given = state.new_zeros(*ops.shape, self.vocab.max_params)
        source = torch.cat((state, seen), -1)
        for index, operator in self.vocab.plannable:
            rows = (ops == index).nonzero(as_tuple=True)
            if len(rows[0]):
                values = operator.squash(self.heads[operator.name](source[rows]).float())
                given = given.index_put(rows, nn.functional.pad(values, (0, given.shape[-1] - values.shape[-1]))
                                        .to(given))
        return given
