"""Test removals: things are filled from their surroundings, and compared with the true background.

The data set is in GIER's format; pairs that inpaint count, with their first request. For each inpainter, the true mask
of the thing is grown as in core/edit.py and filled. Then the request itself is done, with the regions that LDIE finds.
Prints a table with 95% intervals over photos: the perceptual distance around the hole, PSNR inside, and the share of
holes whose fine detail (energy of the Laplacian) is within .7 to 1.3 of the truth ("even"; also for the photo beside
the hole, which shows how even a photo is by itself). Writes removals/items.jsonl,
removals/metrics.json and a contact sheet of all fills below --output.

  python core/test_removals.py --dataset RegionReq --phase test
"""
import time
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
from PIL import Image
from tabulate import tabulate
from tqdm import tqdm

from core.datasets import load_dataset, to_uint8
from core.datasets.annotations import PHASES, pair_name, source_photo
from core.datasets.vocab import SPECIAL, WordVocab
from core.engine.cli import run
from core.engine.folders import revision
from core.engine.options import CHECKPOINT_HELP, Parser, number
from core.engine.publish import publish
from core.files import UserError, replacing, write_json, write_jsonl
from core.filters import preview
from core.finding.finder import hole_for
from core.losses.perceptual import load_perceptual
from core.methods.gate import Gate, Refusal
from core.methods.local import LocalGate
from core.methods.planner import PlannerMethod
from core.metrics.bootstrap import mean_interval
from core.metrics.filling import detail_beside, judge_fill
from core.metrics.regions import with_interval
from core.operators.inpaint import FILLER, INPAINTERS, inpaint_obj
from core.regions.segments import Segment

OPERATOR = "inpaint_obj"
COVERED = 0.9     # share of the thing that a found hole must cover
MOST_HOLE = 3.0   # times the area of the true hole
COLUMNS = ("perceptual", "psnr", "even", "s", "found", "refused")
TILE = 240        # pixels: side of a picture on the contact sheet


def main():
    options = arguments().parse_args()
    dataset = load_dataset(options.dataset, options.phase, options.session, WordVocab(SPECIAL), options.data_root,
                           size=None, masks="union")
    first = {pair_name(entry): index for index, entry in reversed(list(enumerate(dataset.annotations)))
             if OPERATOR in entry.get("operator", {})}   # one request for each pair
    chosen = [index for index in sorted(first.values()) if dataset.masks(index).get(OPERATOR)][:options.pairs]
    if not chosen:
        raise UserError(f"{dataset.path}: no pair removes a thing ({OPERATOR} with masks); give another --phase")
    distance, network = load_perceptual()
    gate = LocalGate(Gate(PlannerMethod.of(options.checkpoint)))
    rows, strips = [], []
    for index in tqdm(chosen, unit="pair"):
        row, strip = tried(dataset, index, distance, gate)
        rows.append(row)
        strips.append(strip)
    figures = {"pairs": len(rows), "perceptual": network, "revision": revision(), "rows": summarise(rows)}
    folder = Path(options.output) / "removals"
    write_jsonl(folder / "items.jsonl", rows)
    write_json(folder / "metrics.json", figures, indent=1)
    with replacing(folder / "sheet.png") as file:
        Image.fromarray(np.vstack(strips)).save(file, "PNG")
    publish(options, "removals", figures)
    print(tabulate([(name, *map(_cell, row.values())) for name, row in figures["rows"].items()],
                   headers=("fill", *COLUMNS), disable_numparse=True))
    print(f"details: {folder / 'items.jsonl'}, contact sheet: {folder / 'sheet.png'}")


