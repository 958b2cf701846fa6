"""Measure how well words find regions, on photos with panoptic truth in COCO's format.

  proposals  words to a region among the true segments: the reading of the words and the choice, without a detector.
             Expressions such as "the man on the left" or "the dog on the couch" are made from the truth and name one
             region only
  things     things that cover 1% of the photo and are the only ones of their class, found in the photo itself
  subject    "the subject", in photos whose largest thing covers 10% and three times the area of the next
  sky        "the sky", where it covers 5%
  absent     things that the photo does not show, which must be refused

Prints the figures with 95% intervals over photos, beside choices that ignore the words: a random, the largest and the
central segment, and the largest of the right class. Writes metrics.json and items.jsonl under
output/<folder>_regions/.

  python core/test_regions.py --data_root data/coco40
  python core/test_regions.py --data_root data/coco40 --measures proposals
"""
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from core.datasets.panoptic import PanopticSet
from core.engine.cli import run
from core.engine.folders import revision
from core.engine.options import Parser, number, parse, some_of
from core.engine.publish import publish
from core.files import UserError, write_json, write_jsonl
from core.finding.choose import choose, masked
from core.metrics.regions import mask_iou, score_found, with_interval
from core.regions.rules import area
from core.requests.places import read_place
from core.synthesis.expressions import GROUPS, NOUNS, name_segments

RIGHT = 0.5                        # IoU of a choice among true segments that is right
THING, SKY, SUBJECT, TIMES = 0.01, 0.05, 0.1, 3   # least shares of the photo; largest thing over the next
ABSENT = 3                         # absent things that are asked for in each photo
MEASURES = ("proposals", "things", "subject", "sky", "absent")
BASELINES = ("random", "largest", "centre", "class")


def main():
    options = parse(arguments())
    photos = PanopticSet(options.data_root)
    count = min(options.photos or len(photos), len(photos))
    if not count:
        raise UserError(f"{options.data_root}/panoptic.json: has no annotations; give a folder with photos")
    rows = []
    for index in tqdm(range(count), unit="photo", leave=False):
        rng = np.random.default_rng((options.manual_seed, index))
        for row in measure(photos[index], photos.things, options.measures, rng):
            rows.append({"photo": photos.name(index), **row})
    measured = {"folder": Path(options.data_root).name, "photos": count, "seed": options.manual_seed,
                **summarise(rows), "revision": revision()}
    folder = Path(options.output) / f"{Path(options.data_root).resolve().name}_regions"
    write_jsonl(folder / "items.jsonl", rows)
    write_json(folder / "metrics.json", measured, indent=1)
    publish(options, "regions", measured)
    report(measured)


def measure(photo, classes, measures, rng):
    """Yield a row for each question about a photo: its measure, the words, and the IoU of the answer or a refusal."""
    if "proposals" in measures:
        yield from among_proposals(photo, rng)
    questions = [question for question in ask(photo, classes, rng) if question[0] in measures]
    if not questions:
        return
    from core.finding.finder import Finder  # the measure of true segments needs no detector
    finder = Finder(photo.image)
    for kind, words, truth in questions:
        try:
            found = finder.find(read_place(words)).mask
        except UserError as refusal:
            if refusal.code != 3:
                raise
            found, remark = None, str(refusal)
        row = {"measure": kind, "words": words, "IoU": None if found is None else 0.0}
        if truth is not None and found is not None:
            row["IoU"] = mask_iou(found, truth)
        if found is None:
            row["remark"] = remark
        if kind in _GUESSES:
            row["guess"] = mask_iou(area(photo.image, _GUESSES[kind]).numpy(), truth)
        yield row


_GUESSES = {"things": ("middle",), "subject": ("middle",), "sky": ("top",)}   # areas as answers that see no photo


