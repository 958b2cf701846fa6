"""What a discriminator and a generator play for, on logits: four games, two penalties, feature matching.

A discriminator that looks at several scales gives a list of logits; every loss is the mean over it. The mean over
places and samples is taken within a scale, so that each scale weighs the same.
"""
import torch
import torch.nn.functional as F
from torch import nn

KINDS = ("vanilla", "lsgan", "hinge", "wgan")


class GANLoss(nn.Module):
    """The losses of one game.

    - vanilla: cross-entropy of real against fake; the generator wants its fakes called real (Goodfellow et al. 2014,
      the non-saturating form).
    - lsgan: squared distance to the targets (Mao et al. 2017).
    - hinge: real above 1, fake below -1 (Lim and Ye 2017).
    - wgan: the difference of means (Arjovsky et al. 2017); it needs `gradient_penalty` beside it.

    The targets of the first two are buffers: they follow the module to its device.
    """

    def __init__(self, kind):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; choose one of {', '.join(KINDS)}")
        self.kind = kind
        self.register_buffer("real", torch.tensor(1.0))
        self.register_buffer("fake", torch.tensor(0.0))

    @property
    def floor(self):
        """The discriminator's loss below which it has won for good; None where a loss may be any number."""
        return None if self.kind == "wgan" else 0.02

    def discriminator(self, real_logits, fake_logits):
        """Return the discriminator's losses on real and on fake; logits are tensors or lists of them."""
        return self.on_real(real_logits), self.on_fake(fake_logits)

    def on_real(self, logits):
        """Return what the discriminator pays for its logits of what is real."""
        if self.kind == "hinge":
            return _over_scales(lambda x: F.relu(1 - x).mean(), logits)
        return self.generator(logits)   # a generator wants for its fakes what a discriminator wants for what is real

    def on_fake(self, logits):
        """Return what the discriminator pays for its logits of what is fake, or of what does not fit the words."""
        if self.kind == "hinge":
            return _over_scales(lambda x: F.relu(1 + x).mean(), logits)
        if self.kind == "wgan":
            return _over_scales(torch.mean, logits)
        return self._distance(logits, self.fake)

    def generator(self, fake_logits):
        """Return what a generator pays for the logits of its results."""
        if self.kind in ("hinge", "wgan"):
            return _over_scales(lambda x: -x.mean(), fake_logits)
        return self._distance(fake_logits, self.real)

    def _distance(self, logits, target):
        distance = F.binary_cross_entropy_with_logits if self.kind == "vanilla" else F.mse_loss
        return _over_scales(lambda x: distance(x, target.expand_as(x)), logits)

    @torch.no_grad()
    def accuracy(self, real_logits, fake_logits):
        """Return the share of places, in [0, 1], where the discriminator is right: on real, on fake.

        It calls real what lies above 0; with lsgan above the middle of the targets; with wgan, whose logits have no
        zero of their own, above the middle of both means.
        """
        def share(real, fake):
            middle = {"lsgan": (self.real + self.fake) / 2, "wgan": (real.mean() + fake.mean()) / 2}.get(self.kind, 0)
            return torch.stack(((real > middle).float().mean(), (fake < middle).float().mean()))
        return tuple(_over_scales(share, real_logits, fake_logits))


def gradient_penalty(critic, real, fake, weight=10.0):
    """Return the penalty of WGAN-GP (Gulrajani et al. 2017): weight * E (|gradient of the score| - 1)^2.

    The gradient is taken at random points between `real` and `fake`, both (B, 3, H, W); `critic` is a callable from
    such a batch to logits. A sample's score is the mean of its logits.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    return weight * (_slope(critic, torch.lerp(real, fake, share)).norm(dim=1) - 1).square().mean()


def r1(critic, real):
    """Return R1 (Mescheder et al. 2018), without its weight gamma: E |gradient of the score|^2 / 2 at `real`.

    Args: as for `gradient_penalty`.
    """
    return _slope(critic, real).square().sum(1).mean() / 2


def feature_matching(real_features, fake_features, n_layers, weight=10.0):
    """Return how far features of fakes are from those of real pictures (Wang et al. 2018, pix2pixHD).

    Each layer's mean absolute difference weighs 4 / (n_layers + 1); the layers are summed, the scales averaged.

    Args:
        real_features, fake_features: lists over scales of lists over layers; no gradient goes to the real ones.
        n_layers: the number of strided blocks of the discriminator.
        weight: lambda_feat.
    """
    def distance(real, fake):
        return sum(F.l1_loss(b, a.detach()) for a, b in zip(real, fake, strict=True))
    scales = [distance(*scale) for scale in zip(real_features, fake_features, strict=True)]
    return weight * 4 / (n_layers + 1) * sum(scales) / len(scales)


def _over_scales(function, *logits):
    """Return the mean over scales of a function of each scale's logits."""
    scales = list(zip(*([x] if torch.is_tensor(x) else x for x in logits), strict=True))
    return sum(function(*scale) for scale in scales) / len(scales)


def _slope(critic, image):
    """Return the gradient (B, 3 H W) of each sample's score, through which can be differentiated again."""
    image = image.detach().requires_grad_()
    score = _over_scales(lambda x: x.flatten(1).mean(1), critic(image))
    gradient, = torch.autograd.grad(score.sum(), image, create_graph=True)
    return gradient.flatten(1)
