"""The pipeline's decoder: steps inside masks, dropped steps, and the notebook's known mistakes."""
import pytest
import torch

from core.losses.plan import operator_nll, parameter_mse
from core.models.pipeline import Pipeline, known_masks
from core.models.planner import PlannerConfig
from core.operators import END, SESSIONS, START, OperatorVocab, apply_batch

VOCAB = OperatorVocab(SESSIONS[3])
IDS = torch.tensor([[1, 4, 5, 2, 0], [1, 6, 2, 0, 0], [1, 7, 5, 2, 0]])


def build(**changes):
    torch.manual_seed(0)
    return Pipeline(PlannerConfig(words=tuple("abcdefgh"), vis_encoder="photometric", hidden_size=16, vector_size=6,
                                  fixed_vectors=False, **changes)).eval()


def plans(*rows):
    """Return ops (B, 7) and params (B, 5, P) of rows of (operator, first parameter)."""
    ops, params = torch.zeros(len(rows), 7, dtype=torch.long), torch.zeros(len(rows), 5, VOCAB.max_params)
    for row, steps in enumerate(rows):
        names = [START, *(name for name, _ in steps), END]
        ops[row, :len(names)] = torch.tensor([VOCAB.ids[name] for name in names])
        params[row, :len(steps), 0] = torch.tensor([value for _, value in steps])
    return ops, params


OPS, PARAMS = plans([("brightness", 0.5), ("contrast", 0.2)], [("saturation", 0.4)], [("inpaint_obj", 0.0)])
IMAGE = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
MASKS = torch.ones(3, 5, 1, 32, 32)
MASKS[0, 0, :, :, 16:] = 0   # the first step is local, on the left half
MASKS[2, 0, :, 8:] = 0


def forced(network):
    torch.manual_seed(1)
    return network.teacher_forced(IMAGE, IDS, OPS, PARAMS, MASKS)


def only(network, name, local):
    """Let a network choose one operator, then the end, in any state."""
    with torch.no_grad():
        network.operator_head.weight.zero_()
        network.operator_head.bias.fill_(-9)
        network.operator_head.bias[[VOCAB.ids[name], VOCAB.ids[END]]] = torch.tensor([9.0, 0.0])
        network.local_head.weight.zero_()
        network.local_head.bias.fill_(9.0 if local else -9.0)
        for head in network.heads.values():
            head.bias.fill_(3.0)
    return network


def left_half(row, operator):
    mask = torch.zeros(1, 32, 32)
    mask[..., :16] = 1
    return mask


def test_every_target_counts_the_first_one_too():
    """The notebook's loss once skipped the first target."""
    scores, _, local = forced(build())
    assert scores.shape == (3, 6, len(VOCAB))
    assert local.shape == (3, 5)
    by_hand = [scores[row, place, OPS[row, place + 1]] for row in range(3) for place in range(6)
               if OPS[row, place + 1]]
    assert operator_nll(scores, OPS).item() == pytest.approx(-torch.stack(by_hand).mean().item(), rel=1e-5)
    assert scores[:, 0].exp().sum(1).allclose(torch.ones(3), atol=1e-5)


def test_the_heads_of_parameters_get_a_gradient_and_padding_none():
    """The notebook's parameter head once had no gradient."""
    network = build()
    _, params, _ = forced(network)
    loss = parameter_mse(params, PARAMS, OPS, VOCAB)
    loss.backward()
    for name in ("brightness", "contrast", "saturation"):
        assert network.heads[name].weight.grad.abs().sum() > 0, name
    assert network.heads["tint"].weight.grad is None
    assert network.visual_encoder.cnn.layers[0].weight.grad.abs().sum() > 0
    with torch.no_grad():
        other = params.clone()
        other[1, 3:] += 5   # padding
        assert parameter_mse(other, PARAMS, OPS, VOCAB) == pytest.approx(loss.item())


def test_the_next_step_looks_at_the_picture_inside_the_true_mask():
    network, seen = build(), []
    network._visual_features = lambda picture: (seen.append(picture), picture.new_zeros(len(picture), 512))[1]
    forced(network)
    pictures, = seen
    second = pictures[1]   # the picture of sample 0 before its second step
    assert torch.equal(second[..., 16:], IMAGE[0, ..., 16:])
    assert (second[..., :16] >= IMAGE[0, ..., :16]).all() and not torch.equal(second, IMAGE[0])


def test_a_local_step_stays_inside_its_mask_to_the_bit():
    done = only(build(), "brightness", local=True).decode(IMAGE, IDS, left_half)
    assert [[name for name, *_ in steps] for steps in done.steps] == [["brightness"]] * 3
    assert torch.equal(done.image[..., 16:], IMAGE[..., 16:])
    assert not torch.equal(done.image[..., :16], IMAGE[..., :16])
    assert done.image.min() >= 0 and done.image.max() <= 1


def test_a_step_without_a_mask_is_dropped_and_never_done_everywhere():
    """An empty noun phrase gave the notebook an empty list; MAttNet lowered its threshold for ever."""
    for name, local in (("brightness", True), ("inpaint_obj", False)):
        done = only(build(), name, local).decode(IMAGE, IDS, lambda row, operator: None)
        assert done.dropped == [[name]] * 3
        assert done.steps == [[], [], []]
        assert torch.equal(done.image, IMAGE)


def test_a_global_step_asks_no_grounder():
    def fail(row, operator):
        raise AssertionError("a global step needs no mask")
    done = only(build(), "contrast", local=False).decode(IMAGE, IDS, fail)
    assert done.masks == [[None]] * 3
    assert not torch.equal(done.image, IMAGE)


def test_a_batch_is_decoded_as_its_samples_alone():
    """The notebook sorted the sentences of a batch by length, and once forgot to sort the results back."""
    network = build()
    together = network.decode(IMAGE, IDS, left_half)
    for row in range(3):
        alone = network.decode(IMAGE[row:row + 1], IDS[row:row + 1], left_half)
        assert [name for name, *_ in alone.steps[0]] == [name for name, *_ in together.steps[row]]
        assert torch.allclose(alone.image[0], together.image[row], atol=1e-5)


def test_true_plans_are_learnt_from_one_batch():
    network = build().train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    local = (MASKS < 1).flatten(2).any(2).float()
    for _ in range(60):
        scores, params, logits = network.teacher_forced(IMAGE, IDS, OPS, PARAMS, MASKS)
        loss = operator_nll(scores, OPS) + 5 * parameter_mse(params, PARAMS, OPS, VOCAB)
        loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(logits[:, :2], local[:, :2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    done = network.eval().decode(IMAGE, IDS, known_masks(MASKS, [["brightness", "contrast"], ["saturation"],
                                                                 ["inpaint_obj"]]))
    assert [[name for name, *_ in steps] for steps in done.steps] == [["brightness", "contrast"], ["saturation"],
                                                                      ["inpaint_obj"]]
    assert torch.equal(done.masks[0][0], MASKS[0, 0]) and done.masks[0][1] is None
    expected = apply_batch(VOCAB, OPS[:, 1], IMAGE, PARAMS[:, 0], MASKS[:, 0])
    assert (done.image[1] - expected[1]).abs().mean() < 0.02


def test_without_the_visual_feature_all_photos_get_one_plan():
    network = build(image_blind=True)
    same = IDS[:1].expand(2, -1)
    first, second = network.decode(torch.stack((IMAGE[0], 1 - IMAGE[1])), same, left_half).steps
    assert [name for name, *_ in first] == [name for name, *_ in second]
