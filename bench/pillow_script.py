"""Edit a photo by calls of Pillow: a reference of `edit.py --replay` that imports no more than such a script needs.

  python bench/pillow_script.py photo.jpg plan.json out.jpg     # an empty plan: decoding and encoding alone
"""
import json
import sys

import _init_paths  # noqa: F401
from PIL import Image

from bench.pillow_chain import edited


def main():
    photo, plan, out = sys.argv[1:]
    with open(plan, encoding="utf-8") as file:
        steps = [(step["op"], step["params"]) for step in json.load(file)["steps"]]
    edit(photo, steps, out)


def edit(photo, steps, out):
    """Decode, edit by steps, each (operator, parameters), and encode as `edit.py` does."""
    edited(Image.open(photo), steps).save(out, quality=95, subsampling="4:4:4")


if __name__ == "__main__":
    main()
