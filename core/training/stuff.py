"""The stuff head's training: pixels of photos with panoptic truth, their features, and validation."""
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from tabulate import tabulate
from tqdm import tqdm

from core.datasets.panoptic import UNKNOWN, PanopticSet
from core.files import FOREIGN, UserError, read_tensors, replacing
from core.metrics.stuff import compare, summarise
from core.models.stuff_head import CLASSES, SIDE, read_maps, stack
from core.regions.segments import Segment
from core.requests.place_words import wholes

CHUNK = 20      # photos whose pixels are kept in one file
FEWEST = 3      # photos that must show a class; a head does not learn a class that fewer show


class Pixels(NamedTuple):
    """Pixels of photos: `features` (N, F) float16; `labels` (N,), an index of CLASSES + 1, or 0; `photos` (N,)."""

    features: torch.Tensor
    labels: torch.Tensor
    photos: torch.Tensor


def open_set(root: str | Path, count: int | None = None) -> tuple[PanopticSet, int]:
    """Return the photos of a folder, and how many of them are used. Raises UserError for a folder without photos."""
    photos = PanopticSet(root, SIDE)
    if not len(photos):
        raise UserError(f"{root}/panoptic.json: has no annotations; give a folder with photos")
    return photos, min(count or len(photos), len(photos))


def collect(photos: PanopticSet, count: int, folder: Path, most: int, seed: int) -> Pixels:
    """Return at most `most` pixels of each class of each of the first `count` photos.

    The pixels of CHUNK photos at a time are kept in `folder`, so that an interrupted training resumes. Files of other
    photos, or of another `most` or `seed`, are made anew.
    """
    parts = []
    with tqdm(total=count, unit="photo") as bar:
        for start in range(0, count, CHUNK):
            indices = range(start, min(start + CHUNK, count))
            key = {"photos": [photos.name(index) for index in indices], "root": str(photos.root.resolve()),
                   "most": most, "seed": seed}
            path = folder / f"{start:06d}.pt"
            part = _kept(path, key)
            if part is None:
                part = _joined(_with(bar, (sample(photos, index, most, seed) for index in indices)))
                with replacing(path) as file:
                    torch.save({"key": key, "pixels": tuple(part)}, file)
            else:
                bar.update(len(indices))
            parts.append(part)
    return _joined(parts)


def _kept(path, key):
    with contextlib.suppress(OSError, *FOREIGN):
        saved = read_tensors(path)
        return Pixels(*saved["pixels"]) if saved["key"] == key else None
    return None


def _with(bar, items):
    for item in items:
        bar.update()
        yield item


def _joined(parts):
    return Pixels(*map(torch.cat, zip(*parts, strict=True)))


def sample(photos: PanopticSet, index: int, most: int, seed: int) -> Pixels:
    """Return at most `most` pixels at random of each class of a photo, with the features of their cells."""
    image, labels = photos.labels(index, CLASSES)
    features = stack(read_maps(image)).flatten(1)
    cells = _at_cells(labels, image.shape[-2:])
    generator = torch.Generator().manual_seed((seed << 32) + index)
    chosen = [torch.zeros(0, dtype=torch.long)]
    for label in cells.unique().tolist():
        if label != UNKNOWN:
            members = (cells == label).nonzero()[:, 0]
            chosen.append(members[torch.randperm(len(members), generator=generator)[:most]])
    chosen = torch.cat(chosen)
    return Pixels(features[:, chosen].T.half(), cells[chosen], torch.full((len(chosen),), index))


def _at_cells(labels, size):
    """Return the labels (N,) of the centres of the cells at stride 8 of a photo of this size."""
    cells = [-(-edge // 8) for edge in size]
    small = F.interpolate(torch.from_numpy(labels)[None, None].float(), cells, mode="nearest-exact")
    return small.flatten().long()


def learnable(pixels: Pixels) -> tuple[tuple[str, ...], torch.Tensor]:
    """Return the classes that FEWEST photos show, and the labels (N,) by their order; the pixels of others have 0."""
    seen = [len(pixels.photos[pixels.labels == label].unique()) for label in range(1, len(CLASSES) + 1)]
    kept = [label for label, number in enumerate(seen, 1) if number >= FEWEST]
    new = torch.zeros(len(CLASSES) + 1, dtype=torch.long)
    new[kept] = torch.arange(1, len(kept) + 1)
    return tuple(CLASSES[label - 1] for label in kept), new[pixels.labels]


def measure(photos: PanopticSet, count: int, find: Callable[[torch.Tensor], Sequence[Segment]],
            classes: Sequence[str]) -> dict[str, dict]:
    """Return the figures of `core.metrics.stuff` of each class, for the stuff that `find` finds in photos.

    `classes` may hold wholes, such as "plants", which are the union of their parts.
    """
    return summarise(row for index in tqdm(range(count), unit="photo", leave=False)
                     for row in _rows(photos, index, find, classes))


def table(figures: dict[str, dict]) -> str:
    """Return the figures of `measure` as a table in text."""
    return tabulate([[name, row["photos"], _cell(row["IoU"], 2), "-" if row["whole IoU"] is None else
                      f"{row['whole IoU']:.2f}", row["absent"], _cell(row["false alarms"], 2)]
                     for name, row in figures.items()],
                    ["class", "photos", "IoU", "IoU of all pixels", "photos without", "false alarms"],
                    disable_numparse=True)


def _cell(figure, digits):
    """Return [mean, low, high] as text."""
    if figure is None:
        return "-"
    mean, *ends = (None if value is None else f"{value:.{digits}f}" for value in figure)
    return mean if None in ends else f"{mean} [{', '.join(ends)}]"


def _rows(photos, index, find, classes) -> Iterator[dict]:
    image, labels = photos.labels(index, CLASSES)
    whole = wholes()
    truths = {name: np.isin(labels, [number for number, one in enumerate(CLASSES, 1) if name in (one, whole.get(one))])
              for name in classes}
    found = find(image)
    masks = {}
    for name in classes:
        parts = [segment.mask > 0.5 for segment in found if name in (segment.name, whole.get(segment.name))]
        if parts:
            masks[name] = np.any(parts, 0)
    yield from compare(photos.name(index), masks, truths, labels != UNKNOWN)
