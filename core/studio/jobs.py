"""Carrying plans out on photo files: one, a folder, and exports; shared by the scripts that end in files."""
import hashlib
import json
import os
from pathlib import Path

from tqdm import tqdm

from core.datasets.annotations import listing
from core.engine.options import number
from core.exports import EXPORT_SUFFIXES, LUT_SIZES, check_export, export
from core.files import UserError, identity, naming
from core.operators import Plan, execute
from core.operators.changes import drop, override, scale
from core.photo import (
    RAW_SUFFIXES,
    SUBSAMPLINGS,
    WRITE_SUFFIXES,
    check_free,
    check_output,
    from_tensor,
    list_photos,
    read_photo,
    shrink,
    write_photo,
)

LONGEST_PLAN = 4096   # characters of JSON: a longer plan, such as one with masks, is not put into the photo
WRITTEN_AS = {".heic": ".jpg", ".heif": ".jpg", ".hif": ".jpg", ".avif": ".jpg", ".jxl": ".jpg", ".bmp": ".png",
              ".gif": ".png"}   # formats that are read only: how a result is written


def add_output_flags(parser):
    """How plans are changed and exported, and how photos are written."""
    group = parser.add_argument_group("the plan")
    group.add_argument("--strength", type=number(float, 0), default=1.0, help="scale it: 0.5 is half way to neutral")
    group.add_argument("--set", action="append", default=[], metavar="OP=VALUES", help="give an operator these "
                       "parameters, such as brightness=0.2; it is added if the plan lacks it")
    group.add_argument("--drop", action="append", default=[], metavar="OP", help="leave an operator out")
    group.add_argument("--export", nargs="+", default=[], metavar="FILE", help="also write the plan as "
                       f"{' '.join(EXPORT_SUFFIXES)}, each with its measured error")
    group.add_argument("--lut_size", type=int, default=33, choices=LUT_SIZES, help="side of an exported .cube")
    group.add_argument("--split", action="store_true", help="export the steps before the first that the format "
                       "cannot hold, naming the rest, instead of refusing")
    group = parser.add_argument_group("photos")
    group.add_argument("--out", help="result file (or folder); by default beside the photo, with _edited in its name")
    group.add_argument("--size", type=number(int, 1), help="shrink to this long edge first; by default the photo's "
                       "own size")
    group.add_argument("--quality", type=number(int, 1, 100), default=95, help="of JPEG and WebP, 1 to 100; WebP is "
                       "lossless at 100")
    group.add_argument("--subsampling", default="4:4:4", choices=SUBSAMPLINGS, help="of the colours of a JPEG")
    group.add_argument("--overwrite", action="store_true", help="replace results that exist")
    group.add_argument("--max_megapixels", type=number(float, 0), default=200, help="refuse larger photos")
    group.add_argument("--max_decoded_mb", type=number(float, 0), default=1200, help="refuse photos that take more "
                       "when decoded: pixels x channels x bytes per sample")
    return parser


def limits(options):
    """Return what `read_photo` may decode, as its arguments, from the flags."""
    return {"max_pixels": int(options.max_megapixels * 1e6), "max_bytes": int(options.max_decoded_mb * 2**20)}


def change(plan, options):
    """Return (the plan that is to be carried out, notes): scaled, then without what is dropped, then with what is set.

    A mistake in the flags raises UserError whatever the plan, so an empty one will do to look for it.
    """
    notes = []
    plan = scale(plan, options.strength) if options.strength != 1 else plan
    for name in options.drop:
        with naming(f"--drop {name}"):
            shorter = drop(plan, name)
        if len(shorter) == len(plan):
            notes.append(f"--drop {name}: the plan has no such step")
        plan = shorter
    for setting in options.set:
        name, _, values = setting.partition("=")
        with naming(f"--set {setting}"):
            plan = override(plan, name, _numbers(values))
    return plan, notes


def _numbers(text):
    try:
        return [float(value) for value in text.split(",")]
    except ValueError:
        raise UserError("needs OP=VALUE, or OP=V1,V2,... for tone curves") from None


def plan_beside(path):
    """Return where the plan of a result lies: beside it, ending in .plan.json."""
    return Path(f"{os.path.splitext(path)[0]}.plan.json")   # unlike Path.with_suffix, also of "." and ""


def load_photo(source, options):
    """Read a photo, no larger than the flags allow or ask for."""
    photo = read_photo(source, **limits(options))
    return shrink(photo, options.size) if options.size else photo


def check_results(originals, plan_path, options, out=None):
    """Look for what would go wrong with the photo `out`, the plan and the exports, before long work.

    Raises UserError where a result would replace one of the files `originals` or another result, by any name of it and
    even with --overwrite; where results cannot be written or would replace another file; and for mistakes in the flags
    that change a plan.
    """
    change(Plan(), options)
    if Path(plan_path).suffix.lower() != ".json":
        raise UserError(f"{plan_path}: a plan is JSON; give a name that ends in .json")
    named = {identity(path): path for path in originals}
    for path in (*([out] if out else []), plan_path, *options.export):
        if (name := identity(path)) in named:
            raise UserError(f"{path}: is named twice (as {named[name]}); a photo, its result, the plan and each export "
                            f"need a name each")
        named[name] = path
    if out:
        check_output(out, options.overwrite)
    check_free(plan_path, overwrite=True)   # what it would replace may be the same plan: `save_plan` knows
    for path in options.export:
        check_export(path, options.overwrite)


def save_plan(plan, path, overwrite):
    """Write a plan, unless the file holds it already, as when a run goes on.

    Raises UserError where the file holds something else, without `overwrite`.
    """
    if not is_saved(plan, path):
        check_free(path, overwrite, "another --out or --plan")
        plan.save(path)


