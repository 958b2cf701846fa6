"""What the train scripts of image generators share: how one is set up, its step, and its flags."""
from core.engine.options import number
from core.training.adversarial import adam, deceive

NORMS = ("instance", "batch", "none")


def set_up_generator(training, language, network, **config):
    """Build a Generator or FilterBank and set it up as the network of a run that is tested; return it.

    Args: `network`, the class; `config`, what its `Config` holds beside the flags of `add_generator`.
    """
    options = training.options
    generator = network(network.Config(
        words=language.vocab.names, vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        hidden_size=options.hidden_size, ngf=options.ngf, norm=options.norm_G, **config), language.vectors)
    return training.setup(generator, adam(generator, options.learning_rate))


def draw(training, generator, game, batch, perceptual=None, lambda_L1=0.0):
    """Let the generator draw a batch, teach it one step by the discriminator and its other losses; return the result.

    Args: `game` and `perceptual` as `set_up_critic` and `perceptual_loss` return them.
    """
    generator.train()
    image, words, target = batch["input"], batch["request_ids"], batch["target"]
    result = generator(image, words)
    losses = deceive(training, game, image, target, result, words)
    if lambda_L1:
        losses["L1"] = lambda_L1 * (result - target).abs().mean()
    if perceptual:
        losses["VGG"] = perceptual(result, target)
    training.step(**losses)
    return result


def add_generator(parser, norm="instance"):
    """Add the flags of every generator; `norm` is the default of --norm_G. Return the parser."""
    group = parser.add_argument_group("generator")
    group.add_argument("--ngf", type=number(int, 1), default=64, help="channels at full size")
    group.add_argument("--norm_G", default=norm, choices=NORMS, help="its norm; behind --fusion concat, instance "
                       "erases what the words say")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="of the LSTMs that read the request")
    parser.set_defaults(learning_rate=2e-4)
    return parser
