"""Training of image generators: flags and construction."""
from core.engine.options import number
from core.training.average import add_average

NORMS = ("instance", "batch", "none")


def build_generator(options, language, network, **config):
    """Build a Generator or FilterBank.

    Args: `network`, the class; `config`, the fields of its `Config` that `add_generator`'s flags do not give.
    """
    return network(network.Config(
        words=language.vocab.names, vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        hidden_size=options.hidden_size, ngf=options.ngf, norm=options.norm_G, **config), language.vectors)


def add_generator(parser, norm="instance"):
    """Add the flags of every generator; `norm` is the default of --norm_G. Return the parser."""
    group = parser.add_argument_group("generator")
    group.add_argument("--ngf", type=number(int, 1), default=64, help="channels at full size")
    group.add_argument("--norm_G", default=norm, choices=NORMS, help="norm of the generator; with --fusion concat, "
                       "instance removes the effect of the words")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="size of the LSTMs that read the "
                       "request")
    add_average(group)
    parser.set_defaults(learning_rate=2e-4)
    return parser
