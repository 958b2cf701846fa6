"""Find the plan that turns one photo into another, and apply the plan to other photos.

  python core/plan_pair.py --before raw.jpg --after retouched.jpg
  python core/plan_pair.py --before raw.jpg --after retouched.jpg --apply_to holiday/ --out holiday_edited/

The script prints the plan with the gain of each step and the remaining difference (L1, the mean absolute difference),
and saves the plan as JSON.
"""
from dataclasses import replace
from pathlib import Path

import _init_paths  # noqa: F401
from tabulate import tabulate

from core.engine.cli import run
from core.engine.options import Parser, number
from core.exports import check_export, holds
from core.files import UserError
from core.operators import TABLE, Step
from core.photo import read_photo, shrink
from core.planning import action_options, plan_pairs
from core.studio.flags import add_output_flags
from core.studio.jobs import (
    change,
    check_folder,
    check_results,
    edit_folder,
    limits,
    plan_beside,
    save_plan,
    write_exports,
)

SEARCHES = {3: (1, 6, 6), 4: (40, 1, 5)}   # by session: number of the action set, beam, most steps
SAME_SHAPE = 0.02   # largest relative difference of aspect ratios: scaled photos have rounded sides


def main():
    options = arguments().parse_args()
    plan_path = Path(options.plan or plan_beside(options.after))
    check_results((options.before, options.after), plan_path, options)
    if options.apply_to == "":   # an unset shell variable gives "", which would mean the current folder
        raise UserError("--apply_to: is empty; give a folder of photos")
    if options.apply_to:
        check_folder(options.apply_to, options)   # before the search
    elif options.out:
        raise UserError(f"--out {options.out}: is where --apply_to writes its photos; give --apply_to FOLDER too")
    before, after = read_pair(options)
    search = search_options(options)
    small = [shrink(photo, options.plan_size) for photo in (before, after)]
    same = before.space.same_primaries(after.space)   # the plan then applies to values in the RGB space of the photos
    found, = plan_pairs(*((photo.tensor() if same else photo.srgb_tensor())[None] for photo in small), search)
    plan, notes = change(found.plan, options)
    report(found, plan, notes)
    for path in options.export:
        check_export(path, options.overwrite, plan, options.split)
    save_plan(plan, plan_path, options.overwrite)
    print(f"plan:  {plan_path}")
    for line in write_exports(plan, before.pixels, options):
        print(line)
    if options.apply_to:
        options.export = []   # already written
        edit_folder(Path(options.apply_to), lambda photo: (found.plan, ()), options, (options.before, options.after))


def search_options(options):
    """Return the ActionOptions of the search: --operators, or the session's operators that every export can hold."""
    number, beam, steps = SEARCHES[options.session]
    chosen = options.operators and options.operators.split(",")
    if not chosen and options.session == 4:
        chosen = [name for name in action_options(number).operators
                  if all(holds(path, Step.make(name, TABLE[name].high)) for path in options.export)]
    return action_options(number, operators=chosen, beam=options.beam or beam, tolerance=options.tolerance,
                          max_steps=options.max_steps or steps)


def report(found, plan, notes):
    """Print the plan that was found and, if the flags change it, the changed plan that is saved and executed."""
    rows = [(index, step.op, step.describe(), f"{gain:.4f}")
            for index, (step, gain) in enumerate(zip(found.plan, found.gains, strict=True), 1)]
    print(tabulate(rows or [("-", "nothing", "", "")], headers=("step", "operator", "parameters", "gain in L1")))
    print(f"L1 before {found.l1_input:.4f}, remaining {found.l1_output:.4f}")
    print(*notes, sep="\n", end="\n" if notes else "")
    if plan != found.plan:
        print("changed to: " + (", ".join(f"{step.op} {step.describe()}" for step in plan) or "nothing"))


def read_pair(options):
    """Return the two photos, which have the same size and channels.

    Raises UserError if the photos differ in these, because a plan changes colours and does not crop, turn or stretch.
    With --convert only the aspect ratios must agree, and the second photo is resized to the first.
    """
    before, after = photos = [read_photo(path, **limits(options))
                              for path in (options.before, options.after)]
    for path, photo in zip((options.before, options.after), photos, strict=True):
        for note in photo.notes:
            print(f"{path}: {note}")
    (height, width), size = before.pixels.shape[:2], after.pixels.shape[:2]
    kinds = [_kind(photo) for photo in photos]
    differ = f"{options.after}: is {kinds[1]}, {options.before} is {kinds[0]}"
    if abs(height * size[1] / (width * size[0]) - 1) > SAME_SHAPE:
        raise UserError(f"{differ}; give two photos of the same shape, uncropped")
    if kinds[0] == kinds[1]:
        return before, after
    if not options.convert:
        raise UserError(f"{differ}; give two photos of one size and the same channels, or --convert")
    import cv2
    print(f"{differ}: converted")
    return before, replace(after, samples=cv2.resize(after.pixels, (width, height), interpolation=cv2.INTER_AREA))


def _kind(photo):
    """Describe the properties of a photo that must agree before pixels are compared."""
    height, width = photo.pixels.shape[:2]
    transparent = photo.alpha is not None and (photo.alpha < 1).any()
    return f"{width}x{height} {photo.colour}{' with transparency' if transparent else ''}"


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--before", required=True, help="the original photo")
    parser.add_argument("--after", required=True, help="the edited photo, of the same size and "
                        "channels")
    parser.add_argument("--convert", action="store_true", help="if the photos differ in size or channels, convert "
                        "--after to those of --before instead of refusing")
    parser.add_argument("--plan", help="file for the plan; by default beside --after, ending in .plan.json")
    parser.add_argument("--apply_to", "--apply-to", metavar="FOLDER", help="execute the plan on all photos of a folder")
    parser.add_argument("--session", type=int, choices=SEARCHES, default=4, help="operators to plan with: 4, the "
                        "develop panel (with --export only those that the formats hold), or 3, the six global ones of "
                        "the notebook")
    parser.add_argument("--operators", help="operators to plan with, such as brightness,tint, instead of a session's")
    parser.add_argument("--beam", type=number(int, 1), help="plans kept at each step; by default 1, with --session 3 "
                        "6")
    parser.add_argument("--max_steps", type=number(int, 1), help="largest number of steps of a plan; by default 5, "
                        "with --session 3 6")
    parser.add_argument("--tolerance", type=number(float, 0), default=0.002, help="L1 below which the search stops")
    parser.add_argument("--plan_size", type=number(int, 1), default=512, help="long edge in pixels for the search")
    return add_output_flags(parser)


if __name__ == "__main__":
    run(main)
