"""Find the plan that turns one photo into another, and do to others what was done to this one.

  python core/plan_pair.py --before raw.jpg --after retouched.jpg
  python core/plan_pair.py --before raw.jpg --after retouched.jpg --apply_to holiday/ --out holiday_edited/

Prints the plan with what each step gains (mean absolute difference, L1) and what remains, and saves it as JSON.
"""
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from tabulate import tabulate

from core.engine.cli import run
from core.engine.options import Parser, number
from core.engine.photos import add_output_flags, change, edit_folder
from core.files import UserError
from core.photo import read_photo, shrink
from core.photo.exports import export
from core.planning import action_options, plan_pairs


def main():
    options = arguments().parse_args()
    plan_path = Path(options.plan or Path(options.after).with_suffix(".plan.json"))
    if plan_path.exists() and not options.overwrite:
        raise UserError(f"{plan_path}: exists; give --overwrite or another --plan")
    before, after = read_pair(options)
    search = action_options(1, operators=options.operators and options.operators.split(","), beam=options.beam,
                            tolerance=options.tolerance, max_steps=options.max_steps)
    found, = plan_pairs(before[None], after[None], search)
    rows = [(index, step.op, step.describe(), f"{gain:.4f}")
            for index, (step, gain) in enumerate(zip(found.plan, found.gains, strict=True), 1)]
    print(tabulate(rows or [("-", "nothing", "", "")], headers=("step", "operator", "parameters", "gain in L1")))
    print(f"L1 before {found.l1_input:.4f}, remaining {found.l1_output:.4f}")
    plan = change(found.plan, options)
    plan.save(plan_path)
    print(f"plan:  {plan_path}")
    for path in options.export if not options.apply_to else ():
        pixels = before.permute(1, 2, 0).contiguous().numpy()
        print(export(plan, path, pixels, lut_size=options.lut_size, split=options.split, overwrite=options.overwrite))
    if options.apply_to:
        edit_folder(Path(options.apply_to), lambda image: found.plan, options)


def read_pair(options):
    """Return the two photos as (3, H, W) tensors of one size, small enough to plan on.

    Raises UserError where their shapes differ: a plan changes colours, it does not crop, turn or squeeze.
    """
    before, after = (shrink(read_photo(path), options.plan_size).pixels for path in (options.before, options.after))
    ratio = before.shape[0] * after.shape[1] / (before.shape[1] * after.shape[0])
    if abs(ratio - 1) > 0.02:
        raise UserError(f"{options.after}: is {after.shape[1]}x{after.shape[0]}, {options.before} is "
                        f"{before.shape[1]}x{before.shape[0]} (after shrinking); give two photos of the same shape, "
                        "uncropped")
    if after.shape != before.shape:
        import cv2
        after = cv2.resize(after, before.shape[1::-1], interpolation=cv2.INTER_AREA)
        print(f"{options.after}: resized to the size of {options.before}")
    pair = tuple(torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1) for pixels in (before, after))
    if not all(torch.isfinite(image).all() for image in pair):
        raise UserError(f"{options.before}, {options.after}: contain NaN or infinite pixels; export them again")
    return pair


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--before", required=True, help="the photo as it was")
    parser.add_argument("--after", required=True, help="the same photo, edited: of the same shape")
    parser.add_argument("--plan", help="where the plan is saved; by default beside --after, ending in .plan.json")
    parser.add_argument("--apply_to", "--apply-to", metavar="FOLDER", help="carry the plan out on all its photos")
    parser.add_argument("--operators", help="operators to plan with, such as brightness,tint; by default the six "
                        "global ones")
    parser.add_argument("--beam", type=number(int, 1), default=6, help="plans kept at each step")
    parser.add_argument("--max_steps", type=number(int, 1), default=6, help="longest plan")
    parser.add_argument("--tolerance", type=number(float, 0), default=0.002, help="L1 below which the search stops")
    parser.add_argument("--plan_size", type=number(int, 1), default=512, help="long edge at which the pair is compared")
    return add_output_flags(parser)


if __name__ == "__main__":
    run(main)
