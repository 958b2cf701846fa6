"""One step of the discriminator, what the generator owes it, and wrong words."""
import contextlib
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.losses.gan import KINDS, GANLoss
from core.models.gan.discriminator import DiscriminatorConfig, MultiScaleDiscriminator
from core.training.adversarial import deceive, discriminate, wrong_words

SOURCE, REAL, FAKE = torch.rand(3, 4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
REQUESTS = torch.tensor([[1, 4, 5, 2], [1, 6, 2, 0], [1, 6, 2, 0], [1, 7, 8, 2]])


class Training:
    """What a Run is to the two functions: it keeps losses, descends nowhere, and holds the critic still."""

    def __init__(self, critic, **options):
        self.options = SimpleNamespace(**{"r1": 0, "lambda_feat": 10, "no_ganFeat_loss": False, "n_layers_D": 2}
                                       | options)
        self.critic, self.losses, self.notes = critic, None, {}

    def step(self, name, **losses):
        assert name == "D"
        self.losses = losses

    def note(self, **values):
        self.notes |= {name: float(value) for name, value in values.items()}

    @contextlib.contextmanager
    def held(self, name):
        self.critic.requires_grad_(False)
        yield self.critic
        self.critic.requires_grad_(True)


@pytest.fixture()
def critic():
    torch.manual_seed(0)
    words = tuple(f"word{number}" for number in range(9))
    return MultiScaleDiscriminator(DiscriminatorConfig(words, vector_size=5, fixed_vectors=False, hidden_size=8,
                                                       cond_nc=4, num_D=1, n_layers=2, ndf=4))


@pytest.mark.parametrize("kind", KINDS)
def test_the_three_cases_are_judged_as_if_one_by_one(critic, kind):
    training, game = Training(critic), GANLoss(kind)
    calls = []
    critic.register_forward_hook(lambda *_: calls.append(1))
    discriminate(training, game, critic, SOURCE, REAL, FAKE, REQUESTS, REQUESTS.flip(0))
    assert len(calls) == (2 if kind == "wgan" else 1)   # in one call, but for the penalty's
    rows = [0, 3]   # the requests of the middle ones, exchanged, stay what they are
    expected = {"real": game.on_real(critic(SOURCE, REAL, REQUESTS)[0]),
                "fake": game.on_fake(critic(SOURCE, FAKE, REQUESTS)[0]) / 2,
                "wrong_words": game.on_fake(critic(SOURCE[rows], REAL[rows], REQUESTS.flip(0)[rows])[0]) / 2}
    for name, loss in expected.items():
        torch.testing.assert_close(training.losses[name], loss)
    assert (training.losses.keys() - expected.keys()) == ({"penalty"} if kind == "wgan" else set())
    assert training.notes.keys() == {"D_accuracy_real", "D_accuracy_fake", "D_accuracy_wrong_words"}


def test_without_wrong_words_fakes_have_the_whole_weight(critic):
    game = GANLoss("lsgan")
    expected = game.on_fake(critic(SOURCE, FAKE, REQUESTS)[0])
    for wrong in (None, REQUESTS):   # words that are not wrong are no case
        training = Training(critic, r1=2.0)
        discriminate(training, game, critic, SOURCE, REAL, FAKE, REQUESTS, wrong)
        torch.testing.assert_close(training.losses["fake"], expected)
        assert training.losses.keys() == {"real", "fake", "r1"}


def test_the_discriminator_teaches_the_generator_and_the_generator_does_not_teach_it(critic):
    training, game, fake = Training(critic), GANLoss("vanilla"), FAKE.clone().requires_grad_()
    discriminate(training, game, critic, SOURCE, REAL, fake, REQUESTS)
    sum(training.losses.values()).backward()
    assert fake.grad is None
    assert all(weight.grad is not None for weight in critic.scales.parameters())
    critic.zero_grad()
    losses = deceive(training, game, SOURCE, REAL, fake, REQUESTS)
    sum(losses.values()).backward()
    assert fake.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in critic.parameters())


def test_what_the_generator_owes(critic):
    game = GANLoss("lsgan")
    losses = deceive(Training(critic), game, SOURCE, REAL, FAKE, REQUESTS)
    assert losses.keys() == {"GAN", "features"}
    torch.testing.assert_close(losses["GAN"], game.on_real(critic(SOURCE, FAKE, REQUESTS)[0]))
    equal = deceive(Training(critic), game, SOURCE, REAL, REAL, REQUESTS)
    assert equal["features"] == 0 < losses["features"]
    for flags in ({"no_ganFeat_loss": True}, {"lambda_feat": 0}):
        assert deceive(Training(critic, **flags), game, SOURCE, REAL, FAKE, REQUESTS).keys() == {"GAN"}


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
@settings(deadline=None)
def test_wrong_words_are_those_of_another_where_there_is_one(numbers):
    requests = torch.tensor([[1, number + 4, 2] for number in numbers])
    wrong = wrong_words(requests)
    for own, other in zip(requests.tolist(), wrong.tolist(), strict=True):
        assert other in requests.tolist()
        assert (other != own) == (len(set(numbers)) > 1)


def test_wrong_words_are_the_next_ones_that_differ():
    assert wrong_words(torch.tensor([[5], [5], [6], [7]])).flatten().tolist() == [6, 6, 7, 5]
