"""Carrying plans out: one step, a whole plan, or a batch in which every sample has another operator."""
import torch

from core.files import UserError
from core.operators.plan import Plan, Step
from core.operators.table import TABLE


def apply(operator, image, params, mask=None):
    """Carry out one step: `clip(op(x) * mask + x * (1 - mask), 0, 1)`.

    Args:
        operator: a row of the table.
        image: (B, 3, H, W) in [0, 1].
        params: (B, operator.n_params).
        mask: (B, 1, H, W) in [0, 1], 1 = edit here; None edits everywhere.

    Returns: (B, 3, H, W) in [0, 1]. Raises UserError where a local operator has no mask.
    """
    if operator.local:
        if mask is None:
            raise UserError(f"{operator.name}: this operator needs a mask")
        edited = operator.function(image, mask)
    else:
        edited = operator.function(image, params)
    if mask is not None:
        edited = torch.lerp(image, edited, mask)   # exact where the mask is 0 or 1
    return edited.clamp(0, 1)


def apply_batch(vocab, ops, image, params, mask=None):
    """Carry out one step on each sample, each with its own operator.

    Samples are grouped by operator, so the work is one call per operator that occurs, not one per sample.

    Args:
        vocab: the OperatorVocab that gives `ops` their meaning.
        ops: (B,) integer ids; special tokens (NONE, START, END) leave their samples as they are.
        image: (B, 3, H, W); params: (B, P) with P >= every operator's n_params, the rest is padding;
        mask: (B, 1, H, W) or None.

    Returns: (B, 3, H, W). Raises UserError for an operator that is only a name in `vocab`.
    """
    order = ops.argsort(stable=True)
    image, params = _Permute.apply(image, order), params[order]
    mask = None if mask is None else mask[order]
    parts, start = [], 0
    for index, count in zip(*(found.tolist() for found in ops.unique(return_counts=True)), strict=True):
        operator, rows = vocab[index], slice(start, start + count)
        part = image[rows]
        if operator is not None:
            part = apply(operator, part, params[rows, :operator.n_params], None if mask is None else mask[rows])
        elif not vocab.names[index].startswith("<"):
            raise UserError(f"operator {vocab.names[index]!r} is named in the vocabulary but cannot be executed yet")
        parts.append(part)
        start += count
    return _Permute.apply(parts[0] if len(parts) == 1 else torch.cat(parts), order.argsort())


class _Permute(torch.autograd.Function):
    """Reorder samples. The gradient is reordered back: one copy, where indexing would scatter into zeros."""

    @staticmethod
    def forward(ctx, image, order):
        ctx.order = order
        return image.index_select(0, order)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.index_select(0, ctx.order.argsort()), None


def trace(plan: Plan, image):
    """Yield the image after each step of `plan`; `image` is (3, H, W) or (B, 3, H, W)."""
    current = image if image.dim() == 4 else image[None]
    for step in plan:
        current = execute_step(step, current)
        yield current.view_as(image)


def execute_step(step: Step, image):
    """Carry out one step of a plan on (B, 3, H, W); its mask is resized to the picture."""
    operator = TABLE[step.op]
    params = torch.tensor(step.params, dtype=image.dtype, device=image.device).expand(len(image), -1)
    mask = None
    if step.mask is not None:
        mask = step.mask.tensor(*image.shape[-2:]).to(image).expand(len(image), -1, -1, -1)
    return apply(operator, image, params, mask)


def execute(plan: Plan, image):
    """Carry out `plan` on a picture of any size: (3, H, W) or (B, 3, H, W), float, in [0, 1].

    The same plan on the same pixels gives the same bits.
    """
    for current in trace(plan, image):
        image = current
    return image
