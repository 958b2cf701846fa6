"""Carrying plans out on photo files: one, a folder, and exports; shared by the scripts that end in files."""
from pathlib import Path

from tqdm import tqdm

from core.engine.options import number
from core.files import UserError
from core.operators import execute
from core.operators.changes import drop, override, scale
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
from core.photo.exports import EXPORT_SUFFIXES, LUT_SIZES, check_export, export


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
    return parser


def change(plan, options):
    """Return the plan that is to be carried out: scaled, then without what is dropped, then with what is set."""
    plan = scale(plan, options.strength) if options.strength != 1 else plan
    for name in options.drop:
        plan = drop(plan, name)
    for setting in options.set:
        name, _, values = setting.partition("=")
        try:
            params = [float(value) for value in values.split(",")]
        except ValueError:
            raise UserError(f"--set {setting}: needs OP=VALUE, or OP=V1,V2,... for tone curves") from None
        plan = override(plan, name, params)
    return plan


def edit_photo(source, out, plan_path, planner, options):
    """Edit one file and write its plan and exports.

    Args: `planner`, a callable photo (3, H, W) -> Plan. Returns (the plan, notes on what was changed on the way).
    """
    check_output(out, options.overwrite)
    for path in (plan_path, *options.export):
        if path != plan_path:
            check_export(path, options.overwrite)
        elif plan_path.exists() and not (options.overwrite or _is_replayed(plan_path, options)):
            raise UserError(f"{plan_path}: exists; give --overwrite, or another --out or --plan")
    photo = read_photo(source, int(options.max_megapixels * 1e6))
    if options.size:
        photo = shrink(photo, options.size)
    image = photo.tensor()
    plan = change(planner(image), options)
    notes = write_photo(out, from_tensor(execute(plan, image)), like=photo, quality=options.quality,
                        subsampling=options.subsampling, overwrite=options.overwrite)
    plan.save(plan_path)
    reports = [str(export(plan, path, photo.pixels, lut_size=options.lut_size, split=options.split,
                          overwrite=options.overwrite)) for path in options.export]
    return plan, [*photo.notes, *notes, *reports]


def _is_replayed(plan_path, options):
    """Whether the plan would be written over itself, unchanged."""
    replay = getattr(options, "replay", None)
    return replay and plan_path.samefile(replay) and options.strength == 1 and not (options.set or options.drop)


def edit_folder(folder, planner, options):
    """Edit every photo of a folder; what cannot be edited is counted and named at the end."""
    if options.export:
        raise UserError("--export: is for one photo; export from one of the folder's photos with --replay")
    target = Path(options.out or f"{folder.resolve()}_edited")
    failures, sources = [], list_photos(folder)
    for source in tqdm(sources, unit="photo"):
        out = target / f"{source.stem}{suffix_of(source)}"
        try:
            # the whole name: a camera's IMG_1.NEF and IMG_1.JPG have a plan each
            edit_photo(source, out, target / f"{source.name}.plan.json", planner, options)
        except UserError as error:
            failures.append(str(error))
    print(f"{len(sources) - len(failures)} of {len(sources)} photos edited into {target}, each with its plan")
    if failures:
        raise UserError("\n  ".join([f"{len(failures)} photo(s) could not be edited:", *failures]))


def suffix_of(source):
    """Return the suffix of the result: the source's, except that nobody writes RAW files."""
    return ".tif" if source.suffix.lower() in RAW_SUFFIXES else source.suffix
