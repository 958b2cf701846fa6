"""Masks on disk and on screen: read a mask, show the regions of a photo, ask which region is meant."""
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from core.datasets import to_uint8
from core.files import UserError, replacing
from core.filters import preview
from core.finding.finder import FEATHER
from core.operators.layers import luma
from core.photo import read_photo
from core.regions.mask import Mask
from core.regions.region import Region
from core.regions.segments import Segment

SHOWN = 1000         # pixels: long edge of the picture of all regions
TINT = 0.5           # weight of a region's colour
COLOURS = ((230, 60, 50), (40, 120, 230), (250, 190, 40), (60, 180, 75), (170, 80, 200), (70, 200, 210))   # of regions


def read_mask(path: Path | str, image: torch.Tensor) -> Region:
    """Return the region of a mask file for a photo (3, H, W): light pixels are edited, up to half grey not.

    Raises UserError if the file is no picture, has another aspect ratio than the photo, or is black.
    """
    height, width = image.shape[-2:]
    grey = luma(read_photo(path).tensor()[None])[0, 0].numpy()
    if not Mask(grey.shape, "").fits(height, width):
        raise UserError(f"{path}: the mask is {grey.shape[1]}x{grey.shape[0]}, but the photo is {width}x{height}, "
                        f"which is another aspect ratio; make the mask on this photo, uncropped")
    if not (grey > 0.5).any():
        raise UserError(f"{path}: the mask has no light pixels, so nothing would be edited; white marks the region")
    segment = Segment("mask", grey, source="file", words=Path(path).name)
    return Region(segment.words, segment, Mask.from_array(grey, FEATHER, segment.words))


def show_regions(folder: Path | str, image: torch.Tensor, regions: Sequence[Region]) -> list[Path]:
    """Write the mask of each region as a grey PNG, and all regions on a photo (3, H, W) as regions.jpg.

    Returns the paths. The names start with the number of the region.
    """
    folder, paths = Path(folder), []
    for index, region in enumerate(regions, 1):
        name = re.sub(r"\W+", "_", region.words.lower(), flags=re.ASCII).strip("_")[:40] or "region"
        paths.append(folder / f"{index:02d}_{name}.png")
        size = preview(image, max(region.mask.size)).shape[-2:]
        with replacing(paths[-1]) as file:
            Image.fromarray(np.uint8(region.mask.tensor(*size)[0, 0].numpy() * 255 + 0.5)).save(file, "PNG")
    if regions:
        paths.append(folder / "regions.jpg")
        with replacing(paths[-1]) as file:
            Image.fromarray(overlay(image, [region.mask for region in regions])).save(file, "JPEG", quality=92)
    return paths


def overlay(image: torch.Tensor, masks: Sequence[Mask]) -> np.ndarray:
    """Return a photo (3, H, W) with each mask tinted in its own colour and outlined, uint8 (h, w, 3)."""
    small = preview(image, SHOWN)
    shown = to_uint8(small).astype(np.float32)
    for index, mask in enumerate(masks):
        colour = np.array(COLOURS[index % len(COLOURS)], np.float32)
        soft = mask.tensor(*small.shape[-2:])[0, 0].numpy()
        shown += (colour - shown) * (TINT * soft[..., None])
        outline = cv2.morphologyEx(np.uint8(soft > 0.5), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        shown[outline] = colour
    return np.uint8(shown.round())


def ask_region(words: str, sentence: str, segments: Sequence[Segment]) -> Segment | None:
    """Ask on the terminal which segment of the photo `words` mean; return it, or None to leave the wish out."""
    if not segments or not sys.stdin.isatty():
        return None
    print(sentence, "Regions of the photo:", *(f"  {index}  {segment.name}, {segment.share:.1%} of the picture"
                                               for index, segment in enumerate(segments, 1)), sep="\n")
    answer = input(f'Which one is "{words}"? Give its number, or press Enter to leave it out: ').strip()
    return segments[int(answer) - 1] if answer.isdecimal() and 0 < int(answer) <= len(segments) else None
