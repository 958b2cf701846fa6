"""Make a synthetic data set: crops of photos, random edits of the crops, and requests that describe the edits.

    python synthdata/gen_data.py --session 1 --start 0 --end 500 --release_bs 100
    python synthdata/gen_data.py --session 0 --start 0 --end 50 --release_bs 50 --photos my/photos --out data/mine

Several ranges may go into one folder. Existing samples are kept, so an interrupted run continues where it stopped.
"""
import argparse
import csv
import platform
from importlib.metadata import version
from pathlib import Path

import _init_paths  # noqa: F401
from tqdm import tqdm

from core.engine.cli import run
from core.files import UserError, identity, replacing, write_text
from core.metrics.obedience import fulfils
from core.operators import Plan
from core.synthesis.photos import MIN_SIDE, bundled, from_folder
from core.synthesis.synth import KINDS, SESSIONS, SynthSet, replay
from core.threads import threads

PACKAGES = ("numpy", "torch", "opencv-python-headless", "scikit-image", "scikit-learn", "pillow")


def parse_args():
    """Return the options of the command line. Raises UserError for an impossible value."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--session", type=int, choices=sorted(SESSIONS), required=True,
        help="0: for each index one global, one local, one inpainting and one compound edit; 1: one global edit")
    add("--kinds", help=f"kinds of edits, chosen from {', '.join(KINDS)} (default: the session's)")
    add("--start", type=int, required=True, help="first index")
    add("--end", type=int, required=True, help="the index after the last one")
    add("--release_bs", type=int, default=100, help="rows per CSV file for the crowd (default: %(default)s)")
    add("--photos", help="a folder of your own photos, at least three (default: photos that packages ship)")
    add("--out", default="data/synth", help="folder of the data set (default: %(default)s)")
    add("--amt_dir", default="AMT/csv", help="folder of the CSV files (default: %(default)s)")
    add("--size", type=int, default=256, help="side of the pictures in pixels (default: %(default)s)")
    add("--requests", type=int, default=1, help="differently worded requests per training pair (default: %(default)s)")
    add("--seed", type=int, default=0, help="seed of crops, edits and words (default: %(default)s)")
    add("--visualize", type=int, default=200, metavar="N",
        help="show the first N samples of the range on a page; 0 for no page (default: %(default)s)")
    options = parser.parse_args()
    if not 0 <= options.start < options.end:
        raise UserError(f"--start {options.start} --end {options.end}: needs 0 <= start < end")
    kinds = options.kinds.split(",") if options.kinds else list(SESSIONS[options.session])
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise UserError(f"--kinds {unknown[0]}: is none of {', '.join(KINDS)}")
    options.kinds = kinds
    if options.photos and identity(options.photos) == identity(Path(options.out) / "images"):
        raise UserError(f"--photos {options.photos}: is where the pictures of --out {options.out} are written; choose "
                        f"another --out")
    for name, low in (("release_bs", 1), ("requests", 1), ("size", MIN_SIDE), ("seed", 0), ("visualize", 0)):
        if getattr(options, name) < low:
            raise UserError(f"--{name} {getattr(options, name)}: must be at least {low}")
    return options


def main():
    options = parse_args()
    photos = from_folder(options.photos) if options.photos else bundled()
    dataset = SynthSet(options.out, photos, options.seed, options.size, options.requests, fulfils)
    with threads(1):   # the pictures are small: threads would only wait for each other
        skipped = generate(dataset, options)
    entries = dataset.select(options.session, range(options.start, options.end))
    write_config(dataset, options)
    write_readme(dataset)
    files = write_csv(entries, options)
    if options.visualize:
        write_page(dataset, entries[:options.visualize], options)
    counts = {phase: sum(entry["phase"] == phase for entry in entries) for phase in dataset.settings["photos"]}
    print(f"{len(entries)} samples ({', '.join(f'{count} {phase}' for phase, count in counts.items())}) in "
          f"{dataset.folder}, {files} CSV file(s) in {options.amt_dir}")
    if skipped:
        print(f"{len(skipped)} skipped because no edit suits the crop: {', '.join(skipped)}")


def generate(dataset, options):
    """Make the missing samples; return the names of the samples for which no edit was found."""
    todo = [(index, kind) for index in range(options.start, options.end) for kind in options.kinds]
    skipped = []
    try:
        for index, kind in tqdm(todo, desc="samples", unit="sample"):
            if not dataset.has(options.session, index, kind) and not dataset.make(options.session, index, kind):
                skipped.append(f"{index} {kind}")
    finally:  # samples made before Ctrl-C or before a broken photo are kept
        dataset.save()
    return skipped


def write_config(dataset, options):
    """Write config.txt: flags, versions and platform, without paths and names of the user."""
    flags = {name: value for name, value in vars(options).items() if name not in ("photos", "out", "amt_dir")}
    lines = [f"{name}: {value}" for name, value in flags.items()]
    lines += [f"photos: {len(dataset.photos)} {'in a folder of the user' if options.photos else 'of packages'}",
              f"python: {platform.python_version()}", *(f"{name}: {version(name)}" for name in PACKAGES),
              f"platform: {platform.system()} {platform.machine()}"]
    write_text(dataset.folder / "config.txt", "\n".join(lines) + "\n")


def write_readme(dataset):
    """Write the README.md of the data set: its photos with their authors and licences."""
    rows = "\n".join(f"| {photo.name} | {photo.phase} | {photo.author} | {photo.licence} | {photo.source} |"
                     for photo in dataset.photos)
    write_text(dataset.folder / "README.md", f"""# Synthetic edits
Made by `synthdata/gen_data.py`, whose README explains the files. Every picture is a crop of one of these photos:

| photo | phase | author | licence | source |
|---|---|---|---|---|
{rows}
""")


def write_csv(entries, options):
    """Write CSV files of --release_bs rows for the crowd; return the number of files."""
    folder, stem = Path(options.amt_dir), f"synth_sess_{options.session}_{options.start}_{options.end}"
    paths = set()
    for first in range(0, len(entries), options.release_bs):
        batch = entries[first:first + options.release_bs]
        path = folder / f"{stem}_batch_{len(paths):03d}.csv"
        with replacing(path, "w") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("id", "input", "output"))
            writer.writerows((Path(entry["output"]).stem, entry["input"], entry["output"]) for entry in batch)
        paths.add(path)
    for stale in set(folder.glob(f"{stem}_batch_*.csv")) - paths:  # of a run with smaller batches
        stale.unlink()
    return len(paths)


def write_page(dataset, entries, options):
    """Write a page with the steps of each sample, replayed from the record."""
    from core.pages import write_results

    name = f"sess_{options.session}_{options.start}_{options.end}"
    write_results(dataset.folder / "web" / name, f"Synthetic edits, {name}", _results(dataset, entries), notes=(
        f"{len(entries)} samples of session {options.session}; inputs are crops, exposed at random.",))


def _results(dataset, entries):
    for entry in tqdm(entries, desc="page", unit="sample"):
        source, *images = replay(entry, dataset.photos)
        steps = [{"op": step.op, "params": step.params, "image": image, "mask": step.mask and step.mask.array()}
                 for step, image in zip(Plan.from_dict(entry["plan"]), images, strict=True)]
        yield {"name": entry["output"], "request": entry["request"], "input": source, "steps": steps,
               "output": (images or [source])[-1]}


if __name__ == "__main__":
    run(main)
