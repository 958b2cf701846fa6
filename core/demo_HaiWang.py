"""Show whether a model of Wang, Williams and Kang 2018 follows the words: edit one photo by several requests.

  python core/demo_HaiWang.py --which_model_netG unet_128 --model Pix2Pix --trial 3
  python core/demo_HaiWang.py --trial 3 --img photo.jpg --requests "make it brighter" "make it darker"
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.methods.generator import add_demo, add_expected, demonstrate


def main():
    demonstrate(parse(arguments(), "HaiWang"))


def arguments():
    parser = add_demo(Parser(__doc__).add_data().add_test())
    return add_expected(parser, model=str, which_model_netG=str, num_G=int)


if __name__ == "__main__":
    run(main)
