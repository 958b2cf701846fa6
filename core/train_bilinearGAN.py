"""Bilinear GAN: low-rank bilinear pooling fuses the features of the photo with the sentence, before residual blocks.

The discriminator is matching-aware (Reed et al. 2016): it sees real edits, fakes, and real edits with wrong words. The
generator learns from the discriminator alone, unless --use_vgg or --lambda_L1 add losses to the target.

  python core/train_bilinearGAN.py --fusing_method lowrank_BP --trial 15
  python core/train_bilinearGAN.py --dataset synth --trial 101 --num_iters 600       # a small trial on a CPU
"""
import _init_paths  # noqa: F401
import torch.nn.functional as F

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import OFF, Parser, number, parse
from core.engine.seeds import over_seeds
from core.losses.gan import GANLoss
from core.models.gan.fusion import FUSIONS
from core.models.gan.generators import Generator
from core.training.adversarial import (
    LAMBDA_GP,
    adam,
    add_gan,
    adversarial_losses,
    build_discriminator,
    discriminator_step,
    generator_step,
    mismatched,
    off,
    perceptual_loss,
)
from core.training.average import average_weights
from core.training.generators import add_generator, build_generator
from core.training.planners import look_back, start


def main():
    over_seeds(parse(arguments(), "bilinearGAN"), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    training, language, train, val = start(options, planned=False)
    generator = build_generator(options, language, Generator, net=options.netG, fusion=options.fusing_method,
                                cond_nc=options.rank)
    generator = training.setup(generator, adam(generator, options.learning_rate))
    average = average_weights(training, options.ema)
    loss = GANLoss(options.gan).to(training.device)
    D = build_discriminator(options, language)
    D = training.setup(D, adam(D, options.learning_rate_D), name="D", floor=loss.floor)
    lambda_feat = 0.0 if options.no_ganFeat_loss else options.lambda_feat
    lambda_vgg = 0.0 if options.no_vgg_loss else options.use_vgg * options.lambda_vgg
    lambda_gp = LAMBDA_GP if options.gan == "wgan" else 0.0
    l1 = F.l1_loss if options.lambda_L1 else off
    perceptual = perceptual_loss(training, lambda_vgg)

    for batch in training.batches(train):
        generator.train()
        image, target, words = batch["input"], batch["target"], batch["request_ids"]   # (B, 3, H, W) twice, (B, L)
        edit = generator(image, words)
        real, fake = (image, target, words), (image, edit, words)

        # loss_G is the sum of these terms; the generator steps first, against a frozen D
        gan, features = adversarial_losses(training, loss, real, fake, matching=lambda_feat > 0)
        generator_step(training, GAN=gan, features=lambda_feat * features, L1=options.lambda_L1 * l1(edit, target),
                       VGG=lambda_vgg * perceptual(edit, target))

        # loss_D is the weighted sum over cases; fakes and real edits with wrong words share a weight of 1
        wrong = mismatched(*real)
        share = 1.0 if wrong is None else 0.5
        discriminator_step(training, loss, D, {"real": (real, True, 1.0), "fake": (fake, False, share),
                                               "wrong_words": (wrong, False, share)}, lambda_gp, options.r1)

        if average:
            average.update(generator)
        look_back(training, average.network if average else generator, val)
    return {"best validation": training.best}


def arguments():
    parser = add_gan(Parser(__doc__).add_data().add_training(num_iters=20000)).add_machine()
    add_generator(parser, norm="batch")
    group = parser.add_argument_group("bilinear GAN")
    group.add_argument("--fusing_method", default="lowrank_BP", choices=FUSIONS, help="how the sentence is fused "
                       "with the features: low-rank bilinear pooling, concatenation, or scale and shift")
    group.add_argument("--rank", type=number(int, 1), default=256, help="rank of the pooling; with the other methods, "
                       "the size of the sentence's projection")
    group.add_argument("--netG", default="resnet_4blocks", help="generator: resnet_4blocks, unet_128 or "
                       "global_9blocks, also with other numbers")
    group.add_argument("--use_vgg", **OFF, help="add a perceptual loss with the weight "
                       "--lambda_vgg")
    group.add_argument("--lambda_L1", type=number(float, 0), default=0.0, help="weight of the L1 loss to the "
                       "target")
    parser.set_defaults(gan="vanilla", schedule="halved", num_D=1, lambda_vgg=1.0, lambda_feat=0.0)
    return parser


if __name__ == "__main__":
    run(main)
