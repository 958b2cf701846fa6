"""The discriminator: shapes, scales, influence of the words, refused configurations, and checkpoints."""
from dataclasses import replace

import pytest
import torch

from core.files import UserError
from core.losses.gan import gradient_penalty, r1
from core.models.gan.discriminator import NORMS, DiscriminatorConfig, MultiScaleDiscriminator

CONFIG = DiscriminatorConfig(tuple("abcdefgh"), vector_size=8, fixed_vectors=False, hidden_size=16, cond_nc=8, ndf=4)
IDS = torch.tensor([[1, 4, 5, 2, 0], [1, 6, 2, 0, 0]])


@pytest.fixture(params=NORMS)
def discriminator(request):
    return make(norm=request.param)


def make(**changes):
    torch.manual_seed(0)
    return MultiScaleDiscriminator(replace(CONFIG, **changes))


def pairs(height=64, width=64, number=2):
    return torch.rand(2, number, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_each_scale_gives_logits_and_the_features_of_its_blocks(discriminator):
    logits, features = discriminator(*pairs(96, 64), IDS)
    # a strided block halves the side, a 4 x 4 convolution of stride 1 shortens it by one pixel
    assert [tuple(scale.shape) for scale in logits] == [(2, 1, 10, 6), (2, 1, 4, 2)]
    assert [[tuple(layer.shape[1:]) for layer in scale] for scale in features] == [
        [(4, 48, 32), (8, 24, 16), (16, 12, 8), (32, 11, 7)], [(4, 24, 16), (8, 12, 8), (16, 6, 4), (32, 5, 3)]]


@pytest.mark.parametrize(("n_layers", "num_D"), [(1, 1), (2, 3), (3, 2), (4, 1)])
def test_the_smallest_allowed_picture_has_a_patch_on_every_scale(n_layers, num_D):
    discriminator = make(n_layers=n_layers, num_D=num_D)
    smallest = discriminator.smallest
    logits, features = discriminator(*pairs(smallest, smallest), IDS)
    assert logits[-1].shape == (2, 1, 1, 1)
    assert (len(logits), len(features[0])) == (num_D, n_layers + 1)
    with pytest.raises(UserError, match=f"64 x {smallest - 1} pixels.*at least {smallest} pixels"):
        discriminator(*pairs(smallest - 1, 64), IDS)


def test_words_change_the_logits_everywhere(discriminator):
    """Words must pass an instance norm, too, which removes everything that is constant over a picture."""
    discriminator.eval()
    source, candidate = pairs(128, 128)
    logits, _ = discriminator(source, candidate, IDS)
    swapped, _ = discriminator(source, candidate, IDS.flip(0))
    inner = (logits[0] - swapped[0])[..., 3:-3, 3:-3].abs()   # not the border: zero padding lets words pass there
    assert inner.min() > 1e-6


def test_gradients_reach_the_candidate_and_every_trained_parameter(discriminator):
    source, candidate = pairs()
    candidate.requires_grad_()
    logits, _ = discriminator(source, candidate, IDS)
    sum(scale.square().mean() for scale in logits).backward()
    assert candidate.grad.abs().sum() > 0
    for name, parameter in discriminator.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_the_penalties_have_finite_gradients(discriminator):
    source, candidate = pairs()
    penalty = gradient_penalty(lambda image: discriminator(source, image, IDS)[0], source, candidate)
    (penalty + r1(lambda image: discriminator(source, image, IDS)[0], candidate)).backward()
    assert all(parameter.grad.isfinite().all() for parameter in discriminator.parameters()
               if parameter.grad is not None)
    assert discriminator.scales[0].logit_head.weight.requires_grad
    assert sum(parameter.grad.abs().sum() for parameter in discriminator.scales.parameters()
               if parameter.grad is not None) > 0


def test_a_discriminator_without_words_ignores_requests():
    discriminator = make(use_words=False)
    source, candidate = pairs()
    assert torch.equal(discriminator(source, candidate)[0][0], discriminator(source, candidate, IDS)[0][0])
    assert not any(name.startswith(("request_encoder", "request_projection")) for name in discriminator.state_dict())


def test_given_word_vectors_are_kept_and_not_trained():
    vectors = torch.randn(4, 8)
    discriminator = MultiScaleDiscriminator(replace(CONFIG, fixed_vectors=True), vectors)
    assert torch.equal(discriminator.request_encoder.words, vectors)
    assert not discriminator.request_encoder.words.requires_grad


def test_one_picture_and_batch_norm(discriminator):
    source, candidate = pairs(number=1)
    if discriminator.config.norm != "batch":
        assert discriminator(source, candidate, IDS[:1])[0][0].isfinite().all()
        return
    with pytest.raises(UserError, match="--batch_size 1: batch norm"):
        discriminator(source, candidate, IDS[:1])
    discriminator.eval()
    assert discriminator(source, candidate, IDS[:1])[0][0].isfinite().all()


def test_an_unknown_norm_is_refused():
    with pytest.raises(UserError, match="--norm_D layer: unknown; choose one of instance, batch, spectral, none"):
        make(norm="layer")


def test_a_checkpoint_rebuilds_the_same_discriminator(discriminator):
    discriminator(*pairs(), IDS)   # updates the running statistics of its norms
    again = MultiScaleDiscriminator.from_checkpoint(discriminator.checkpoint())
    assert again.config == discriminator.config
    for network in (again, discriminator):
        network.eval()
    for one, other in zip(again(*pairs(), IDS)[0], discriminator(*pairs(), IDS)[0], strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_another_network_is_refused(discriminator):
    saved = discriminator.checkpoint()
    saved["config"]["n_layers"] = 2
    with pytest.raises(UserError, match=r"D\.pt: does not fit"):
        MultiScaleDiscriminator.from_checkpoint(saved, "D.pt")
