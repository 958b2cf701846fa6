"""The executor: applies a step, a plan, or one step per sample of a batch."""
from collections.abc import Iterator

import torch

from core.files import UserError
from core.operators.plan import Plan, Step
from core.operators.samples import execute_samples, mask_of
from core.operators.table import TABLE, Operator, OperatorVocab
from core.threads import threads_for


def apply(operator: Operator, image: torch.Tensor, params: torch.Tensor,
          mask: torch.Tensor | None = None, inpainter: str = "") -> torch.Tensor:
    """Apply one operator: `clip(op(x) * mask + x * (1 - mask), 0, 1)`.

    Args:
        operator: a row of the table.
        image: (B, 3, H, W) in [0, 1].
        params: (B, operator.n_params).
        mask: (B, 1, H, W) in [0, 1], 1 = edit here; None edits everywhere.
        inpainter: for an operator that inpaints, the name of the inpainter; "" takes the operator's default.

    Returns: (B, 3, H, W) in [0, 1], of another size only for an operator that resizes. Neutral parameters give the
    same bits. Raises UserError if the operator is local and `mask` is None, or if it resizes and there is a mask.

    Example:
        >>> image, mask = torch.full((1, 3, 1, 2), 0.25), torch.tensor([[[[1.0, 0.0]]]])
        >>> apply(TABLE["brightness"], image, torch.tensor([[1.0]]), mask)[0, 0].tolist()   # edits the left pixel
        [[0.5, 0.25]]
    """
    if operator.local:
        if mask is None:
            raise UserError(f"{operator.name}: this operator needs a mask")
        edited = operator.function(image, mask, *([inpainter] if inpainter else []))
    else:
        edited = operator.function(image, params)
    if operator.resizes and mask is not None:
        raise UserError(f"{operator.name}: changes the size of the picture, so it takes no mask")
    if not operator.resizes and not edited.requires_grad and (neutral := operator.is_neutral(params)).any():
        edited = torch.where(neutral.view(-1, 1, 1, 1), image, edited)   # conversions of colour round
    parts = [part for part in (image, edited, mask) if part is not None]
    recorded = torch.is_grad_enabled() and any(part.requires_grad for part in parts)
    reusable = not recorded and edited.untyped_storage().data_ptr() != image.untyped_storage().data_ptr()
    if mask is not None:   # exact where the mask is 0 or 1
        edited = torch.lerp(image, edited, mask, out=edited) if reusable else torch.lerp(image, edited, mask)
        reusable = not recorded
    return edited.clamp_(0, 1) if reusable else edited.clamp(0, 1)


def apply_batch(vocab: OperatorVocab, ops: torch.Tensor, image: torch.Tensor, params: torch.Tensor,
                mask: torch.Tensor | None = None) -> torch.Tensor:
    """Apply one operator to each sample of a batch; the samples may have different operators.

    Samples are grouped by operator, so that each operator is called once per batch, not once per sample.

    Args:
        vocab: the OperatorVocab that maps ids to operators.
        ops: (B,) integer ids; samples with a special token (NONE, START, END) stay as they are.
        image: (B, 3, H, W) in [0, 1].
        params: (B, P), P >= every operator's n_params; further values are padding.
        mask: (B, 1, H, W) in [0, 1], or None.

    Returns: (B, 3, H, W). Raises UserError for an operator of `vocab` that the operator table lacks, or that resizes.
    """
    order = None if (ops[1:] >= ops[:-1]).all() else ops.argsort(stable=True)   # None: already grouped
    if order is not None:
        image, params = _Permute.apply(image, order), params[order]
        mask = None if mask is None else mask[order]
    parts, start = [], 0
    for index, count in zip(*(found.tolist() for found in ops.unique(return_counts=True)), strict=True):
        operator, rows = vocab[index], slice(start, start + count)
        part = image[rows]
        if operator is not None and operator.resizes:
            raise UserError(f"operator {operator.name!r} changes the size of a picture, so a batch cannot have it")
        if operator is not None:
            part = apply(operator, part, params[rows, :operator.n_params], None if mask is None else mask[rows])
        elif not vocab.names[index].startswith("<"):
            raise UserError(f"operator {vocab.names[index]!r} is named in the vocabulary but cannot be executed yet")
        parts.append(part)
        start += count
    image = parts[0] if len(parts) == 1 else torch.cat(parts)
    return image if order is None else _Permute.apply(image, order.argsort())


