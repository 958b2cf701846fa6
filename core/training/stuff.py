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
from core.models.stuff_head import CLASSES, SIDE, StuffHead, halved, presence, read_maps, stack
from core.regions.segments import Segment
from core.requests.place_words import wholes

CHUNK = 20      # photos whose pixels are kept in one file
FOLDS, ALARMS, LEAST = 4, 0.05, 0.25   # of the calibration: parts of the photos, most false alarms, lowest presence
FEWEST = 3      # photos that must show a class; a head does not learn a class that fewer show


class Pixels(NamedTuple):
    """Pixels of photos and of the same photos at half their size.

    `features` (N, F) are float16; `labels` (N,) are an index of CLASSES + 1, or 0; `photos` (N,) are indices. `shares`
    (N,) are the parts of the photo that the pixels stand for, 0 at half the size.
    """

    features: torch.Tensor
    labels: torch.Tensor
    photos: torch.Tensor
    shares: torch.Tensor


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
    """Return at most `most` pixels at random of each class of a photo in both sizes, with the features of their cells.
    """
    image, labels = photos.labels(index, CLASSES)
    generator = torch.Generator().manual_seed((seed << 32) + index)
    whole, half = (_sample(one, labels, index, most, generator) for one in (image, halved(image)))
    return _joined([whole, half._replace(shares=torch.zeros_like(half.shares))])


def _sample(image, labels, index, most, generator):
    maps = read_maps(image)
    features = stack(maps).flatten(1)
    cells = F.interpolate(torch.from_numpy(labels)[None, None].float(), maps[0].shape[-2:], mode="nearest-exact")
    cells = cells.flatten().long()   # the labels of the centres of the cells
    chosen, shares = [torch.zeros(0, dtype=torch.long)], [torch.zeros(0)]
    for label in cells.unique().tolist():
        if label != UNKNOWN:
            members = (cells == label).nonzero()[:, 0]
            chosen.append(members[torch.randperm(len(members), generator=generator)[:most]])
            shares.append(torch.full((len(chosen[-1]),), len(members) / len(chosen[-1]) / len(cells)))
    chosen = torch.cat(chosen)
    return Pixels(features[:, chosen].T.half(), cells[chosen], torch.full((len(chosen),), index), torch.cat(shares))


def learnable(pixels: Pixels) -> tuple[tuple[str, ...], torch.Tensor]:
    """Return the classes that FEWEST photos show, and the labels (N,) by their order; the pixels of others have 0."""
    seen = [len(pixels.photos[pixels.labels == label].unique()) for label in range(1, len(CLASSES) + 1)]
    kept = [label for label, number in enumerate(seen, 1) if number >= FEWEST]
    new = torch.zeros(len(CLASSES) + 1, dtype=torch.long)
    new[kept] = torch.arange(1, len(kept) + 1)
    return tuple(CLASSES[label - 1] for label in kept), new[pixels.labels]


def calibrate(pixels: Pixels, labels: torch.Tensor, fit: Callable[[torch.Tensor], StuffHead]) -> torch.Tensor:
    """Return the least presence of each class (C,) of a head, by heads that did not see the photos that they judge.

    At most ALARMS of the photos without a class may have a presence of it that is as high.

    Args:
        labels: (N,), the classes of the head.
        fit: trains a head on those pixels whose mask (N,) is True.
    """
    scores = {}   # class -> presences in the photos without it
    for fold in range(FOLDS):
        left_out = pixels.photos % FOLDS == fold
        if left_out.all() or not left_out.any():
            continue
        head = fit(~left_out)
        for photo in pixels.photos[left_out].unique():
            mine = (pixels.photos == photo) & (pixels.shares > 0)
            chances, best = head.linear(pixels.features[mine].float()).softmax(1).max(1)
            for label in range(1, len(head.classes)):
                if not (labels[mine] == label).any():
                    region = best == label
                    shares = pixels.shares[mine][region]
                    share = float(shares.sum())
                    chance = float((chances[region] * shares).sum()) / max(share, 1e-6)
                    scores.setdefault(label, []).append(presence(chance, share))
    least = torch.full((int(labels.max()) + 1,), LEAST)
    for label, found in scores.items():
        least[label] = max(sorted(found, reverse=True)[int(ALARMS * len(found))] + 1e-3, LEAST)
    return least


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
