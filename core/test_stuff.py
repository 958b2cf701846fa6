"""Measure a stuff head, the sky head that ships, and the rules, on photos with panoptic truth in COCO's format.

For each class: the mean IoU over photos in which it covers 5%, where a class that was not found has 0; the IoU of the
pixels of all photos together; and false alarms, the share of the photos without the class in which it was found. Means
and shares have 95% intervals over photos. Without a head of your own, the sky head and the rules are measured.

  python core/test_stuff.py --data_root data/coco40
  python core/test_stuff.py --data_root data/coco40 --head output/stuff.pt --publish coco40/stuff_head
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.engine.publish import publish
from core.finding.stuff import RULED, find_stuff
from core.models.stuff_head import StuffHead, load_head, load_sky_head
from core.requests.place_words import wholes
from core.training.stuff import measure, open_set, table

SKY = ("sky",)   # the classes of the sky head


def main():
    options = parse(arguments())
    head, sky_head = StuffHead.load(options.head) if options.head else load_head(), load_sky_head()
    photos, count = open_set(options.data_root, options.photos)
    figures = {"folder": Path(options.data_root).name, "photos": count}
    if head:
        classes = [*head.classes[1:],
                   *(whole for whole in dict.fromkeys(wholes().values()) if whole not in head.classes)]
        figures |= {"learned from": head.about,
                    "head": measure(photos, count, lambda image: find_stuff(image, head), classes)}
    if sky_head:
        figures["sky head"] = measure(photos, count, lambda image: find_stuff(image, None, sky_head), SKY)
    figures["rules"] = measure(photos, count, find_stuff, RULED)
    publish(options, "stuff", figures)
    print(*(f"{name}:\n{table(figures[name])}" for name in ("head", "sky head", "rules") if name in figures),
          sep="\n\n")


def arguments():
    parser = Parser(__doc__).add_publish()
    parser.add_argument("--data_root", required=True, metavar="FOLDER", help="folder with images/, panoptic/ and "
                        "panoptic.json")
    parser.add_argument("--head", metavar="FILE", help="file of the head (default: the finder's, if there is one)")
    parser.add_argument("--photos", type=number(int, 1), help="number of photos, the first by name (default: all)")
    return parser


if __name__ == "__main__":
    run(main)
