"""Make the segments of photos among which words choose: masks in GIER's format, from truth, networks or superpixels.

Writes, below --out, masks/<photo>_mask.json for each photo, a list of RLE masks with the names of their classes, and
proposals.json with name, score and box of each segment. One segmentation at one resolution gives masks and order; their
positions are the ids of GIER's annotations. A run goes on after the last photo. Photos that cannot be used are counted
and listed.

  python prepro/gen_proposals.py --dataset GIER --from detector --out data/GIER-detector
  python prepro/gen_proposals.py --dataset GIER --from upsnet --segments <folder of pan_2ch> --out data/GIER-upsnet
  python prepro/gen_proposals.py --photos <folder> --from panoptic --segments <folder in COCO's format> --out proposals
"""
from collections import Counter
from pathlib import Path

import _init_paths  # noqa: F401
from tqdm import tqdm

from core.datasets import DATASETS, get_source
from core.datasets.annotations import existing_phases
from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.files import UserError, listing, read_json, write_json
from core.finding.proposals import SOURCES, propose, to_rows

FILE = "proposals.json"
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


def main():
    options = parse(arguments())
    source = SOURCES[options.source]
    if source.needs_folder != bool(options.segments):
        raise UserError(f"--from {options.source}: " + ("needs --segments, the folder of the segments" if
                        source.needs_folder else "takes no --segments; leave it out"))
    folder, out = Path(options.segments or "."), Path(options.out)
    if not folder.is_dir():
        raise UserError(f"--segments {folder}: no such folder")
    photos = find_photos(options)
    made = begun(out, options.source)
    segments_of, problems = source.open_source(folder), []
    try:
        for photo in tqdm(photos, unit="photo"):
            path = out / "masks" / f"{photo.stem}_mask.json"
            if photo.name in made["photos"] and path.exists():
                continue
            try:
                masks, about = to_rows(propose(segments_of, photo))
            except UserError as error:
                problems.append(str(error))
                continue
            if not made["photos"]:
                write_json(out / FILE, made)   # marks the folder as begun
            write_json(path, masks)
            made["photos"][photo.name] = {"size": masks[0]["size"], "segments": about}
    finally:
        if made["photos"]:
            write_json(out / FILE, made)
    report(made, photos, problems, out)


def find_photos(options):
    """Return the paths of the photos that the flags select, sorted. Raises UserError if there are none, or twins."""
    if options.photos:
        folder = Path(options.photos)
        names = {path.name for path in folder.glob("*") if path.suffix.lower() in SUFFIXES}
    else:
        source = get_source(options.dataset)
        root, reader = Path(options.data_root or source.root), source.reader
        folder = root / "images"
        names = {entry["input"] for phase in existing_phases(root, options.session, reader.folder)
                 for entry in reader.read(root, phase, options.session, reader.every)[1]}
    if not names:
        raise UserError(f"{folder}: holds no photo; give --dataset, or a folder with --photos")
    if twins := [stem for stem, count in Counter(Path(name).stem for name in names).items() if count > 1]:
        raise UserError(f"{folder}: {twins[0]} names two photos, whose masks would have one file; rename one of them")
    return [folder / name for name in sorted(names)][:options.limit]


def begun(out, kind):
    """Return the content of proposals.json in a new or begun folder. Raises UserError for one made otherwise."""
    path = out / FILE
    if not path.exists():
        if any((out / "masks").glob("*_mask.json")):
            raise UserError(f"{out / 'masks'}: holds masks that this script did not make; give another --out")
        return {"from": kind, "photos": {}}
    made = read_json(path)
    if not isinstance(made, dict) or made.get("from") != kind or not isinstance(made.get("photos"), dict):
        raise UserError(f"{path}: was made otherwise; give the same --from, or another --out")
    return made


def report(made, photos, problems, out):
    """Print how many photos and segments there are, and the photos that are left out. Raises UserError if all are."""
    for problem in problems[:20]:
        print(problem)
    if problems:
        print(f"{len(problems)} of {len(photos)} photos are left out")
    rows = [row["segments"] for row in made["photos"].values()]
    if not rows:
        raise UserError(f"{out}: no photo has segments; nothing was made")
    names = Counter(segment["name"] or "(no class)" for row in rows for segment in row)
    print(f"{out}: {sum(map(len, rows))} segments of {len(rows)} photos by --from {made['from']}; "
          f"{listing(f'{count} {name}' for name, count in names.most_common())}")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--from", dest="source", required=True, choices=SOURCES, help="; ".join(
        f"{name}: {source.about}" for name, source in SOURCES.items()))
    parser.add_argument("--dataset", default="GIER", choices=sorted(DATASETS), help="data set whose inputs are used")
    parser.add_argument("--data_root", help="folder of the data set; by default data/<dataset>")
    parser.add_argument("--session", type=number(int, 0), default=3, help="session of the annotations")
    parser.add_argument("--photos", help="folder of photos, in place of a data set")
    parser.add_argument("--segments", help="folder of the true segments, of the masks, or of UPSNet's output")
    parser.add_argument("--out", required=True, help="folder of the masks")
    parser.add_argument("--limit", type=number(int, 1), help="only the first photos")
    return parser


if __name__ == "__main__":
    run(main)
