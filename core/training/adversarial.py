"""Adversarial training: the discriminator "D", its step, and the generator's step and adversarial losses.

A train script's loop names every term and weight, and decides which network steps first. The formulas are in
core.losses.
"""
import torch

from core.engine.options import number
from core.files import UserError
from core.losses.gan import KINDS, feature_matching, gradient_penalty, r1
from core.losses.perceptual import load_perceptual
from core.models.gan.discriminator import NORMS, DiscriminatorConfig, MultiScaleDiscriminator

BETAS = (0.5, 0.999)   # of Adam in adversarial training (Radford et al. 2016)
LAMBDA_GP = 10.0       # weight of WGAN's gradient penalty (Gulrajani et al. 2017)


def build_discriminator(options, language, use_words=True):
    """Build the discriminator that `add_gan`'s flags describe, with a request encoder of its own.

    Raises UserError where the language encodes requests as word pieces.
    """
    if language.minilm:
        raise UserError("--lang_encoder minilm: the discriminator reads words, not pieces of them; leave the flag out")
    return MultiScaleDiscriminator(
        DiscriminatorConfig(words=language.vocab.names, vector_size=language.vector_size,
                            fixed_vectors=language.vectors is not None, hidden_size=options.hidden_size,
                            cond_nc=options.cond_nc, num_D=options.num_D, n_layers=options.n_layers_D,
                            ndf=options.ndf, norm=options.norm_D, use_words=use_words), language.vectors)


def adam(network, learning_rate):
    """Return Adam with the momenta of adversarial training for the trainable parameters of a network."""
    return torch.optim.Adam([parameter for parameter in network.parameters() if parameter.requires_grad],
                            learning_rate, BETAS)


def adversarial_losses(run, loss, real, fake, matching=True):
    """Return the generator's GAN loss and the feature-matching loss, both 0-d tensors without weights.

    The discriminator "D" is frozen; the gradient flows through it to the pictures in `fake`.

    Args:
        run: the Run that holds "D"; loss: its GANLoss.
        real, fake: the discriminator's inputs for the target and for the generator's result, two tuples such as
            (source (B, 3, H, W), candidate (B, 3, H, W), request_ids (B, L)).
        matching: False skips feature matching and returns 0.0 for it.
    """
    with run.held("D") as discriminator:
        logits, fake_features = discriminator(*fake)
        gan = loss.generator(logits)
        if not matching:
            return gan, 0.0
        with torch.no_grad():
            _, real_features = discriminator(*real)
    return gan, feature_matching(real_features, fake_features)


def generator_step(run, **terms):
    """Step the generator, which is the tested network of a run, on the sum of weighted loss terms, and log each term.

    A term that is switched off (see `off`) is the number 0.0, not a tensor; it is neither added nor logged.
    """
    run.step(**{name: term for name, term in terms.items() if torch.is_tensor(term)})


def discriminator_step(run, loss, D, cases, lambda_gp=0.0, lambda_r1=0.0):
    """Step the discriminator on the weighted sum of its losses on several cases, which it scores in one call.

    The log has one loss for all real cases, "D real", one for each other case, "D <name>", and accuracies with the same
    grouping.

    Args:
        run: the Run; loss: the GANLoss; D: network "D" as `run.setup` returned it.
        cases: {name: (inputs, is_real, weight)}. `inputs` is the tuple of D's arguments: the source, the
            candidate picture, and further conditions of D, such as words or masks. Cases may differ in their number of
            rows. No gradient flows to the inputs. A case whose inputs are None is left out.
        lambda_gp, lambda_r1: weights of the gradient penalty between the first real and the first other case, and of R1
            at the first real case; 0 switches a penalty off. Both penalties differentiate by the candidate, inputs[1].
    """
    cases = {name: case for name, case in cases.items() if case[0] is not None}
    inputs = {name: tuple(part.detach() for part in case[0]) for name, case in cases.items()}
    scales, _ = D(*(torch.cat(parts) for parts in zip(*inputs.values(), strict=True)))
    sizes = [len(parts[0]) for parts in inputs.values()]
    logits = dict(zip(cases, zip(*(scale.split(sizes) for scale in scales), strict=True), strict=True))
    real, other = ([name for name, (_, is_real, _) in cases.items() if is_real == side] for side in (True, False))

    losses = {"real": sum(cases[name][2] * loss.on_real(logits[name]) for name in real)}
    losses |= {name: cases[name][2] * loss.on_fake(logits[name]) for name in other}
    source, candidate, *condition = inputs[real[0]]

    def score(picture):
        return D(source, picture, *condition)[0]
    if lambda_gp:
        losses["penalty"] = gradient_penalty(score, candidate, inputs[other[0]][1], lambda_gp)
    if lambda_r1:
        losses["r1"] = lambda_r1 * r1(score, candidate)
    run.step("D", **losses)

    right = [torch.cat(parts) for parts in zip(*(logits[name] for name in real), strict=True)]
    run.note(D_accuracy_real=loss.accuracy(right, logits[other[0]])[0],
             **{f"D_accuracy_{name}": loss.accuracy(right, logits[name])[1] for name in other})


