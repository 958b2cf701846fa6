"""Health of a training: statistics of the gradients, and the signs of a collapse."""
import math

import torch

from core.engine.health import WINDOW, Watch, gradients


def test_gradients_are_summarised():
    network = torch.nn.ModuleList(torch.nn.Linear(1, 1, bias=False) for _ in range(4))
    for layer, value in zip(network, (3.0, -4.0, 0.0, math.nan), strict=True):
        layer.weight.grad = torch.full_like(layer.weight, value)
    assert gradients(network) == {"gradient": 5.0, "zero": 0.25, "non-finite": 0.25}
    network.requires_grad_(False)
    assert gradients(network)["gradient"] == 0


def watch(values, floors, name):
    watched = Watch(floors)
    said = [(iteration, verdict) for iteration, value in enumerate(values, 1)
            if (verdict := watched.see(iteration, {name: value}))]
    return said


def test_a_discriminator_loss_that_stays_low_is_reported_once_as_a_collapse():
    floors = {"model": None, "D": 0.05}
    assert watch([0.5] * 300, floors, "D") == []
    (iteration, verdict), = watch([0.5] * 50 + [0.0] * 300, floors, "D")
    assert 50 < iteration <= 50 + WINDOW
    assert "the loss of D stayed below 0.05" in verdict


def test_an_exploding_loss_is_a_collapse_and_a_high_first_loss_is_not():
    floors = {"model": None, "D": 0.05}
    assert watch([30.0 / (1 + n) for n in range(500)], floors, "model") == []
    (_, verdict), = watch([0.5] * 150 + [1.05 ** n for n in range(200)], floors, "model")
    assert "the loss of model has grown to" in verdict


def test_a_planner_whose_units_do_not_vary_over_photos_is_reported_once_as_blind():
    watched = Watch({"model": None})
    assert watched.see_validation(100, 0.5) is None
    assert "blind by iteration 200: 10% of the units" in watched.see_validation(200, 0.1)
    assert watched.see_validation(300, 0.0) is None
    assert "blind by iteration 200" in watched.verdict