def ask(photo, classes, rng):
    """Yield (measure, words, true mask or None) of each question to the finder."""
    things = sorted((segment for segment in photo.segments if segment.thing), key=lambda one: -one.share)
    names = [segment.name for segment in (*photo.segments, *photo.crowds)]   # a table can be stuff, too
    for thing in things:
        if thing.share >= THING and names.count(thing.name) == 1:
            yield "things", _the(thing.name), thing.mask
    if things and things[0].share >= max(SUBJECT, TIMES * (things[1].share if len(things) > 1 else 0)):
        yield "subject", "the subject", things[0].mask
    for segment in photo.segments:
        if segment.name == "sky" and segment.share >= SKY:
            yield "sky", "the sky", segment.mask
    absent = [name for name in classes if name not in
              {segment.name for segment in (*photo.segments, *photo.crowds)}]
    for name in rng.permutation(absent)[:ABSENT]:
        yield "absent", _the(name), None


def _the(name):
    return f"the {NOUNS.get(name, (name,))[0]}"


def among_proposals(photo, rng):
    """Yield a row for each expression of a photo: whether it, and each baseline, chose the segment that is meant."""
    segments, size = photo.segments, photo.image.shape[-2:]
    middle = (size[0] // 2, size[1] // 2)
    for expression in name_segments(segments, photo.image, photo.crowds, int(rng.integers(1 << 31))):
        truth = np.max([segments[index].mask for index in expression.meant], axis=0)
        place = read_place(expression.words)
        choice = choose(place, segments, photo.image)
        found = masked(choice, place, photo.image)
        guesses = {"random": segments[rng.integers(len(segments))],
                   "largest": max(segments, key=lambda one: one.share),
                   "centre": max(segments, key=lambda one: (one.mask[middle], one.share)),
                   "class": max((one for one in segments if one.name == expression.name), key=lambda one: one.share)}
        yield {"measure": "proposals", "group": expression.group, "words": expression.words,
               "right": found is not None and mask_iou(found.mask, truth) > RIGHT, "remark": choice.remark,
               **{name: mask_iou(guess.mask, truth) > RIGHT for name, guess in guesses.items()}}


def summarise(rows):
    """Return the figures of each measure that has rows; every share and mean is [mean, low, high]."""
    found = {}
    for group in GROUPS:
        some = [row for row in rows if row.get("group") == group]
        photos = [row["photo"] for row in some]
        if some:
            found.setdefault("proposals", {})[group] = {"expressions": len(some)} | {
                name: with_interval([row[name] for row in some], photos) for name in ("right", *BASELINES)}
    for kind in MEASURES[1:]:
        some = [row for row in rows if row["measure"] == kind]
        photos = [row["photo"] for row in some]
        if some:
            found[kind] = score_found([row["IoU"] for row in some], photos)
        if some and kind in _GUESSES:   # a refusal has no overlap
            found[kind]["IoU of all"] = with_interval([row["IoU"] or 0.0 for row in some], photos)
            found[kind]["guess"] = with_interval([row["guess"] for row in some], photos)
    return found


def report(measured):
    if groups := measured.get("proposals"):
        names = ("right", *BASELINES)
        print(tabulate([[group, row["expressions"], *(percent(row[name]) for name in names)]
                        for group, row in groups.items()],
                       ["words to true segment", "n", *names], disable_numparse=True), end="\n\n")
    names = ("found", "wrong", "refused", "IoU", "IoU of all", "guess")
    if kinds := [kind for kind in MEASURES[1:] if kind in measured]:
        print(tabulate([[kind, measured[kind]["asked"], *(percent(measured[kind].get(name)) for name in names)]
                        for kind in kinds], ["in the photo", "n", *names], disable_numparse=True))


def percent(figure):
    if figure is None or figure[0] is None:
        return "-"
    mean, low, high = figure
    return f"{100 * mean:.1f}" + ("" if low is None else f" [{100 * low:.1f}, {100 * high:.1f}]")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--data_root", required=True, help="folder with images/, panoptic/ and panoptic.json")
    parser.add_argument("--measures", type=some_of(MEASURES, "measure"), default=list(MEASURES),
                        help=f"comma-separated, of {', '.join(MEASURES)} (default: all)")
    parser.add_argument("--photos", type=number(int, 1), help="number of photos, the first by name (default: all)")
    parser.add_argument("--manual_seed", type=number(int, 0), default=0, help="seed of phrasings and absent things")
    parser.add_argument("--output", default="output", help="folder of the results")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
