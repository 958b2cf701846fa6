"""Make RegionReq: local pairs of real photos with true regions, in GIER's format.

    python synthdata/gen_region.py --train photos/coco_train --test photos/coco_val

The photos have panoptic truth in COCO's format. A fifth of those of --train become val. Requests name regions by words
that fit no other region of the photo. Each input has several requests with different targets, so words are needed to
be right. Photos that are made are kept, so an interrupted run goes on where it stopped. See data/RegionReq/README.md.
"""
import argparse

import _init_paths  # noqa: F401
from tabulate import tabulate
from tqdm import tqdm

from core.datasets.annotations import PHASES
from core.datasets.panoptic import PanopticSet
from core.engine.cli import run
from core.files import UserError
from core.synthesis.local_pairs import KINDS
from core.synthesis.region_set import RegionSet, sources_of
from core.threads import threads

LEAST_SIDE = 64   # pixels


def parse_args():
    """Return the options of the command line. Raises UserError for an impossible value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--train", required=True, metavar="FOLDER", help="photos for train and val: images/, panoptic/, panoptic.json")
    add("--test", metavar="FOLDER", help="photos for test, in the same format (default: the set has no test phase)")
    add("--out", default="data/RegionReq", help="folder of the data set (default: %(default)s)")
    add("--side", type=int, default=512, help="largest side of the pictures in pixels (default: %(default)s)")
    add("--faults", type=int, default=2, help="scenes with degraded regions for each photo (default: %(default)s)")
    add("--requests", type=int, default=3, help="sentences for each pair (default: %(default)s)")
    add("--seed", type=int, default=0, help="seed of the split, the edits and the words (default: %(default)s)")
    options = parser.parse_args()
    for name, low in (("side", LEAST_SIDE), ("faults", 0), ("requests", 1), ("seed", 0)):
        if getattr(options, name) < low:
            raise UserError(f"--{name} {getattr(options, name)}: must be at least {low}")
    return options


def main():
    options = parse_args()
    train, test = (folder and PanopticSet(folder, options.side) for folder in (options.train, options.test))
    dataset = RegionSet(options.out, sources_of(train, test, options.seed), options.seed, options.faults,
                        options.requests)
    try:
        with threads(1):   # the pictures are small: threads would only wait for each other
            for source in tqdm(dataset.sources, desc="photos", unit="photo"):
                if not dataset.has(source):
                    dataset.make(source)
    finally:   # photos made before Ctrl-C or before a broken one are kept
        counts, dropped = dataset.save()
    phases = [phase for phase in PHASES if counts[phase]]
    rows = [(kind, *(counts[phase][kind] for phase in phases)) for kind in KINDS]
    print(tabulate([*rows, ("all", *(counts[phase].total() for phase in phases))], headers=("pairs", *phases)))
    print(tabulate([(kind, reason, count) for (kind, reason), count in sorted(dropped.items())],
                   headers=("dropped", "because", "times")))
    print(f"{sum(counts[phase].total() for phase in phases)} pairs in {dataset.folder}")


if __name__ == "__main__":
    run(main)
