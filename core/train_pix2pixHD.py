"""pix2pixHD with words: a generator from the photo and the request directly to pixels (Wang et al. 2018).

The losses of the generator are the GAN loss of a multi-scale discriminator, feature matching and a perceptual loss.
Both networks read the request. With --triple, the discriminator must also reject real edits with wrong words.

  python core/train_pix2pixHD.py --trial 1
  python core/train_pix2pixHD.py --dataset synth --trial 102 --num_iters 600       # a small trial on a CPU
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import OFF, Parser, parse
from core.engine.seeds import over_seeds
from core.files import UserError
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
    perceptual_loss,
)
from core.training.average import average_weights
from core.training.generators import add_generator, build_generator
from core.training.planners import look_back, start

ENCODERS = ("separate", "shared", "G", "only_G")


def main():
    over_seeds(parse(arguments(), "pix2pixHD"), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    if options.triple and options.encoders == "only_G":
        raise UserError("--triple: needs a discriminator that reads words; leave --triple or --encoders only_G "
                        "out")
    training, language, train, val = start(options, planned=False)
    generator = build_generator(options, language, Generator, net=options.netG, fusion=options.fusion,
                                cond_nc=options.cond_nc)
    generator = training.setup(generator, adam(generator, options.learning_rate))
    average = average_weights(training, options.ema)
    loss = GANLoss(options.gan).to(training.device)
    D = build_discriminator(options, language, use_words=options.encoders != "only_G")
    if options.encoders == "G":
        D.request_encoder.requires_grad_(False)
    D = training.setup(D, adam(D, options.learning_rate_D), name="D", floor=loss.floor)
    lambda_feat = 0.0 if options.no_ganFeat_loss else options.lambda_feat
    lambda_vgg = 0.0 if options.no_vgg_loss else options.lambda_vgg
    lambda_gp = LAMBDA_GP if options.gan == "wgan" else 0.0
    perceptual = perceptual_loss(training, lambda_vgg)

    for batch in training.batches(train):
        generator.train()
        image, target, words = batch["input"], batch["target"], batch["request_ids"]   # (B, 3, H, W) twice, (B, L)
        if options.encoders in ("shared", "G"):
            copy_encoder(training, "model", "D")
        edit = generator(image, words)
        real, fake = (image, target, words), (image, edit, words)

        # loss_G is the sum of these terms; the generator steps first, against a frozen D
        gan, features = adversarial_losses(training, loss, real, fake, matching=lambda_feat > 0)
        generator_step(training, GAN=gan, features=lambda_feat * features, VGG=lambda_vgg * perceptual(edit, target))

        if options.encoders in ("shared", "G"):
            copy_encoder(training, "model", "D")

        # loss_D is the weighted sum over cases; fakes and real edits with wrong words share a weight of 1
        wrong = mismatched(*real) if options.triple else None
        share = 1.0 if wrong is None else 0.5
        discriminator_step(training, loss, D, {"real": (real, True, 1.0), "fake": (fake, False, share),
                                               "wrong_words": (wrong, False, share)}, lambda_gp, options.r1)
        if options.encoders == "shared":
            copy_encoder(training, "D", "model")

        if average:
            average.update(generator)
        look_back(training, average.network if average else generator, val)
    return {"best validation": training.best}


def copy_encoder(training, source, target):
    """Copy a network's request encoder into another network, so that both optimizers update one shared encoder."""
    weights = training.networks[source].request_encoder.state_dict()
    training.networks[target].request_encoder.load_state_dict(weights)


def arguments():
    parser = add_gan(Parser(__doc__).add_data().add_training(num_iters=20000)).add_machine()
    add_generator(parser)
    group = parser.add_argument_group("pix2pixHD")
    group.add_argument("--netG", default="global_9blocks", help="generator: global_9blocks, local_9blocks (the global "
                       "generator and a local enhancer), resnet_7blocks or unet_128, also with other numbers")
    group.add_argument("--fusion", default="concat", choices=FUSIONS, help="how the generator fuses the words with the "
                       "picture; --cond_nc is also the size of the encoded request in this fusion")
    group.add_argument("--encoders", default="separate", choices=ENCODERS, help="request encoders: each network has "
                       "its own (separate); both share one (shared); both use one that only the generator trains (G); "
                       "the discriminator has none (only_G)")
    group.add_argument("--triple", **OFF, help="train the discriminator also on a third "
                       "case: real edits with wrong words, which count as fake")
    parser.set_defaults(schedule="linear")
    return parser


if __name__ == "__main__":
    run(main)
