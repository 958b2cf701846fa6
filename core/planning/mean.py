"""The mean edit: the one plan that serves all pairs of a training set best, whatever was asked."""
import torch

from core.planning.search import plan_pairs


def mean_edit(before, after, options, side=8, most=1024):
    """Return the Plan of a single picture pair made of all pairs' thumbnails.

    Args: `before`, `after` (N, 3, H, W), at least 1 pair; at most `most` of them, evenly chosen, are tiled at
    `side` x `side` pixels. Point-wise operators see every photo alike; an operator that looks around a pixel would
    see the joints, so leave those out of `options`.
    """
    chosen = torch.linspace(0, len(before) - 1, min(len(before), most)).round().long()
    columns = int(len(chosen) ** 0.5)
    chosen = chosen[:columns * (len(chosen) // columns)]

    def tiled(images):
        stride = images.shape[-1] // side
        small = images[chosen][..., stride // 2::stride, stride // 2::stride]   # pixels as they are, not blurred
        rows = small.unflatten(0, (-1, columns)).permute(2, 0, 3, 1, 4)
        return rows.reshape(1, 3, rows.shape[1] * rows.shape[2], -1)
    return plan_pairs(tiled(before), tiled(after), options)[0].plan
