"""The search finds known plans, respects its options, and works for any pair of pictures."""
from dataclasses import replace

import pytest
import torch

from core.operators import TABLE, OperatorVocab, Plan, Step, execute
from core.planning import ActionOptions, plan_pairs
from core.planning.goals import KnownTarget
from core.planning.search import polish, shorten, to_plan

TONE = [3, 2, 1, 1, 1, 1, 0.5, 0.5]
KNOWN = [
    [("brightness", [-0.4])], [("brightness", [0.5])], [("contrast", [0.6])], [("contrast", [-0.5])],
    [("saturation", [-0.6])], [("saturation", [0.5])], [("sharpness", [0.6])], [("sharpness", [-0.15])],
    [("tint", TONE)], [("hue", TONE + [1] * 8 + TONE[::-1])],
    [("brightness", [-0.2]), ("contrast", [0.4])], [("saturation", [-0.4]), ("sharpness", [0.4])],
    [("brightness", [-0.2]), ("contrast", [0.4]), ("saturation", [-0.3])],
]
SIMPLE = ActionOptions(operators=("brightness", "contrast", "saturation"))


def as_image(array):
    return torch.from_numpy(array).permute(2, 0, 1).float() / 255


def plan_of(steps):
    return Plan(tuple(Step.make(*step) for step in steps))


def ops_of(planned):
    return [step.op for step in planned.plan]


def distance(a, b):
    return (a - b).abs().mean().item()


@pytest.fixture
def images(photo):
    """Return `images(count, height, width)`: different photos (count, 3, height, width)."""
    def make(count, height=32, width=40):
        return torch.stack([as_image(photo(height, width, seed)) for seed in range(count)])
    return make


@pytest.fixture
def unlike():
    """Return pairs that no plan explains: noise, and the same noise mixed with other noise."""
    before, other = torch.rand(2, 8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return before, (before + other) / 2


def test_known_plans_are_recovered(images):
    before = images(len(KNOWN))
    after = torch.stack([execute(plan_of(steps), image) for steps, image in zip(KNOWN, before, strict=True)])
    found = plan_pairs(before, after, ActionOptions())
    for steps, planned, x, y in zip(KNOWN, found, before, after, strict=True):
        assert distance(execute(planned.plan, x), y) < 0.005 < planned.l1_input
        if len(steps) == 1:
            assert ops_of(planned) == [steps[0][0]]


def test_a_wider_beam_finds_what_a_narrow_one_misses(images):
    before = images(4)
    after = execute(plan_of([("contrast", [0.3]), ("saturation", [-0.4])]), before)
    narrow, wide = ([p.l1_output for p in plan_pairs(before, after, ActionOptions(beam=beam))] for beam in (1, 10))
    assert max(wide) < 0.005
    assert sum(wide) < sum(narrow)


def test_reported_distances_and_gains_are_those_of_the_plan(unlike):
    for planned, x, y in zip(plan_pairs(*unlike, ActionOptions()), *unlike, strict=True):
        assert planned.l1_input == pytest.approx(distance(x, y), rel=1e-5)
        assert planned.l1_output == pytest.approx(distance(execute(planned.plan, x), y), rel=1e-5)
        assert len(planned.gains) == len(planned.plan) > 0
        assert planned.l1_input - sum(planned.gains) == pytest.approx(planned.l1_output, rel=1e-5)
        assert planned.l1_output < planned.l1_input


@pytest.mark.parametrize("options", [
    ActionOptions(), ActionOptions(epsilon=1, seed=3), ActionOptions(max_steps=2), ActionOptions(max_steps=1),
    replace(SIMPLE, beam=50, tolerance=0, min_gain=0), replace(SIMPLE, beam=1)], ids=range(6))
def test_plans_respect_options_and_bounds(unlike, options):
    for planned in plan_pairs(*unlike, options):
        ops = ops_of(planned)
        assert len(ops) <= options.max_steps
        assert len(set(ops)) == len(ops), "an operator twice"
        assert set(ops) <= set(options.operators)
        assert planned.l1_output <= planned.l1_input
        for step in planned.plan:
            row = TABLE[step.op]
            assert all(bounds.low <= p <= bounds.high for bounds, p in zip(row.params, step.params, strict=True))


def test_a_fixed_order_is_kept(unlike):
    operators = ("brightness", "contrast", "saturation", "sharpness", "hue", "tint")
    for planned in plan_pairs(*unlike, ActionOptions(operators=operators, fixed_order=True)):
        order = [operators.index(op) for op in ops_of(planned)]
        assert order == sorted(order)
        assert len(order) > 1


def test_no_operator_is_used_twice_even_if_it_would_help(unlike):
    """A beam with more places than valid plans must not be filled with invalid plans."""
    after = execute(plan_of([("contrast", [1]), ("contrast", [1]), ("brightness", [-0.3])]), unlike[0])
    for planned in plan_pairs(unlike[0], after, replace(SIMPLE, beam=50, tolerance=0, min_gain=0)):
        assert ops_of(planned).count("contrast") == 1


def test_identical_pairs_have_empty_plans(images):
    before = images(2)
    for planned in plan_pairs(before, before, ActionOptions()):
        assert planned.plan == Plan()
        assert planned.l1_input == planned.l1_output == 0


def test_identical_pairs_in_a_batch_with_others_have_empty_plans(images):
    before = images(3)
    after = before.clone()
    after[1] *= 0.6
    assert [ops_of(planned) for planned in plan_pairs(before, after, ActionOptions())] == [[], ["brightness"], []]


def test_the_plan_of_a_pair_does_not_depend_on_its_batch(unlike):
    options = ActionOptions(epsilon=0.5)
    names = [f"{i}.jpg" for i in range(8)]
    together = plan_pairs(*unlike, options, names)
    backwards = plan_pairs(unlike[0].flip(0), unlike[1].flip(0), options, names[::-1])[::-1]
    alone = plan_pairs(unlike[0][3:4], unlike[1][3:4], options, names[3:4])
    assert together == plan_pairs(*unlike, options, names)
    assert [ops_of(p) for p in together] == [ops_of(p) for p in backwards]
    assert ops_of(alone[0]) == ops_of(together[3])
    assert alone[0].l1_output == pytest.approx(together[3].l1_output, abs=1e-3)


def test_epsilon_and_its_seed_change_plans(unlike):
    greedy, lucky, other = (
        [ops_of(planned) for planned in plan_pairs(*unlike, replace(SIMPLE, epsilon=epsilon, seed=seed, beam=1))]
        for epsilon, seed in ((0, 0), (1, 0), (1, 1)))
    assert greedy != lucky != other


def test_epsilon_draws_different_operators_for_each_pair(unlike):
    before, after = (images[:1].repeat(8, 1, 1, 1) for images in unlike)
    lucky = plan_pairs(before, after, ActionOptions(epsilon=1), [f"{i}.jpg" for i in range(8)])
    assert len({tuple(ops_of(planned)) for planned in lucky}) > 1


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 16), (50, 5)])
@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0), (0, 0.5), (0.5, 1), (1, 0.3)])
def test_flat_pictures_are_planned(before, after, size):
    planned, = plan_pairs(torch.full((1, 3, *size), float(before)), torch.full((1, 3, *size), float(after)),
                          ActionOptions())
    assert 0 <= planned.l1_output <= planned.l1_input
    assert before == 0 or planned.l1_output < 0.01


