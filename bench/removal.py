"""Measure how long a removal takes on a photo of 12 megapixels, on all cores: seconds, and memory beyond the photo.

  python bench/removal.py
  python bench/removal.py --publish removal       # then `make tables`: the table in docs/removals.md

The removed disc covers 5% of the picture. Each inpainter executes a plan of one step. The second call in
a process is timed, because the first call also loads the compiled code; the memory is measured in the first call.
"""
import _init_paths  # noqa: F401
import numpy as np
from tabulate import tabulate

from bench import inputs
from bench.measure import measure
from core.datasets import to_tensor
from core.engine.cli import run
from core.engine.options import Parser
from core.engine.publish import publish
from core.operators import Mask, Plan, Step, execute
from core.operators.inpaint import FILLER, INPAINTERS

SIZE, QUICK = (4000, 3000), (320, 240)
SHARE = 0.05            # of the picture that is removed
TARGET = (8.0, 800)     # seconds, megabytes


def main():
    options = arguments().parse_args()
    image = to_tensor(inputs.photo(*(QUICK if options.quick else SIZE)))
    height, width = image.shape[1:]
    y, x = np.mgrid[:height, :width]
    disc = (x - width * 0.45) ** 2 + (y - height * 0.55) ** 2 <= SHARE * height * width / np.pi
    rows = []
    for name in (FILLER, *(other for other in INPAINTERS if other != FILLER)):
        plan = Plan((Step.make("inpaint_obj", (), Mask.from_array(disc), name),))
        seconds, megabytes = measure(name, lambda plan=plan: execute(plan, image), 1)
        rows.append({"what": name, "s": seconds, "MB": megabytes and max(megabytes, 0.0),
                     "met": seconds <= TARGET[0] and (megabytes or 0) <= TARGET[1]})
    publish(options, "removal", {"megapixels": height * width / 1e6, "share": SHARE, "rows": rows})
    print(tabulate([[row["what"], f"{row['s']:.2f}", f"{row['MB'] or 0:.0f}", "yes" if row["met"] else "NO"]
                    for row in rows], headers=("inpainter", "s", "MB", "met"), disable_numparse=True))
    if options.quick:
        print("--quick: the photo is too small to measure speed")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny photo, to test the bench itself")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
