"""The whole pipeline: a planner whose decoder also says where each step is done.

At each step the decoder chooses an operator, predicts its parameters, and whether the step is local. A local step needs
a mask: the true one in training, the one of a grounder afterwards. The executor applies the step inside the mask, and
the next step looks at the result.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from core.models.planner import Planner
from core.models.vision import FEATURES
from core.operators import END, START, apply_batch

GREY_SIDE = 128   # pixels: side of the grey picture that a decoder without visual feature sees
Ground = Callable[[int, str], torch.Tensor | None]   # (sample, operator) -> mask (1, H, W) in [0, 1]; None: not found


@dataclass
class Done:
    """Decoded plans of B pictures.

    `steps[b]` lists (operator, parameters (n,), whether the step is local); `masks[b]` the masks (1, H, W) of the
    steps, None everywhere; `dropped[b]` the operators of local steps for which no mask was found, which are not done.
    """

    steps: list[list[tuple[str, torch.Tensor, bool]]]
    masks: list[list[torch.Tensor | None]]
    dropped: list[list[str]]
    image: torch.Tensor


class Pipeline(Planner):
    """The planner with the operators that need a mask, and a head that tells local steps from global ones."""

    def __init__(self, config, vectors=None, minilm=None):
        super().__init__(config, vectors, minilm)
        self.local_head = nn.Linear(2 * config.hidden_size, 1)
        self.always_local = {index for index, operator in self.vocab.operators if operator.local}
        self.choosable[sorted(self.always_local)] = True

    def teacher_forced(self, image, request_ids, ops, params, masks=None):
        """Predict each step of known plans, given the steps before it.

        Args:
            image: (B, 3, H, W), or None: the decoder sees grey pictures, and nothing is executed, which is quick.
            request_ids: (B, L).
            ops: (B, T + 2) ids: START, up to T operators, END, padding 0.
            params: (B, T, P), padded with 0.
            masks: (B, T, 1, H, W) in [0, 1], 1 = edited; the true masks of the steps; not needed without an image.

        Returns: log-probabilities of the next operator (B, T + 1, V), parameters (B, T, P) of the known operators, and
        logits (B, T) of their being local.
        """
        words, present, summary = self._encode_request(request_ids)
        seen = self.visual_projection(self._seen(image, ops, params, masks))
        start = summary[None].contiguous()
        hidden, _ = self.decoder(torch.cat((self.operator_vectors(ops[:, :-1]), seen), -1),
                                 (start, torch.zeros_like(start)))
        states, _ = self._attend(hidden, seen, words, present)
        logits = self.operator_head(states).masked_fill(~self._unused(ops[:, :-1]), -torch.inf)
        states, seen = states[:, :-1], seen[:, :-1]
        return (logits.log_softmax(-1), self._params(states, seen, ops[:, 1:-1]),
                self.local_head(torch.cat((states, seen), -1))[..., 0])

    def _seen(self, image, ops, params, masks):
        """Return the features (B, T + 1, FEATURES) of the picture before each step; 0 where there is no step."""
        if image is None or self.config.image_blind:
            grey = torch.full((1, 3, GREY_SIDE, GREY_SIDE), 0.5, device=ops.device)
            return self._visual_features(grey)[:, None].expand(len(ops), ops.shape[1] - 1, -1)
        pictures, real = [image], ops[:, 1:] > 0
        with torch.no_grad():
            for step in range(ops.shape[1] - 2):
                pictures.append(apply_batch(self.vocab, ops[:, step + 1], pictures[-1], params[:, step],
                                            masks[:, step]))
        features = self._visual_features(torch.stack(pictures, 1)[real])
        return image.new_zeros(*real.shape, FEATURES).index_put(real.nonzero(as_tuple=True), features)

    @torch.no_grad()
    def decode(self, image: torch.Tensor, request_ids: torch.Tensor, ground: Ground) -> Done:
        """Plan freely; at each local step, ask `ground` for the mask, execute, and look again.

        A local step without a mask is dropped, never done everywhere; the decoder goes on as if it had been done.
        """
        words, present, summary = self._encode_request(request_ids)
        hidden = (summary, torch.zeros_like(summary))
        history = torch.full((len(image), 1), self.vocab.ids[START], device=image.device)
        done = Done(*([[] for _ in image] for _ in range(3)), image)
        for _ in range(self.config.max_steps):
            seen = self.visual_projection(self._visual_features(done.image))[:, None]
            told = torch.cat((self.operator_vectors(history[:, -1:]), seen), -1)
            hidden = torch.lstm_cell(told[:, 0], hidden, *self.decoder.all_weights[0])
            state, _ = self._attend(hidden[0][:, None], seen, words, present)
            logits = self.operator_head(state[:, 0]).masked_fill(~self._unused(history)[:, -1], -torch.inf)
            op = logits.argmax(1).masked_fill((history == self.vocab.ids[END]).any(1), self.vocab.ids[END])
            params = self._params(state, seen, op[:, None])[:, 0]
            local = self.local_head(torch.cat((state, seen), -1))[:, 0, 0] > 0
            self._do(done, op, params, local, ground)
            history = torch.cat((history, op[:, None]), 1)
            if (op == self.vocab.ids[END]).all():
                break
        return done

    def _do(self, done, op, params, local, ground):
        """Execute a step of each sample, and write it down."""
        op, masks = op.clone(), torch.ones_like(done.image[:, :1])
        for row, index in enumerate(op.tolist()):
            operator = self.vocab[index]
            if operator is None:   # the plan has ended
                continue
            here = bool(local[row]) or index in self.always_local
            mask = ground(row, operator.name) if here else None
            if here and mask is None:
                done.dropped[row].append(operator.name)
                op[row] = self.vocab.ids[END]   # nothing is executed
                continue
            if here:
                masks[row] = mask
            done.steps[row].append((operator.name, params[row, :operator.n_params], here))
            done.masks[row].append(mask)
        done.image = apply_batch(self.vocab, op, done.image, params, masks)

    def _unused(self, history):
        """Return bool (B, T, V): the ids that may follow each step of `history` (B, T): END and unused operators."""
        used = nn.functional.one_hot(history, len(self.vocab)).cumsum(1) > 0
        used[..., self.vocab.ids[END]] = False
        return self.choosable & ~used


def known_masks(masks: torch.Tensor, orders: Sequence[Sequence[str]]) -> Ground:
    """Return a grounder that knows the masks of the true plans, the upper bound of every other one.

    Args: `masks` (B, T, 1, H, W); `orders`, for each sample the operators of its true plan. An operator that the true
    plan lacks gets the mask of its last local step, and none without one.
    """
    def ground(row, operator):
        order = list(orders[row])
        if operator in order:
            return masks[row, order.index(operator)]
        local = [step for step in range(len(order)) if not (masks[row, step] == 1).all()]
        return masks[row, local[-1]] if local else None
    return ground
