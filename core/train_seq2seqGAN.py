"""Seq2seq + GAN: plan an edit from a photo and a request, judged by a discriminator that reads the request, too.

Odd iterations are teacher-forced on planned sequences. In even ones the planner plans by itself, and its result is
to pass for an edit that a person made: GAN, matching of the discriminator's features, perceptual loss. With --adapt the
discriminator takes the planned sequence, carried out, for real as well (core/train_seq2seqAdaptGAN.py).

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1     # first: plan the training pairs
  python core/train_seq2seqGAN.py --trial 1
  python core/train_seq2seqGAN.py --trial 7       # the GAN loss alone: --no_lsgan --no_vgg_loss --no_ganFeat_loss
  python core/train_seq2seqGAN.py --dataset synth --trial 101 --num_iters 600      # a small trial on a CPU
"""
import _init_paths  # noqa: F401
import torch

from core.datasets.transforms import crop_and_flip
from core.engine.cli import run
from core.engine.options import Parser, parse
from core.engine.run import run_folder
from core.engine.seeds import over_seeds
from core.operators import apply_batch
from core.synthesis.degrade import Inputs
from core.training.adversarial import deceive, discriminate, make_critic, perceptual_loss, set_up_critic
from core.training.planners import add_planner, look_back, open_planner, start, supervised, with_repairs

EXPERIMENT = "seq2seqGAN"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return what its best checkpoint was chosen by."""
    training, language, pairs, val = start(options)
    train = with_repairs(pairs, Inputs(pairs), options, language)
    planner = training.setup(*open_planner(options, language), "teacher_forced")
    critic, game = set_up_critic(training, make_critic(options, language))
    perceptual = perceptual_loss(training, options.lambda_vgg)

    for batch in training.batches(train):
        planner.train()
        image, target, request_ids = batch["input"], batch["target"], batch["request_ids"]
        if options.crop:
            image, target = crop_and_flip(image, target, options.crop)

        if training.iteration % 2 == 0:   # so many are done: this is the first, the third, ...
            training.step(**supervised(planner, image, batch, options))
        else:
            result = planner(image, request_ids).image
            planned = carried_out(planner.vocab, image, batch) if options.adapt else None
            discriminate(training, game, critic, image, target, result, request_ids, also_real=planned)

            losses = deceive(training, game, image, target, result, request_ids)
            if perceptual:
                losses["perceptual"] = perceptual(result, target)
            training.step(**losses)

        look_back(training, planner, val)
    return {"best validation": training.best}


@torch.no_grad()
def carried_out(vocab, image, batch):
    """Return (B, 3, H, W), a batch's plans on an image: `ops` (B, T + 2) with START and END, `params` (B, T, P)."""
    for op, values in zip(batch["ops"][:, 1:-1].unbind(1), batch["params"].unbind(1), strict=True):
        image = apply_batch(vocab, op, image, values)
    return image


def arguments():
    parser = add_planner(Parser(__doc__).add_data().add_training()).add_gan().add_machine()
    parser.add_argument("--adapt", type=int, nargs="?", const=1, default=0, choices=(0, 1), help="the discriminator "
                        "takes the planned sequence, carried out, for real as well; what is real costs the mean")
    return parser


if __name__ == "__main__":
    run(main)
