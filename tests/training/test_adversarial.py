"""The discriminator step on cases, the generator's losses and step, and wrong words."""
import contextlib
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.losses.gan import KINDS, GANLoss
from core.models.gan.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from core.training.adversarial import (
    adversarial_losses,
    discriminator_step,
    generator_step,
    mismatched,
    off,
    perceptual_loss,
    wrong_words,
)

SOURCE, REAL, FAKE = torch.rand(3, 4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
REQUESTS = torch.tensor([[1, 4, 5, 2], [1, 6, 2, 0], [1, 6, 2, 0], [1, 7, 8, 2]])
RIGHT, WRONG = (SOURCE, REAL, REQUESTS), (SOURCE, FAKE, REQUESTS)


class Training:
    """The part of a Run that the functions use: it records losses, makes no step, and freezes the discriminator."""

    def __init__(self, D=None):
        self.D, self.losses, self.notes = D, None, {}
        self.options = SimpleNamespace(vgg_weights=None)

    def step(self, name="model", /, **losses):
        self.name, self.losses = name, losses

    def note(self, **values):
        self.notes |= {name: float(value) for name, value in values.items()}

    @contextlib.contextmanager
    def held(self, name):
        self.D.requires_grad_(False)
        yield self.D
        self.D.requires_grad_(True)


@pytest.fixture()
def D():
    torch.manual_seed(0)
    words = tuple(f"word{number}" for number in range(9))
    return MultiScaleDiscriminator(DiscriminatorConfig(words, vector_size=5, fixed_vectors=False, hidden_size=8,
                                                       cond_nc=4, num_D=2, n_layers=2, ndf=4))


@pytest.mark.parametrize("kind", KINDS)
def test_scoring_cases_in_one_call_equals_scoring_them_one_by_one(D, kind):
    training, loss = Training(D), GANLoss(kind)
    calls = []
    D.register_forward_hook(lambda *_: calls.append(1))
    few = tuple(part[1:] for part in (SOURCE, REAL.flip(0), REQUESTS))   # cases may have different numbers of rows
    discriminator_step(training, loss, D, {
        "real": (RIGHT, True, 0.7), "planned": (few, True, 0.3), "fake": (WRONG, False, 0.5), "other": (few, False, 2)})
    assert len(calls) == 1 and training.name == "D"
    expected = {"real": 0.7 * loss.on_real(D(*RIGHT)[0]) + 0.3 * loss.on_real(D(*few)[0]),
                "fake": 0.5 * loss.on_fake(D(*WRONG)[0]), "other": 2 * loss.on_fake(D(*few)[0])}
    assert training.losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(training.losses[name], value)
    assert training.notes.keys() == {"D_accuracy_real", "D_accuracy_fake", "D_accuracy_other"}
    assert all(0 <= value <= 1 for value in training.notes.values())


def test_a_case_without_inputs_is_left_out(D):
    training = Training(D)
    discriminator_step(training, GANLoss("lsgan"), D, {
        "real": (RIGHT, True, 1.0), "wrong_words": (None, False, 0.5), "fake": (WRONG, False, 1.0)})
    assert training.losses.keys() == {"real", "fake"}
    assert training.notes.keys() == {"D_accuracy_real", "D_accuracy_fake"}


def test_cases_pass_any_inputs_to_the_discriminator():
    """A mask, a stage or an unpaired image needs no code of its own."""
    seen = []

    def D(image, mask, stage):
        seen.append((image.shape, mask.shape, stage.tolist()))
        return [(image * mask).mean((1, 2, 3))[:, None, None, None] * stage[:, None, None, None]], []

    masks, stage = torch.ones(4, 1, 32, 32), torch.tensor([1.0, 2.0, 1.0, 2.0])
    training = Training()
    discriminator_step(training, GANLoss("hinge"), D, {
        "real": ((REAL, masks, stage), True, 1.0), "fake": ((FAKE[:2], masks[:2], stage[:2]), False, 1.0)})
    assert seen == [((6, 3, 32, 32), (6, 1, 32, 32), [1, 2, 1, 2, 1, 2])]


def test_penalties_have_their_weights_and_can_be_switched_off(D):
    cases = {"real": (RIGHT, True, 1.0), "fake": (WRONG, False, 1.0)}
    losses = []
    for weights in ({"lambda_gp": 10, "lambda_r1": 2}, {"lambda_gp": 5, "lambda_r1": 1}, {}):
        training = Training(D)
        torch.manual_seed(0)
        discriminator_step(training, GANLoss("wgan"), D, cases, **weights)
        losses.append(training.losses)
    assert losses[0].keys() == {"real", "fake", "penalty", "r1"} and losses[2].keys() == {"real", "fake"}
    for name in ("penalty", "r1"):
        assert losses[0][name] > 0
        torch.testing.assert_close(losses[0][name], 2 * losses[1][name])


def test_the_discriminator_step_gives_the_generator_no_gradient_and_vice_versa(D):
    training, loss, fake = Training(D), GANLoss("vanilla"), FAKE.clone().requires_grad_()
    discriminator_step(training, loss, D, {"real": (RIGHT, True, 1.0), "fake": ((SOURCE, fake, REQUESTS), False, 1.0)})
    sum(training.losses.values()).backward()
    assert fake.grad is None
    assert all(weight.grad is not None for weight in D.scales.parameters())
    D.zero_grad()
    sum(adversarial_losses(training, loss, RIGHT, (SOURCE, fake, REQUESTS))).backward()
    assert fake.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in D.parameters())


def test_the_generators_adversarial_losses(D):
    loss = GANLoss("lsgan")
    gan, features = adversarial_losses(Training(D), loss, RIGHT, WRONG)
    torch.testing.assert_close(gan, loss.on_real(D(*WRONG)[0]))
    assert features > 0
    assert adversarial_losses(Training(D), loss, RIGHT, RIGHT)[1] == 0
    assert adversarial_losses(Training(D), loss, RIGHT, WRONG, matching=False) == (gan, 0.0)


def test_a_generator_step_leaves_out_terms_that_are_switched_off():
    training, gan = Training(), torch.tensor(0.5)
    generator_step(training, GAN=gan, features=10.0 * off(REAL, FAKE), zero=0.0 * gan)
    assert training.name == "model"
    assert training.losses == {"GAN": gan, "zero": torch.tensor(0.0)}
    assert perceptual_loss(training, 0.0)(REAL, FAKE) == 0.0


def test_mismatched_edits_are_real_edits_of_other_words():
    source, target, words = mismatched(SOURCE, REAL, REQUESTS[[0, 1, 1, 0]])
    assert torch.equal(words, REQUESTS[[1, 0, 0, 1]])
    assert torch.equal(source, SOURCE) and torch.equal(target, REAL)
    assert mismatched(SOURCE, REAL, REQUESTS[[0, 0, 0, 0]]) is None


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
@settings(deadline=None)
def test_wrong_words_are_those_of_another_sample_if_any_differ(numbers):
    requests = torch.tensor([[1, number + 4, 2] for number in numbers])
    wrong = wrong_words(requests)
    for own, other in zip(requests.tolist(), wrong.tolist(), strict=True):
        assert other in requests.tolist()
        assert (other != own) == (len(set(numbers)) > 1)


def test_wrong_words_are_the_next_words_in_the_batch_that_differ():
    assert wrong_words(torch.tensor([[5], [5], [6], [7]])).flatten().tolist() == [6, 6, 7, 5]
