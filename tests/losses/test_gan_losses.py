"""The four adversarial losses, their accuracy, the penalties and feature matching: formulas, scales, gradients."""
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from core.losses.gan import KINDS, GANLoss, feature_matching, gradient_penalty, r1

REAL, FAKE = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-2.0, 0.5])


def softplus(x):
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(("kind", "on_real", "on_fake", "generator"), [
    ("vanilla", (softplus(-2) + softplus(-0.5) + softplus(1)) / 3, (softplus(-2) + softplus(0.5)) / 2,
     (softplus(2) + softplus(-0.5)) / 2),
    ("lsgan", (1 + 0.25 + 4) / 3, (4 + 0.25) / 2, (9 + 0.25) / 2),
    ("hinge", (0 + 0.5 + 2) / 3, (0 + 1.5) / 2, 0.75),
    ("wgan", -0.5, -0.75, 0.75)])
def test_each_loss_has_the_formula_of_its_paper(kind, on_real, on_fake, generator):
    game = GANLoss(kind)
    real, fake = game.discriminator(REAL, FAKE)
    assert real.item() == pytest.approx(on_real)
    assert fake.item() == pytest.approx(on_fake)
    assert game.generator(FAKE).item() == pytest.approx(generator)


@pytest.mark.parametrize("kind", KINDS)
def test_scales_of_any_size_have_equal_weights(kind):
    game, generator = GANLoss(kind), torch.Generator().manual_seed(0)
    scales = [torch.randn(2, 1, side, side, generator=generator) for side in (14, 3)]
    for loss in (game.on_real, game.on_fake, game.generator):
        assert loss(scales).item() == pytest.approx(sum(loss(scale).item() for scale in scales) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_discriminator_separates_real_and_fake_and_the_generator_raises_fake(kind):
    """The gradients of the discriminator raise real and lower fake logits; those of the generator raise fake logits."""
    game = GANLoss(kind)
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    sum(game.discriminator(real, fake)).backward()
    assert (real.grad < 0).all()
    assert kind == "lsgan" or (fake.grad > 0).all()   # lsgan: a fake logit of 0 is its optimum
    fake.grad = None
    game.generator(fake).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind):
    game = GANLoss(kind).double()
    logits = torch.tensor([-2.3, -0.2, 0.4, 1.7], dtype=torch.float64, requires_grad=True)
    for loss in (game.on_real, game.on_fake, game.generator):
        assert torch.autograd.gradcheck(loss, (logits,))


def test_targets_are_buffers():
    assert set(GANLoss("lsgan").state_dict()) == {"real", "fake"}
    assert GANLoss("lsgan").to("meta").real.is_meta


def test_an_unknown_adversarial_loss_is_refused():
    with pytest.raises(ValueError, match="vanilla, lsgan, hinge, wgan"):
        GANLoss("least squares")


@pytest.mark.parametrize(("kind", "real", "fake"), [
    ("vanilla", 2 / 3, 1 / 2), ("hinge", 2 / 3, 1 / 2), ("lsgan", 1 / 3, 1 / 2), ("wgan", 2 / 3, 1 / 2)])
def test_accuracy_is_the_share_of_right_logits(kind, real, fake):
    assert [share.item() for share in GANLoss(kind).accuracy(REAL, FAKE)] == pytest.approx([real, fake])


@given(st.sampled_from(KINDS), st.floats(0.1, 3))
def test_a_right_discriminator_has_full_accuracy_and_a_lower_loss(kind, margin):
    game, middle = GANLoss(kind), 0.5 if kind == "lsgan" else 0.0
    right, wrong = torch.full((4,), middle + margin), torch.full((4,), middle - margin)
    assert [share.item() for share in game.accuracy(right, wrong)] == [1, 1]
    assert [share.item() for share in game.accuracy(wrong, right)] == [0, 0]
    assert sum(game.discriminator(right, wrong)) < sum(game.discriminator(wrong, right))


def test_only_a_loss_with_a_minimum_has_a_floor():
    floors = {kind: GANLoss(kind).floor for kind in KINDS}
    assert floors.pop("wgan") is None
    assert all(floor > 0 for floor in floors.values())


class Linear(nn.Module):
    """A linear discriminator: the scalar product with `weight`, so its gradient is known; one logit, or two scales."""

    def __init__(self, length, scales=1):
        super().__init__()
        direction = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))
        self.weight = nn.Parameter(length * direction / direction.norm())
        self.scales = scales

    def forward(self, image):
        logits = (image * self.weight).sum((1, 2, 3))[:, None, None, None]
        return logits if self.scales == 1 else [logits.expand(-1, -1, side, side) for side in (3, 2)]


@pytest.mark.parametrize("scales", [1, 2])
@pytest.mark.parametrize("length", [0.0, 1.0, 3.0])
def test_penalties_of_a_linear_discriminator(length, scales):
    discriminator, (real, fake) = Linear(length, scales), torch.rand(2, 5, 3, 4, 4)
    assert gradient_penalty(discriminator, real, fake).item() == pytest.approx(10 * (length - 1) ** 2, abs=1e-4)
    assert gradient_penalty(discriminator, real, fake, weight=1).item() == pytest.approx((length - 1) ** 2, abs=1e-5)
    assert r1(discriminator, real).item() == pytest.approx(length ** 2 / 2, abs=1e-5)


def test_descending_the_gradient_penalty_brings_the_slope_to_1():
    discriminator, (real, fake) = Linear(3.0), torch.rand(2, 5, 3, 4, 4)
    for _ in range(100):
        discriminator.weight.grad = None
        gradient_penalty(discriminator, real, fake, weight=1).backward()
        assert discriminator.weight.grad.isfinite().all()
        discriminator.weight.data -= 0.1 * discriminator.weight.grad
    assert discriminator.weight.norm().item() == pytest.approx(1, abs=1e-3)


def test_the_gradient_penalty_is_taken_between_real_and_fake():
    seen = []

    def discriminator(image):
        seen.append(image.detach())
        return image.mean((1, 2, 3), keepdim=True)

    gradient_penalty(discriminator, torch.full((64, 3, 2, 2), 0.2), torch.full((64, 3, 2, 2), 0.6))
    share = seen[0].flatten(1)
    assert ((share >= 0.2) & (share <= 0.6)).all()
    assert (share[:, :1] == share).all(), "one point for each sample"
    assert share[:, 0].std() > 0.05


def test_feature_matching_averages_over_layers_and_scales():
    def features(value):
        return [[torch.full((2, 4, side, side), value) for side in (8, 4, 3, 2)] for _ in range(3)]
    # four layers of distance 0.5 on each of three scales, each layer with weight 4 / (3 + 1)
    assert feature_matching(features(1.0), features(0.5)).item() == pytest.approx(2)
    two = [[scale[0], scale[1]] for scale in features(0.5)]   # two layers, each with weight 4 / (1 + 1)
    assert feature_matching([scale[:2] for scale in features(1.0)], two).item() == pytest.approx(2)
    assert feature_matching(features(1.0), features(1.0)).item() == 0


def test_feature_matching_has_a_gradient_for_fakes_only():
    real, fake = (torch.full((2, 2), value, requires_grad=True) for value in (1.0, 0.0))
    feature_matching([[real]], [[fake]]).backward()
    assert real.grad is None
    assert (fake.grad < 0).all()
