"""Losses of adversarial training on logits: four GAN losses, two gradient penalties, feature matching.

A discriminator with several scales gives a list of logits; every loss is the mean over the scales. The logits of a
scale are averaged over places and samples first, so that each scale has the same weight.
"""
import torch
import torch.nn.functional as F
from torch import nn

KINDS = ("vanilla", "lsgan", "hinge", "wgan")


class GANLoss(nn.Module):
    """The losses of discriminator and generator, in one of four kinds.

    - vanilla: cross-entropy of real against fake; the generator maximises the log-probability that its fakes are real
      (Goodfellow et al. 2014, the non-saturating form).
    - lsgan: squared distance to the targets (Mao et al. 2017).
    - hinge: real above 1, fake below -1 (Lim and Ye 2017).
    - wgan: the difference of means (Arjovsky et al. 2017), to be used with `gradient_penalty`.

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
        """The discriminator's loss below which training has collapsed; None where the loss has no lower bound."""
        return None if self.kind == "wgan" else 0.02

    def discriminator(self, real_logits, fake_logits):
        """Return the discriminator's losses on real and on fake; logits are tensors or lists of them."""
        return self.on_real(real_logits), self.on_fake(fake_logits)

    def on_real(self, logits):
        """Return the discriminator's loss on logits of real edits."""
        if self.kind == "hinge":
            return _over_scales(lambda x: F.relu(1 - x).mean(), logits)
        return self.generator(logits)   # the generator's loss has the same target, "real"

    def on_fake(self, logits):
        """Return the discriminator's loss on logits of fakes, or of edits that do not fit the words."""
        if self.kind == "hinge":
            return _over_scales(lambda x: F.relu(1 + x).mean(), logits)
        if self.kind == "wgan":
            return _over_scales(torch.mean, logits)
        return self._distance(logits, self.fake)

    def generator(self, fake_logits):
        """Return the generator's loss on the logits of its results."""
        if self.kind in ("hinge", "wgan"):
            return _over_scales(lambda x: -x.mean(), fake_logits)
        return self._distance(fake_logits, self.real)

    def _distance(self, logits, target):
        distance = F.binary_cross_entropy_with_logits if self.kind == "vanilla" else F.mse_loss
        return _over_scales(lambda x: distance(x, target.expand_as(x)), logits)

    @torch.no_grad()
    def accuracy(self, real_logits, fake_logits):
        """Return the discriminator's accuracies on real and on fake logits, as shares of patches in [0, 1].

        A logit above the threshold counts as real. The threshold is 0; with lsgan, the middle of the targets; with
        wgan, whose logits have an arbitrary offset, the middle of both means.
        """
        def share(real, fake):
            middle = {"lsgan": (self.real + self.fake) / 2, "wgan": (real.mean() + fake.mean()) / 2}.get(self.kind, 0)
            return torch.stack(((real > middle).float().mean(), (fake < middle).float().mean()))
        return tuple(_over_scales(share, real_logits, fake_logits))


def gradient_penalty(discriminator, real, fake, weight=10.0):
    """Return the penalty of WGAN-GP (Gulrajani et al. 2017): weight * E (|gradient of the score| - 1)^2.

    The gradient is taken at random points between `real` and `fake`, both (B, 3, H, W); `discriminator` is a
    callable from such a batch to logits. A sample's score is the mean of its logits.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    return weight * (_slope(discriminator, torch.lerp(real, fake, share)).norm(dim=1) - 1).square().mean()


def r1(discriminator, real):
    """Return R1 (Mescheder et al. 2018) without its weight gamma: E |gradient of the score|^2 / 2 at `real`.

    Args: as for `gradient_penalty`.
    """
    return _slope(discriminator, real).square().sum(1).mean() / 2


def feature_matching(real_features, fake_features):
    """Return the feature-matching loss (Wang et al. 2018, pix2pixHD), without its weight lambda_feat.

    The mean absolute difference of each of the n_layers + 1 layers has the weight 4 / (n_layers + 1). The layers are
    summed, and the scales are averaged.

    Args: `real_features`, `fake_features`, lists over scales of lists over layers; no gradient flows to the real ones.
    """
    def distance(real, fake):
        layers = [F.l1_loss(b, a.detach()) for a, b in zip(real, fake, strict=True)]
        return 4 / len(layers) * sum(layers)
    scales = [distance(*scale) for scale in zip(real_features, fake_features, strict=True)]
    return sum(scales) / len(scales)


def _over_scales(function, *logits):
    """Return the mean over scales of a function of each scale's logits."""
    scales = list(zip(*([x] if torch.is_tensor(x) else x for x in logits), strict=True))
    return sum(function(*scale) for scale in scales) / len(scales)


def _slope(discriminator, image):
    """Return the gradient (B, 3 H W) of each sample's score by its picture; it can be differentiated again."""
    image = image.detach().requires_grad_()
    score = _over_scales(lambda x: x.flatten(1).mean(1), discriminator(image))
    gradient, = torch.autograd.grad(score.sum(), image, create_graph=True)
    return gradient.flatten(1)
