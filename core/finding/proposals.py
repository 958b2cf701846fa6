"""Proposals: the segments of a photo among which words choose, from truth, published masks, networks or superpixels.

Masks of one photo come from one segmentation at one resolution and do not overlap; their order is the order of the ids
in GIER's format. Soft masks are cut at .5, and a pixel of several segments belongs to the first of them.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.segmentation import slic

from core.datasets.images import load_image, to_tensor, to_uint8
from core.datasets.panoptic import PanopticSet
from core.files import UserError, read_json
from core.filters import preview
from core.finding.finder import SIDE, Finder
from core.finding.things import separate
from core.regions.boxes import box_of
from core.regions.classes import THINGS, UPSNET, canonical
from core.regions.mask import Mask
from core.regions.segments import Segment

VOID = 255          # UPSNet's class of pixels that belong to no segment
FEWEST = 16         # pixels; smaller segments are left out
SUPERPIXELS = 40    # of a photo, for "slic"


@dataclass(frozen=True)
class Source:
    """A source of proposals: a description, whether it needs --segments, and the function that opens it.

    `open_source(folder)` returns a callable (path of a photo) -> Segments in their order; it raises UserError for a
    photo that cannot be used.
    """

    about: str
    needs_folder: bool
    open_source: Callable[[Path | None], Callable[[Path], Sequence[Segment]]]


def propose(source: Callable[[Path], Sequence[Segment]], photo: Path) -> list[Segment]:
    """Return the segments of a photo as Segments with bool masks (h, w) that do not overlap.

    Segments of fewer than FEWEST pixels are left out. Raises UserError naming the photo if no segment is left.
    """
    left, kept = None, []
    for segment in source(photo):
        inside = segment.mask > 0.5
        inside = inside if left is None else inside & left
        left = ~inside if left is None else left & ~inside
        if inside.sum() >= FEWEST:
            kept.append(Segment(segment.name, inside, segment.score, segment.source, segment.thing))
    if not kept:
        raise UserError(f"{photo.name}: has no segment")
    return kept


def to_rows(segments: Sequence[Segment]) -> tuple[list[dict], list[dict]]:
    """Return two lists for a photo: the masks in GIER's format with class names, and a description of each.

    The second list has {"name", "thing", "score", "box": [x, y, width, height]}; slivers of things stretch no box.
    """
    masks = [Mask.from_array(segment.mask, region=segment.name).to_dict() for segment in segments]
    about = [{"name": segment.name, "thing": segment.thing, "score": round(segment.score, 4),
              "box": list(box_of(segment.mask, segment.thing))} for segment in segments]
    return masks, about


def _panoptic(folder):
    photos = PanopticSet(folder, side=None)
    rows = {Path(photos.name(index)).stem: index for index in range(len(photos))}

    def segments(photo):
        if photo.stem not in rows:
            raise UserError(f"{photo.name}: is not in {photos.root / 'panoptic.json'}")
        return photos[rows[photo.stem]].segments
    return segments


def _masks(folder):
    def segments(photo):
        path = folder / f"{photo.stem}_mask.json"
        rows, height, width = read_json(path), *load_image(photo).shape[:2]
        try:
            masks = [Mask(tuple(int(side) for side in row["size"]), row["counts"]) for row in rows]
            arrays = [mask.array() for mask in masks]
            names = [str(row.get("region", "")) for row in rows]
        except (TypeError, KeyError, ValueError, AttributeError, UserError) as error:
            raise UserError(f"{path}: not a list of masks ({type(error).__name__}: {error}); use the published file"
                            ) from None
        if wrong := [mask.size for mask in masks if not mask.fits(height, width)]:
            raise UserError(f"{path}: has masks of {wrong[0][1]} x {wrong[0][0]} pixels, the photo {width} x {height}, "
                            f"which is another aspect; use the masks of this photo")
        return [Segment(name, array.astype(np.float32), 1.0, "file", name in THINGS)
                for name, array in zip(names, arrays, strict=True)]
    return segments


def _upsnet(folder):
    def segments(photo):
        path = next((path for path in (folder / f"{photo.stem}{end}" for end in (".npy", ".png")) if path.is_file()),
                    None)
        if path is None:
            raise UserError(f"{folder / photo.stem}.npy: no such file (nor .png); run UPSNet on the photo")
        return from_upsnet(_two_channels(path), *load_image(photo).shape[:2], source=path)
    return segments


def from_upsnet(channels: np.ndarray, height: int, width: int, source: object = "UPSNet") -> list[Segment]:
    """Return the segments of UPSNet's two channels, by ascending 1000 * class + instance; void is left out.

    Args: `channels` (h, w, 2) of whole numbers: class in UPSNet's order, and number of the instance; `height`, `width`
    of the photo; `source` begins the error. Raises UserError for another shape, aspect or class.
    """
    if channels.ndim != 3 or channels.shape[2] != 2 or channels.dtype.kind not in "iu":
        raise UserError(f"{source}: has shape {channels.shape} of {channels.dtype}, not (height, width, 2) of whole "
                        f"numbers, UPSNet's pan_2ch")
    classes, instances = np.moveaxis(channels.astype(int), 2, 0)
    ids = 1000 * classes + instances
    if wrong := sorted(set(np.unique(classes)) - {*range(len(UPSNET)), VOID}):
        raise UserError(f"{source}: has the class {wrong[0]}; classes are from 0 to {len(UPSNET) - 1}, or {VOID}")
    if instances.min() < 0 or instances.max() >= 1000:
        raise UserError(f"{source}: has an instance that is not from 0 to 999; give class and instance, in this order")
    if not Mask(channels.shape[:2], "").fits(height, width):
        raise UserError(f"{source}: has {channels.shape[1]} x {channels.shape[0]} pixels, the photo {width} x "
                        f"{height}, which is another aspect; run UPSNet on this photo")
    found = []
    for number in np.unique(ids[classes != VOID]):
        name = UPSNET[number // 1000]
        found.append(Segment(name if name in THINGS else canonical(name), (ids == number).astype(np.float32), 1.0,
                             "file", name in THINGS))
    return found


def _two_channels(path):
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        with Image.open(path, formats=("PNG",)) as image:
            return np.asarray(image.convert("RGB"))[..., :2]
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot be read ({error}); write UPSNet's pan_2ch again, as .npy or as .png with the "
                        f"class in red and the instance in green") from None


def _detected(_):
    def segments(photo):
        finder = Finder(to_tensor(load_image(photo)))
        things = finder.things()
        masks = separate([thing.mask for thing in things])   # the smaller of two things is in front
        return [*(replace(thing, mask=mask) for thing, mask in zip(things, masks, strict=True)), *finder.stuff]
    return segments


def _superpixels(_):
    def segments(photo):
        image = preview(to_tensor(load_image(photo)), SIDE)
        labels = slic(to_uint8(image), SUPERPIXELS, start_label=0)
        return [Segment("", (labels == number).astype(np.float32), 1.0, "superpixels") for number in np.unique(labels)]
    return segments


SOURCES = {
    "panoptic": Source("true segments of a folder in COCO's panoptic format", True, _panoptic),
    "masks": Source("lists of masks in GIER's format, <photo>_mask.json", True, _masks),
    "upsnet": Source("UPSNet's output, <photo>.npy or .png with class and instance", True, _upsnet),
    "detector": Source("the things and stuff that LDIE finds", False, _detected),
    "slic": Source(f"about {SUPERPIXELS} superpixels (SLIC), which know no classes: the baseline", False, _superpixels),
}
