"""Edit a photo by a request: plan it on a thumbnail, carry the plan out at the photo's own resolution.

  python core/edit.py --img photo.jpg --request "brighten it a little and make the colours pop"
  python core/edit.py --img photo.jpg --replay photo_edited.plan.json --out again.jpg      # no network
  python core/edit.py --img photo.jpg --replay photo_edited.plan.json --out half.jpg --strength 0.5 --drop sharpness
  python core/edit.py --img photo.jpg --request "warmer" --export look.cube look.xmp       # with measured errors
  python core/edit.py --img holiday/ --request "warmer, please" --out edited/              # a whole folder

The plan is printed and saved beside the result; it is plain JSON, to be read, changed and replayed.
"""
import os
from pathlib import Path

import _init_paths  # noqa: F401
from tabulate import tabulate

from core.datasets import tokenize
from core.datasets.vocab import MAX_WORDS
from core.engine.cli import run
from core.engine.options import Parser
from core.engine.photos import add_output_flags, edit_folder, edit_photo, plan_beside, suffix_of
from core.files import UserError
from core.operators import Plan

DEMO = "output/synth_seq2seqL1_trial_100/best.pt"


def main():
    options = arguments().parse_args()
    if not options.img:   # what an unset shell variable leaves; it would mean the current folder
        raise UserError("--img: is empty; give a photo or a folder of photos")
    planner = open_planner(options)
    source = Path(options.img)
    if os.path.isdir(source):
        if options.plan:
            raise UserError(f"--plan {options.plan}: is for one photo; the plans of a folder lie beside its results")
        if options.export:
            raise UserError("--export: is for one photo; export from one of the folder's photos with --replay")
        edit_folder(source, planner, options)
        return
    out = Path(options.out) if options.out else source.with_name(f"{source.stem}_edited{suffix_of(source)}")
    plan_path = Path(options.plan or plan_beside(out))
    plan, notes = edit_photo(source, out, plan_path, planner, options)
    print(*notes, sep="\n", end="\n" if notes else "")
    print(tabulate([(index, step.op, step.describe()) for index, step in enumerate(plan, 1)] or [("-", "nothing", "")],
                   headers=("step", "operator", "parameters")))
    print(f"photo: {out}\nplan:  {plan_path}")


def open_planner(options):
    """Return a callable photo (3, H, W) -> Plan: a network with a request, or a plan to replay."""
    if options.replay:
        if options.request:
            raise UserError("--replay, --request: give one of them; a saved plan needs no request")
        plan = Plan.load(options.replay)
        return lambda image: plan
    words = tokenize(options.request or "")
    if not words:
        raise UserError("--request: say in words what to do, such as --request \"make it brighter\" "
                        "(or give --replay plan.json)")
    path = Path(options.checkpoint or DEMO)
    path = path / "best.pt" if path.is_dir() else path
    if not path.exists():
        raise UserError(f"{path}: no such checkpoint; `make demo` trains a small one, core/train_seq2seqL1.py a real "
                        f"one; then give its run folder by --checkpoint")
    from core.engine.editing import PlannerMethod
    method = PlannerMethod.load(path)
    if len(words) > MAX_WORDS:
        print(f"the request has {len(words)} words; the planner reads the first {MAX_WORDS}")
    if unknown := method.vocab.unknown(options.request):
        print(f"words that the planner does not know: {', '.join(dict.fromkeys(unknown))}")
    return lambda image: method.plans(image, [options.request])[0].plan


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--img", required=True, help="photo, or a folder of photos")
    parser.add_argument("--request", help="what to do, in words")
    parser.add_argument("--checkpoint", help="run folder or checkpoint of a planner; by default the one of `make demo`")
    parser.add_argument("--replay", metavar="PLAN", help="carry out a saved plan; no network, no request")
    parser.add_argument("--plan", help="where the plan is saved; by default beside the result, ending in .plan.json")
    return add_output_flags(parser)


if __name__ == "__main__":
    run(main)
