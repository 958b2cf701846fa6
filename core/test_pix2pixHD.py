"""Test a trained pix2pixHD on photos at their own size (short edge at most 600), by the evaluation of every method.

The generator works at the photo's size, padded so that its sides can be halved; metrics.json and the page name the
multiple.

  python core/test_pix2pixHD.py --trial 1 --phase test
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.evaluate import run_tests


def main():
    run_tests(parse(arguments(), "pix2pixHD"))


def arguments():
    return Parser(__doc__).add_data().add_test().add_seeds("test").add_publish()


if __name__ == "__main__":
    run(main)
