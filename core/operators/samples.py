"""Execution of plans on the samples of files: uint8, uint16 or float32 arrays (H, W, 3), without floats in between.

Every caller comes here, tensors included, so the same plan on the same photo gives the same bytes everywhere. This
module does not import PyTorch unless a step has no kernel.
"""
from itertools import groupby

import numpy as np

from core.operators.kernels.runs import run
from core.operators.kernels.table import KERNELS
from core.operators.plan import Plan, Step
from core.operators.table import TABLE


def execute_samples(plan: Plan, samples: np.ndarray, kind: type | np.dtype | None = None) -> np.ndarray:
    """Return the result of `plan` on samples (H, W, 3), uint8, uint16 or float32 in [0, 1], of any memory layout.

    Args: `kind`, the type of the result: uint8, uint16 or float32; by default that of `samples`. The levels of integers
    stand for [0, 1]; the result is rounded once, after the last step.

    Returns: (H', W', 3), another array than `samples`; its size differs only if a step resizes. Floats lie in planes
    if those of `samples` do. Runs of steps with kernels are executed tile by tile, and the other steps on the whole
    picture in floating point.

    Example:
        >>> plan = Plan((Step.make("brightness", [1.0]), Step.make("saturation", [-1.0])))
        >>> execute_samples(plan, np.uint8([[[64, 32, 0]]])).tolist()   # lighter, then grey
        [[[128, 128, 128]]]
    """
    kind, masks = np.dtype(kind or samples.dtype), {}
    planes = kind == np.float32 and samples.transpose(2, 0, 1).flags.c_contiguous   # as those of a tensor
    parts = [(ready, list(steps)) for ready, steps in groupby(plan, key=lambda step: step.op in KERNELS)]
    if parts and not parts[-1][0] and not planes:   # a run without steps stores the floats of a last part
        parts.append((True, []))
    for index, (ready, steps) in enumerate(parts or [(True, [])]):
        height, width = samples.shape[:2]
        if ready:
            last = index >= len(parts) - 1
            target = (np.empty((height, width, 3), kind) if last and not planes else
                      np.empty((3, height, width), np.float32).transpose(1, 2, 0))
            samples = run(steps, samples, target, lambda step, size=(height, width): mask_of(step, size, masks))
        else:
            samples = _by_functions(steps, samples, masks)
    return samples


def sizes(plan: Plan, height: int, width: int) -> list[tuple[int, int]]:
    """Return the (height, width) of a picture before each step of `plan`, and after the last; nothing is computed."""
    found = [(height, width)]
    for step in plan:
        found.append(_resized(step, *found[-1]) if TABLE[step.op].resizes else found[-1])
    return found


def _resized(step, height, width):
    import torch
    image = torch.empty(1, 3, height, width, device="meta")
    return tuple(TABLE[step.op].function(image, torch.tensor([step.params])).shape[-2:])


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


def _by_functions(steps, samples, masks):
    """Execute steps by their PyTorch functions; return the planes as (H, W, 3) float32."""
    import torch  # late: most plans need no PyTorch

    from core.operators.executor import apply_step
    if samples.dtype != np.float32:
        samples = run([], samples, np.empty((3, *samples.shape[:2]), np.float32).transpose(1, 2, 0), None)
    image = torch.from_numpy(samples).permute(2, 0, 1).contiguous()[None]
    with torch.no_grad():
        for step in steps:
            mask = mask_of(step, tuple(image.shape[-2:]), masks)
            image = apply_step(step, image, None if mask is None else torch.from_numpy(mask)[None, None])
    return image[0].contiguous().permute(1, 2, 0).numpy()
