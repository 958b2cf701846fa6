"""Show whether a trained pix2pixHD follows the words: edit one photo by several requests and compare the results.

  python core/demo_pix2pixHD.py --trial 2
  python core/demo_pix2pixHD.py --trial 2 --img photo.jpg --requests "make it brighter" "make it darker"
"""

import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.methods.generator import add_demo, demonstrate


def main():
    demonstrate(parse(arguments(), "pix2pixHD"))


def arguments():
    parser = add_demo(Parser(__doc__).add_data().add_test())
    return parser.add_ignored("--no_lsgan", "--no_vgg_loss", "--no_ganFeat_loss")   # the checkpoint knows them


if __name__ == "__main__":
    run(main)
