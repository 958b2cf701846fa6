"""The mean edit: one plan fitted to all pairs of a training set, whatever their requests."""
import torch

from core.operators import Plan
from core.planning.action_sets import ActionOptions
from core.planning.search import plan_pairs


def mean_edit(before: torch.Tensor, after: torch.Tensor, options: ActionOptions, side: int = 8,
              most: int = 1024) -> Plan:
    """Return the Plan of a single image pair that is tiled from the thumbnails of all pairs.

    Args: `before`, `after` (N, 3, H, W), at least 1 pair; at most `most` pairs, evenly spaced, are tiled at
    `side` x `side` pixels. `options` should have point-wise operators only, because other operators would see the
    edges between the tiles.
    """
    chosen = torch.linspace(0, len(before) - 1, min(len(before), most)).round().long()
    columns = int(len(chosen) ** 0.5)
    chosen = chosen[:columns * (len(chosen) // columns)]

    def tiled(images):
        stride = images.shape[-1] // side
        small = images[chosen][..., stride // 2::stride, stride // 2::stride]   # subsampled, not averaged
        rows = small.unflatten(0, (-1, columns)).permute(2, 0, 3, 1, 4)
        return rows.reshape(1, 3, rows.shape[1] * rows.shape[2], -1)
    return plan_pairs(tiled(before), tiled(after), options)[0].plan