def test_tiny_pictures_of_many_colours_are_planned():
    before = torch.rand(6, 3, 2, 3, generator=torch.Generator().manual_seed(0))
    for planned in plan_pairs(before, before.flip(0), ActionOptions()):
        assert 0 <= planned.l1_output <= planned.l1_input


def test_a_pair_that_nothing_improves_has_an_empty_plan(images):
    black = torch.zeros(1, 3, 32, 40)
    planned, = plan_pairs(black, images(1), ActionOptions(operators=("brightness",)))
    assert planned.plan == Plan()
    assert planned.l1_output == planned.l1_input > 0


def test_a_plan_of_large_pictures_is_checked_on_all_pixels(images):
    """A change in one corner hardly appears in the mosaic that the search uses; the plan must still not do harm."""
    before = images(1, 150, 220)
    after = before.clone()
    after[..., 1:19, 1:27] = 1 - after[..., 1:19, 1:27]
    planned, = plan_pairs(before, after, ActionOptions(tolerance=0))
    assert planned.l1_output <= planned.l1_input


@pytest.mark.parametrize("optimizer", ["nelder-mead", "lbfgs"])
@pytest.mark.parametrize(("op", "params"), [("brightness", [-0.3]), ("contrast", [0.5]), ("saturation", [-0.5]),
                                            ("sharpness", [0.4])])
def test_the_fit_is_at_least_as_good_as_a_blind_minimiser(images, optimizer, op, params):
    before = images(1, 16, 16)
    after = execute(plan_of([(op, params)]), before) * 0.95 + 0.02
    fitted, = plan_pairs(before, after, ActionOptions(operators=(op,)))
    blind, = plan_pairs(before, after, ActionOptions(operators=(op,), optimizer=optimizer))
    assert ops_of(blind) == ops_of(fitted) == [op]
    assert blind.l1_output < blind.l1_input
    assert fitted.l1_output <= blind.l1_output + 5e-4


def test_polishing_improves_and_never_worsens_a_plan(unlike):
    vocab, everywhere = OperatorVocab(), torch.ones(16, 16, dtype=torch.bool)
    goal = KnownTarget(unlike[1], everywhere, "fit", tolerance=0)
    ops = torch.tensor([[vocab.ids["brightness"], vocab.ids["saturation"]]]).repeat(8, 1)
    params = torch.zeros(8, 2, vocab.max_params)

    def reached():
        plans = [to_plan(vocab, *steps) for steps in zip(ops, params, strict=True)]
        return [distance(execute(plan, x), y) for plan, x, y in zip(plans, *unlike, strict=True)]
    before = along = reached()
    for _ in range(4):
        params = polish(vocab, ops, params, unlike[0], goal)
        assert all(now <= was + 1e-6 for now, was in zip(reached(), along, strict=True))
        along = reached()
    assert all(now < 0.97 * was for now, was in zip(along, before, strict=True))


def test_steps_without_a_gain_are_dropped(images):
    before = images(1)[0]
    useful, useless = ("brightness", [-0.4]), ("contrast", [1e-4])
    after = execute(plan_of([useful]), before)
    assert ops_of(shorten(plan_of([useless, useful]), before, after, ActionOptions())) == ["brightness"]
    assert ops_of(shorten(plan_of([useless, useful]), before, after, ActionOptions(min_gain=-1))) == \
        ["contrast", "brightness"]
