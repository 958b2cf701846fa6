"""Measure reference methods, which use no network, under the same protocol as planners.

  identity   the unchanged photo
  mean_edit  the one plan that fits all training pairs best; the request is ignored
  auto_tone  levels and a gamma towards mid grey from the photo's histogram; the request is ignored
  keywords   rules read the wishes (core/requests/keywords.toml); each wish is an operation of fixed strength
  wishes     the same with the develop panel: the strengths of docs/strengths.md, and repairs measured on the photo
  planned    the plan found from the target itself: an oracle for every planner with these operators

  python core/test_references.py --reference keywords --dataset FiveK --phase val
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.evaluation.evaluate import run_tests
from core.methods.registry import REFERENCES


def main():
    run_tests(parse(arguments()))


def arguments():
    parser = Parser(__doc__).add_data().add_test().add_publish()
    parser.add_argument("--reference", dest="experiment", default="identity", choices=REFERENCES,
                        help="reference method to measure")
    parser.add_argument("--action_id", type=number(int, 1), default=1, help="planned set of --reference planned")
    return parser


if __name__ == "__main__":
    run(main)