def wrong_words(request_ids):
    """Return, for each request (B, L), the next different request of the batch, or itself if all are equal."""
    count = len(request_ids)
    places = torch.arange(count, device=request_ids.device)
    order = (places[:, None] + places + 1) % count                        # (B, B): row i starts after i, ends with i
    differs = (request_ids[order] != request_ids[:, None]).any(2)
    first = differs.int().argmax(1)                                       # index of the first True; 0 if none is
    return request_ids[torch.where(differs.any(1), order[places, first], places)]


def mismatched(source, target, request_ids):
    """Return real edits with the words of another pair (Reed et al. 2016): (source, target, wrong words).

    The result has the N <= B rows whose wrong words differ from their own words; it is None without such rows.
    """
    wrong = wrong_words(request_ids)
    differs = (wrong != request_ids).any(1)
    return (source[differs], target[differs], wrong[differs]) if differs.any() else None


def perceptual_loss(run, weight):
    """Return the perceptual loss, (image, target) -> 0-d tensor without weight, on a run's device; `off` at weight 0.

    Prints the name of the network whose features are compared.
    """
    if not weight:
        return off
    distance, name = load_perceptual(run.options.vgg_weights)
    run.say(f"the perceptual loss compares features of {name}")
    return distance.to(run.device)


def off(*_):
    """Return 0.0, the value of a loss that is switched off."""
    return 0.0


def add_gan(parser):
    """Add the flags of a discriminator and of the adversarial losses; return the parser."""
    group = parser.add_argument_group("adversarial training")
    group.add_argument("--gan", default="lsgan", choices=KINDS, help="GAN loss: cross-entropy, least squares, "
                       "hinge, or WGAN with its gradient penalty")
    group.add_argument("--no_lsgan", dest="gan", action="store_const", const="vanilla", help="the same as "
                       "--gan vanilla, for commands of the notebook")
    group.add_argument("--no_vgg_loss", action="store_true", help="train without the perceptual loss")
    group.add_argument("--vgg_weights", help="file of torchvision's VGG-19 weights for the perceptual loss; by "
                       "default the file in torch hub's cache, or else a stand-in network, whose name is printed")
    group.add_argument("--lambda_vgg", type=number(float, 0), default=10.0, help="weight of the perceptual loss")
    group.add_argument("--no_ganFeat_loss", action="store_true", help="train without the feature-matching loss "
                       "on the discriminator's features")
    group.add_argument("--lambda_feat", type=number(float, 0), default=10.0, help="weight of the feature-matching "
                       "loss")
    group.add_argument("--r1", type=number(float, 0), default=0.0, help="weight (gamma) of the R1 penalty on the "
                       "discriminator's gradient at real pictures")
    group.add_argument("--learning_rate_D", type=number(float, 0), default=2e-4, help="learning rate of the "
                       "discriminator's Adam")
    group.add_argument("--cond_nc", type=number(int, 1), default=512, help="channels of the encoded request in "
                       "the discriminator")
    group.add_argument("--num_D", type=number(int, 1), default=2, help="number of scales of the discriminator")
    group.add_argument("--n_layers_D", type=number(int, 1), default=3, help="strided blocks of the discriminator, at "
                       "each scale")
    group.add_argument("--ndf", type=number(int, 1), default=64, help="channels of the first strided block")
    group.add_argument("--norm_D", default="instance", choices=NORMS, help="norm of the discriminator: instance as in "
                       "pix2pixHD; spectral keeps the mean and spread of a picture, which edits change")
    return parser
