"""Edit a photo by a request: plan it on a thumbnail, carry the plan out at the photo's own resolution.

  python core/edit.py --img photo.jpg --request "brighten it a little and make the colours pop"
  python core/edit.py --img photo.jpg --replay photo_edited.plan.json --out again.jpg      # no network
  python core/edit.py --img holiday/ --request "warmer, please" --out edited/              # a whole folder

The plan is printed and saved beside the result; it is plain JSON, to be read, changed and replayed.
"""
from pathlib import Path

import _init_paths  # noqa: F401
from tabulate import tabulate
from tqdm import tqdm

from core.datasets import tokenize
from core.engine.cli import run
from core.engine.options import Parser
from core.files import UserError
from core.operators import Plan, execute
from core.photo import (
    RAW_SUFFIXES,
    SUBSAMPLINGS,
    check_output,
    from_tensor,
    list_photos,
    read_photo,
    shrink,
    write_photo,
)

DEMO = "output/synth_seq2seqL1_trial_100/best.pt"
WORDS = 15   # that a planner reads


def main():
    options = arguments().parse_args()
    planner = open_planner(options)
    source = Path(options.img)
    if source.is_dir():
        edit_folder(source, planner, options)
        return
    out = Path(options.out) if options.out else source.with_name(f"{source.stem}_edited{suffix_of(source)}")
    plan_path = Path(options.plan or out.with_suffix(".plan.json"))
    for note in edit_photo(source, out, plan_path, planner, options):
        print(note)
    plan = Plan.load(plan_path)
    print(tabulate([(index, step.op, step.describe()) for index, step in enumerate(plan, 1)] or [("-", "nothing", "")],
                   headers=("step", "operator", "parameters")))
    print(f"photo: {out}\nplan:  {plan_path}")


def open_planner(options):
    """Return a callable photo tensor -> (plan, notes): a network with a request, or a plan to replay."""
    if options.replay:
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
    if len(words) > WORDS:
        print(f"the request has {len(words)} words; the planner reads the first {WORDS}")
    if unknown := method.vocab.unknown(options.request):
        print(f"words that the planner does not know: {', '.join(dict.fromkeys(unknown))}")
    return lambda image: method.plans(image, [options.request])[0].plan


def edit_photo(source, out, plan_path, planner, options):
    """Edit one file; return notes on what reading and writing changed."""
    check_output(out, options.overwrite)
    photo = read_photo(source, int(options.max_megapixels * 1e6))
    if options.size:
        photo = shrink(photo, options.size)
    image = photo.tensor()
    plan = planner(image)
    notes = write_photo(out, from_tensor(execute(plan, image)), like=photo, quality=options.quality,
                        subsampling=options.subsampling, overwrite=options.overwrite)
    plan.save(plan_path)
    return [*photo.notes, *notes]


def edit_folder(folder, planner, options):
    """Edit every photo of a folder; what cannot be edited is counted and named at the end."""
    target = Path(options.out or f"{folder.resolve()}_edited")
    failures, sources = [], list_photos(folder)
    for source in tqdm(sources, unit="photo"):
        out = target / f"{source.stem}{suffix_of(source)}"
        try:
            edit_photo(source, out, out.with_suffix(".plan.json"), planner, options)
        except UserError as error:
            failures.append(str(error))
    print(f"{len(sources) - len(failures)} of {len(sources)} photos edited into {target}, each with its plan")
    if failures:
        raise UserError("\n  ".join([f"{len(failures)} photo(s) could not be edited:", *failures]))


def suffix_of(source):
    """Return the suffix of the result: the source's, except that nobody writes RAW files."""
    return ".tif" if source.suffix.lower() in RAW_SUFFIXES else source.suffix


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--img", required=True, help="photo, or a folder of photos")
    parser.add_argument("--request", help="what to do, in words")
    parser.add_argument("--checkpoint", help="run folder or checkpoint of a planner; by default the one of `make demo`")
    parser.add_argument("--replay", metavar="PLAN", help="carry out a saved plan; no network, no request")
    parser.add_argument("--out", help="result file (or folder); by default beside the photo, with _edited in its name")
    parser.add_argument("--plan", help="where the plan is saved; by default beside the result, ending in .plan.json")
    parser.add_argument("--size", type=int, help="shrink to this long edge first; by default the photo's own size")
    parser.add_argument("--quality", type=int, default=95, help="of JPEG and WebP, 1 to 100")
    parser.add_argument("--subsampling", default="4:4:4", choices=SUBSAMPLINGS, help="of the colours of a JPEG")
    parser.add_argument("--overwrite", action="store_true", help="replace results that exist")
    parser.add_argument("--max_megapixels", type=float, default=200, help="refuse larger photos")
    return parser


if __name__ == "__main__":
    run(main)
