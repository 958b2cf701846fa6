"""The critic: inputs of its score, gradients, checkpoints, and a task that it can learn."""
import io
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from core.files import UserError
from core.models.critic import Critic, CriticConfig, moments
from core.models.planner import Planner, PlannerConfig

WORDS = ("<NONE>", "<START>", "<END>", "<UNK>", "make", "it", "brighter", "darker")
SMALL = CriticConfig(WORDS, hidden_size=16, cond_nc=12, vector_size=8, fixed_vectors=False)
BRIGHTER, DARKER = [1, 4, 5, 6, 2, 0, 0], [1, 4, 5, 7, 2, 0, 0]
REQUEST = torch.tensor([BRIGHTER, DARKER, [1, 6, 2, 0, 0, 0, 0]])
SOURCE, CANDIDATE = torch.rand(2, 3, 3, 32, 24, generator=torch.Generator().manual_seed(0))


def critic_of(**changes):
    torch.manual_seed(0)
    return Critic(replace(SMALL, **changes)).eval()


@pytest.mark.parametrize("use_attention", [True, False])
def test_the_score_of_a_sample_does_not_depend_on_the_batch_or_padding(use_attention):
    critic = critic_of(use_attention=use_attention)
    together = critic(SOURCE, CANDIDATE, REQUEST)
    assert together.shape == (3,)
    alone = torch.cat([critic(SOURCE[i:i + 1], CANDIDATE[i:i + 1], REQUEST[i:i + 1]) for i in range(3)])
    torch.testing.assert_close(alone, together)
    torch.testing.assert_close(critic(SOURCE, CANDIDATE, F.pad(REQUEST, (0, 4))), together)


def test_the_score_depends_on_photo_candidate_and_words():
    critic, together = critic_of(), None
    together = critic(SOURCE, CANDIDATE, REQUEST)
    for changed in (critic(SOURCE.flip(0), CANDIDATE, REQUEST), critic(SOURCE, CANDIDATE.flip(0), REQUEST),
                    critic(SOURCE, CANDIDATE, REQUEST[[1, 0, 1]])):
        assert (changed - together).abs().max() > 1e-4


@pytest.mark.parametrize("size", [(4, 4), (5, 9), (64, 48)])
def test_pictures_of_any_size_have_a_finite_score(size):
    picture = torch.rand(3, 3, *size)
    assert critic_of()(picture, picture, REQUEST).isfinite().all()


def test_gradients_are_finite_for_an_unedited_flat_picture():
    critic, flat = critic_of(), torch.full((3, 3, 16, 16), 0.5)
    candidate = flat.clone().requires_grad_()
    critic(flat, candidate, REQUEST).sum().backward()
    assert candidate.grad.isfinite().all()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in critic.parameters())


def test_moments_are_mean_and_spread():
    maps = torch.randn(2, 3, 5, 7)
    mean, spread = moments(maps)
    torch.testing.assert_close(mean, maps.mean((2, 3)))
    torch.testing.assert_close(spread, maps.std((2, 3), correction=0), atol=1e-4, rtol=1e-4)


def test_a_checkpoint_rebuilds_the_same_critic_and_another_file_is_refused():
    critic, buffer = critic_of(), io.BytesIO()
    torch.save(critic.checkpoint(), buffer)
    buffer.seek(0)
    again = Critic.from_checkpoint(torch.load(buffer, weights_only=True)).eval()
    assert again.config == critic.config
    assert torch.equal(again(SOURCE, CANDIDATE, REQUEST), critic(SOURCE, CANDIDATE, REQUEST))
    planner = Planner(PlannerConfig(WORDS, vis_encoder="small", hidden_size=16, vector_size=8, fixed_vectors=False))
    with pytest.raises(UserError, match=r"planner\.pt: does not fit this version's Critic.*another method"):
        Critic.from_checkpoint(planner.checkpoint(), "planner.pt")


def test_given_word_vectors_are_kept_and_not_trained():
    vectors = torch.randn(len(WORDS) - 4, 8)
    critic = Critic(replace(SMALL, fixed_vectors=True), vectors)
    assert not critic.request_encoder.words.requires_grad
    assert torch.equal(critic.request_encoder.words, vectors)


def test_a_critic_learns_which_words_an_edit_fits():
    torch.manual_seed(0)
    critic = Critic(SMALL)
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    request_ids = torch.tensor([BRIGHTER, DARKER] * 8)

    def batch():
        source = torch.rand(16, 3, 16, 16) * 0.4 + 0.3
        up = torch.rand(16) < 0.5
        candidate = source + torch.where(up, 0.15, -0.15)[:, None, None, None]
        fits = up == (torch.arange(16) % 2 == 0)
        return critic(source, candidate, request_ids), fits

    for _ in range(200):
        scores, fits = batch()
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(scores, fits.float()).backward()
        optimizer.step()
    with torch.no_grad():
        scores, fits = batch()
    assert ((scores > 0) == fits).float().mean() > 0.9
