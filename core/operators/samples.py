"""Execution of plans on the samples of files: uint8, uint16 or float32 arrays (H, W, 3), without floats in between.

Every caller comes here, tensors included, so the same plan on the same photo gives the same bytes everywhere. This
module does not import PyTorch unless a step has no kernel.
"""
import numpy as np

from core.operators.kernels.runs import Picture
from core.operators.kernels.sources import Samples
from core.operators.plan import Plan, Step
from core.operators.table import TABLE


def execute_samples(plan: Plan, samples: np.ndarray, kind: type | np.dtype | None = None) -> np.ndarray:
    """Return the result of `plan` on samples (H, W, 3), uint8, uint16 or float32 in [0, 1], of any memory layout.

    Args: `kind`, the type of the result: uint8, uint16 or float32; by default that of `samples`. The levels of integers
    stand for [0, 1]; the result is rounded once, after the last step.

    Returns: (H', W', 3), another array than `samples`; its size differs only if a step resizes. Floats lie in planes
    if those of `samples` do. Raises UserError for a step that needs a mask and has none, and for a hole that cannot be
    filled.

    Example:
        >>> plan = Plan((Step.make("brightness", [1.0]), Step.make("saturation", [-1.0])))
        >>> execute_samples(plan, np.uint8([[[64, 32, 0]]])).tolist()   # lighter, then grey
        [[[128, 128, 128]]]
    """
    kind, masks, picture = np.dtype(kind or samples.dtype), {}, Picture(Samples(samples))
    for step in plan:
        if not step.is_neutral:
            picture = picture.then(step, mask_of(step, (picture.height, picture.width), masks))
    size, planes = (picture.height, picture.width), samples.transpose(2, 0, 1).flags.c_contiguous   # as of a tensor
    return picture.write(np.empty((3, *size), kind).transpose(1, 2, 0) if kind == np.float32 and planes else
                         np.empty((*size, 3), kind))


def sizes(plan: Plan, height: int, width: int) -> list[tuple[int, int]]:
    """Return the (height, width) of a picture before each step of `plan`, and after the last; nothing is computed."""
    found = [(height, width)]
    for step in plan:
        if TABLE[step.op].resizes:   # a picture of one repeated sample takes no memory
            picture = Picture(Samples(np.broadcast_to(np.uint8(0), (*found[-1], 3)))).then(step, None)
            found.append((picture.height, picture.width))
        else:
            found.append(found[-1])
    return found


def mask_of(step: Step, size: tuple[int, int], masks: dict) -> np.ndarray | None:
    """Return the mask of a step as (H, W) float32 in [0, 1], or None.

    `masks` keeps the last mask by its Mask: steps for one region share it, and the mask of a large photo is large.
    """
    if step.mask is None:
        return None
    if (step.mask, size) not in masks:
        masks.clear()
        masks[step.mask, size] = step.mask.pixels(*size)
    return masks[step.mask, size]
