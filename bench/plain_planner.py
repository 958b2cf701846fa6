"""Plain implementations of the planner's two training losses, kept as references of `core.models.planner`.

Both losses use the planner's own layers. Every step encodes every picture, even for padding and for ended samples. The
decoder runs one step at a time. Operators are executed and parameters predicted one sample at a time.
"""
import torch
from torch.nn.functional import smooth_l1_loss

from core.operators import END, NONE, START, apply

BETA = 0.05   # beta of the smooth L1 distance of parameters


def teacher_forced_losses(planner, image, request_ids, ops, params):
    """Return the operator loss and the parameter loss of a batch, given the arguments of `Planner.teacher_forced`."""
    vocab, decoder = planner.vocab, Decoder(planner, request_ids)
    operator_losses, parameter_losses = [], []
    for step in range(ops.shape[1] - 1):
        log_probabilities, source = decoder.step(image, ops[:, :step + 1])
        following, pictures = ops[:, step + 1].tolist(), []
        for i, index in enumerate(following):
            row = vocab[index]
            if vocab.names[index] != NONE:
                operator_losses.append(-log_probabilities[i, index])
            if row is not None:
                known = params[i, step, :row.n_params]
                predicted = row.squash(planner.heads[row.name](source[i]))
                parameter_losses.append(smooth_l1_loss(predicted, known, beta=BETA))
                with torch.no_grad():
                    pictures.append(apply(row, image[i:i + 1], known[None]))
            else:
                pictures.append(image[i:i + 1])
        image = torch.cat(pictures)
    nothing = image.new_zeros(1)
    return torch.stack(operator_losses).mean(), torch.stack(parameter_losses or [nothing]).mean()


def free_running_loss(planner, image, request_ids, target):
    """Return the L1 distance of the executed plans to `target`, (B, 3, H, W); ended samples stay in the batch."""
    vocab, decoder = planner.vocab, Decoder(planner, request_ids)
    history = torch.full((len(image), 1), vocab.ids[START])
    for _ in range(planner.config.max_steps):
        log_probabilities, source = decoder.step(image.detach(), history)
        chosen, pictures = [], []
        for i, index in enumerate(log_probabilities.argmax(1).tolist()):
            ended = vocab.ids[END] in history[i]
            chosen.append(vocab.ids[END] if ended else index)
            row = vocab[chosen[-1]]
            if row is None:
                pictures.append(image[i:i + 1])
            else:
                predicted = row.squash(planner.heads[row.name](source[i]))
                pictures.append(apply(row, image[i:i + 1], predicted[None]))
        history = torch.cat((history, torch.tensor(chosen)[:, None]), 1)
        image = torch.cat(pictures)
    return (image - target).abs().mean()


class Decoder:
    """The planner's decoder, unrolled by hand: call `step` once for each step."""

    def __init__(self, planner, request_ids):
        self.planner = planner
        self.words, self.present, summary = planner.request_encoder(request_ids)
        self.hidden = (summary[None].contiguous(), torch.zeros_like(summary)[None])

    def step(self, image, history):
        """Return log-probabilities (B, V) and the heads' input (B, 2 H) after `history` (B, t), which gave `image`."""
        planner = self.planner
        looked = planner.visual_projection(planner.visual_encoder(image))
        told = torch.cat((planner.operator_vectors(history[:, -1]), looked), 1)
        state, self.hidden = planner.decoder(told[:, None], self.hidden)
        state = state[:, 0]
        parts = [state, looked]
        if planner.attention is not None:
            scores = (self.words * planner.attention.score(state)[:, None]).sum(2)
            weights = scores.masked_fill(~self.present, -torch.inf).softmax(1)
            parts.append((weights[..., None] * self.words).sum(1))
        state = planner.attention_projection(torch.cat(parts, 1)).tanh()
        logits = planner.operator_head(state)
        for i, used in enumerate(history.tolist()):
            for index, name in enumerate(planner.vocab.names):
                if name != END and (name not in planner.heads or index in used):
                    logits[i, index] = -torch.inf
        return logits.log_softmax(1), torch.cat((state, looked), 1)
