"""Measure what any planner must beat, or cannot, under the same protocol: no network is involved.

  identity   the photo as it is
  mean_edit  the one plan that serves all training pairs best, whatever was asked
  auto_tone  what the photo's histogram asks for, whatever was asked: levels and a gamma towards mid grey
  keywords   wishes read by rules (core/requests/keywords.toml), each an operation of fixed strength
  planned    the plan found from the target itself: the floor of every planner with these operators

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
                        help="what is measured")
    parser.add_argument("--action_id", type=number(int, 1), default=1, help="planned set of --reference planned")
    return parser


if __name__ == "__main__":
    run(main)
