"""Planning on a discriminator: a beam search where a critic, not the target, scores a step, so words alone suffice.

Three distances can be searched on: L1 to the target, which is then known; self-disc, the critic of
core/train_self_discriminator1.py; seq2seqGAN-disc, the discriminator of core/train_seq2seqGAN.py. What is found goes
through the one evaluation, as every method does. Also reachable as core/utils/beam_search.py.

  python core/plan_on_discriminator.py --trial 7
  python core/plan_on_discriminator.py --dist_type self-disc --trial 101 --phase val --operators brightness,saturation
"""

import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.evaluate import run_tests
from core.methods.judged import DIST_TYPES, PREFIX, add_search


def main():
    options = parse(arguments())
    options.experiment = PREFIX + options.dist_type
    run_tests(options)


def arguments():
    parser = add_search(Parser(__doc__).add_data().add_test().add_publish())
    parser.add_argument("--dist_type", default="seq2seqGAN-disc", choices=DIST_TYPES, help="what scores a step; "
                        "--trial is that of its own experiment")
    return parser.add_ignored("--no_lsgan", "--no_vgg_loss", "--no_ganFeat_loss")   # the checkpoint knows them


if __name__ == "__main__":
    run(main)
