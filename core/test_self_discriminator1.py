"""Test a self-discriminator that was trained on mixed trajectories; see core/test_self_discriminator.py.

If the phase has planned sequences, its mixed trajectories are among the wrong edits.

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase test --action_id 1
  python core/test_self_discriminator1.py --trial 1
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.critics import add_critic_test, measure_critic
from core.evaluation.run_table import run_under_seeds


def main():
    run_under_seeds(parse(arguments(), "self_discriminator1"), measure_critic)


def arguments():
    return add_critic_test(Parser(__doc__).add_data()).add_seeds("test").add_publish()


if __name__ == "__main__":
    run(main)
