"""Compare the searches for plans: distance, time, and how well plans transfer to other pixels and other photos.

For each action set the script prints the mean L1 before and after the plans, steps, and processor time a pair. Then for
--transfer pairs: the L1 of a plan found on one half of a photo and executed on the other half, against the half's own
plan; and the L1 of a plan found for a known edit of one photo and executed on another photo, against the known edit.
A last row has the free colour table fitted to each pair: no point-wise edit comes much nearer.
With --leave_out the search is repeated without each operator in turn.

  python misc/compare_searches.py --dataset RetouchReq --phase val --sets 1,40
"""
import statistics
import time

import _init_paths  # noqa: F401
import torch
from tabulate import tabulate
from tqdm import tqdm

from core.datasets.annotations import pair_name
from core.engine.cli import run
from core.engine.data import load_phase
from core.engine.language import load_language
from core.engine.options import Parser, number, parse, some_of
from core.engine.publish import publish
from core.methods.planner import THUMBNAIL
from core.operators import Plan, Step, execute
from core.planning import action_options, plan_pairs
from core.planning.action_sets import read_sets
from core.planning.cluster import plan_samples

BATCH = 32
CELLS = 32   # cells of a colour table in each direction


def main():
    options = parse(arguments())
    dataset = load_phase(options, options.phase, load_language(options).vocab, size=THUMBNAIL,
                         cache=f"{options.output}/cache")
    first = {}   # several entries may hold the same pair, each with another request
    for index, entry in enumerate(dataset.annotations):
        first.setdefault(pair_name(entry), index)
    samples = [dataset[index] for index in list(first.values())[:options.limit]]
    rows = []
    for text in options.sets:
        search = action_options(int(text), tolerance=options.tolerance)
        rows.append({"search": f"set {text}"} | distances(samples, search)
                    | transfer(samples, search, options.transfer))
        if options.leave_out:
            for name in search.operators:
                rest = action_options(int(text), tolerance=options.tolerance,
                                      operators=[other for other in search.operators if other != name])
                rows.append({"search": f"set {text} without {name}"} | distances(samples, rest))
    rows.append({"search": f"table of {CELLS}³ colours for each pair"} | table(samples))
    print(tabulate(rows, headers="keys", floatfmt=".4f"))
    publish(options, "searches", {"rows": rows})


def distances(samples, search):
    """Return the mean distances of the plans of all pairs, their steps, and the processor time of a pair."""
    begun, planned = time.process_time(), []
    by_shape = {}
    for sample in samples:
        by_shape.setdefault(sample["input"].shape, []).append(sample)
    batches = [group[start:start + BATCH] for group in by_shape.values() for start in range(0, len(group), BATCH)]
    for batch in tqdm(batches, desc=f"plans of {len(samples)} pairs", unit="batch"):
        planned += plan_samples(search, batch)
    seconds = (time.process_time() - begun) / len(samples)
    return {"L1 before": statistics.mean(found.l1_input for found in planned),
            "L1 after": statistics.mean(found.l1_output for found in planned),
            "median L1 after": statistics.median(found.l1_output for found in planned),
            "steps": statistics.mean(len(found.plan) for found in planned), "seconds": seconds}


def table(samples):
    """Return the mean distances left by the colour table fitted to each pair: the mean change of each cell's pixels."""
    left = []
    for sample in samples:
        before, change = sample["input"].flatten(1), (sample["target"] - sample["input"]).flatten(1)
        cell = (before * CELLS).long().clamp_max(CELLS - 1)
        cell = (cell[0] * CELLS + cell[1]) * CELLS + cell[2]
        count = cell.bincount().clamp_min(1)
        left.append(statistics.mean((channel - (cell.bincount(channel) / count)[cell]).abs().mean().item()
                                    for channel in change.double()))
    before = statistics.mean(l1(sample["input"], sample["target"]) for sample in samples)
    return {"L1 before": before, "L1 after": statistics.mean(left), "median L1 after": statistics.median(left)}


def transfer(samples, search, count):
    """Return how plans do on the other half of their photo and on another photo, over `count` evenly spaced pairs."""
    chosen = samples[::max(1, len(samples) // count)][:count]
    other, own, known = [], [], []
    draws = torch.Generator().manual_seed(0)
    for index, sample in enumerate(tqdm(chosen, desc="transfer", unit="pair")):
        before, after = sample["input"], sample["target"]
        middle = before.shape[-1] // 2
        halves = [(picture[0][..., part], picture[1][..., part]) for part in (slice(middle), slice(middle, None))
                  for picture in [(before, after)]]
        plans = [plan_one(*half, search) for half in halves]
        other += [l1(execute(plans[1 - side], half[0]), half[1]) for side, half in enumerate(halves)]
        own += [l1(execute(plans[side], half[0]), half[1]) for side, half in enumerate(halves)]
        edit, stranger = random_edit(draws), chosen[(index + 1) % len(chosen)]["input"]
        found = plan_one(before, execute(edit, before), search)
        known.append(l1(execute(found, stranger), execute(edit, stranger)))
    return {"other half": statistics.mean(other), "own half": statistics.mean(own),
            "median of a known edit on another photo": statistics.median(known)}


def random_edit(draws):
    """Return a random Plan of the develop panel: exposure, white balance, contrast and saturation."""
    light, warm, green, contrast, colour = (torch.rand(5, generator=draws) * 2 - 1).tolist()
    return Plan((Step.make("exposure_soft", [0.7 * light]), Step.make("white_balance", [warm, 0.5 * green]),
                 Step.make("contrast_pivot", [0.4 * contrast, 0.5]), Step.make("chroma", [0.45 * colour])))


def plan_one(before, after, search):
    return plan_pairs(before[None], after[None], search)[0].plan


def l1(image, target):
    return (image - target).abs().mean().item()


def arguments():
    parser = Parser(__doc__).add_data()
    group = parser.add_argument_group("comparison")
    group.add_argument("--phase", default="val", help="phase of the pairs")
    group.add_argument("--sets", type=some_of(list(map(str, read_sets())), "set"), default=["1", "40"],
                       help="numbers of the action sets, with commas; 1 has the notebook's operators, 40 the panel")
    group.add_argument("--tolerance", type=number(float, 0), help="L1 below which a search stops; by default 0.01")
    group.add_argument("--transfer", type=number(int, 2), default=30, help="number of pairs for the transfer")
    group.add_argument("--limit", type=number(int, 2), help="use the first pairs only")
    group.add_argument("--leave_out", action="store_true", help="repeat the search without each operator in turn")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
