"""Test whether a method obeys the words: edit each photo by each sentence and judge the edit by a rule.

The rules are in core/metrics/obedience.py. Prints, for each suite, the numbers of right and of all answers and their
ratio with a 95% interval over photos. Writes, under the run's folder, obedience/metrics.json, obedience/items.jsonl
(one line per sentence) and obedience/web/index.html (the sentences that failed).

  python core/test_obedience.py --trial 1 --dataset FiveK --phase val
  python core/test_obedience.py --reference keywords --annotations data/FiveK/FiveK.json
"""
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from tabulate import tabulate
from tqdm import tqdm

from core.datasets import to_uint8
from core.datasets.annotations import read_entries
from core.engine.cli import run
from core.engine.data import load_photos
from core.engine.folders import checked, revision, run_folder
from core.engine.options import ON, Parser, number, parse
from core.engine.publish import publish
from core.evaluation.run_table import index_runs
from core.files import UserError, read_json, write_json, write_jsonl
from core.methods.registry import add_method, load_method
from core.metrics.attributes import ATTRIBUTES, MEASURES
from core.metrics.bootstrap import mean_interval
from core.metrics.obedience import Item, judge_photo, preservation, read_items, summarise
from core.metrics.picking import pick_requests
from core.metrics.reading import PARTS, is_plain, read_labels
from core.pages.obedience import HEADERS, interval_of, percent, write_obedience

SHORT = {name: short for short, of in ATTRIBUTES.items() for name, measure in MEASURES.items() if measure.of is of}
EXAMPLES = 3   # failed sentences of each suite that the page shows with pictures


def main():
    options = parse(arguments())
    items = labelled_items(options) if options.labels else read_items(options.sentences) + real_items(options)
    photos = load_photos(options, options.photos, options.short_edge)
    method = load_method(options)
    folder = run_folder(options) / f"obedience{checked(options)}{'_labelled' if options.labels else ''}"
    right, change, spilled = judge(method, photos, items)
    rows = summarise(items, right)
    unchanged = [index for index, item in enumerate(items) if item.suite == "no_op"]
    measured = {
        "run": folder.parent.name, **method.about, "dataset": options.dataset, "phase": options.phase,
        "photos": list(photos), "short_edge": options.short_edge, "sentences": len(items), "suites": rows,
        "no_op_change": float(change[:, unchanged].mean()) if unchanged else None,
        "preservation": preservation(items, spilled), "revision": revision()}
    if options.against:
        measured["preservation"] |= against(options.against, measured)
    lines = [_line(item, photos, right[:, index], change[:, index]) for index, item in enumerate(items)]
    write_json(folder / "metrics.json", measured, indent=1)
    write_jsonl(folder / "items.jsonl", lines)
    report(measured)
    suites = {row["suite"]: {key: row[key] for key in ("right", "asked", "share", "interval")}
              for row in rows if row["asked_for"] is None}
    publish(options, "obedience", measured | {"photos": len(photos), "suites": suites})
    if options.visualize:
        notes = [f"{method.label} on {len(photos)} photos of {options.dataset} {options.phase}", *no_op_line(measured)]
        page = write_obedience(folder / "web", folder.parent.name, rows, failures(method, photos, lines), notes)
        print(f"page: {page}\nall runs: {index_runs(options.output)[0]}")


def real_items(options):
    """Return items picked from the annotations, and print how many the rule found."""
    if not options.annotations:
        return []
    entries = [entry for path in options.annotations for entry in read_entries(path) if isinstance(entry, dict)]
    items, found = pick_requests(entries, options.real, options.manual_seed)
    counts = ", ".join(f"{direction} {count}" for direction, count in found.items()) or "none"
    print(f"{len(items)} real requests picked from {len(entries)} entries; the rule found {counts}")
    return items


def labelled_items(options):
    """Return an item for each plain request of --labels: its wishes must be granted, whatever else moves."""
    items = []
    for one in filter(is_plain, read_labels(options.labels)[PARTS[options.part]]):
        asks = {SHORT[wish.attribute]: wish.sign for wish in one.wishes if wish.sign}
        items += [Item("labelled", one.request, asks)] if asks else []
    if not items:
        raise UserError(f"--labels {options.labels}: has no request that is sure, global and plain")
    return items


@torch.no_grad()
def judge(method, photos, items):
    """Return the arrays `right`, `change` and `spilled` of `judge_photo`, each (photos, items)."""
    verdicts = [judge_photo(items, image, lambda requests, image=image: images_of(method, image, requests))
                for image in tqdm(photos.values(), unit="photo")]
    return tuple(np.stack(values) for values in zip(*verdicts, strict=True))


def images_of(method, image, requests):
    return [edited.image for edited in method.edits(image, requests)]


