"""Measure how long regions take on a photo of 24 megapixels, on one core: seconds, and memory beyond the photo.

  python bench/regions.py
  python bench/regions.py --publish regions       # then `make tables`: the table in docs/regions.md

The first region includes the detector and the fit of the mask to the photo; a further region includes its own mask. The
time is the shortest of several calls, from a decoded photo to the mask of a plan; the memory is the peak of the first
call. The networks are loaded before.
"""
import _init_paths  # noqa: F401
from tabulate import tabulate

from bench import inputs
from bench.measure import measure
from core.datasets import to_tensor
from core.engine.cli import run
from core.engine.options import Parser
from core.engine.publish import publish
from core.filters import preview
from core.finding.finder import MASK_SIDE, Finder, mask_for
from core.finding.things import Detection, detect, mask_of
from core.threads import threads

SIZE, QUICK, RUNS = (6000, 4000), (600, 400), 3
TARGETS = {"detector and first region": (1.5, 400), "further region": (0.3, 400)}   # seconds, megabytes
BOX = (100.0, 150.0, 400.0, 420.0)   # of the thing of the further region, in the picture of 640 pixels


def main():
    options = arguments().parse_args()
    image = to_tensor(inputs.photo(*(QUICK if options.quick else SIZE)))
    with threads(1):
        large = preview(image, MASK_SIDE)   # which an edit makes once
        finder = Finder(large)
        works = {"detector and first region": lambda: first(image),
                 "further region": lambda: mask_for(mask_of(finder.image, Detection("person", 0.9, BOX)), large)}
        rows = []
        for name, work in works.items():
            seconds, megabytes = measure(name, work, 1 if options.quick else RUNS, best=True)
            rows.append({"what": name, "s": seconds, "MB": megabytes and max(megabytes, 0.0),
                         "met": seconds <= TARGETS[name][0] and (megabytes or 0) <= TARGETS[name][1]})
    publish(options, "regions", {"megapixels": image.shape[1] * image.shape[2] / 1e6, "rows": rows})
    print(tabulate([[row["what"], f"{row['s']:.2f}", f"{row['MB'] or 0:.0f}", "yes" if row["met"] else "NO"]
                    for row in rows], headers=("what", "s", "MB", "met"), disable_numparse=True))
    if options.quick:
        print("--quick: the photo is too small to measure speed")


def first(image):
    """Return the mask of the sky on a photo, with all that finding it needs, and the detector."""
    large = preview(image, MASK_SIDE)
    finder = Finder(large)
    detect(finder.image)
    return mask_for(finder.find("the sky"), large)


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny photo and single runs, to test the bench itself")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
