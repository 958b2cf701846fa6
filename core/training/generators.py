"""Training of image generators: flags, construction, and the average of the weights."""
from core.engine.options import number
from core.engine.run import MAIN
from core.models.gan.ema import EMA

NORMS = ("instance", "batch", "none")


def build_generator(options, language, network, **config):
    """Build a Generator or FilterBank.

    Args: `network`, the class; `config`, the fields of its `Config` that `add_generator`'s flags do not give.
    """
    return network(network.Config(
        words=language.vocab.names, vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        hidden_size=options.hidden_size, ngf=options.ngf, norm=options.norm_G, **config), language.vectors)


def average_weights(run, decay):
    """Return the EMA of a run's generator, saved with the run as the network "average"; None with decay 0.

    `ImageMethod.of_run` tests the average where a checkpoint holds one. Call this function after `run.setup` of the
    generator.
    """
    if not decay:
        return None
    average = EMA(run.networks[MAIN], decay, updates=run.iteration)   # one update per iteration
    run.keep(average.network, "average")
    return average


def add_generator(parser, norm="instance"):
    """Add the flags of every generator; `norm` is the default of --norm_G. Return the parser."""
    group = parser.add_argument_group("generator")
    group.add_argument("--ngf", type=number(int, 1), default=64, help="channels at full size")
    group.add_argument("--norm_G", default=norm, choices=NORMS, help="norm of the generator; with --fusion concat, "
                       "instance removes the effect of the words")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="size of the LSTMs that read the "
                       "request")
    group.add_argument("--ema", type=number(float, 0, 0.999999), default=0.0, metavar="DECAY", help="validate and test "
                       "the exponential moving average of the generator's weights with this decay, such as 0.999; "
                       "with 0, the weights themselves (default: 0)")
    parser.set_defaults(learning_rate=2e-4)
    return parser
