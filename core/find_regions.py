"""Find the regions of a photo: list them, look at them, and export them as JSON with COCO masks.

  python core/find_regions.py --img photo.jpg                                     # all regions that LDIE finds
  python core/find_regions.py --img photo.jpg --say "the dog on the left" --out photo.regions.json
  python core/find_regions.py --img photo.jpg --say "everything except the sky" --show_masks masks/
  python core/find_regions.py --jobs jobs.csv                                     # rows img,say,out in one process

An exported file is {"regions": [{words, name, source, score, share, mask: {size: [H, W], counts}}]}; the soft masks are
cut at .5 and encoded as COCO does. Exit codes: 0 done; 2 bad input, or a row failed; 3 nothing was found: the exported
list is empty.
"""
from dataclasses import dataclass, replace
from pathlib import Path

import _init_paths  # noqa: F401
from tabulate import tabulate
from tqdm import tqdm

from core.engine.cli import run
from core.engine.options import Parser
from core.files import UserError, listing, write_json
from core.filters import preview
from core.finding.finder import MASK_SIDE, NotFound, finder_of, mask_for
from core.photo import check_free, read_photo
from core.regions.region import Region
from core.requests.places import read_place
from core.studio.masks import show_regions
from core.studio.rows import read_rows


@dataclass(frozen=True)
class Row:
    """A row of a jobs file: a photo, the words of a region (all regions if empty), and the file of the result."""

    img: str
    say: str
    out: str


def main():
    options = arguments().parse_args()
    if options.jobs is not None:
        find_rows(options)
        return
    if not options.img:
        raise UserError("--img: is missing or empty; give a photo, or a list of photos by --jobs")
    if options.out:
        check_free(options.out, options.overwrite)
    regions, sentence, image = find(options.img, options.say or "")
    if options.out:
        save(regions, options.out)
    if options.show_masks:
        show_regions(options.show_masks, image, regions)
    if sentence:
        raise NotFound(sentence)
    print(tabulate([(region.words, region.segment.name, region.segment.source, f"{region.segment.score:.2f}",
                     f"{region.segment.share:.1%}") for region in regions],
                   headers=("words", "region", "source", "score", "share of the picture"), disable_numparse=True))
    print(*(region.segment.remark for region in regions if region.segment.remark), sep="\n", end="")
    if options.out:
        print(f"regions: {options.out}")


def find(path, words):
    """Return the regions of a photo file, a sentence if there are none, and the photo (3, H, W)."""
    image = read_photo(path).srgb_tensor()
    large = preview(image, MASK_SIDE)
    finder = finder_of(large)
    if not words.strip():
        regions = [Region(segment.name, segment, mask_for(segment, large)) for segment in finder.segments()]
        return regions, "" if regions else f"{path}: no region was found", image
    place = read_place(words)
    try:
        segment = finder.find(place)
    except NotFound as error:
        return [], f"{path}: {error}", image
    return [Region(words, segment, mask_for(segment, large, place.kind))], "", image


def save(regions, path):
    """Write regions as JSON."""
    write_json(path, {"regions": [
        {"words": region.words, "name": region.segment.name, "source": region.segment.source,
         "score": round(float(region.segment.score), 4), "share": round(region.segment.share, 6),
         "mask": replace(region.mask, feather=0.0, region="").to_dict()} for region in regions]})


def find_rows(options):
    """Find the regions of each row of --jobs. Raises UserError at the end if a row failed."""
    for name in ("img", "say", "out", "show_masks"):
        if getattr(options, name):
            raise UserError(f"--jobs, --{name}: give one of them; the rows of the jobs file name photos, words and "
                            "results")
    path, failures, empty = Path(options.jobs), [], 0
    for number, row in enumerate(tqdm(read_rows(path, Row), unit="row"), 1):
        try:
            check_free(path.parent / row.out, options.overwrite)
            regions, sentence, _ = find(path.parent / row.img, row.say)
            save(regions, path.parent / row.out)
            empty += bool(sentence)
        except UserError as error:
            failures.append(f"row {number}: {error}")
    print(f"{number - len(failures)} of {number} rows done, {empty} of them without a region")
    if failures:
        raise UserError(f"{len(failures)} row(s) failed: {listing(failures)}")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--img", help="photo")
    parser.add_argument("--say", metavar="WORDS", help="the region, in words; by default all regions are listed")
    parser.add_argument("--out", metavar="FILE", help="write the regions as JSON")
    parser.add_argument("--show_masks", metavar="DIR", help="write the mask of each region, and a picture of all "
                        "regions on the photo, into this folder")
    parser.add_argument("--jobs", metavar="FILE", help="find the regions of the rows of a CSV or .jsonl file with the "
                        "fields img, say and out; relative paths start at the folder of FILE")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    return parser


if __name__ == "__main__":
    run(main)
