"""Check a data set before a long run: list every unusable entry by name, with the reason.

    python prepro/filter_gif_data.py --dataset FiveK --session 1
    python prepro/filter_gif_data.py --dataset FiveK --session 1 --fix

The check finds missing, empty, truncated and animated images, files that are no images, pairs of different shapes,
missing fields, NaN, duplicates, and photos that occur in two phases. --fix writes annotations/{phase}_sess_{S}.json
without the broken entries and keeps the original (as {phase}_sess_{S}.orig.json if the original has the same name).
The exit code is 0 if there is no problem or all problems were fixed, and 1 if problems remain.
"""
import argparse
import shutil
import sys
from collections import Counter
from itertools import count

import _init_paths  # noqa: F401

from core.datasets import get_source
from core.datasets.annotations import PHASES, annotation_path, existing_phases
from core.datasets.checks import RESIZE, check_dataset, clean_entries
from core.engine.cli import run
from core.files import UserError, replacing, write_json


def parse_args():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="FiveK", help="name of the data set (default: %(default)s)")
    parser.add_argument("--data_root", help="folder of the data set (default: the data set's own, data/<dataset>)")
    parser.add_argument("--session", type=int, default=1,
                        help="number in the names of the annotations (default: %(default)s)")
    parser.add_argument("--phases", nargs="+", choices=PHASES, help="phases to check (default: all that exist)")
    parser.add_argument("--fix", action="store_true",
                        help="write clean annotations and keep the originals (default: only list)")
    return parser.parse_args()


def write_clean(root, phase, session, entries):
    """Write clean annotations to the file that loaders try first; an original there is first copied to *.orig.json."""
    original = annotation_path(root, phase, session)
    path = original.with_name(f"{phase}_sess_{session}.json")
    if path == original:
        names = (path.with_name(f"{path.stem}.orig{number or ''}.json") for number in count())
        original = next(name for name in names if not name.exists())
        with open(path, "rb") as source, replacing(original) as copy:
            shutil.copyfileobj(source, copy)
    write_json(path, entries)
    print(f"{path}: {len(entries)} entries; the original is {original}")


def main():
    """List the problems, fix them if --fix is given, and exit with 1 if problems remain."""
    options = parse_args()
    root = options.data_root or get_source(options.dataset).root
    phases = options.phases or existing_phases(root, options.session)
    entries, problems = check_dataset(root, phases, options.session)
    for problem in problems:
        print(problem)
    for phase in phases:
        found = Counter(problem.remedy for problem in problems if problem.phase == phase)
        counts = ", ".join(f"{number} {remedy}" for remedy, number in found.items()) or "nothing wrong"
        print(f"{phase}: {len(entries[phase])} entries; {counts}")

    broken = [phase for phase in phases
              if any(problem.phase == phase and problem.remedy != RESIZE for problem in problems)]
    if options.fix:
        clean = {phase: clean_entries(phase, entries[phase], problems) for phase in broken}
        empty = [phase for phase in broken if not clean[phase]]
        if empty:
            raise UserError(f"{root}: no entry of {empty[0]} would be left, so nothing was fixed; "
                            f"are the photos in {root}/images?")
        for phase in broken:
            write_clean(root, phase, options.session, clean[phase])
    elif broken:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
