"""What the train scripts of image generators share: their pairs, their flags, validation and pages to look at."""
from core.engine.adversarial import adam
from core.engine.language import open_language
from core.engine.options import number
from core.engine.previews import write_previews
from core.engine.run import Run
from core.engine.training import open_pairs, validate
from core.files import UserError

NORMS = ("instance", "batch", "none")


def start(options):
    """Begin to train a generator: return the Run, the Language, and the training and validation pairs."""
    if options.hidden_size % 2:
        raise UserError(f"--hidden_size {options.hidden_size}: give an even number, half for each reading direction")
    language = open_language(options)
    train, val = (open_pairs(options, language.vocab, phase, planned=False) for phase in ("train", "val"))
    training = Run(options)
    for sentence in (*language.notes, *train.report(), *val.report()):
        training.say(sentence)
    return training, language, train, val


def set_up_generator(training, language, network, **config):
    """Build a Generator or FilterBank and set it up as the network of a run that is tested; return it.

    Args: `network`, the class; `config`, what its `Config` holds beside the flags of `add_generator`.
    """
    options = training.options
    generator = network(network.Config(
        words=language.vocab.names, vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        hidden_size=options.hidden_size, ngf=options.ngf, norm=options.norm_G, **config), language.vectors)
    return training.setup(generator, adam(generator, options.learning_rate))


def look_back(training, generator, val):
    """Validate, save, and write pages to look at, in the iterations where that is due."""
    options = training.options
    if training.due(options.checkpoint_every):
        before, after = validate(generator, val, training.device, options.batch_size)
        training.checkpoint(after, input_L1=before, output_L1=after)
    if options.visualize and training.due(options.visualize_every):
        write_previews(training, generator, val)


def add_generator(parser, norm="instance"):
    """Add the flags of every generator; `norm` is the default of --norm_G. Return the parser."""
    group = parser.add_argument_group("generator")
    group.add_argument("--ngf", type=number(int, 1), default=64, help="channels at full size")
    group.add_argument("--norm_G", default=norm, choices=NORMS, help="its norm; behind --fusion concat, instance "
                       "erases what the words say")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="of the LSTMs that read the request")
    parser.set_defaults(learning_rate=2e-4)
    return parser
