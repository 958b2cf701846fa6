"""Three models of "Learning to Globally Edit Images with Textual Description" (Wang, Williams and Kang 2018).

Pix2Pix generates the edit end to end from photo and sentence; FilterBank mixes --num_G learnt edits, weighted by the
words; Bucket takes a single learnt edit. All three learn from L1, a perceptual loss and a discriminator that reads the
request.

  python core/train_HaiWang.py --which_model_netG resnet_7blocks --no_lsgan --triple 0 --model Pix2Pix --trial 5
  python core/train_HaiWang.py --dataset synth --trial 101 --num_iters 600       # a small trial on a CPU
"""
import _init_paths  # noqa: F401
import torch.nn.functional as F

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import OFF, Parser, number, parse
from core.engine.seeds import over_seeds
from core.losses.gan import GANLoss
from core.models.gan.filter_bank import FilterBank
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

MODELS = ("Pix2Pix", "FilterBank", "Bucket")


def main():
    over_seeds(parse(arguments(), "HaiWang"), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    training, language, train, val = start(options, planned=False)
    if options.model == "Pix2Pix":
        generator = build_generator(options, language, Generator, net=options.which_model_netG, fusion=options.fusion,
                                    cond_nc=options.cond_nc)
    else:
        generator = build_generator(options, language, FilterBank, net=options.which_model_netG, num_G=options.num_G,
                                    bucket=options.model == "Bucket")
    generator = training.setup(generator, adam(generator, options.learning_rate))
    average = average_weights(training, options.ema)
    loss = GANLoss(options.gan).to(training.device)
    D = build_discriminator(options, language)
    D = training.setup(D, adam(D, options.learning_rate_D), name="D", floor=loss.floor)
    lambda_feat = 0.0 if options.no_ganFeat_loss else options.lambda_feat
    lambda_vgg = 0.0 if options.no_vgg_loss else options.lambda_vgg
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
        wrong = mismatched(*real) if options.triple else None
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
    group = parser.add_argument_group("Wang, Williams and Kang")
    group.add_argument("--model", default="Pix2Pix", choices=MODELS, help="Pix2Pix: one generator, end to end; "
                       "FilterBank: a mixture of learnt edits; Bucket: one of the learnt edits")
    group.add_argument("--which_model_netG", default="unet_128", help="generator: unet_128 or resnet_7blocks, also "
                       "with other numbers")
    group.add_argument("--num_G", type=number(int, 1), default=5, help="number of learnt edits of "
                       "FilterBank and Bucket")
    group.add_argument("--fusion", default="concat", choices=FUSIONS, help="how Pix2Pix fuses the words with the "
                       "picture; --cond_nc is also the size of the encoded request in this fusion")
    group.add_argument("--triple", **OFF, help="train the discriminator also on a third "
                       "case: real edits with wrong words, which count as fake")
    group.add_argument("--lambda_L1", type=number(float, 0), default=10.0, help="weight of the L1 loss to the "
                       "target")
    parser.set_defaults(schedule="linear", num_D=1, lambda_vgg=0.05, lambda_feat=0.0)
    return parser


if __name__ == "__main__":
    run(main)
