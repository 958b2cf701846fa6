"""Test whether a self-discriminator separates edits that fit their words from edits that do not.

Prints the area under the ROC curve, the share of wrong edits that score below the right one, and the accuracy, by kind
of wrong edit. Writes, under the run's folder, test/metrics.json, test/images.jsonl (the scores of each pair) and
test/web/index.html (the candidates sorted by score, for the pairs that are judged best and worst).

  python core/test_self_discriminator.py --session 3 --trial 1 --phase val
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.critics import add_critic_test, measure_critic
from core.evaluation.run_table import run_under_seeds


def main():
    run_under_seeds(parse(arguments(), "self_discriminator"), measure_critic)


def arguments():
    parser = add_critic_test(Parser(__doc__).add_data()).add_seeds("test").add_publish()
    parser.set_defaults(dataset="GIER", session=3)
    return parser


if __name__ == "__main__":
    run(main)
