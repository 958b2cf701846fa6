"""The exponential moving average of weights: its formula, warm-up, buffers, and resuming."""
import copy

import pytest
import torch
from torch import nn

from core.models.gan.ema import EMA, WARM_UP


def network(value=0.0):
    made = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    for parameter in made.parameters():
        nn.init.constant_(parameter, value)
    return made


def test_an_update_is_the_weighted_mean_after_a_warm_up():
    learner, decay, expected = network(), 0.5, 0.0
    average = EMA(learner, decay)
    for update in range(1, 40):
        for parameter in learner.parameters():
            nn.init.constant_(parameter, float(update))
        average.update(learner)
        kept = min(decay, (1 + update) / (WARM_UP + update))
        expected = kept * expected + (1 - kept) * update
    for parameter in average.network.parameters():
        torch.testing.assert_close(parameter, torch.full_like(parameter, expected))
    assert not any(torch.equal(mine, its) for mine, its in zip(average.network.parameters(), learner.parameters(),
                                                               strict=True))


def test_decay_0_copies_the_weights():
    average = EMA(network(1.0), 0.0)
    average.update(network(3.0))
    assert all(torch.equal(parameter, torch.full_like(parameter, 3.0)) for parameter in average.network.parameters())


def test_buffers_are_copied_and_the_average_stays_frozen_in_eval_mode():
    learner = network(1.0)
    average = EMA(learner, 0.9)
    learner(torch.randn(8, 3))   # updates the running statistics of batch norm
    learner.train()
    average.update(learner)
    assert torch.equal(average.network[1].running_mean, learner[1].running_mean)
    assert average.network[1].num_batches_tracked == 1
    assert not average.network.training
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
    assert all(parameter.requires_grad for parameter in learner.parameters()), "the learner still learns"


def test_a_resumed_average_equals_an_unbroken_one():
    torch.manual_seed(0)
    learners = [copy.deepcopy(network(value)) for value in torch.randn(6).tolist()]
    unbroken = EMA(learners[0], 0.7)
    for learner in learners:
        unbroken.update(learner)
    first = EMA(learners[0], 0.7)
    for learner in learners[:3]:
        first.update(learner)
    resumed = EMA(network(), 0.7, updates=first.updates)
    resumed.network.load_state_dict(first.network.state_dict())
    for learner in learners[3:]:
        resumed.update(learner)
    for one, other in zip(resumed.network.parameters(), unbroken.network.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(ValueError, match="from 0 to below 1"):
        EMA(network(), decay)
