"""Plan on a discriminator: a beam search whose steps a trained network scores, so the search needs no target.

--dist_type chooses the score: L1 to the target, which needs the target; self-disc, the critic of
core/train_self_discriminator1.py; or seq2seqGAN-disc, the discriminator of core/train_seq2seqGAN.py. The plans are
tested by the same evaluation as every method. core/utils/beam_search.py starts this script, too.

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
    parser.add_argument("--dist_type", default="seq2seqGAN-disc", choices=DIST_TYPES, help="score of a step; "
                        "--trial is a trial of the scoring network's own experiment")
    return parser.add_ignored("--no_lsgan", "--no_vgg_loss", "--no_ganFeat_loss")   # the checkpoint knows them


if __name__ == "__main__":
    run(main)
