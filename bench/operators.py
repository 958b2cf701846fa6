"""Measure each operator on a photo of 900 x 600 and of 24 megapixels: seconds, and memory beyond photo and result.

  python bench/operators.py
  python bench/operators.py --operators clarity,dehaze
  python bench/operators.py --publish operators       # then `make tables`: the table in docs/speed.md

The time is the shortest of several calls on all cores by the clock, from a decoded photo to the result; the time on the
cores adds up the work of each core, which other processes change little. The memory is the peak of the first call. The
parameters are at .7 of the way from their lower to their upper bounds, except those of SETTINGS.
"""
from dataclasses import dataclass

import _init_paths  # noqa: F401
import torch
from tabulate import tabulate
from tqdm import tqdm

from bench import inputs
from bench.measure import measure, seconds_on_cores
from core.datasets import to_tensor
from core.engine.cli import run
from core.engine.options import Parser, some_of
from core.engine.publish import publish
from core.operators import TABLE, Mask, Plan, Step, execute

SETTINGS = {"rotate": [3.0], "crop": [0.1] * 4}   # a straightened photo, and one that loses 10% at each side
HOLE = 0.1   # share of the sides that the mask of an operator covers that needs one, in the middle
MOST_SECONDS, MOST_MEGABYTES = 1.5, 400   # the targets on the large photo


@dataclass(frozen=True)
class Sizes:
    """Sizes of the photos (width, height) in pixels, and the measured calls."""

    small: tuple[int, int] = (900, 600)
    large: tuple[int, int] = (6000, 4000)
    small_runs: int = 3
    large_runs: int = 2


QUICK = Sizes((90, 60), (120, 80), 1, 1)


def main():
    options = arguments().parse_args()
    sizes = QUICK if options.quick else Sizes()
    rows = measured(options.operators, sizes)
    publish(options, "operators", {"sizes": {"small": sizes.small, "large": sizes.large}, "rows": rows})
    print(tabulate([[_cell(value) for value in row.values()] for row in rows], rows[0].keys(), disable_numparse=True))
    if options.quick:
        print("--quick: the sizes are too small to measure speed")


def measured(names, sizes):
    """Return a row for each operator: dicts with its name, seconds and megabytes at both sizes, and `met`."""
    photos = {size: to_tensor(inputs.photo(*getattr(sizes, size))) for size in ("small", "large")}
    rows = []
    for name in tqdm(names, desc="bench", unit="operator"):
        row = {"operator": name}
        for size, image in photos.items():
            plan = Plan((step_of(TABLE[name], *image.shape[-2:]),))
            def work(plan=plan, image=image):
                return execute(plan, image)
            row[f"s, {size}"], taken = measure(f"{name}, {size}", work, getattr(sizes, f"{size}_runs"), best=True)
            row[f"s on cores, {size}"] = seconds_on_cores(work, 1)
            row[f"MB, {size}"] = taken and max(taken, 0.0)   # freed caches can make it negative
        seconds = min(row["s, large"], row["s on cores, large"])   # a quiet machine takes no longer than its cores work
        row["met"] = seconds <= MOST_SECONDS and (row["MB, large"] or 0) <= MOST_MEGABYTES
        rows.append(row)
    return rows


def step_of(row, height, width):
    """Return the step of an operator that is measured on a photo of this size."""
    mask = None
    if row.local:
        hole = torch.zeros(height, width)
        hole[int(height * (1 - HOLE) / 2):int(height * (1 + HOLE) / 2),
             int(width * (1 - HOLE) / 2):int(width * (1 + HOLE) / 2)] = 1
        mask = Mask.from_array(hole.numpy())
    return Step.make(row.name, SETTINGS.get(row.name, row.low + 0.7 * (row.high - row.low)), mask)


def _cell(value):
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--operators", type=some_of(TABLE, "operator"), default=",".join(TABLE), help="operators, "
                        "separated by commas; by default all")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and single runs, to test the bench itself")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
