"""Demonstrate a planner: edit a new photo by plain requests and measure the attributes that they ask to change.

Prints a table (attribute of each request, its value before and after, whether it moved as asked). Writes a page of the
edits.

  python core/demo_seq2seqL1.py                              # the planner that ships (data/planner)
  python core/demo_seq2seqL1.py --trial 100 --dataset synth
"""
from pathlib import Path

import _init_paths  # noqa: F401
from tabulate import tabulate

from core.datasets import fit_short_edge, to_tensor
from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import Parser, parse
from core.engine.publish import publish
from core.files import write_json
from core.methods.generator import load_photo
from core.methods.planner import SHIPPED, PlannerMethod, as_result
from core.metrics import attributes
from core.pages import write_results

EXPERIMENT = "seq2seqL1"
# each request with the attributes that it should move, and their directions
REQUESTS = {
    "make it brighter": {"mean_luminance": +1},
    "make it darker": {"mean_luminance": -1},
    "increase the saturation": {"chroma": +1},
    "make it less colorful": {"chroma": -1},
    "increase the contrast": {"contrast": +1},
    "reduce the contrast": {"contrast": -1},
    "sharpen it": {"sharpness": +1},
    "blur it a bit": {"sharpness": -1},
    "brighten it a little and make the colours pop": {"mean_luminance": +1, "chroma": +1},
}


def main():
    options = parse(arguments(), EXPERIMENT)
    if options.trial is None:
        folder, checkpoint = Path(options.output) / "planner_that_ships", SHIPPED
    else:
        folder = run_folder(options)
        checkpoint = folder / options.checkpoint
    method, page = PlannerMethod.load(checkpoint, EXPERIMENT), folder / "demo" / "web"
    name, pixels = load_photo(options.img, page)
    image = to_tensor(fit_short_edge(pixels, options.short_edge))
    table, results = [], []
    for request, wishes in REQUESTS.items():
        edited, measured = method(image, request), {}
        for attribute, direction in wishes.items():
            before, after = (getattr(attributes, attribute)(x[None]).item() for x in (image, edited.image))
            table.append((request, " ".join(step.op for step in edited.plan) or "nothing", attribute.replace("_", " "),
                          before, after, "yes" if (after - before) * direction > 0 else "NO"))
            measured |= {f"{attribute} before": before, f"{attribute} after": after}
        results.append(as_result(request, request, edited, metrics=measured))
    headers = ("request", "plan", "attribute", "before", "after", "obeys")
    print(f"{name}, {image.shape[2]}x{image.shape[1]}, planner {checkpoint}")
    print(tabulate(table, headers=headers, floatfmt=".4f"))
    write_results(page, f"{folder.name} on {name}", results)
    rows = [dict(zip(headers, row, strict=True)) for row in table]
    write_json(folder / "demo" / "obedience.json", rows, indent=1)
    publish(options, "demo", {"photo": name, "size": list(image.shape[1:]), "rows": rows})
    print(f"page: {page / 'index.html'}")


def arguments():
    parser = Parser(__doc__).add_data()
    parser.add_test().add_publish()
    parser.set_defaults(trial=None)   # the planner that ships
    parser.add_argument("--img", help="photo; by default the bundled photo of the test phase")
    return parser


if __name__ == "__main__":
    run(main)
