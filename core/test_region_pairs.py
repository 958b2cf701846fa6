"""Test local edits on pairs with true masks: the L1 to the target inside the mask, and the change outside.

Each method edits the input of a pair by the pair's first request. The figures are the mean L1 inside the true mask, as
a share of the input's; the mean change of pixels outside (leak); and the mean change of inputs whose target is the
input itself (unasked). Rows:

  identity       the input as it is
  local          the planner of --trial, trained with masks, inside the true masks
  local_found    the same inside the masks that LDIE finds; where it finds none, the input stays
  local_subject  the same inside the mask of the main subject, whatever the words say
  blind          the planner of --blind, its text-blind copy, inside the true masks
  crop           the planner of --planner behind the gate, on pictures of the true regions
  crop_found     the same with the masks that LDIE finds
  whole          the same on the whole photo, as if the requests named no place
  planned        the plans of --plans, searched from the targets

Prints a table with 95% intervals over photos; writes items.jsonl, metrics.json and web/index.html under the run's
folder. An interrupted test goes on where it stopped; other checkpoints and other plans are measured anew.

  python core/test_region_pairs.py --dataset RegionReq --session 3 --trial 130 --blind 131
  python core/test_region_pairs.py --dataset RegionReq --session 3 --phase val --rows identity,planned --plans a.jsonl
"""
import functools
import hashlib
from dataclasses import replace
from pathlib import Path

import _init_paths  # noqa: F401
import torch
from easydict import EasyDict
from tabulate import tabulate
from tqdm import tqdm

from core.datasets import ActionSet, GIERPairs
from core.datasets.annotations import pair_name, source_photo
from core.engine.cli import run
from core.engine.data import load_phase
from core.engine.folders import revision, run_folder, tested_folder
from core.engine.options import CHECKPOINT_HELP, Parser, number, parse, some_of
from core.engine.publish import publish
from core.files import UserError, append_jsonl, read_jsonl, write_json
from core.finding.finder import NotFound
from core.methods.gate import Gate, Refusal, understand
from core.methods.local import LocalGate
from core.methods.planner import Edited, PlannerMethod, as_result
from core.methods.regional import RegionPlanner, found_mask
from core.metrics.bootstrap import mean_interval
from core.operators import Plan
from core.pages import write_results
from core.regions.region import Region
from core.regions.segments import Segment
from core.requests.place import Place

EXPERIMENT = "seq2seqL1"
ROWS = ("identity", "local", "local_found", "local_subject", "blind", "crop", "crop_found", "whole", "planned")
SHOWN = "local"   # the row on the page


class Truth:
    """A finder that knows the true mask of a pair: it is the region that any words name."""

    def __init__(self, mask):
        self.mask = mask

    def find(self, place):
        """Return the true segment."""
        return Segment(place.name, self.mask.tensor(*self.mask.size)[0, 0].numpy(), source="truth")

    def segments(self):
        """Return nothing: no region is missing."""
        return []