def tried(dataset, index, distance, gate):
    """Return the judgements of a removal, and a strip of pictures: input, fills, removal by words, truth."""
    entry, sample = dataset.annotations[index], dataset[index]
    image, truth = sample["input"], sample["target"]
    size = tuple(image.shape[-2:])
    thing = sample["masks"][0].numpy()
    hole = hole_for(Segment("thing", thing), image).tensor(*size)
    row = {"name": sample["name"], "photo": source_photo(entry), "request": entry["request"],
           "share": float((hole > 0.5).float().mean()), "beside": detail_beside(truth, hole[0, 0] > 0.5)}
    pictures = [image]
    for name in INPAINTERS:
        begun = time.process_time()
        filled = inpaint_obj(image[None], hole, name)[0]
        row[name] = judge_fill(filled, truth, hole[0, 0] > 0.5, distance) | {"s": time.process_time() - begun}
        pictures.append(filled)
    row["words"], edited = by_words(gate, image, truth, entry["request"], thing > 0.5, hole[0, 0] > 0.5, distance)
    return row, np.hstack([_tile(picture) for picture in (*pictures, edited, truth)])


def by_words(gate, image, truth, request, thing, hole, distance):
    """Return how a request was done, and the result: found, refused, and the measures on the true hole."""
    try:
        answer = gate(image, request)
    except Refusal:
        return {"refused": 1.0, "found": 0.0}, image
    masks = [step.mask.tensor(*image.shape[-2:])[0, 0].numpy() > 0.5 for step in answer.plan if step.op == OPERATOR]
    filled = np.any(masks, axis=0) if masks else np.zeros_like(thing)
    covered = (filled & thing).sum() / max(thing.sum(), 1)
    found = float(covered >= COVERED and filled.sum() <= MOST_HOLE * hole.sum().item())
    granted = all(outcome.granted for outcome in answer.outcomes)
    return {"refused": 0.0, "found": found, "covered": float(covered), "granted": granted} | judge_fill(
        answer.image, truth, hole, distance), answer.image


def summarise(rows):
    """Return {row of the table: {column: [mean, low, high] over photos}}; differences are paired."""
    photos = [row["photo"] for row in rows]
    found = {}
    for name in INPAINTERS:
        found[name] = {key: with_interval([row[name][key] for row in rows], photos)
                       for key in ("perceptual", "psnr", "even", "s")}
    for name in INPAINTERS:
        if name != FILLER:
            found[f"{FILLER} minus {name}"] = {
                key: _difference([row[FILLER][key] - row[name][key] for row in rows], photos)
                for key in ("perceptual", "psnr", "even", "s")}
    known = [row for row in rows if row["beside"] is not None]
    found["the photo beside the hole"] = {"even": with_interval([row["beside"] for row in known],
                                                                [row["photo"] for row in known])}
    done = [row for row in rows if row["words"]["found"]]
    places = [row["photo"] for row in done]
    found["by words, of those found"] = {
        key: with_interval([row["words"][key] for row in done], places) for key in ("perceptual", "psnr", "even")}
    found["by words"] = {key: with_interval([row["words"][key] for row in rows], photos)
                         for key in ("found", "refused")}
    return {name: {key: row.get(key, [None] * 3) for key in COLUMNS} for name, row in found.items()}


def _difference(values, photos):
    return [float(np.mean(values)), *(mean_interval(values, photos) or (None, None))]


def _tile(image):
    """Return a picture (3, H, W) in a square of TILE pixels, uint8."""
    tile, small = np.full((TILE, TILE, 3), 255, np.uint8), to_uint8(preview(image, TILE))
    tile[:small.shape[0], :small.shape[1]] = small
    return tile


def _cell(figure):
    mean, low, high = figure
    return "-" if mean is None else f"{mean:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--dataset", default="RegionReq", help="data set in GIER's format (default: %(default)s)")
    parser.add_argument("--data_root", help="folder of the data set; by default data/<dataset>")
    parser.add_argument("--phase", choices=PHASES, default="test", help="phase (default: %(default)s)")
    parser.add_argument("--session", type=int, default=3, help="session of the annotations (default: %(default)s)")
    parser.add_argument("--pairs", type=number(int, 1), help="number of pairs; by default all that remove a thing")
    parser.add_argument("--checkpoint", help=CHECKPOINT_HELP)
    parser.add_argument("--output", default="output", help="folder of the results")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
