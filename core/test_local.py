"""Test local edits: requests for a part of a photo, judged inside and outside the true region.

The photos have panoptic truth in COCO's format. A request of data/obedience/local.toml is put to each photo with its
regions. An edit is right if each asked attribute moves visibly inside its true region and the pixels outside change by
at most .004 on average. Each request is done with the true masks, with the masks that LDIE finds, and without a mask by
the same planner on the whole photo. Prints a table with 95% intervals over photos; writes local/items.jsonl and
local/metrics.json below --output.

  python core/test_local.py --data_root photos/coco40
"""
from dataclasses import replace
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from tabulate import tabulate
from tqdm import tqdm

from core.datasets.panoptic import PanopticSet
from core.engine.cli import run
from core.engine.folders import revision
from core.engine.options import CHECKPOINT_HELP, Parser, number
from core.engine.publish import publish
from core.files import UserError, write_json, write_jsonl
from core.finding.finder import NotFound
from core.methods.gate import Gate, Refusal, understand
from core.methods.local import LocalGate
from core.methods.planner import PlannerMethod
from core.metrics.bootstrap import mean_interval
from core.metrics.local import judge, read_requests
from core.metrics.regions import WRONG, mask_iou
from core.regions.segments import Segment
from core.requests.place_words import wholes

REQUESTS = Path(__file__).parents[1] / "data/obedience/local.toml"
# name of a row: what it counts, among which answers
ROWS = {"true masks": ("true", lambda row: True), "found masks, of those found": ("found", lambda row: row["found"]),
        "found masks": ("found", lambda row: True), "whole photo, no mask": ("whole", lambda row: True)}


class Truth:
    """A finder that knows the true masks of a request: it takes the place whose name fits, or else the first."""

    def __init__(self, request, truths):
        self.masks = dict(zip([region.name for region in request.regions], truths, strict=True))

    def find(self, place):
        """Return the true segment of a place."""
        named = [name for part in (place, *place.but) for name in (part.name, wholes().get(part.name))
                 if name in self.masks]
        return Segment(place.name, self.masks[named[0] if named else next(iter(self.masks))], source="truth")

    def segments(self):
        """Return nothing: no region is missing."""
        return []


def main():
    options = arguments().parse_args()
    photos, requests = PanopticSet(options.data_root), read_requests(options.requests)
    gate = Gate(PlannerMethod.of(options.checkpoint))
    rows = []
    count = min(options.photos or len(photos), len(photos))
    for index in tqdm(np.linspace(0, len(photos) - 1, count).round().astype(int), unit="photo"):
        photo = photos[index]
        for request in requests:
            truths = request.truths(photo.segments, photo.crowds)
            if truths:
                rows.append({"photo": photo.name, "say": request.say} | tried(gate, photo.image, request, truths))
    if not rows:
        raise UserError(f"{options.data_root}: no request of {options.requests} fits a photo")
    figures = {"photos": len({row["photo"] for row in rows}), "requests": len(rows), "planner": str(gate.planner.path),
               "right": summarise(rows), "revision": revision()}
    folder = Path(options.output) / "local"
    write_jsonl(folder / "items.jsonl", rows)
    write_json(folder / "metrics.json", figures, indent=1)
    publish(options, "local", figures)
    print(tabulate([(name, *map(_cell, row.values())) for name, row in figures["right"].items()],
                   headers=("masks", "answers", "right", "inside", "leak"), disable_numparse=True))
    print(f"details: {folder / 'items.jsonl'}")


@torch.no_grad()
def tried(gate, image, request, truths):
    """Return the judgements of a request with true masks, found masks and no mask; `found` tells if all were found."""
    result = {"true": judge(request, truths, image, _image(
        LocalGate(gate, finder=lambda photo: Truth(request, truths)), image, request.say))}
    answer = _answer(LocalGate(gate), image, request.say)
    regions = [] if answer is None else answer.regions or []
    result["found"] = len(regions) == len(truths) and all(
        mask_iou(region.mask.tensor(*image.shape[1:])[0, 0].numpy(), truth) >= WRONG
        for region, truth in zip(regions, truths, strict=True))
    edited = image if answer is None else answer.image
    result |= {"refused": answer is None, "found masks": judge(request, truths, image, edited)}
    result["whole"] = judge(request, truths, image, _whole(gate, image, request.say))
    return result


def _image(gate, image, say):
    answer = _answer(gate, image, say)
    return image if answer is None else answer.image


def _answer(gate, image, say):
    try:
        return gate(image, say)
    except (Refusal, NotFound):
        return None


def _whole(gate, image, say):
    """Return the result of the planner on the whole photo, as if the request named no place."""
    try:
        reading = understand(say, local=True)
        return gate(image, say, replace(reading, wishes=tuple(replace(wish, where=None) for wish in reading.wishes
                                                               if wish.sign))).image
    except Refusal:
        return image


def summarise(rows):
    """Return {row of the table: {"answers", "right", "inside", "leak"}}; all but the count are [mean, low, high]."""
    found = {}
    for name, (how, counts) in ROWS.items():
        chosen = [row for row in rows if counts(row)]
        judged = [row["found masks" if how == "found" else how] for row in chosen]
        photos = [row["photo"] for row in chosen]
        found[name] = {"answers": len(chosen)} | {
            field: [sum(values) / len(values), *(mean_interval(values, photos) or (None, None))] if values else None
            for field in ("right", "inside", "leak") for values in [[float(one[field]) for one in judged]]}
    return found


def _cell(figure):
    if not isinstance(figure, list):
        return "-" if figure is None else figure
    mean, low, high = figure
    return f"{mean:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--data_root", required=True, help="folder with images/, panoptic/ and panoptic.json")
    parser.add_argument("--photos", type=number(int, 1), help="number of photos, evenly spaced; by default all")
    parser.add_argument("--requests", default=str(REQUESTS), help="file of the requests")
    parser.add_argument("--checkpoint", help=CHECKPOINT_HELP)
    parser.add_argument("--output", default="output", help="folder of the results")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
