"""The critic's losses: formulas, invariances, and candidates of weight 0."""
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from core.losses.ranking import classification_loss, ranking_loss, regression_loss, triplet_loss, weighted_mean

GENERATOR = torch.Generator().manual_seed(0)
RIGHT, WRONG = torch.randn(5, generator=GENERATOR), torch.randn(3, 5, generator=GENERATOR)
EQUAL = torch.ones(3, 5)
NOTHING = torch.zeros(3, 5)


def test_classification_is_the_cross_entropy_of_right_and_of_wrong_candidates():
    real, fake = classification_loss(RIGHT, WRONG, EQUAL, positive_weight=2.0)
    assert real.item() == pytest.approx(2 * F.binary_cross_entropy_with_logits(RIGHT, torch.ones(5)).item())
    assert fake.item() == pytest.approx(F.binary_cross_entropy_with_logits(WRONG, torch.zeros(3, 5)).item())


def test_low_scores_for_everything_raise_the_loss_even_with_many_wrong_candidates():
    undecided, refusing = (sum(classification_loss(torch.full((5,), score), torch.full((50, 5), score),
                                                   torch.ones(50, 5))).item() for score in (0.0, -3.0))
    assert undecided == pytest.approx(2 * math.log(2))
    assert refusing > undecided


def test_the_triplet_loss_is_the_missing_margin():
    wrong = torch.tensor([[0.0], [1.5], [-2.0]])
    lacking = [triplet_loss(torch.tensor([1.0]), wrong[k:k + 1], torch.ones(1, 1)).item() for k in range(3)]
    assert lacking == pytest.approx([0.0, 1.5, 0.0])
    assert triplet_loss(torch.tensor([1.0]), wrong, torch.tensor([[1.0], [3.0], [0.0]])).item() == \
        pytest.approx(0.75 * 1.5)


def test_ranking_depends_only_on_the_order_of_distances():
    distances = torch.tensor([[0.0], [0.05], [0.055], [torch.inf]])
    def loss(*scores):
        return ranking_loss(torch.tensor(scores)[:, None], distances, tie=0.01).item()
    assert loss(20.0, 0.0, 0.0, -20.0) == pytest.approx(0, abs=1e-6)
    assert loss(20.0, 9.0, -9.0, -30.0) == pytest.approx(loss(20.0, -9.0, 9.0, -30.0), abs=1e-3)   # a tie of two
    assert loss(-20.0, 0.0, 0.0, 20.0) > 10
    assert loss(0.0, 0.0, 0.0, 0.0) == pytest.approx(math.log(2))


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(-100, 100))
def test_ranking_is_invariant_to_a_shift_of_all_scores_of_a_photo(scores, level):
    scores = torch.tensor(scores, dtype=torch.float64).view(2, 2)
    distances = torch.tensor([[0.0, 0.2], [0.1, 0.05]])
    shifted = scores + torch.tensor([level, 0.0], dtype=torch.float64)
    assert ranking_loss(shifted, distances, 0.01).item() == pytest.approx(ranking_loss(scores, distances, 0.01).item())


def test_regression_has_its_minimum_at_the_negative_distance():
    distances = torch.tensor([[0.0, 0.0], [0.05, 0.2]])
    assert regression_loss(-distances / 0.1, distances, torch.ones(2, 2), 0.1).item() == 0
    weights = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    assert regression_loss(torch.zeros(2, 2), distances, weights, 0.1).item() == pytest.approx(2 - 0.5)


@pytest.mark.parametrize("loss", [
    lambda scores: classification_loss(scores[0], scores, NOTHING)[1],
    lambda scores: triplet_loss(scores[0], scores, NOTHING),
    lambda scores: ranking_loss(scores, NOTHING, 0.01),
    lambda scores: regression_loss(scores, NOTHING, NOTHING, 0.1),
])
def test_candidates_of_weight_0_give_neither_loss_nor_gradient(loss):
    scores = WRONG.clone().requires_grad_()
    value = loss(scores)
    value.backward()
    assert value.item() == 0
    assert torch.equal(scores.grad, NOTHING)


def test_every_loss_raises_right_scores_and_lowers_wrong_ones():
    distances = torch.cat((torch.zeros(1, 5), torch.full((3, 5), 0.2)))
    for loss in (lambda s: sum(classification_loss(s[0], s[1:], EQUAL)),
                 lambda s: triplet_loss(s[0], s[1:], EQUAL),
                 lambda s: ranking_loss(s, distances, 0.01)):
        scores = torch.zeros(4, 5, requires_grad=True)
        loss(scores).backward()
        assert (scores.grad[0] < 0).all()
        assert (scores.grad[1:] > 0).all()


def test_a_weighted_mean_uses_its_weights():
    assert weighted_mean(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0])).item() == 2
