"""Bilinear GAN: the features of the photo and the sentence meet by low-rank bilinear pooling, then residual blocks.

The discriminator is matching-aware (Reed et al. 2016): beside real edits and fakes it sees real edits with wrong words.
Nothing but the discriminator teaches the generator, unless --use_vgg or --lambda_L1 hold it to the target.

  python core/train_bilinearGAN.py --fusing_method lowrank_BP --trial 15
  python core/train_bilinearGAN.py --dataset synth --trial 101 --num_iters 600       # a small trial on a CPU
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.engine.run import run_folder
from core.engine.seeds import over_seeds
from core.models.gan.fusion import FUSIONS
from core.models.gan.generators import Generator
from core.training.adversarial import discriminate, make_critic, perceptual_loss, set_up_critic, wrong_words
from core.training.generators import add_generator, draw, set_up_generator
from core.training.planners import look_back, start


def main():
    over_seeds(parse(arguments(), "bilinearGAN"), train_once, run_folder)


def train_once(options):
    """Train one run; return what its best checkpoint was chosen by."""
    training, language, train, val = start(options, planned=False)
    generator = set_up_generator(training, language, Generator, net=options.netG, fusion=options.fusing_method,
                                 cond_nc=options.rank)
    critic, game = set_up_critic(training, make_critic(options, language))
    perceptual = perceptual_loss(training, options.use_vgg * options.lambda_vgg)

    for batch in training.batches(train):
        result = draw(training, generator, game, batch, perceptual, options.lambda_L1)
        discriminate(training, game, critic, batch["input"], batch["target"], result, batch["request_ids"],
                     wrong_words(batch["request_ids"]))
        look_back(training, generator, val)
    return {"best validation": training.best}


def arguments():
    parser = Parser(__doc__).add_data().add_training(num_iters=20000).add_gan().add_machine()
    add_generator(parser, norm="batch")
    group = parser.add_argument_group("bilinear GAN")
    group.add_argument("--fusing_method", default="lowrank_BP", choices=FUSIONS, help="how the sentence meets the "
                       "features: low-rank bilinear pooling, concatenation, or scale and shift")
    group.add_argument("--rank", type=number(int, 1), default=256, help="of the pooling; with the other methods, "
                       "numbers that the sentence becomes")
    group.add_argument("--netG", default="resnet_4blocks", help="generator: resnet_4blocks, unet_128, global_9blocks; "
                       "or with other numbers")
    group.add_argument("--use_vgg", type=int, nargs="?", const=1, default=0, choices=(0, 1), help="also a perceptual "
                       "loss, times --lambda_vgg")
    group.add_argument("--lambda_L1", type=number(float, 0), default=0.0, help="weight of the L1 to the target")
    parser.set_defaults(gan="vanilla", schedule="halved", num_D=1, lambda_vgg=1.0, lambda_feat=0.0)
    return parser


if __name__ == "__main__":
    run(main)
