"""Losses between a predicted and a known plan: formulas, padding, gradients."""
import math

import pytest
import torch

from core.losses.plan import operator_nll, parameter_loss
from core.operators import OperatorVocab

VOCAB = OperatorVocab()
OPS = torch.tensor([[1, 3, 8, 2], [1, 4, 2, 0], [1, 2, 0, 0]])   # brightness and tint; contrast; nothing


def log_probabilities(dtype=torch.float32):
    scores = torch.randn(3, 3, len(VOCAB), generator=torch.Generator().manual_seed(0), dtype=dtype)
    return scores.log_softmax(-1)


def test_nll_is_the_mean_over_real_steps():
    logs = log_probabilities()
    real = [(0, 0, 3), (0, 1, 8), (0, 2, 2), (1, 0, 4), (1, 1, 2), (2, 0, 2)]
    expected = -sum(logs[place].item() for place in real) / len(real)
    assert operator_nll(logs, OPS).item() == pytest.approx(expected)


def test_nll_of_a_certain_and_of_a_uniform_prediction():
    certain = torch.nn.functional.one_hot(OPS[:, 1:], len(VOCAB)).float().log()
    assert operator_nll(certain, OPS).item() == 0
    uniform = torch.full((3, 3, len(VOCAB)), -math.log(len(VOCAB)))
    assert operator_nll(uniform, OPS).item() == pytest.approx(math.log(len(VOCAB)))


def test_nll_ignores_what_is_predicted_on_padding():
    logs, other = log_probabilities(), log_probabilities()
    other[1, 2], other[2, 1:] = -torch.inf, -torch.inf
    assert torch.equal(operator_nll(other, OPS), operator_nll(logs, OPS))


def params(value, where=((0, 0, 1), (0, 1, 8), (1, 0, 1))):
    """Return parameters (3, 2, 24) with `value` in the first n places of each (sample, step, n) of `where`."""
    filled = torch.zeros(3, 2, 24)
    for sample, step, count in where:
        filled[sample, step, :count] = value
    return filled


def test_right_parameters_have_loss_0():
    assert parameter_loss(params(0.7), params(0.7), OPS, VOCAB).item() == 0


def cost(error, where):
    return parameter_loss(params(error, [where]), params(0), OPS, VOCAB).item()


@pytest.mark.parametrize("error", [0.01, 0.3, 2])
def test_each_operator_has_the_same_weight(error):
    """The number of its parameters does not matter: one of three steps is wrong."""
    one, eight, alone = (cost(error, where) for where in ((0, 0, 1), (0, 1, 8), (1, 0, 1)))
    assert one == pytest.approx(eight) == pytest.approx(alone)
    assert one == pytest.approx(cost(-error, (0, 0, 1)))
    assert 0 < one <= error / 3


def test_the_loss_of_outliers_grows_linearly():
    step = (0, 1, 8)
    assert cost(3, step) - cost(2, step) == pytest.approx(1 / 3)
    assert cost(2, step) - cost(1, step) == pytest.approx(1 / 3)
    assert cost(0.002, step) == pytest.approx(4 * cost(0.001, step)), "small errors are squared"


def test_plans_without_parameters_have_loss_0_and_a_gradient():
    predicted = torch.zeros(3, 2, 24, requires_grad=True)
    loss = parameter_loss(predicted, torch.zeros(3, 2, 24), torch.tensor([[1, 2, 0, 0]] * 3), VOCAB)
    loss.backward()
    assert loss.item() == 0
    assert not predicted.grad.any()


def test_gradients():
    logits = log_probabilities(torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: operator_nll(x.log_softmax(-1), OPS), (logits,))
    predicted = (params(0.3) + 0.01).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: parameter_loss(x, params(0).double(), OPS, VOCAB), (predicted,))