def main():
    options = parse(arguments(), EXPERIMENT)
    methods = {row: make(options) for row, make in MAKERS.items() if row in options.rows}
    made_by = {row: _digest(options, row) for row in methods}
    vocab = PlannerMethod.of(options.planner).vocab
    dataset = load_phase(options, options.phase, vocab, size=None, short_edge=options.short_edge, masks="union")
    if not isinstance(dataset, GIERPairs):
        raise UserError(f"--dataset {options.dataset}: has no masks; give RegionReq or GIER")
    for sentence in dataset.report():
        print(sentence)
    firsts = {}
    for index, entry in enumerate(dataset.annotations):
        firsts.setdefault(pair_name(entry), index)
    chosen = list(firsts.values())
    chosen = chosen[::max(len(chosen) // options.pairs, 1)][:options.pairs] if options.pairs else chosen
    folder = tested_folder(options) / "regions"
    rows = measure(methods, made_by, dataset, chosen, folder)
    figures = {"pairs": len(rows), "photos": len({row["photo"] for row in rows}),
               "methods": {name: summarise(rows, name) for name in methods}, "revision": revision()}
    write_json(folder / "metrics.json", figures, indent=1)
    publish(options, "region_pairs", figures)
    print(tabulate([(name, *map(_cell, (row["inside"], row["share"], row["leak"], row["unasked"])))
                    for name, row in figures["methods"].items()],
                   headers=("method", "L1 inside", "of the input's", "leak", "unasked"), disable_numparse=True))
    print(f"details: {folder / 'items.jsonl'}")


def measure(methods, made_by, dataset, chosen, folder):
    """Return a row for each of the `chosen` pairs: its photo, kind, and the measures of each method.

    `made_by` has the digest of the file that a method was made from; earlier measures of other files are not used.
    """
    path, rows, missing = folder / "items.jsonl", {}, []
    for row in read_jsonl(path) if path.exists() else []:
        rows[row["pair"]] = row
    for index in chosen:
        entry = dataset.annotations[index]
        row = rows.setdefault(pair_name(entry), {"pair": pair_name(entry), "photo": source_photo(entry),
                                                 "kind": entry.get("kind")})
        for name in [name for name in methods if row.get(name, {}).get("made by") != made_by[name]]:
            row.pop(name, None)
        missing += [index] if methods.keys() - row.keys() else []

    def results():
        for index in tqdm(missing, unit="pair"):
            sample, truth = dataset[index], next(iter(dataset.masks(index).values()), None)
            row = rows[sample["name"]]
            for name in methods:
                if name not in row:
                    edited = _edited(methods[name], sample, truth)
                    measures = judged(sample, edited.image)
                    row[name] = measures | {"made by": made_by[name]}
                    if name == SHOWN:
                        yield as_result(sample["name"], sample["request"], edited, sample["target"], measures)
            append_jsonl(path, [row])
    if missing:
        write_results(folder / "web", f"{SHOWN}: {folder.parent.parent.name}", results())
    return [rows[pair_name(dataset.annotations[index])] for index in chosen]


@torch.no_grad()
def _edited(method, sample, truth):
    """Return the Edited of a method; the input stays where the request cannot be done or names no region."""
    try:
        return method(sample, truth)
    except (Refusal, NotFound):
        return Edited(sample["input"], Plan())


def judged(sample, image):
    """Return the measures of an edit (3, H, W); None where there is nothing inside, or outside.

    "input" and "inside" are the L1 of the input and of the edit to the target inside the true mask. "leak" is the
    change outside; where the target is the input, the change of the whole picture is "unasked" instead.
    """
    inside = sample["masks"][0] > 0.5
    change = (image - sample["input"]).abs().mean(0)
    if not inside.any():
        return {"input": None, "inside": None, "leak": None, "unasked": change.mean().item()}
    return {"input": (sample["input"] - sample["target"]).abs().mean(0)[inside].mean().item(),
            "inside": (image - sample["target"]).abs().mean(0)[inside].mean().item(),
            "leak": None if inside.all() else change[~inside].mean().item(), "unasked": None}


def summarise(rows, name):
    """Return the figures of a method, each [mean, low, high]: "inside", "share", "leak", "unasked", and "kinds".

    "share" is the mean L1 inside over that of the inputs; "kinds" has it for each kind of pairs.
    """
    def figure(field, over=None, kind=None):
        chosen = [row for row in rows if row[name][field] is not None and kind in (None, row["kind"])]
        values, photos = [row[name][field] for row in chosen], [row["photo"] for row in chosen]
        below = [row[name][over] for row in chosen] if over else [1.0] * len(chosen)
        if not sum(below):
            return None
        return [sum(values) / sum(below), *(mean_interval(values, photos, over=below) or (None, None))]
    kinds = dict.fromkeys(row["kind"] for row in rows if row[name]["inside"] is not None)
    return {"inside": figure("inside"), "share": figure("inside", "input"), "leak": figure("leak"),
            "unasked": figure("unasked"),
            "kinds": {kind: figure("inside", "input", kind) for kind in kinds if kind is not None}}


def _cell(figure):
    if figure is None or figure[1] is None:
        return "-" if figure is None else f"{figure[0]:.4f}"
    return "{:.4f} [{:.4f}, {:.4f}]".format(*figure)


# The methods: each takes the options and returns a function (sample, true mask or None) -> Edited

def _identity(options):
    return lambda sample, truth: Edited(sample["input"], Plan())


def _inside_truth(planner):
    def edit(sample, truth):
        if truth is None:
            return Edited(sample["input"], Plan())
        return RegionPlanner(planner, lambda image, words: truth)(sample["input"], sample["request"], truth)
    return edit


def _local(options):
    return _inside_truth(_trained(options, options.trial))


def _blind(options):
    if options.blind is None:
        raise UserError("--rows blind: give --blind, the trial of the text-blind copy, or leave the row out")
    return _inside_truth(_trained(options, options.blind))


def _local_found(options):
    method = RegionPlanner(_trained(options, options.trial))
    return lambda sample, truth: method(sample["input"], sample["request"])


def _local_subject(options):
    method = RegionPlanner(_trained(options, options.trial), lambda image, words: found_mask(image, "the subject"))
    return lambda sample, truth: method(sample["input"], sample["request"])


def _crop(options):
    gate = _gate(options.planner)

    def edit(sample, truth):
        if truth is None:
            return Edited(sample["input"], Plan())
        finder = Truth(truth)
        reading = understand(sample["request"], local=True)
        placed = any(wish.where for wish in reading.wishes)
        given = None if placed else Region("", finder.find(Place("", "unknown")), truth)
        return LocalGate(gate, finder=lambda photo: finder, given=given)(sample["input"], sample["request"], reading)
    return edit


def _crop_found(options):
    method = LocalGate(_gate(options.planner))
    return lambda sample, truth: method(sample["input"], sample["request"])


def _whole(options):
    gate = _gate(options.planner)

    def edit(sample, truth):
        reading = understand(sample["request"], local=True)
        wishes = tuple(replace(wish, where=None) for wish in reading.wishes if wish.sign)
        return gate(sample["input"], sample["request"], replace(reading, wishes=wishes))
    return edit


def _planned(options):
    if options.plans is None:
        raise UserError("--rows planned: give --plans, the file of an action set, or leave the row out")
    plans = ActionSet(options.plans).plans()

    def edit(sample, truth):
        if sample["name"] not in plans:
            raise UserError(f"{options.plans}: has no plan of {sample['name']}; give the set of this phase")
        return Edited(sample["input"], plans[sample["name"]])
    return edit


MAKERS = dict(zip(ROWS, (_identity, _local, _local_found, _local_subject, _blind, _crop, _crop_found, _whole, _planned),
                  strict=True))


def _checkpoint(options, trial):
    return run_folder(EasyDict(options, trial=trial)) / options.checkpoint


def _digest(options, row):
    """Return a digest of the file that a row's method was made from; an empty text for the row identity."""
    if row == "identity":
        return ""
    path = (options.plans if row == "planned" else _checkpoint(options, options.blind) if row == "blind" else
            _checkpoint(options, options.trial) if row.startswith("local") else PlannerMethod.of(options.planner).path)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def _trained(options, trial):
    path = _checkpoint(options, trial)
    method = PlannerMethod.load(path, EXPERIMENT)
    if not method.planner.config.local:
        raise UserError(f"{path}: was trained without masks; give a trial with --local 1")
    return method


@functools.cache
def _gate(path):
    return Gate(PlannerMethod.of(path))


def arguments():
    parser = Parser(__doc__).add_data()
    parser.add_tested()
    parser.add_argument("--rows", type=some_of(ROWS, "row"), default=list(ROWS[:-1]), help="rows, with commas; by "
                        "default all but planned")
    parser.add_argument("--blind", type=number(int, 0), help="trial of the text-blind copy")
    parser.add_argument("--planner", metavar="PLANNER", help=CHECKPOINT_HELP)
    parser.add_argument("--plans", metavar="FILE", help="action set of the row planned")
    parser.add_argument("--short_edge", type=number(int, 1), default=600, help="pixels of the short edge to which "
                        "photos are shrunk")
    parser.add_argument("--pairs", type=number(int, 1), help="number of pairs, evenly spaced; by default all")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
