"""Execute plans on photo files, one or a folder, and write exports; shared by the scripts that write photos."""
import argparse
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from core import exports, operators
from core.files import UserError, identity, listing, naming
from core.operators import Plan
from core.operators.changes import drop, geometry, override, scale
from core.photo import (
    RAW_SUFFIXES,
    WRITE_SUFFIXES,
    check_free,
    check_output,
    list_photos,
    read_photo,
    shrink,
    stored_kind,
    write_photo,
)

PAINT = "color_bg"    # the operator that paints white
LONGEST_PLAN = 4096   # characters of JSON: a longer plan, such as one with masks, is not put into the photo
WRITTEN_AS = {".heic": ".jpg", ".heif": ".jpg", ".hif": ".jpg", ".avif": ".jpg", ".jxl": ".jpg", ".bmp": ".png",
              ".gif": ".png"}   # for formats that LDIE reads but does not write: the format of the result


def limits(options):
    """Return the flags' limits on decoding, as keyword arguments of `read_photo`."""
    return {"max_pixels": int(options.max_megapixels * 1e6), "max_bytes": int(options.max_decoded_mb * 2**20)}


def change(plan, options):
    """Return (the plan to execute, notes): --strength scales the plan, then --drop removes steps, then --set sets them.

    Raises UserError for a mistake in the flags, whatever the plan is, so an empty plan is enough to check the flags.
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
        raise UserError("needs OP=VALUE, or OP=V1,V2,... for several parameters") from None


def plan_beside(path):
    """Return the path of the plan of a result: beside the result, ending in .plan.json."""
    return Path(f"{os.path.splitext(path)[0]}.plan.json")   # Path.with_suffix fails for "." and ""


def load_photo(source, options):
    """Read a photo within the limits of the flags, and shrink it to --size, if given."""
    photo = read_photo(source, **limits(options))
    return shrink(photo, options.size) if options.size else photo


def check_results(originals, plan_path, options, out=None):
    """Check that the photo `out`, the plan and the exports can be written; call this function before long work.

    Raises UserError if a result would replace one of the files `originals` or another result, under any name of that
    file and even with --overwrite; if a result cannot be written or would replace another file; and for mistakes in the
    flags that change a plan.
    """
    change(Plan(), options)
    if Path(plan_path).suffix.lower() != ".json":
        raise UserError(f"{plan_path}: a plan is JSON; give a name that ends in .json")
    named = {identity(path): path for path in originals}
    for path in (*([out] if out else []), plan_path, *options.export):
        if (name := identity(path)) in named:
            raise UserError(f"{path}: is named twice (as {named[name]}); an original is never replaced, so give the "
                            f"photo, its result, the plan and each export different names")
        named[name] = path
    if out:
        check_output(out, options.overwrite)
    check_free(plan_path, overwrite=True)   # the file may hold the same plan: `save_plan` checks this
    for path in options.export:
        exports.check_export(path, options.overwrite)


def save_plan(plan, path, overwrite):
    """Write a plan, unless the file already holds the same plan, as in a run that resumes.

    Raises UserError if the file holds something else and `overwrite` is False.
    """
    if not is_saved(plan, path):
        check_free(path, overwrite, "another --out or --plan")
        plan.save(path)


def is_saved(plan, path):
    """Return whether the file holds this plan."""
    try:
        return os.path.isfile(path) and Plan.load(path) == plan
    except UserError:
        return False


def edit_photo(source, out, plan_path, planner, options, originals=()):
    """Edit one photo file and write its plan and exports; every check comes before the first write.

    Args: `planner`, a callable Photo -> (Plan, notes); `originals`, files besides `source` that are never replaced.
    Returns (the plan, notes of the planner and on changes and losses).
    """
    check_results((source, *originals), plan_path, options, out)
    photo = load_photo(source, options)
    check_output(out, options.overwrite, photo.samples.shape)
    plan, said = planner(photo)
    plan, changes = change(plan, options)
    changes += fit_plan(plan, source, *photo.samples.shape[:2])
    for path in options.export:
        exports.check_export(path, options.overwrite, plan, options.split)
    drawn, alpha = plan, moved(photo.alpha, plan)
    if options.transparent and any(step.op == PAINT for step in plan):
        drawn, alpha = cut_out(plan, photo)
    edited = operators.execute_samples(drawn, photo.samples, stored_kind(out, photo))
    exported = photo.pixels if options.export else None
    photo = replace(photo, samples=photo.samples[:0].copy())   # frees them; the writer needs the other fields
    save_plan(plan, plan_path, options.overwrite)   # before the photo, whose existence means done
    losses = write_photo(out, edited, like=replace(photo, alpha=alpha), quality=options.quality,
                         subsampling=options.subsampling, overwrite=options.overwrite,
                         plan=_named(plan) if plan.steps else None)
    return plan, [*photo.notes, *said, *changes, *losses, *write_exports(plan, exported, options)]


def moved(alpha, plan):
    """Return alpha (H, W) turned, mirrored and cropped like the pixels by a plan; None stays None."""
    steps = geometry(plan)
    if alpha is None or not steps.steps:
        return alpha
    return operators.execute_samples(steps, np.repeat(alpha[..., None], 3, 2))[..., 0]


def cut_out(plan, photo):
    """Return (the plan without the steps that paint white, alpha (H, W) with their masks left out) for a photo.

    The pixels keep their own colours under a soft edge, so that no white rim shows on another background.
    """
    alpha = np.ones(photo.samples.shape[:2], np.float32) if photo.alpha is None else photo.alpha
    for step in plan:
        if step.op == PAINT:
            alpha = alpha * (1 - step.mask.pixels(*alpha.shape))
    return Plan(tuple(step for step in plan if step.op != PAINT)), moved(alpha, plan)


def for_request(options, reading):
    """Return the flags for a request, whose Reading may ask for a transparent background."""
    asked = any(wish.attribute == "transparent background" for wish in reading.wishes)
    return argparse.Namespace(**vars(options) | {"transparent": options.transparent or asked})


def _named(plan):
    """Return the text that names a plan in the XMP of a result: its JSON, or the digest of a long plan.

    A file name would make the bytes of a result depend on where its plan was saved.
    """
    text = json.dumps(plan.to_dict())
    return text if len(text) <= LONGEST_PLAN else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def write_exports(plan, pixels, options):
    """Write the exports, measured on `pixels` (H, W, 3); return the report of each as text."""
    return [str(exports.export(plan, path, pixels, lut_size=options.lut_size, split=options.split,
                               overwrite=options.overwrite)) for path in options.export]


def fit_plan(plan, source, height, width):
    """Return notes on masks that are resized to the photo, and on a result of another size than the photo.

    Raises UserError if a mask has another aspect ratio than the picture that its step edits.
    """
    notes, (*before, last) = [], operators.sizes(plan, height, width)
    for index, (step, size) in enumerate(zip(plan, before, strict=True), 1):
        if step.mask is None or step.mask.size == size:
            continue
        differ = (f"the mask of step {index} ({step.op}) is {step.mask.size[1]}x{step.mask.size[0]}, the photo "
                  f"{size[1]}x{size[0]}")
        if not step.mask.fits(*size):
            raise UserError(f"{source}: {differ}; take the photo that the plan was made for, uncropped")
        if not step.mask.feather:   # a soft mask is made to be resized
            notes.append(f"{differ}: resized")
    if last != (height, width):
        notes.append(f"the plan changes the size from {width}x{height} to {last[1]}x{last[0]}")
    return notes


def check_folder(folder, options):
    """Return (the photos of a folder, the folder of the results).

    Raises UserError if the folder has no photos, if results cannot be written, if the folder of the results is or
    contains the folder of the photos, and for mistakes in the flags that change a plan.
    """
    folder = Path(folder)
    target = Path(options.out or f"{folder.resolve()}_edited")
    if identity(target) in map(identity, (folder, *folder.resolve().parents)):
        raise UserError(f"{target}: is or contains the folder of the photos; the results need another folder, "
                        f"give another --out")
    if os.path.lexists(target) and not target.is_dir():
        raise UserError(f"{target}: is a file, but the results of a folder need a folder; give another --out")
    check_free(target / "0.plan.json", overwrite=True)
    change(Plan(), options)
    return list_photos(folder), target


def edit_folder(folder, planner, options, originals=()):
    """Edit every photo of a folder; an interrupted run resumes. Photos that cannot be edited are listed at the end.

    Args: `planner` and `originals` as in `edit_photo`.
    """
    from tqdm import tqdm  # late: a single photo needs no progress bar
    sources, target = check_folder(folder, options)
    done, failures, results = [], [], {}
    for source in tqdm(sources, unit="photo"):
        out = target / f"{source.stem}{suffix_of(source)}"
        # The plan's name keeps the suffix, because a camera's IMG_1.NEF and IMG_1.JPG each have a plan.
        plan_path = target / f"{source.name}.plan.json"
        try:
            if out in results:
                raise UserError(f"{source}: its result would replace that of {results[out].name}; rename one photo")
            if not options.overwrite and is_done(source, out, plan_path, planner, options):
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
    for names, text in ((done, "photo(s) were edited before, with the same plan; --overwrite edits them again"),
                        (others, "file(s) of other kinds were skipped")):
        if names:
            print(f"{len(names)} {text}: {listing(names)}")
    if failures:
        raise UserError("\n  ".join([f"{len(failures)} photo(s) could not be edited:", *failures]))


def is_done(source, out, plan_path, planner, options):
    """Return whether the result of a photo exists, with the same plan that an edit would give now."""
    return (out.is_file() and plan_path.is_file()
            and is_saved(change(planner(load_photo(source, options))[0], options)[0], plan_path))


def suffix_of(source):
    """Return the suffix of the result: the source's suffix, or another if LDIE does not write the source's format."""
    suffix = source.suffix.lower()
    if suffix in RAW_SUFFIXES:
        return ".tif"
    return source.suffix if suffix in WRITE_SUFFIXES else WRITTEN_AS.get(suffix, source.suffix)
