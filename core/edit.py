"""Edit a photo by a request: plan the edit on a thumbnail, then execute the plan at the photo's own resolution.

  python core/edit.py --img photo.jpg --request "brighten it a little and make the colours pop"
  python core/edit.py --img photo.jpg --replay photo_edited.plan.json --out again.jpg      # no planner
  python core/edit.py --img photo.jpg --replay photo_edited.plan.json --out half.jpg --strength 0.5 --drop sharpness
  python core/edit.py --img photo.jpg --request "warmer" --export look.cube look.xmp       # with measured errors
  python core/edit.py --img holiday/ --request "warmer, please" --out edited/              # a whole folder

The plan is printed and saved beside the result; it is plain JSON that you can read, change and replay.
"""
import os
from pathlib import Path

import _init_paths  # noqa: F401
from tabulate import tabulate

from core.datasets import tokenize
from core.datasets.vocab import remarks
from core.engine.cli import run
from core.engine.options import CHECKPOINT_HELP, Parser
from core.files import UserError
from core.operators import Plan
from core.studio.jobs import add_output_flags, change, edit_folder, edit_photo, plan_beside, suffix_of


def main():
    options = arguments().parse_args()
    if not options.img:   # an unset shell variable gives "", which would mean the current folder
        raise UserError("--img: is empty; give a photo or a folder of photos")
    planner, originals = load_planner(options)
    source = Path(options.img)
    if os.path.isdir(source):
        if options.plan:
            raise UserError(f"--plan {options.plan}: is for one photo; leave it out for a folder of photos")
        if options.export:
            raise UserError("--export: is for one photo; replay a plan of the folder on its photo to export it")
        edit_folder(source, planner, options, originals)
        return
    out = Path(options.out) if options.out else source.with_name(f"{source.stem}_edited{suffix_of(source)}")
    plan_path = Path(options.plan or plan_beside(out))
    plan, notes = edit_photo(source, out, plan_path, planner, options, originals)
    print(*notes, sep="\n", end="\n" if notes else "")
    print(tabulate([(index, step.op, step.describe()) for index, step in enumerate(plan, 1)] or [("-", "nothing", "")],
                   headers=("step", "operator", "parameters")))
    if options.request and not plan.steps:
        print("the planner found nothing to change on this photo; try other words, or --set, such as "
              "--set brightness=0.2 (the result is a copy)")
    print(f"photo: {out}\nplan:  {plan_path}")


def load_planner(options):
    """Return (planner, originals): a callable Photo -> Plan, and files that must not be replaced.

    The planner is a network with the request, or a saved plan. If the flags change a saved plan, its file counts
    as an original: otherwise a second run would change the plan again.
    """
    if options.replay:
        if options.request:
            raise UserError("--replay, --request: give one of them; a saved plan needs no request")
        plan = Plan.load(options.replay)
        return lambda photo: plan, [options.replay] if change(plan, options)[0] != plan else []
    words = tokenize(options.request or "")
    if not words:
        raise UserError("--request: say in words what to do, such as --request \"make it brighter\" "
                        "(or give --replay plan.json)")
    from core.methods.planner import PlannerMethod
    method = PlannerMethod.of(options.checkpoint)
    if options.quick and not method.quick():
        print("--quick: has no effect here; it needs a planner with ResNet-18 and a processor with bfloat16")
    print(*remarks(method.vocab, options.request), f"planner: {method.path}", sep="\n")
    return lambda photo: method.plans(photo.srgb_tensor(), [options.request])[0].plan, []


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--img", required=True, help="photo, or a folder of photos")
    parser.add_argument("--request", help="the edit, in words")
    parser.add_argument("--checkpoint", help=CHECKPOINT_HELP)
    parser.add_argument("--quick", action="store_true", help="encode the photo in bfloat16: three times as fast with "
                        "ResNet-18; the plan may differ a little")
    parser.add_argument("--replay", metavar="PLAN", help="execute a saved plan, without planner and request")
    parser.add_argument("--plan", help="file for the plan; by default beside the result, ending in .plan.json")
    return add_output_flags(parser)


if __name__ == "__main__":
    run(main)
