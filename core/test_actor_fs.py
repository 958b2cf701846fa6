"""Test a planner that learnt from planned sequences only, on photos at their own size (short edge at most 600).

Prints the measured figures beside the notebook's, and writes test/metrics.json, test/images.jsonl and
test/web/index.html under the run's folder, as core/test_seq2seqL1.py does.

  python core/test_actor_fs.py --trial 5 --phase test
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.evaluate import run_tests


def main():
    run_tests(parse(arguments(), "actor_fs"))


def arguments():
    return Parser(__doc__).add_data().add_test().add_seeds("test").add_publish()


if __name__ == "__main__":
    run(main)
