"""The adversarial half of a train script: the discriminator "D", one step of it, and what a generator owes it.

Which losses a generator has besides, and who moves first, stays in the script.
"""
import torch

from core.files import UserError
from core.losses.gan import GANLoss, feature_matching, gradient_penalty, r1
from core.losses.perceptual import open_perceptual
from core.models.gan.discriminator import DiscriminatorConfig, MultiScaleDiscriminator

BETAS = (0.5, 0.999)   # of Adam in adversarial training (Radford et al. 2016)


def make_critic(options, language, use_words=True):
    """Return the discriminator that `Parser.add_gan`'s flags describe; its words are its own to read.

    Raises UserError where requests are not words.
    """
    if language.minilm:
        raise UserError("--lang_encoder minilm: the discriminator reads words, not pieces of them; leave the flag out")
    return MultiScaleDiscriminator(
        DiscriminatorConfig(words=language.vocab.names, vector_size=language.vector_size,
                            fixed_vectors=language.vectors is not None, hidden_size=options.hidden_size,
                            cond_nc=options.cond_nc, num_D=options.num_D, n_layers=options.n_layers_D,
                            ndf=options.ndf, norm=options.norm_D, use_words=use_words), language.vectors)


def set_up_critic(training, critic):
    """Set the discriminator up as network "D" of a run; return it, and the losses of its game."""
    options, game = training.options, GANLoss(training.options.gan).to(training.device)
    optimizer = adam(critic, options.learning_rate_D)
    return training.setup(critic, optimizer, name="D", floor=game.floor), game


def adam(network, learning_rate):
    """Return Adam, as it is used in adversarial training, on what learns of a network."""
    return torch.optim.Adam([parameter for parameter in network.parameters() if parameter.requires_grad],
                            learning_rate, BETAS)


def discriminate(training, game, critic, source, real, fake, request_ids, wrong_ids=None, also_real=None):
    """Teach the discriminator one step: real edits with their words from fakes and, if given, from wrong words.

    All cases go through it in one call. Fakes and wrong words share the weight of what is not right (Reed et al. 2016).

    Args:
        game: the GANLoss; critic: network "D" as `training.setup` gave it.
        source, real, fake: (B, 3, H, W) in [0, 1]; nothing is learnt from `fake` but by the discriminator.
        request_ids: (B, L); wrong_ids: (B, L) of `wrong_words`, where rows that equal the right ones are left out.
        also_real: (B, 3, H, W), edits that count as real as well: what is real costs the mean of both.
    """
    fake = fake.detach()
    reals = [real] if also_real is None else [real, also_real]
    cases = [*((source, image, request_ids) for image in reals), (source, fake, request_ids)]
    if wrong_ids is not None and (differs := (wrong_ids != request_ids).any(1)).any():
        cases.append((source[differs], real[differs], wrong_ids[differs]))
    scales, _ = critic(*(torch.cat(parts) for parts in zip(*cases, strict=True)))
    sizes = [len(reals) * len(real), *(len(words) for _, _, words in cases[len(reals):])]
    right, false, *mismatched = zip(*(scale.split(sizes) for scale in scales), strict=True)
    share = 1 / (1 + len(mismatched))
    losses = {"real": game.on_real(right), "fake": share * game.on_fake(false)}
    for logits in mismatched:
        losses["wrong_words"] = share * game.on_fake(logits)
        training.note(D_accuracy_wrong_words=game.accuracy(right, logits)[1])
    if game.kind == "wgan":
        losses["penalty"] = gradient_penalty(lambda mixed: critic(source, mixed, request_ids)[0], real, fake)
    if training.options.r1:
        losses["r1"] = training.options.r1 * r1(lambda image: critic(source, image, request_ids)[0], real)
    training.step("D", **losses)
    on_real, on_fake = game.accuracy(right, false)
    training.note(D_accuracy_real=on_real, D_accuracy_fake=on_fake)


def deceive(training, game, source, real, fake, request_ids):
    """Return what the generator owes the discriminator, which stands still: {"GAN": ...} and {"features": ...}.

    Args: as for `discriminate`; the gradient goes to `fake`. --no_ganFeat_loss, or --lambda_feat 0, omits the features.
    """
    options = training.options
    with training.held("D") as critic:
        logits, features = critic(source, fake, request_ids)
        losses = {"GAN": game.generator(logits)}
        if options.lambda_feat and not options.no_ganFeat_loss:
            with torch.no_grad():
                _, wanted = critic(source, real, request_ids)
            losses["features"] = feature_matching(wanted, features, options.n_layers_D, options.lambda_feat)
    return losses


def wrong_words(request_ids):
    """Return for each request (B, L) of a batch the next one, going round, that reads differently; else itself."""
    count = len(request_ids)
    places = torch.arange(count, device=request_ids.device)
    order = (places[:, None] + places + 1) % count                        # (B, B): for each the others, itself last
    differs = (request_ids[order] != request_ids[:, None]).any(2)
    first = differs.int().argmax(1)                                       # of the first largest: 0 if all are equal
    return request_ids[torch.where(differs.any(1), order[places, first], places)]


def perceptual_loss(training, weight):
    """Open the perceptual distance times `weight` as a callable of two pictures, and say on what it looks.

    None where --no_vgg_loss, or no weight, leaves it out.
    """
    if training.options.no_vgg_loss or not weight:
        return None
    distance, name = open_perceptual(training.options.vgg_weights)
    training.say(f"the perceptual loss looks at features of {name}")
    distance.to(training.device)
    return lambda image, target: weight * distance(image, target)