def is_saved(plan, path):
    """Whether the file holds this plan."""
    try:
        return os.path.isfile(path) and Plan.load(path) == plan
    except UserError:
        return False


def edit_photo(source, out, plan_path, planner, options, originals=()):
    """Edit one file and write its plan and exports; all that can be refused is, before the first is written.

    Args: `planner`, a callable Photo -> Plan; `originals`, files that are never replaced, beside `source`.
    Returns (the plan, notes on what was changed on the way).
    """
    check_results((source, *originals), plan_path, options, out)
    photo = load_photo(source, options)
    check_output(out, options.overwrite, photo.pixels.shape)
    plan, changes = change(planner(photo), options)
    image = photo.tensor()
    changes += fit_masks(plan, source, *image.shape[-2:])
    for path in options.export:
        check_export(path, options.overwrite, plan, options.split)
    edited = execute(plan, image)
    del image   # 12 bytes a pixel
    edited = from_tensor(edited)
    save_plan(plan, plan_path, options.overwrite)   # before the photo, whose presence says that all was done
    losses = write_photo(out, edited, like=photo, quality=options.quality, subsampling=options.subsampling,
                         overwrite=options.overwrite, plan=_named(plan) if plan.steps else None)
    return plan, [*photo.notes, *changes, *losses, *write_exports(plan, photo.pixels, options)]


def _named(plan):
    """Return what the XMP of a result says of its plan: the plan itself as JSON, or the digest of a long one.

    A file name would make the bytes of a result depend on where its plan was saved.
    """
    text = json.dumps(plan.to_dict())
    return text if len(text) <= LONGEST_PLAN else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def write_exports(plan, pixels, options):
    """Write the exports, measured on `pixels` (H, W, 3); return what is to be said of each."""
    return [str(export(plan, path, pixels, lut_size=options.lut_size, split=options.split,
                       overwrite=options.overwrite)) for path in options.export]


def fit_masks(plan, source, height, width):
    """Return notes on masks that are resized to the photo. Raises UserError where one is of another shape."""
    notes = []
    for index, step in enumerate(plan, 1):
        if step.mask is None or step.mask.size == (height, width):
            continue
        sizes = (f"the mask of step {index} ({step.op}) is {step.mask.size[1]}x{step.mask.size[0]}, the photo "
                 f"{width}x{height}")
        if not step.mask.fits(height, width):
            raise UserError(f"{source}: {sizes}; take the photo that the plan was made for, uncropped")
        notes.append(f"{sizes}: resized")
    return notes


def check_folder(folder, options):
    """Return (the photos of a folder, the folder of the results).

    Raises UserError where there are no photos, the results cannot lie there, or would lie among the photos or around
    them, and for mistakes in the flags that change a plan.
    """
    folder = Path(folder)
    target = Path(options.out or f"{folder.resolve()}_edited")
    if identity(target) in map(identity, (folder, *folder.resolve().parents)):
        raise UserError(f"{target}: is the folder of the photos, or lies around it; their results need a folder of "
                        f"their own, give another --out")
    if os.path.lexists(target) and not target.is_dir():
        raise UserError(f"{target}: is a file; the results of a folder need a folder, give another --out")
    check_free(target / "0.plan.json", overwrite=True)
    change(Plan(), options)
    return list_photos(folder), target


def edit_folder(folder, planner, options, originals=()):
    """Edit every photo of a folder; a run that was interrupted goes on. What cannot be edited is named at the end.

    Args: `planner` and `originals` as of `edit_photo`.
    """
    sources, target = check_folder(folder, options)
    done, failures, results = [], [], {}
    for source in tqdm(sources, unit="photo"):
        out = target / f"{source.stem}{suffix_of(source)}"
        # the whole name: a camera's IMG_1.NEF and IMG_1.JPG have a plan each
        plan_path = target / f"{source.name}.plan.json"
        try:
            if out in results:
                raise UserError(f"{source}: its result would have the name of {results[out].name}'s; rename one")
            if not options.overwrite and _is_done(source, out, plan_path, planner, options):
                done.append(source.name)
            else:
                for note in edit_photo(source, out, plan_path, planner, options, (*sources, *originals))[1]:
                    tqdm.write(f"{source.name}: {note}")
            results[out] = source
        except UserError as error:
            failures.append(str(error))
    print(f"{len(sources) - len(failures) - len(done)} of {len(sources)} photos edited into {target}, each with its "
          "plan")
    others = [path.name for path in sorted(folder.iterdir())
              if path.is_file() and path not in sources and not path.name.startswith(".")]
    for names, text in ((done, "photos were edited before, with the same plan; --overwrite edits them anew"),
                        (others, "files of other kinds are passed over")):
        if names:
            print(f"{len(names)} {text}: {listing(names)}")
    if failures:
        raise UserError("\n  ".join([f"{len(failures)} photo(s) could not be edited:", *failures]))


def _is_done(source, out, plan_path, planner, options):
    """Whether the result of a photo is there, with the plan that it would have now."""
    return (out.is_file() and plan_path.is_file()
            and is_saved(change(planner(load_photo(source, options)), options)[0], plan_path))


def suffix_of(source):
    """Return the suffix of the result: the source's, or that of a similar format where LDIE does not write it."""
    suffix = source.suffix.lower()
    if suffix in RAW_SUFFIXES:
        return ".tif"
    return source.suffix if suffix in WRITE_SUFFIXES else WRITTEN_AS.get(suffix, source.suffix)
