"""Edit a photo by a request: plan the edit on a thumbnail, then execute the plan at the photo's own resolution.

  python core/edit.py --img photo.jpg --request "brighten it a little and make the colours pop"
  python core/edit.py --img photo.jpg --request "warmer, and remove the bin" --explain      # only warmer
  python core/edit.py --img photo.jpg --request "make the sky bluer and brighten the man on the left"
  python core/edit.py --img photo.jpg --request "brighten it" --region "the dog"             # or --mask mask.png
  python core/edit.py --img photo.jpg --request "remove the man on the left"
  python core/edit.py --img photo.jpg --request "make the background transparent" --out dog.png
  python core/edit.py --img photo.jpg --replay photo_edited.plan.json --out again.jpg      # no planner
  python core/edit.py --img photo.jpg --replay photo_edited.plan.json --out half.jpg --strength 0.5 --drop sharpness
  python core/edit.py --img photo.jpg --request "warmer" --export look.cube look.xmp       # with measured errors
  python core/edit.py --img holiday/ --request "warmer, please" --out edited/              # a whole folder
  python core/edit.py --jobs jobs.csv                                # rows img,request,out in one process

The request is read first, and each wish is checked on a preview of the result. A wish for a part of the photo is done
inside a soft mask; the words, source and share of each region are printed. A removal fills the region of a thing with
patches of the photo; shadows and reflections stay. The plan is printed and saved beside the
result; it is plain JSON that you can read, change and replay. Exit codes: 0 done, also for a request to change
nothing (the result is a copy); 2 bad input, or a photo or a row failed; 3 nothing in the request can be done, or a
region is not found, and no file is written.
"""
import os
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import CHECKPOINT_HELP, Parser
from core.files import UserError
from core.lazy import importing
from core.requests.place import MISSING
from core.studio.flags import add_output_flags

# Other modules are imported where they are needed: --help imports no library of numbers, and --replay no PyTorch.


def main():
    options = arguments().parse_args()
    from core.studio.jobs import check_results, edit_folder, edit_photo, plan_beside, suffix_of
    if options.jobs is not None:
        edit_jobs(options)
        return
    if not options.img:   # an unset shell variable gives "", which would mean the current folder
        raise UserError("--img: is empty; give a photo or a folder of photos, or a list of edits by --jobs")
    for name in ("region", "mask", "show_masks"):
        if getattr(options, name) == "":
            raise UserError(f"--{name}: is empty; give a value, or leave the flag out")
    if options.region and options.mask:
        raise UserError("--region, --mask: give one of them")
    source = Path(options.img)
    if not os.path.lexists(source):
        raise UserError(f"{source}: no such file")   # said before a planner is loaded
    if os.path.isdir(source):
        if options.plan:
            raise UserError(f"--plan {options.plan}: is for one photo; leave it out for a folder of photos")
        if options.export:
            raise UserError("--export: is for one photo; replay a plan of the folder on its photo to export it")
        if options.mask or options.show_masks:
            raise UserError("--mask, --show_masks: are for one photo; leave them out for a folder of photos")
        planner, originals = load_planner(options)
        edit_folder(source, planner, options, originals)
        return
    out = Path(options.out) if options.out else source.with_name(f"{source.stem}_edited{suffix_of(source)}")
    plan_path = Path(options.plan or plan_beside(out))
    check_results((source,), plan_path, options, out)
    planner, originals = load_planner(options)
    with importing("core.operators.samples", "llvmlite.binding", "tabulate"):
        plan, notes = edit_photo(source, out, plan_path, planner, options, originals)
    print(*notes, sep="\n", end="\n" if notes else "")
    from tabulate import tabulate
    if not (options.explain and options.request) or plan != planner.answer.plan:
        print(tabulate([(index, step.op, step.describe()) for index, step in enumerate(plan, 1)]
                       or [("-", "nothing", "")], headers=("step", "operator", "parameters")))
    if options.request and not plan.steps:
        print("nothing was changed; the result is a copy")
    print(f"photo: {out}\nplan:  {plan_path}")


def edit_jobs(options):
    """Edit the rows of --jobs. Raises UserError for flags of a single edit, before a planner is loaded."""
    for name in ("img", "request", "out", "plan", "replay", "export", "region", "mask", "show_masks"):
        if getattr(options, name):
            raise UserError(f"--jobs, --{name}: give one of them; the rows of the jobs file name photos, requests and "
                            "results")
    if not options.jobs:
        raise UserError("--jobs: is empty; give a CSV or .jsonl file")
    from core.operators.plan import Plan
    from core.studio.jobs import change
    from core.studio.rows import edit_rows, read_rows
    read_rows(Path(options.jobs))   # a bad file is named before a planner is loaded
    change(Plan(), options)   # checks the flags
    edit_rows(options.jobs, load_gate(options), options)