def execute_batch(vocab: OperatorVocab, ops: torch.Tensor, image: torch.Tensor, params: torch.Tensor,
                  masks: torch.Tensor | None = None) -> torch.Tensor:
    """Execute one plan per sample of a batch; see `apply_batch`.

    Args:
        vocab: the OperatorVocab of `ops`.
        ops: (B, T) integer ids, special tokens included.
        image: (B, 3, H, W).
        params: (B, T, P).
        masks: (B, T, 1, H, W), one for each step; None edits everywhere.

    Returns: (B, 3, H, W); gradients reach the image and the parameters.
    """
    for step in range(ops.shape[1]):
        image = apply_batch(vocab, ops[:, step], image, params[:, step], None if masks is None else masks[:, step])
    return image


class _Permute(torch.autograd.Function):
    """Reorder the samples of a batch. The backward pass is one copy; plain indexing would scatter into zeros."""

    @staticmethod
    def forward(ctx, image, order):
        ctx.order = order
        return image.index_select(0, order)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.index_select(0, ctx.order.argsort()), None


def trace(plan: Plan, image: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield the image after each step of `plan`; `image` is (3, H, W) or (B, 3, H, W)."""
    current = image if image.dim() == 4 else image[None]
    for step in plan:
        current = execute_step(step, current)
        yield current.view(*image.shape[:-2], *current.shape[-2:])


def execute_step(step: Step, image: torch.Tensor) -> torch.Tensor:
    """Apply one step of a plan to `image` (B, 3, H, W); the step's mask is resized to the image."""
    return execute(Plan((step,)), image)


def apply_step(step: Step, image: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Apply the PyTorch function of a step to (B, 3, H, W); `mask` is (1, 1, H, W) or None. See `apply`."""
    params = torch.tensor(step.params, dtype=image.dtype, device=image.device).expand(len(image), -1)
    mask = None if mask is None else mask.to(image).expand(len(image), -1, -1, -1)
    return apply(TABLE[step.op], image, params, mask, step.inpainter)


def execute(plan: Plan, image: torch.Tensor) -> torch.Tensor:
    """Return the result of `plan` on an image of any size: (3, H, W) or (B, 3, H, W), float, in [0, 1].

    The same plan on the same pixels gives the same bits. One float32 image on a CPU, without gradients, is edited by
    compiled kernels, see `execute_samples`; other images by the PyTorch functions.

    Example:
        >>> plan = Plan((Step.make("brightness", [1.0]), Step.make("saturation", [-1.0])))
        >>> execute(plan, torch.tensor([0.25, 0.125, 0.0]).reshape(3, 1, 1)).flatten().tolist()   # lighter, then grey
        [0.5, 0.5, 0.5]
    """
    if not plan.steps:
        return image
    current, masks = image if image.dim() == 4 else image[None], {}
    if (len(current) == 1 and current.device.type == "cpu" and current.dtype == torch.float32
            and not (torch.is_grad_enabled() and image.requires_grad)):
        edited = execute_samples(plan, current[0].detach().permute(1, 2, 0).numpy())
        current = torch.from_numpy(edited).permute(2, 0, 1).contiguous()[None]
    else:
        with threads_for(current.numel()):
            for step in plan:
                mask = mask_of(step, tuple(current.shape[-2:]), masks)
                current = apply_step(step, current, None if mask is None else torch.from_numpy(mask)[None, None])
    return current.reshape(*image.shape[:-2], *current.shape[-2:])