def _line(item, photos, right, change):
    """Return the line of one item in `items.jsonl`."""
    return {"suite": item.suite, "sentence": item.sentence, "partner": item.partner, "asks": item.direction,
            "keeps": list(item.keeps), "right": int(np.nansum(right)), "asked": int((~np.isnan(right)).sum()),
            "change": round(float(change.mean()), 5),
            "failed": [name for name, obeyed in zip(photos, right, strict=True) if obeyed == 0]}


def report(measured):
    """Print the table: one line per suite, and one per direction in the direction suites."""
    table = [(row["suite"], row["asked_for"] or "all", row["right"], row["asked"], percent(row["share"]),
              interval_of(row["interval"])) for row in measured["suites"]
             if row["asked_for"] is None or row["suite"].startswith("direction")]
    print(f"{measured['run']}, {measured['sentences']} items on {len(measured['photos'])} photos")
    print(tabulate(table, headers=HEADERS, disable_numparse=True, colalign=("left",) * 2 + ("right",) * 4))
    print(*no_op_line(measured), *preservation_line(measured["preservation"]), sep="\n")


def against(folder, measured):
    """Return the paired difference of the preservation from another run's, whose obedience folder is given.

    Raises UserError if the other run was tested on other photos or sentences.
    """
    path = Path(folder) / "metrics.json"
    if measured["preservation"] is None:
        raise UserError("--against: no sentence of this test asks for a change that preservation is measured on")
    other = read_json(path)
    if not all(other.get(name) == measured[name] for name in ("photos", "short_edge", "sentences")) or not other.get(
            "preservation"):
        raise UserError(f"--against {path}: was tested on other photos or sentences; test that run again as this one")
    apart = np.subtract(measured["preservation"]["photos"], other["preservation"]["photos"])
    return {"against": other["run"], "difference": float(apart.mean()),
            "difference_interval": mean_interval(apart, np.arange(len(apart)))}


def preservation_line(found):
    """Return a list of one sentence with the change of attributes that nobody asked to change; empty without one."""
    if found is None:
        return []
    line = f"attributes that nobody asked to change move by {found['mean']:.2f} just visible steps on average"
    if "difference" in found:
        bounds = found["difference_interval"]
        line += f"; {found['difference']:+.2f} against {found['against']}" + (
            f", 95% [{bounds[0]:+.2f}, {bounds[1]:+.2f}]" if bounds else "")
    return [line]


def no_op_line(measured):
    """Return a list of one sentence with the figure of the no-op suite; empty if no sentence belongs to it."""
    change = measured["no_op_change"]
    return [] if change is None else [f"no-op sentences change the picture by {change:.4f} of 1 on average"]


@torch.no_grad()
def failures(method, photos, lines):
    """Yield the page's entries of failed sentences: suite by suite, the worst first, a few with pictures."""
    for suite in dict.fromkeys(line["suite"] for line in lines):
        failed = [line for line in lines if line["suite"] == suite and line["failed"]]
        for rank, line in enumerate(sorted(failed, key=lambda line: line["right"])):
            examples = example(method, photos[line["failed"][0]], line) if rank < EXAMPLES else []
            yield {key: value for key, value in line.items() if key != "change"} | {"examples": examples}


def example(method, image, line):
    """Return the photo before and after a sentence and its partner, with captions."""
    requests = [request for request in (line["sentence"], line["partner"]) if request is not None]
    captions = ("before", *(f"after “{request}”" for request in requests))
    return [{"caption": caption, "image": to_uint8(pixels)}
            for caption, pixels in zip(captions, (image, *images_of(method, image, requests)), strict=True)]


def arguments():
    parser = add_method(Parser(__doc__).add_data())
    group = parser.add_argument_group("obedience")
    group.add_argument("--phase", default="val", choices=("train", "val", "test"), help="phase whose photos "
                       "are edited")
    group.add_argument("--photos", type=number(int, 1), default=20, help="number of photos, evenly spaced")
    group.add_argument("--short_edge", type=number(int, 16), default=160, help="short edge in pixels to which photos "
                       "are shrunk, because only their statistics matter")
    group.add_argument("--sentences", default="data/obedience/sentences.toml", help="file of the written sentences")
    group.add_argument("--labels", help="a labelled set (see misc/measure_reading.py) in place of the sentences: its "
                       "sure requests for the five attributes of the whole photo")
    group.add_argument("--part", choices=PARTS, default="all", help="positions of the labelled set that are tested")
    group.add_argument("--annotations", nargs="+", default=[], metavar="JSON", help="annotation files (FiveK's, "
                       "GIER's, ...) to pick real requests from")
    group.add_argument("--real", type=number(int, 1), default=8, help="largest number of real requests per direction")
    group.add_argument("--manual_seed", type=number(int, 0, 2**32 - 1), default=0, help="seed that chooses "
                       "the real requests")
    group.add_argument("--against", metavar="FOLDER", help="obedience folder of another run, tested in the same way: "
                       "compare the change of attributes that nobody asked to change, photo by photo")
    group.add_argument("--visualize", **ON, help="write the page")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
