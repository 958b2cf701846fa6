"""Candidates for a critic: the right edit comes first, and candidates that count as wrong are wrong."""
import pytest
import torch

from core.operators import OperatorVocab, Plan, Step, execute, execute_batch
from core.planning.candidates import FAR, NEAR, candidates, cut_short, random_steps

VOCAB = OperatorVocab()
SOURCE = torch.rand(3, 3, 12, 12, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.2
PLANS = [[("brightness", 0.4)], [("contrast", 0.5), ("saturation", -0.6)], []]
WORDS = torch.tensor([[1, 4, 2], [1, 5, 2], [1, 6, 2]])


def plan_of(steps):
    return Plan(tuple(Step.make(op, [p]) for op, p in steps))


def batch_of(words=WORDS):
    ops, params = torch.zeros(3, 7, dtype=torch.long), torch.zeros(3, 5, VOCAB.max_params)
    ops[:, 0] = 1
    for sample, steps in enumerate(PLANS):
        for step, (op, value) in enumerate(steps):
            ops[sample, step + 1], params[sample, step, 0] = VOCAB.ids[op], value
        ops[sample, len(steps) + 1] = 2
    target = torch.stack([execute(plan_of(steps), x) for steps, x in zip(PLANS, SOURCE, strict=True)])
    return {"input": SOURCE, "target": target, "request_ids": words, "ops": ops, "params": params}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_candidates_are_cut_plans_other_plans_random_edits_and_other_words():
    batch = batch_of()
    shown = candidates(batch, VOCAB)
    assert shown.kinds == ("right", "cut short", "other plan", "random edit", "other words")
    by_kind = dict(zip(shown.kinds, shown.images, strict=True))
    torch.testing.assert_close(by_kind["right"], batch["target"])
    torch.testing.assert_close(by_kind["other words"], batch["target"])
    before = [PLANS[-1], *PLANS[:-1]]
    torch.testing.assert_close(by_kind["other plan"], torch.stack(
        [execute(plan_of(steps), x) for steps, x in zip(before, SOURCE, strict=True)]))
    torch.testing.assert_close(by_kind["cut short"][0], SOURCE[0])      # a plan of one step, cut to none
    assert torch.equal(shown.request_ids[:4], WORDS.expand(4, -1, -1))
    assert torch.equal(shown.request_ids[4], WORDS[[2, 0, 1]])


def test_distances_are_measured_from_the_target_of_the_words():
    batch = batch_of()
    shown = candidates(batch, VOCAB)
    assert shown.distances[0].tolist() == [0, 0, 0]
    for kind, distances, images in list(zip(shown.kinds, shown.distances, shown.images, strict=True))[1:4]:
        torch.testing.assert_close(distances, (images - batch["target"]).abs().mean((1, 2, 3)), msg=kind)
    torch.testing.assert_close(shown.distances[4], shown.distances[2])   # these words ask for the other plan


def test_a_candidate_that_equals_the_target_does_not_count_as_wrong():
    same = WORDS[[0, 0, 2]]   # the first two pairs have the same words and different plans
    shown = candidates(batch_of(same), VOCAB)
    wrong = dict(zip(shown.kinds[1:], shown.wrong, strict=True))
    assert wrong["other words"].tolist() == wrong["other plan"].tolist() == [True, False, True]
    assert wrong["cut short"].tolist() == [True, True, False]   # the third pair has nothing to cut
    assert torch.equal(shown.wrong, shown.distances[1:] > NEAR)


def test_weights_of_wrong_candidates_are_equal_or_by_distance():
    shown = candidates(batch_of(), VOCAB)
    assert torch.equal(shown.weights(), shown.wrong.float())
    torch.testing.assert_close(shown.weights(by_distance=True), shown.wrong * (shown.distances[1:] / FAR).clamp(max=1))


def test_without_plans_the_unedited_photo_is_a_candidate():
    batch = {key: value for key, value in batch_of(WORDS[[0, 0, 2]]).items() if key not in ("ops", "params")}
    shown = candidates(batch, VOCAB, random_edits=False)
    assert shown.kinds == ("right", "unedited", "other words")
    assert torch.equal(shown.images[1], SOURCE)
    assert shown.distances[2].tolist() == [torch.inf, 0, torch.inf]
    assert shown.weights(by_distance=True).isfinite().all()


def test_distances_of_further_candidates_are_measured_from_the_target():
    shown = candidates(batch_of(), VOCAB, planned=SOURCE)
    assert shown.kinds[-2:] == ("planned", "other words")
    torch.testing.assert_close(shown.distances[-2], (SOURCE - shown.images[0]).abs().mean((1, 2, 3)))


def test_a_batch_of_one_pair_has_no_wrong_plan_or_words_of_another():
    batch = {key: value[:1] for key, value in batch_of().items()}
    shown = candidates(batch, VOCAB)
    wrong = dict(zip(shown.kinds[1:], shown.wrong[:, 0].tolist(), strict=True))
    assert not wrong["other plan"] and not wrong["other words"]
    assert wrong["cut short"]


def test_a_critic_sees_each_candidate_with_its_photo_and_words():
    shown = candidates(batch_of(), VOCAB)
    scores = shown.judged(lambda source, image, words: (image - source).abs().mean((1, 2, 3)) + 10 * words[:, 1])
    expected = (shown.images - SOURCE).abs().mean((2, 3, 4)) + 10 * shown.request_ids[..., 1]
    torch.testing.assert_close(scores, expected)


def test_a_cut_plan_loses_at_least_its_last_step():
    ops = torch.tensor([[3, 4, 5, 2, 0], [3, 2, 0, 0, 0], [2, 0, 0, 0, 0]]).repeat(40, 1)
    cut = cut_short(VOCAB, ops)
    lengths = (cut > 2).sum(1).view(40, 3)
    assert set(lengths[:, 0].tolist()) == {0, 1, 2}
    assert set(lengths[:, 1].tolist()) == set(lengths[:, 2].tolist()) == {0}
    assert torch.equal(cut, torch.where(cut > 0, ops, 0))


def test_random_edits_are_within_bounds_and_repeat_with_the_seed():
    ops, params = random_steps(VOCAB, 300, "cpu")
    assert set(ops.unique().tolist()) == {0, *(index for index, _ in VOCAB.plannable)}
    assert (ops[:, 0] > 0).all()
    for index, operator in VOCAB.operators:
        values = params[ops == index][:, :operator.n_params]
        torch.testing.assert_close(operator.normalise(values), values)
    assert not params[ops == 0].any()
    torch.manual_seed(0)
    again = random_steps(VOCAB, 300, "cpu")
    assert torch.equal(again[0], ops) and torch.equal(again[1], params)
    edited = execute_batch(VOCAB, ops[:64], torch.full((64, 3, 4, 4), 0.4), params[:64])
    assert edited.mean((1, 2, 3)).min() < 0.1 < 0.7 < edited.mean((1, 2, 3)).max()
