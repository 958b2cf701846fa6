"""The executor: batches of mixed operators, plans at any size, masks resized with the picture."""
import pytest
import torch
from torch.overrides import TorchFunctionMode

from core.files import UserError
from core.operators import SESSIONS, TABLE, Mask, OperatorVocab, Plan, Step, apply, apply_batch, execute, trace

POINT_WISE = [row for row in TABLE.values() if row.radius == 0 and not row.local]


def random_image(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def mixed_batch(vocab, height=6, width=8):
    """Return one sample for each operator of `vocab` that can be executed, and one for each special token."""
    ops = torch.tensor([*(index for index, row in vocab.operators if not row.resizes), 0, 1, 2])
    ops = ops[torch.randperm(len(ops), generator=torch.Generator().manual_seed(5))]
    params = random_image(len(ops), vocab.max_params, seed=1) * 0.9 + 0.05
    mask = (random_image(len(ops), 1, height, width, seed=2) > 0.4).float()
    return ops, random_image(len(ops), 3, height, width), params, mask


@pytest.mark.parametrize("session", SESSIONS)
def test_a_mixed_batch_equals_one_by_one(session):
    vocab = OperatorVocab(SESSIONS[session])
    ops, image, params, mask = mixed_batch(vocab)
    edited = apply_batch(vocab, ops, image, params, mask)
    for i, op in enumerate(ops.tolist()):
        row = vocab[op]
        one = slice(i, i + 1)
        expected = image[one] if row is None else apply(row, image[one], params[one, :row.n_params], mask[one])
        torch.testing.assert_close(edited[one], expected, msg=lambda text, op=op: f"{vocab.names[op]}: {text}")


class Counted(TorchFunctionMode):
    """Count the calls of PyTorch functions inside the block."""

    calls = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.calls += 1
        return function(*args, **(kwargs or {}))


def test_the_number_of_calls_does_not_grow_with_the_batch():
    vocab, counts = OperatorVocab(), []
    for times in (1, 20):
        ops = torch.tensor([vocab.ids["brightness"], vocab.ids["hue"], 2] * times)
        with Counted() as counted:
            apply_batch(vocab, ops, random_image(3 * times, 3, 2, 2), random_image(3 * times, 24))
        counts.append(counted.calls)
    assert counts[0] == counts[1] > 0


def test_special_tokens_leave_their_samples_unchanged():
    image = random_image(3, 3, 4, 4)
    assert torch.equal(apply_batch(OperatorVocab(), torch.tensor([0, 1, 2]), image, random_image(3, 24)), image)


def test_a_name_that_cannot_be_executed_is_refused():
    vocab = OperatorVocab(SESSIONS[2])
    with pytest.raises(UserError, match="'deform_obj'.*cannot be executed"):
        apply_batch(vocab, torch.tensor([vocab.ids["deform_obj"]]), random_image(1, 3, 4, 4), random_image(1, 24))


def test_gradients_flow_to_every_sample_and_to_no_padding():
    vocab = OperatorVocab()
    ops, image, params, mask = mixed_batch(vocab)
    image.requires_grad_()
    params.requires_grad_()
    apply_batch(vocab, ops, image, params, mask).square().sum().backward()
    for i, op in enumerate(ops.tolist()):
        used = vocab[op].n_params if vocab[op] else 0
        assert image.grad[i].any()
        assert params.grad[i, :used].any() or used == 0
        assert not params.grad[i, used:].any()


@pytest.mark.parametrize("factor", [2, 3])
def test_point_wise_plans_commute_with_enlarging(factor):
    plan = Plan(tuple(Step.make(row.name, [0.4 + 0.1 * i for i in range(row.n_params)]) for row in POINT_WISE))
    image = random_image(3, 7, 9)

    def enlarged(picture):
        return picture.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    torch.testing.assert_close(execute(plan, enlarged(image)), enlarged(execute(plan, image)))


def test_masks_are_resized_to_the_picture():
    half = torch.zeros(20, 30)
    half[:, :15] = 1
    plan = Plan((Step.make("color_bg", mask=Mask.from_array(half)),))
    for height, width in ((20, 30), (40, 60), (10, 14), (33, 50)):
        edited = execute(plan, torch.zeros(3, height, width))
        assert (edited[..., :width // 2 - 2] == 1).all()
        assert (edited[..., width // 2 + 2:] == 0).all()


def test_a_step_is_clamped_before_the_next():
    plan = Plan((Step.make("exposure", [1]), Step.make("exposure", [-1])))
    assert execute(plan, torch.full((3, 1, 1), 0.75)).flatten().tolist() == [0.5] * 3


def test_trace_returns_the_picture_after_every_step():
    image = random_image(3, 6, 8)
    steps = (Step.make("contrast", [0.5]), Step.make("sharpness", [1]), Step.make("saturation", [-0.3]))
    shown = list(trace(Plan(steps), image))
    assert [picture.shape for picture in shown] == [image.shape] * 3
    assert torch.equal(shown[1], execute(Plan(steps[:2]), image))
    assert torch.equal(shown[-1], execute(Plan(steps), image))


def test_pictures_of_any_memory_layout_are_edited_and_not_overwritten():
    plan = Plan((Step.make("hue", range(1, 25)), Step.make("sharpness", [1])))
    pixels = random_image(6, 8, 3)
    before = pixels.clone()
    edited = execute(plan, pixels.permute(2, 0, 1))
    assert torch.equal(edited, execute(plan, pixels.permute(2, 0, 1).contiguous()))
    assert torch.equal(pixels, before)


def test_a_plan_edits_a_batch_as_it_edits_each_picture():
    plan = Plan((Step.make("tint", range(1, 9)), Step.make("color_bg", mask=Mask.from_array(torch.eye(6, 8)))))
    images = random_image(4, 3, 6, 8)
    torch.testing.assert_close(execute(plan, images), torch.stack([execute(plan, image) for image in images]))


def test_an_empty_plan_keeps_the_picture():
    image = random_image(3, 6, 8)
    assert torch.equal(execute(Plan(), image), image)
