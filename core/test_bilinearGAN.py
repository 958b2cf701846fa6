"""Test a trained bilinear GAN on photos at their own size (short edge at most 600), by the evaluation of every method.

The generator works at the photo's size, padded so that its sides can be halved; metrics.json and the page name the
multiple.

  python core/test_bilinearGAN.py --fusing_method lowrank_BP --trial 15
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.evaluate import run_tests
from core.methods.generator import add_expected


def main():
    run_tests(parse(arguments(), "bilinearGAN"))


def arguments():
    return add_expected(Parser(__doc__).add_data().add_test().add_seeds("test").add_publish(), fusing_method=str)


if __name__ == "__main__":
    run(main)
