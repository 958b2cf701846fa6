"""The planner: shapes, allowed operators, independence of padding and batch, and checkpoints."""
import io
from dataclasses import replace

import pytest
import torch

from core.files import UserError
from core.losses.plan import operator_nll, parameter_loss
from core.models.planner import Planner, PlannerConfig
from core.operators import SESSIONS, execute

WORDS = ("<NONE>", "<START>", "<END>", "<UNK>", "make", "it", "brighter", "darker", "sharper", "more", "colorful")
SMALL = PlannerConfig(WORDS, vis_encoder="small", hidden_size=24, vector_size=10, fixed_vectors=False)
REQUEST = torch.tensor([[1, 4, 5, 6, 2, 0], [1, 4, 5, 7, 2, 0], [1, 8, 2, 0, 0, 0], [1, 4, 5, 9, 10, 2]])
IMAGE = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
OPS = torch.tensor([[1, 3, 5, 2, 0, 0, 0], [1, 3, 2, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0, 0], [1, 9, 8, 6, 4, 3, 2]])


def planner_of(seed=0, **changes):
    """Return a planner with random weights that chooses different operators and sometimes END."""
    torch.manual_seed(seed)
    planner = Planner(replace(SMALL, **changes)).eval()
    with torch.no_grad():
        planner.operator_head.weight.mul_(8)
    return planner


def known_params(planner):
    """Return parameters for OPS, padded with 0."""
    params = torch.zeros(4, 5, planner.vocab.max_params)
    generator = torch.Generator().manual_seed(1)
    for sample, step in (OPS[:, 1:-1] > 2).nonzero().tolist():
        operator = planner.vocab[OPS[sample, step + 1].item()]
        values = operator.squash(torch.randn(operator.n_params, generator=generator))
        params[sample, step, :operator.n_params] = values
    return params


def losses(planner, image=IMAGE, request=REQUEST, ops=OPS, params=None):
    params = known_params(planner) if params is None else params
    log_probabilities, predicted = planner.teacher_forced(image, request, ops, params)
    return torch.stack((operator_nll(log_probabilities, ops), parameter_loss(predicted, params, ops, planner.vocab)))


def allowed(vocab, history):
    """Return the names that may follow a history: END, and plannable operators that the history lacks."""
    return [vocab.ids["<END>"], *(index for index, row in vocab.plannable if index not in history)]


@pytest.mark.parametrize("use_attention", [True, False])
@pytest.mark.parametrize("session", [2, 3])
def test_teacher_forced_is_a_distribution_over_the_allowed_operators(session, use_attention):
    planner = planner_of(operators=SESSIONS[session], use_attention=use_attention)
    vocab = planner.vocab
    ids = [vocab.ids[name] for name in ("brightness", "tint", "saturation")]
    ops = torch.tensor([[1, *ids, 2], [1, ids[1], 2, 0, 0]])
    log_probabilities, params = planner.teacher_forced(IMAGE[:2], REQUEST[:2], ops, torch.full((2, 3, 24), 0.5))
    assert log_probabilities.shape == (2, 4, len(vocab))
    assert params.shape == (2, 3, vocab.max_params)
    torch.testing.assert_close(log_probabilities.exp().sum(-1), torch.ones(2, 4))
    for sample in range(2):
        for step in range(4):
            possible = log_probabilities[sample, step].isfinite().nonzero().flatten().tolist()
            assert possible == sorted(allowed(vocab, ops[sample, :step + 1].tolist()))


def test_parameters_are_predicted_for_the_known_operators():
    planner = planner_of()
    _, params = planner.teacher_forced(IMAGE, REQUEST, OPS, known_params(planner))
    for sample in range(4):
        for step, op in enumerate(OPS[sample, 1:-1].tolist()):
            row, values = planner.vocab[op], params[sample, step]
            used = row.n_params if row else 0
            assert not values[used:].any()
            assert not used or ((values[:used] >= row.low) & (values[:used] <= row.high)).all()


def test_each_step_sees_the_picture_after_the_steps_before():
    planner = planner_of()
    ops, params = torch.tensor([[1, 3, 5, 2]]), torch.zeros(1, 2, 24)
    darker = params.clone()
    darker[0, 0, 0] = -0.9
    same, _ = planner.teacher_forced(IMAGE[:1], REQUEST[:1], ops, params)
    dark, _ = planner.teacher_forced(IMAGE[:1], REQUEST[:1], ops, darker)
    torch.testing.assert_close(same[:, 0], dark[:, 0])
    assert not torch.allclose(same[:, 1].exp(), dark[:, 1].exp(), atol=1e-3)