def load_planner(options):
    """Return (planner, originals): a callable Photo -> (Plan, notes), and files that must not be replaced.

    The planner is a network with the request, or a saved plan. If the flags change a saved plan, its file counts
    as an original: otherwise a second run would change the plan again.
    """
    if options.replay:
        if options.request:
            raise UserError("--replay, --request: give one of them; a saved plan needs no request")
        if options.region or options.mask:
            raise UserError("--replay: a saved plan holds its masks; leave --region and --mask out")
        from core.operators.plan import Plan
        from core.studio.jobs import change
        plan = Plan.load(options.replay)
        return lambda photo: (plan, ()), [options.replay] if change(plan, options)[0] != plan else []
    if not (options.request or "").strip():
        raise UserError("--request: say in words what to do, such as --request \"make it brighter\" "
                        "(or give --replay plan.json)")
    from core.methods.gate import understand
    from core.studio.jobs import for_request
    reading = understand(options.request, local=True)   # a refusal needs no planner
    options.transparent = for_request(options, reading).transparent
    return Asked(load_gate(options), options), []


class Asked:
    """A callable Photo -> (Plan, notes) that plans by --request; `answer` is the gate's last Answer."""

    def __init__(self, gate, options):
        self.gate, self.options, self.answer = gate, options, None

    def __call__(self, photo):
        from core.studio.masks import read_mask, show_regions
        image = photo.srgb_tensor()
        if self.options.mask:
            self.gate.given = read_mask(self.options.mask, image)
        self.answer = self.gate(image, self.options.request)
        if self.options.show_masks:
            show_regions(self.options.show_masks, image, self.answer.regions or ())
        return self.answer.plan, [self.answer.explain()] if self.options.explain else self.answer.notes


def load_gate(options):
    """Return the LocalGate before the planner of --checkpoint."""
    from core.finding.finder import finder_of
    from core.methods.gate import Gate
    from core.methods.local import LocalGate
    from core.methods.planner import PlannerMethod
    from core.studio.masks import ask_region
    method = PlannerMethod.of(options.checkpoint)
    if options.quick and not method.quick():
        print("--quick: has no effect here; it needs a planner with ResNet-18 and a processor with bfloat16")
    print(f"planner: {method.path}")
    finder = finder_of
    if options.regions == "grounder":
        from core.methods.grounded import load_finder
        finder = load_finder(options.grounder)
    return LocalGate(Gate(method), options.on_missing, options.region or "", ask=ask_region, finder=finder)


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--img", help="photo, or a folder of photos")
    parser.add_argument("--request", help="the edit, in words")
    parser.add_argument("--explain", action="store_true", help="print the wishes with the words that state them, "
                        "how far each wish moved its attribute, and which steps come from the keyword plan")
    group = parser.add_argument_group("regions")
    group.add_argument("--region", metavar="WORDS", help="edit only this part of the photo, such as \"the dog\"; "
                       "a place in the request stands over it")
    group.add_argument("--mask", metavar="FILE", help="edit only where this picture is light; it needs the photo's "
                       "aspect ratio")
    group.add_argument("--regions", choices=("rules", "grounder"), default="rules", help="what chooses among the "
                       "things and the stuff of the photo: rules, or a network of core/train_ground.py")
    group.add_argument("--grounder", metavar="PATH", default="output/RegionReq_ground_trial_101", help="run folder or "
                       "checkpoint of the grounder")
    group.add_argument("--on_missing", choices=MISSING, default="fail", help="if a region is not found: fail with exit "
                       "code 3, edit the whole photo (global), or ask which region of the photo is meant")
    group.add_argument("--show_masks", metavar="DIR", help="write the mask of each region, and a picture of all "
                       "regions on the photo, into this folder")
    parser.add_argument("--jobs", metavar="FILE", help="edit the rows of a CSV or .jsonl file with the fields img, "
                        "request and out; FILE.results.jsonl gets a line for each row; relative paths start at the "
                        "folder of FILE; an interrupted run resumes")
    parser.add_argument("--checkpoint", help=CHECKPOINT_HELP)
    parser.add_argument("--quick", action="store_true", help="encode the photo in bfloat16: three times as fast with "
                        "ResNet-18; the plan may differ a little")
    parser.add_argument("--replay", metavar="PLAN", help="execute a saved plan, without planner and request")
    parser.add_argument("--plan", help="file for the plan; by default beside the result, ending in .plan.json")
    return add_output_flags(parser)


if __name__ == "__main__":
    run(main)
