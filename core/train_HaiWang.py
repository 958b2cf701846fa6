"""Three models of "Learning to Globally Edit Images with Textual Description" (Wang, Williams and Kang 2018).

Pix2Pix draws the edit end to end from photo and sentence; FilterBank mixes --num_G learnt edits by weights that the
words give; Bucket takes one of them. All learn from L1, a perceptual loss and a discriminator that reads, too.

  python core/train_HaiWang.py --which_model_netG resnet_7blocks --no_lsgan --triple 0 --model Pix2Pix --trial 5
  python core/train_HaiWang.py --dataset synth --trial 101 --num_iters 600       # a small trial on a CPU
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.engine.run import run_folder
from core.engine.seeds import over_seeds
from core.models.gan.filter_bank import FilterBank
from core.models.gan.fusion import FUSIONS
from core.models.gan.generators import Generator
from core.training.adversarial import discriminate, make_critic, perceptual_loss, set_up_critic, wrong_words
from core.training.generators import add_generator, draw, set_up_generator
from core.training.planners import look_back, start

MODELS = ("Pix2Pix", "FilterBank", "Bucket")


def main():
    over_seeds(parse(arguments(), "HaiWang"), train_once, run_folder)


def train_once(options):
    """Train one run; return what its best checkpoint was chosen by."""
    training, language, train, val = start(options, planned=False)
    if options.model == "Pix2Pix":
        generator = set_up_generator(training, language, Generator, net=options.which_model_netG,
                                     fusion=options.fusion, cond_nc=options.cond_nc)
    else:
        generator = set_up_generator(training, language, FilterBank, net=options.which_model_netG,
                                     num_G=options.num_G, bucket=options.model == "Bucket")
    critic, game = set_up_critic(training, make_critic(options, language))
    perceptual = perceptual_loss(training, options.lambda_vgg)

    for batch in training.batches(train):
        result = draw(training, generator, game, batch, perceptual, options.lambda_L1)
        discriminate(training, game, critic, batch["input"], batch["target"], result, batch["request_ids"],
                     wrong_words(batch["request_ids"]) if options.triple else None)
        look_back(training, generator, val)
    return {"best validation": training.best}


def arguments():
    parser = Parser(__doc__).add_data().add_training(num_iters=20000).add_gan().add_machine()
    add_generator(parser, norm="batch")
    group = parser.add_argument_group("Wang, Williams and Kang")
    group.add_argument("--model", default="Pix2Pix", choices=MODELS, help="end to end, a mixture of learnt edits, or "
                       "one of them")
    group.add_argument("--which_model_netG", default="unet_128", help="generator: unet_128, resnet_7blocks; or with "
                       "other numbers")
    group.add_argument("--num_G", type=number(int, 1), default=5, help="learnt edits of FilterBank and Bucket")
    group.add_argument("--fusion", default="concat", choices=FUSIONS, help="how the words meet the picture in Pix2Pix; "
                       "--cond_nc is their size here, too")
    group.add_argument("--triple", type=int, nargs="?", const=1, default=0, choices=(0, 1), help="a third case for the "
                       "discriminator: real edits with wrong words")
    group.add_argument("--lambda_L1", type=number(float, 0), default=10.0, help="weight of the L1 to the target")
    parser.set_defaults(schedule="linear", num_D=1, lambda_vgg=0.05, lambda_feat=0.0)
    return parser


if __name__ == "__main__":
    run(main)
