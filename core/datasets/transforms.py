"""Paired augmentation: the same crop and flip for input and target, so that the plan between them stays valid."""
import torch


def crop_and_flip(before, after, side):
    """Cut one random square of `side` pixels from each pair, mirrored with probability 1/2, without resampling.

    Args: `before`, `after` (B, 3, H, W) with H, W >= side. Returns: two tensors (B, 3, side, side). Uses torch's
    global RNG.
    """
    count, _, height, width = before.shape
    steps = torch.arange(side)
    rows = torch.randint(height - side + 1, (count, 1)) + steps
    columns = torch.randint(width - side + 1, (count, 1)) + steps
    mirrored = torch.rand(count, 1) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    index = (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :])
    index = tuple(part.to(before.device) for part in index)
    return tuple(images.permute(0, 2, 3, 1)[index].permute(0, 3, 1, 2).contiguous() for images in (before, after))
