"""Test a model of Wang, Williams and Kang 2018 on photos at their own size (short edge at most 600).

The evaluation is the same as for every method. The generator works at the photo's size, padded so that its sides can
be halved; metrics.json and the page name the multiple.

  python core/test_HaiWang.py --which_model_netG resnet_7blocks --model Pix2Pix --trial 5
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.evaluate import run_tests
from core.methods.generator import add_expected


def main():
    run_tests(parse(arguments(), "HaiWang"))


def arguments():
    return add_expected(Parser(__doc__).add_data().add_test().add_seeds("test").add_publish(),
                        model=str, which_model_netG=str, num_G=int)


if __name__ == "__main__":
    run(main)
