"""Test whether a method uses the photo: photos are degraded by a known amount, and requests ask to repair them.

"Fix the exposure" asks for more light in a dark photo, for less in a bright one, and for nothing in a good one, so a
method that reads the words alone fails. Requests such as "rescue it" (data/obedience/enhance.txt) do not name the
fault. Photos of a data set may have faults of their own, so `--folder` takes good photos instead. Prints, for each
fault, the share of the photos that moved the right way (mean L* for the exposure, mean b* or a* for a colour cast) and
the share of the L1 distance to the undamaged photo that was removed, with 95% intervals over photos. Writes
repairs/metrics.json, repairs/items.jsonl and repairs/web/index.html under the run's folder.

  python core/test_repairs.py --dataset FiveK --trial 1 --phase val
  python core/test_repairs.py --dataset FiveK --reference auto_tone
  python core/test_repairs.py --dataset FiveK --trial 1 --check gate --folder my_photos
"""
import functools
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from tabulate import tabulate
from tqdm import tqdm

from core.datasets import fit_short_edge, to_tensor
from core.engine.cli import run
from core.engine.data import load_photos
from core.engine.folders import checked, revision, run_folder
from core.engine.options import ON, Parser, number, parse
from core.engine.publish import publish
from core.files import write_json, write_jsonl
from core.methods.planner import as_result
from core.methods.registry import add_method, load_method
from core.metrics.attributes import lightness, magenta, warmth
from core.metrics.bootstrap import mean_interval
from core.pages import write_results
from core.synthesis.degrade import add_cast, expose
from core.synthesis.photos import from_folder

EXPOSURE, CAST = ("fix the exposure",), ("remove the color cast",)
SENTENCES = Path(__file__).parents[1] / "data/obedience/enhance.txt"   # requests that do not name the fault
ENHANCE = tuple(SENTENCES.read_text(encoding="utf-8").splitlines())
DARK, BRIGHT = (lambda image: expose(image, -1.5)), (lambda image: expose(image, 1.5))
YELLOW, BLUE, GREEN, MAGENTA = (functools.partial(add_cast, warmth=warmth, green=green)
                                for warmth, green in ((0.8, 0), (-0.8, 0), (0, 0.4), (0, -0.4)))
FAULTS = {   # name: (requests, measured attribute of a picture, degradation of the photo)
    "-1.5 stops": (EXPOSURE, lightness, DARK),
    "+1.5 stops": (EXPOSURE, lightness, BRIGHT),
    "yellow cast, 0.8 stops": (CAST, warmth, YELLOW),
    "blue cast, 0.8 stops": (CAST, warmth, BLUE),
    "none, exposure": (EXPOSURE, lightness, lambda image: image),
    "none, cast": (CAST, warmth, lambda image: image),
    "enhance, -1.5 stops": (ENHANCE, lightness, DARK),
    "enhance, +1.5 stops": (ENHANCE, lightness, BRIGHT),
    "enhance, yellow cast": (ENHANCE, warmth, YELLOW),
    "enhance, blue cast": (ENHANCE, warmth, BLUE),
    "enhance, green cast": (ENHANCE, magenta, GREEN),
    "enhance, magenta cast": (ENHANCE, magenta, MAGENTA),
}


def main():
    options = parse(arguments())
    method = load_method(options)
    photos = read_folder(options) if options.folder else load_photos(options, options.photos, options.short_edge)
    source = Path(options.folder).resolve().name if options.folder else f"{options.dataset} {options.phase}"
    folder = run_folder(options) / f"repairs{checked(options)}"
    rows = []
    if options.visualize:
        notes = [f"{method.label} on {len(photos)} photos of {source}"]
        print(f"page: {write_results(folder / 'web', folder.parent.name, repair(method, photos, rows), notes)}")
    else:
        for _ in repair(method, photos, rows):
            pass
    measured = {"run": folder.parent.name, **method.about, "source": source, "photos": len(photos),
                "short_edge": options.short_edge, "faults": summarise(rows), "revision": revision()}
    write_jsonl(folder / "items.jsonl", rows)
    write_json(folder / "metrics.json", measured, indent=1)
    publish(options, "repairs", measured)
    print(tabulate([(name, *map(_cell, row.values())) for name, row in measured["faults"].items()],
                   headers=("fault", "right way", "L1 before", "L1 after", "L1 removed"), disable_numparse=True))


def read_folder(options):
    """Return {name: image (3, H, W)}: photos of `--folder`, evenly spaced through it. Raises UserError."""
    photos = from_folder(options.folder, "--folder")
    chosen = np.linspace(0, len(photos) - 1, min(len(photos), options.photos)).round().astype(int)
    return {photos[index].name: to_tensor(fit_short_edge(photos[index].load(), options.short_edge))
            for index in chosen}


@torch.no_grad()
def repair(method, photos, rows):
    """Ask for each repair of each photo; append the measures to `rows` and yield the page's entries."""
    for index, (name, image) in enumerate(tqdm(photos.items(), unit="photo")):
        for fault, (requests, measure, degrade) in FAULTS.items():
            request, degraded = requests[index % len(requests)], degrade(image)
            edited = method(degraded, request)
            was, is_now, should = (measure(picture[None]).item() for picture in (degraded, edited.image, image))
            before, after = ((picture - image).abs().mean().item() for picture in (degraded, edited.image))
            row = {"photo": name, "fault": fault, "right": (is_now - was) * (should - was) > 0,
                   "L1 before": before, "L1 after": after}
            rows.append(row)
            yield as_result(f"{name}, {fault}", request, edited, image,
                            {"input L1": before, "output L1": after})


def summarise(rows):
    """Return {fault: {"right", "L1 before", "L1 after", "removed"}}, each [mean, low, high], or None if undefined.

    The fault "enhance" holds all photos whose request does not name the fault.
    """
    found = {}
    for fault in (*FAULTS, "enhance"):
        chosen = [row for row in rows if row["fault"] == fault or (
            fault == "enhance" and row["fault"].startswith("enhance,"))]
        photos = [row["photo"] for row in chosen]
        before, after = ([row[f"L1 {when}"] for row in chosen] for when in ("before", "after"))
        removed = [b - a for b, a in zip(before, after, strict=True)]
        whole = sum(before) / len(before)
        found[fault] = {
            "right": _mean([float(row["right"]) for row in chosen], photos) if whole else None,
            "L1 before": _mean(before, photos), "L1 after": _mean(after, photos),
            "removed": [value and value / whole for value in _mean(removed, photos)] if whole else None}
    return found


def _mean(values, photos):
    return [sum(values) / len(values), *(mean_interval(values, photos) or (None, None))]   # one photo has no interval


def _cell(figure):
    if figure is None:
        return "-"
    mean, low, high = figure
    return f"{mean:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")


def arguments():
    parser = add_method(Parser(__doc__).add_data())
    group = parser.add_argument_group("repairs")
    group.add_argument("--phase", default="val", choices=("train", "val", "test"), help="phase whose photos "
                       "are degraded")
    group.add_argument("--folder", help="degrade the photos of this folder, not those of the phase; they "
                       "should be well exposed and without a cast")
    group.add_argument("--photos", type=number(int, 1), default=60, help="number of photos, evenly spaced")
    group.add_argument("--short_edge", type=number(int, 16), default=160, help="short edge in pixels to which photos "
                       "are shrunk, because only their statistics matter")
    group.add_argument("--visualize", **ON, help="write the page")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
