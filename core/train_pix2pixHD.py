"""pix2pixHD with words: straight from the photo and the request to pixels (Wang et al. 2018), without a plan.

The generator learns from a discriminator of several scales, from its features and from a perceptual loss; both are
told the request. With --triple, real edits with wrong words are a third case, which the discriminator must refuse.

  python core/train_pix2pixHD.py --trial 1
  python core/train_pix2pixHD.py --dataset synth --trial 102 --num_iters 600       # a small trial on a CPU
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.engine.run import run_folder
from core.engine.seeds import over_seeds
from core.files import UserError
from core.models.gan.fusion import FUSIONS
from core.models.gan.generators import Generator
from core.training.adversarial import discriminate, make_critic, perceptual_loss, set_up_critic, wrong_words
from core.training.generators import add_generator, draw, set_up_generator
from core.training.planners import look_back, start

ENCODERS = ("separate", "shared", "G", "only_G")


def main():
    over_seeds(parse(arguments(), "pix2pixHD"), train_once, run_folder)


def train_once(options):
    """Train one run; return what its best checkpoint was chosen by."""
    if options.triple and options.encoders == "only_G":
        raise UserError("--triple: wrong words mean nothing to a discriminator that reads none; leave --encoders "
                        "only_G out")
    training, language, train, val = start(options, planned=False)
    generator = set_up_generator(training, language, Generator, net=options.netG, fusion=options.fusion,
                                 cond_nc=options.cond_nc)
    critic = make_critic(options, language, use_words=options.encoders != "only_G")
    if options.encoders == "G":
        critic.read.requires_grad_(False)
    critic, game = set_up_critic(training, critic)
    perceptual = perceptual_loss(training, options.lambda_vgg)

    for batch in training.batches(train):
        if options.encoders in ("shared", "G"):
            tell(training, "model", "D")
        result = draw(training, generator, game, batch, perceptual)
        if options.encoders in ("shared", "G"):
            tell(training, "model", "D")
        discriminate(training, game, critic, batch["input"], batch["target"], result, batch["request_ids"],
                     wrong_words(batch["request_ids"]) if options.triple else None)
        if options.encoders == "shared":
            tell(training, "D", "model")
        look_back(training, generator, val)
    return {"best validation": training.best}


def tell(training, teacher, pupil):
    """Give a network's language encoder to another, as if they had one; each optimizer then teaches it in its turn."""
    training.networks[pupil].read.load_state_dict(training.networks[teacher].read.state_dict())


def arguments():
    parser = Parser(__doc__).add_data().add_training(num_iters=20000).add_gan().add_machine()
    add_generator(parser)
    group = parser.add_argument_group("pix2pixHD")
    group.add_argument("--netG", default="global_9blocks", help="generator: global_9blocks, local_9blocks (the global "
                       "one and a local enhancer), resnet_7blocks, unet_128; or with other numbers")
    group.add_argument("--fusion", default="concat", choices=FUSIONS, help="how the words meet the picture in it; "
                       "--cond_nc is their size here, too")
    group.add_argument("--encoders", default="separate", choices=ENCODERS, help="who reads the words: each network by "
                       "its own encoder, both by a shared one, both by one that only the generator trains, or only the "
                       "generator at all")
    group.add_argument("--triple", type=int, nargs="?", const=1, default=0, choices=(0, 1), help="a third case for the "
                       "discriminator: real edits with wrong words")
    parser.set_defaults(schedule="linear")
    return parser


if __name__ == "__main__":
    run(main)
