"""Seq2seq + GAN: plan an edit from a photo and a request; a discriminator that reads the request scores the result.

Odd iterations are teacher-forced on planned sequences. In even iterations the planner plans freely, and the losses on
its result are the GAN loss, feature matching and a perceptual loss. With --adapt, the discriminator also counts the
executed planned sequence as real (core/train_seq2seqAdaptGAN.py).

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1     # first: plan the training pairs
  python core/train_seq2seqGAN.py --trial 1
  python core/train_seq2seqGAN.py --trial 7       # the GAN loss alone: --no_lsgan --no_vgg_loss --no_ganFeat_loss
  python core/train_seq2seqGAN.py --dataset synth --trial 101 --num_iters 600      # a small trial on a CPU
"""
import _init_paths  # noqa: F401

from core.datasets.transforms import crop_and_flip
from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import OFF, Parser, parse
from core.engine.seeds import over_seeds
from core.losses.gan import GANLoss
from core.losses.plan import operator_nll, parameter_loss
from core.operators import execute_batch
from core.synthesis.degrade import Inputs
from core.training.adversarial import (
    LAMBDA_GP,
    adam,
    add_gan,
    adversarial_losses,
    build_discriminator,
    discriminator_step,
    generator_step,
    perceptual_loss,
)
from core.training.average import average_weights
from core.training.planners import add_planner, build_planner, look_back, start, with_repairs

EXPERIMENT = "seq2seqGAN"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    training, language, pairs, val = start(options)
    train = with_repairs(pairs, Inputs(pairs), options, language)
    planner = training.setup(*build_planner(options, language), "teacher_forced")
    average = average_weights(training, options.ema)
    loss = GANLoss(options.gan).to(training.device)
    D = build_discriminator(options, language)
    D = training.setup(D, adam(D, options.learning_rate_D), name="D", floor=loss.floor)
    lambda_feat = 0.0 if options.no_ganFeat_loss else options.lambda_feat
    lambda_vgg = 0.0 if options.no_vgg_loss else options.lambda_vgg
    lambda_gp = LAMBDA_GP if options.gan == "wgan" else 0.0
    perceptual = perceptual_loss(training, lambda_vgg)

    for batch in training.batches(train):
        planner.train()
        image, target, words = batch["input"], batch["target"], batch["request_ids"]   # (B, 3, H, W) twice, (B, L)
        if options.crop:
            image, target = crop_and_flip(image, target, options.crop)

        if training.iteration % 2 == 0:   # the first, the third, ...: supervised by the planned sequence
            ops, params = batch["ops"], batch["params"]
            log_probabilities, predicted = planner.teacher_forced(image, words, ops, params)
            distance = parameter_loss(predicted, params, ops, planner.vocab)
            generator_step(training, operator=operator_nll(log_probabilities, ops),
                           parameter=options.parameter_weight * distance)
        else:                             # the second, the fourth, ...: D steps, then the planner against a frozen D
            edit = planner(image, words).image
            real, fake = (image, target, words), (image, edit, words)

            # loss_D is the weighted sum over cases; with --adapt, the target and the executed plan share a weight of 1
            planned = None
            if options.adapt:
                planned = (image, execute_batch(planner.vocab, batch["ops"][:, 1:-1], image, batch["params"]), words)
            share = 1.0 if planned is None else 0.5
            discriminator_step(training, loss, D, {"real": (real, True, share), "planned": (planned, True, share),
                                                   "fake": (fake, False, 1.0)}, lambda_gp, options.r1)

            # loss_G is the sum of these terms
            gan, features = adversarial_losses(training, loss, real, fake, matching=lambda_feat > 0)
            generator_step(training, GAN=gan, features=lambda_feat * features,
                           perceptual=lambda_vgg * perceptual(edit, target))

        look_back(training, planner, val, average)
    return {"best validation": training.best}


def arguments():
    parser = add_gan(add_planner(Parser(__doc__).add_data().add_training())).add_machine()
    parser.add_argument("--adapt", **OFF, help="count the executed planned sequence as real, "
                        "too; the discriminator's loss on real edits is then the mean over target and executed plan")
    return parser


if __name__ == "__main__":
    run(main)
