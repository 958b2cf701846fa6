"""Proposals: the segments of a photo among which words choose, with their classes and their features.

The masks are those of GIER's format, `masks/<photo without its suffix>_mask.json`. A mask's field `region` holds the
name of its class. Features are computed by `core.datasets.features`, or come from a file
`features/<photo without its suffix>.h5` of the user: `rcnn_feat` (n, D1), `pan_feat` (n, D2), and `cls_inds` (n,), the
classes in UPSNet's order, for masks without names.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from core.files import UserError, read_json, sha256
from core.regions.boxes import box_of
from core.regions.classes import THINGS, UPSNET, canonical
from core.regions.mask import Mask

MOST_PIXELS = 1 << 31     # of all masks of a photo together; limits the memory that a file of a few lines can take
CHECKSUM = "masks_sha256"   # optional attribute of the h5 file: the SHA-256 of the masks that it was computed from


@dataclass(frozen=True, eq=False)
class Proposals:
    """The segments of a photo.

    Args:
        photo: the file name.
        masks: one Mask for each segment; all have the same size.
        names: the class of each; "" if it is unknown.
        given: features of the user, "coarse" (n, D1) and "fine" (n, D2), or None.
    """

    photo: str
    masks: tuple[Mask, ...]
    names: tuple[str, ...]
    given: dict[str, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.masks)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the masks."""
        return self.masks[0].size

    @property
    def arrays(self) -> np.ndarray:
        """The pixels of the segments, uint8 (n, H, W); decoded at each call, because those of a set fill the memory."""
        return np.stack([mask.array() for mask in self.masks])

    @property
    def boxes(self) -> np.ndarray:
        """The boxes (n, 4) as x, y, width and height in pixels; slivers of things do not count."""
        return np.array([box_of(array, name in THINGS) for array, name in zip(self.arrays, self.names, strict=True)],
                        np.float32)

    @cached_property
    def areas(self) -> np.ndarray:
        """The shares of the picture that the segments cover, (n,)."""
        return self.arrays.mean((1, 2))


def read_proposals(root: str | Path, photo: str) -> Proposals:
    """Return the segments of a photo of a data set. Raises UserError naming the file of the masks or of the features.
    """
    stem = Path(photo).stem
    path = Path(root) / "masks" / f"{stem}_mask.json"
    rows = read_json(path)
    try:
        masks = tuple(Mask(tuple(int(side) for side in row["size"]), row["counts"]) for row in rows)
        names = tuple(str(row.get("region", "")) for row in rows)
        for mask in masks:
            mask.runs()
    except (TypeError, KeyError, ValueError, AttributeError, UserError) as error:
        raise UserError(f"{path}: not a list of masks ({type(error).__name__}: {error}); use the published file"
                        ) from None
    if not masks or len({mask.size for mask in masks}) > 1:
        raise UserError(f"{path}: holds {'masks of several sizes' if masks else 'no masks'}; make it again")
    height, width = masks[0].size
    if len(masks) * height * width > MOST_PIXELS:
        raise UserError(f"{path}: {len(masks)} masks of {height} x {width} pixels are more than fit into memory; "
                        f"shrink the photo and its masks")
    features = Path(root) / "features" / f"{stem}.h5"
    given = read_features(features, len(masks), sha256(path, "")) if features.exists() else None
    if given is not None and not any(names) and "classes" in given:
        names = _upsnet_names(features, given.pop("classes"))
    return Proposals(photo, masks, names, given)


def read_features(path: Path, count: int, checksum: str) -> dict[str, np.ndarray]:
    """Return {"coarse" (n, D1), "fine" (n, D2), "classes" (n,) if known} of a user's h5 file.

    Raises UserError if the file is damaged, or its features are not those of `count` segments whose masks have the
    SHA-256 `checksum`.
    """
    import h5py

    fields = {"coarse": "rcnn_feat", "fine": "pan_feat"}
    try:
        with h5py.File(path) as file:
            found = {name: np.asarray(file[key], np.float32) for name, key in fields.items()}
            if "cls_inds" in file:
                found["classes"] = np.asarray(file["cls_inds"], np.int64)
            stored = file.attrs.get(CHECKSUM)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a file of segment features, {' and '.join(fields.values())} ({error}); remove "
                        "it, or make it again") from None
    if stored is not None and stored != checksum:
        raise UserError(f"{path}: was computed from other masks than those of the data set; remove it, or make it "
                        "again from these masks")
    for name, value in found.items():
        ranks = 1 if name == "classes" else 2
        if value.ndim != ranks or len(value) != count or not np.isfinite(value).all():
            raise UserError(f"{path}: {fields.get(name, 'cls_inds')} has shape {value.shape} for {count} masks, or NaN;"
                            " compute masks and features from one segmentation of one resolution")
    return found


def _upsnet_names(path: Path, classes: Sequence[int]) -> tuple[str, ...]:
    if len(classes) and not 0 <= min(classes) <= max(classes) < len(UPSNET):
        raise UserError(f"{path}: cls_inds are not from 0 to {len(UPSNET) - 1}; remove the field, or correct it")
    names = [UPSNET[index] for index in classes]
    return tuple(name if name in THINGS else canonical(name) for name in names)