@pytest.mark.parametrize("use_attention", [True, False])
def test_longer_padding_of_words_changes_nothing(use_attention):
    planner = planner_of(use_attention=use_attention)
    padded = torch.nn.functional.pad(REQUEST, (0, 7))
    torch.testing.assert_close(losses(planner, request=padded), losses(planner))
    short, long = planner(IMAGE, REQUEST), planner(IMAGE, padded)
    assert torch.equal(short.ops, long.ops)
    torch.testing.assert_close(long.image, short.image)
    torch.testing.assert_close(long.attention[..., :6], short.attention)
    assert not long.attention[..., 6:].any()


def test_longer_padding_of_operators_does_not_change_the_loss():
    planner = planner_of()
    ops, params = torch.nn.functional.pad(OPS, (0, 3)), torch.nn.functional.pad(known_params(planner), (0, 0, 0, 3))
    torch.testing.assert_close(losses(planner, ops=ops, params=params), losses(planner))


def test_a_batch_equals_one_by_one():
    planner = planner_of()
    together = planner(IMAGE, REQUEST)
    params = known_params(planner)
    batched, _ = planner.teacher_forced(IMAGE, REQUEST, OPS, params)
    for i in range(4):
        one = slice(i, i + 1)
        alone = planner(IMAGE[one], REQUEST[one])
        steps = alone.ops.shape[1]
        assert torch.equal(alone.ops, together.ops[one, :steps])
        torch.testing.assert_close(alone.image, together.image[one])
        torch.testing.assert_close(alone.params, together.params[one, :steps])
        torch.testing.assert_close(planner.teacher_forced(IMAGE[one], REQUEST[one], OPS[one], params[one])[0],
                                   batched[one])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("session", [2, 3])
def test_plans_repeat_no_operator_and_nothing_follows_their_end(session, seed):
    planner = planner_of(seed, operators=SESSIONS[session])
    unrolled = planner(IMAGE, REQUEST)
    assert unrolled.ops.shape[1] <= 5
    for i in range(4):
        plan, kept = unrolled.plan(planner.vocab, i)
        names = [step.op for step in plan]
        assert len(set(names)) == len(names)
        assert kept == list(range(len(plan))), "nothing follows END"
        assert set(unrolled.ops[i, len(plan):].tolist()) <= {planner.vocab.ids["<END>"]}
        assert set(names) <= set(planner.heads)
        torch.testing.assert_close(execute(plan, IMAGE[i]), unrolled.image[i])


def test_plans_have_different_lengths_from_0_to_5():
    lengths = set()
    for seed in range(12):
        planner = planner_of(seed)
        unrolled = planner(IMAGE, REQUEST)
        lengths |= {len(unrolled.plan(planner.vocab, i)[0]) for i in range(4)}
    assert {0, 5} < lengths


def test_the_free_run_agrees_with_teacher_forcing_on_its_own_plan():
    """Given the plan of the free run as the known plan, the teacher-forced pass predicts the same plan."""
    planner = planner_of(seed=3)
    free = planner(IMAGE, REQUEST)
    steps = free.ops.shape[1]
    start, end = torch.ones(4, 1, dtype=torch.long), torch.full((4, 1), 2)
    ops = torch.cat((start, free.ops, end), 1)
    log_probabilities, params = planner.teacher_forced(IMAGE, REQUEST, ops, free.params)
    for i in range(4):
        length = len(free.plan(planner.vocab, i)[0])
        asked = min(length + 1, steps)   # the operators and END, if the plan has one
        assert torch.equal(log_probabilities[i, :asked].argmax(-1), free.ops[i, :asked])
        torch.testing.assert_close(params[i, :length], free.params[i, :length])


def test_gradients_reach_words_visual_encoder_and_the_chosen_heads():
    planner = planner_of(seed=3).train()
    unrolled = planner(IMAGE, REQUEST)
    (unrolled.image - 0.5).abs().mean().backward()
    chosen = {step.op for i in range(4) for step in unrolled.plan(planner.vocab, i)[0]}
    assert chosen
    assert all((head.weight.grad is not None) == (name in chosen) for name, head in planner.heads.items())
    for part in (planner.request_encoder.words, planner.visual_encoder.out.weight, planner.decoder.weight_ih_l0):
        assert part.grad.isfinite().all()
        assert part.grad.any()


