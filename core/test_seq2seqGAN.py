"""Test a trained seq2seq + GAN planner on photos at their own size (short edge at most 600).

Prints the measured figures beside the notebook's. Writes, under the run's folder, test/metrics.json (means with their
95% bootstrap intervals over photos), test/images.jsonl (one line per image) and test/web/index.html.

  python core/test_seq2seqGAN.py --trial 1 --phase test
  python core/test_seq2seqGAN.py --trial 1 --phase test --seeds 3     # after core/train_seq2seqGAN.py --seeds 3
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.evaluate import run_tests


def main():
    run_tests(parse(arguments(), "seq2seqGAN"))


def arguments():
    return Parser(__doc__).add_data().add_test().add_seeds("test").add_publish()


if __name__ == "__main__":
    run(main)