def test_no_gradient_runs_through_the_visual_encoder_to_the_picture():
    """Only the executor carries gradients from step to step; the picture that the encoder sees is detached."""
    image = IMAGE.clone().requires_grad_()
    unrolled = planner_of(seed=3)(image, REQUEST)
    seen, = torch.autograd.grad(unrolled.params.sum(), image, allow_unused=True, retain_graph=True)
    carried, = torch.autograd.grad(unrolled.image.sum(), image)
    assert seen is None
    assert carried.any()


def test_a_text_blind_planner_ignores_words():
    blind, seeing = planner_of(text_blind=True), planner_of()
    other = REQUEST.flip(0)
    assert torch.equal(blind(IMAGE, REQUEST).image, blind(IMAGE, other).image)
    assert torch.equal(losses(blind), losses(blind, request=other))
    assert not torch.equal(losses(seeing), losses(seeing, request=other))


def test_an_image_blind_planner_ignores_pictures():
    planner = planner_of(image_blind=True)
    unrolled, other = (planner(image, REQUEST) for image in (IMAGE, 1 - IMAGE))
    assert torch.equal(unrolled.ops, other.ops)
    assert torch.equal(unrolled.params, other.params)
    assert not torch.equal(planner_of()(IMAGE, REQUEST).params, planner_of()(1 - IMAGE, REQUEST).params)


def test_training_on_one_batch_reduces_both_losses():
    planner = planner_of().train()
    optimizer = torch.optim.Adam(planner.parameters(), 3e-3)
    before = losses(planner).tolist()
    for _ in range(25):
        optimizer.zero_grad()
        losses(planner).sum().backward()
        optimizer.step()
    after = losses(planner).tolist()
    assert after[0] < 0.5 * before[0]
    assert after[1] < 0.8 * before[1]


@pytest.mark.parametrize("changes", [{}, {"use_attention": False, "operators": SESSIONS[2]}, {"text_blind": True}])
def test_a_checkpoint_rebuilds_the_same_planner(changes):
    planner = planner_of(seed=3, **changes)
    file = io.BytesIO()
    torch.save(planner.checkpoint(), file)
    file.seek(0)
    again = Planner.from_checkpoint(torch.load(file, weights_only=True)).eval()
    assert again.config == planner.config
    first, second = planner(IMAGE, REQUEST), again(IMAGE, REQUEST)
    assert torch.equal(first.ops, second.ops)
    assert torch.equal(first.params, second.params)
    assert torch.equal(first.image, second.image)


def test_given_word_vectors_are_in_the_checkpoint():
    vectors = torch.randn(len(WORDS) - 4, 10, generator=torch.Generator().manual_seed(0))
    planner = Planner(replace(SMALL, fixed_vectors=True), vectors)
    again = Planner.from_checkpoint(planner.checkpoint())
    assert torch.equal(again.request_encoder.words, vectors)
    assert not again.request_encoder.words.requires_grad


def damaged(change):
    saved = planner_of().checkpoint()
    change(saved)
    return saved


@pytest.mark.parametrize("change", [
    lambda saved: saved["config"].update(operators=[*SESSIONS[3][:-1], "vignette"][:10]),
    lambda saved: saved["config"].update(operators=list(SESSIONS[2])),
    lambda saved: saved["config"].update(hidden_size=32),
    lambda saved: saved["config"].update(palette="warm"),
    lambda saved: saved["config"].pop("words"),
    lambda saved: saved["weights"].pop("heads.hue.weight"),
    lambda saved: saved["weights"].update({"heads.tint.weight": torch.zeros(9, 48), "heads.tint.bias": torch.zeros(9)}),
], ids=["unknown operator", "other operators", "other size", "unknown field", "missing field", "missing head",
        "other parameters"])
def test_a_checkpoint_of_another_table_is_refused(change):
    with pytest.raises(UserError, match=r"^old\.pt: .*train again") as raised:
        Planner.from_checkpoint(damaged(change), "old.pt")
    assert "\n" not in str(raised.value)


def test_hidden_words_leave_the_wishes_and_only_in_training():
    words = (*WORDS[:4], "<light +>", "<contrast ->", *WORDS[4:])
    planner = planner_of(words=words, hide_words=1.0)
    one, other, wish = torch.tensor([[[1, 4, 6, 7, 2]], [[1, 4, 8, 9, 2]], [[1, 5, 6, 7, 2]]])

    def summary(ids):
        return planner._encode_request(ids)[2]
    assert not torch.equal(summary(one), summary(other))   # words are read outside of training
    planner.train()
    assert torch.equal(summary(one), summary(other))
    assert not torch.equal(summary(one), summary(wish))
