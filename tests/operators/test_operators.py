"""Properties of every row of the operator table; a new row is tested without new code."""
import pytest
import torch

from core.files import UserError
from core.operators import TABLE, Operator, OperatorVocab, Param, apply, get_operator
from core.operators.table import ALIASES, SESSIONS


def rows(condition=lambda row: True):
    return pytest.mark.parametrize("row", [row for row in TABLE.values() if condition(row)], ids=lambda row: row.name)


every = rows()
adjusting = rows(lambda row: row.n_params > 0)
sized = rows(lambda row: not row.resizes)                        # the size of the picture stays
tuned = rows(lambda row: row.n_params > 0 and not row.resizes)
local = rows(lambda row: row.local)


def random_image(batch=2, height=5, width=7, seed=0, dtype=torch.float32):
    """Return random pixels that avoid ties between channels, knots of curves and the ends of the range."""
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 0.9 + 0.05


def random_params(row, batch=2, seed=1, dtype=torch.float32):
    """Return random parameters inside the bounds, none of them neutral."""
    share = torch.rand(batch, row.n_params, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 0.9 + 0.05
    return row.normalise((row.low + (row.high - row.low) * share).to(dtype))


def random_mask(batch=2, height=5, width=7, seed=2):
    return (torch.rand(batch, 1, height, width, generator=torch.Generator().manual_seed(seed)) > 0.5).float()


def needed_mask(row, batch=2):
    return random_mask(batch) if row.local else None


def degenerate_images():
    """Return pictures where divisions and maxima have no slope: black, white, grey, one colour, nearly black."""
    levels = ((0, 0, 0), (1, 1, 1), (0.5, 0.5, 0.5), (1, 0, 0), (1e-7, 0, 0), (0.25, 0.25, 0.5))
    return torch.tensor(levels, dtype=torch.float32)[:, :, None, None].expand(-1, -1, 5, 7).contiguous()


@tuned
def test_neutral_is_the_identity_to_the_last_bit(row):
    image = torch.cat((random_image(), degenerate_images()[[0, 1, 2, 3, 5]]))
    neutral = row.neutral.float().expand(len(image), -1)
    assert torch.equal(apply(row, image, neutral), image)
    assert torch.equal(apply(row, image.double(), neutral.double()), image.double())


@tuned
def test_other_parameters_change_the_picture(row):
    image = random_image(height=200, width=300)   # radii are shares of the long edge
    assert not torch.allclose(apply(row, image, random_params(row)), image, atol=1e-3)


@tuned
def test_gradients_in_image_and_parameters_agree_with_finite_differences(row):
    image = random_image(height=3, width=4, dtype=torch.float64).requires_grad_()
    params = random_params(row, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(row.function, (image, params))


@local
def test_local_operators_pass_the_gradient_of_pixels_outside_the_mask(row):
    image, mask = random_image().requires_grad_(), random_mask()
    apply(row, image, torch.empty(2, 0), mask).sum().backward()
    assert torch.equal(image.grad, (1 - mask).expand_as(image))


@local
def test_local_operators_need_a_mask(row):
    with pytest.raises(UserError, match=f"{row.name}.*needs a mask"):
        apply(row, random_image(), torch.empty(2, 0))


@adjusting
@pytest.mark.parametrize("scale", [1e-30, 0.1, 10, 1e30])
def test_normalise_respects_the_bounds(row, scale):
    raw = torch.randn(50, row.n_params, generator=torch.Generator().manual_seed(3)) * scale
    params = row.normalise(raw)
    assert params.isfinite().all()
    assert (params >= row.low.float()).all()
    assert (params <= row.high.float()).all()
    torch.testing.assert_close(row.normalise(params), params)


@rows(lambda row: row.structure == "curve")
def test_curves_are_scale_free_and_no_weights_mean_the_identity(row):
    weights = random_params(row)
    curves = row.normalise(weights).unflatten(-1, (-1, 8))
    torch.testing.assert_close(curves.mean(-1), torch.ones_like(curves[..., 0]))
    torch.testing.assert_close(row.normalise(weights * 1e30), row.normalise(weights))
    assert torch.equal(row.normalise(torch.zeros(1, row.n_params)), torch.ones(1, row.n_params))
    torch.testing.assert_close(row.function(random_image(), 5 * weights), row.function(random_image(), weights))


@adjusting
def test_squash_maps_any_number_into_the_bounds(row):
    raw = torch.linspace(-300, 300, 61)[:, None].repeat(1, row.n_params).requires_grad_()
    params = row.squash(raw)
    assert (params >= row.low.float()).all()
    assert (params <= row.high.float()).all()
    params[:, 0].sum().backward()
    assert raw.grad.isfinite().all()
    if row.n_params == 1:
        assert (params.diff(dim=0) >= 0).all()


@adjusting
def test_squashing_zero_gives_nearly_neutral_parameters(row):
    middle = row.squash(torch.zeros(1, row.n_params))
    assert ((middle - row.neutral).abs() <= 0.05 * (row.high - row.low) + 1e-6).all()


@sized
def test_a_batch_equals_one_by_one(row):
    image, params, mask = random_image(4), random_params(row, 4), needed_mask(row, 4)
    singly = [apply(row, image[i:i + 1], params[i:i + 1], None if mask is None else mask[i:i + 1]) for i in range(4)]
    torch.testing.assert_close(apply(row, image, params, mask), torch.cat(singly))


@sized
def test_a_mask_of_zeros_keeps_the_picture(row):
    image = random_image()
    assert torch.equal(apply(row, image, random_params(row), torch.zeros(2, 1, 5, 7)), image)


@sized
def test_a_binary_mask_edits_inside_and_keeps_outside(row):
    image, params, mask = random_image(), random_params(row), random_mask()
    edited, inside = apply(row, image, params, mask), mask.bool().expand_as(image)
    assert torch.equal(edited[~inside], image[~inside])
    everywhere = apply(row, image, params, mask if row.local else torch.ones_like(mask))
    assert torch.equal(edited[inside], everywhere[inside])
    if not row.local:
        assert torch.equal(everywhere, apply(row, image, params))


@tuned
def test_a_mask_of_one_half_applies_half_of_the_edit(row):
    image, params = random_image(), random_params(row)
    half = apply(row, image, params, torch.full((2, 1, 5, 7), 0.5))
    torch.testing.assert_close(half, ((row.function(image, params) + image) / 2).clamp(0, 1))


@tuned
def test_any_picture_at_any_bound_stays_in_range(row):
    image = torch.cat((random_image(3), degenerate_images(), torch.rand(3, 3, 5, 7).round()))
    for params in (*(bound.float().expand(len(image), -1) for bound in (row.low, row.high)), random_params(row)):
        edited = apply(row, image, row.normalise(params[:1].expand(len(image), -1)))
        assert edited.isfinite().all()
        assert edited.min() >= 0
        assert edited.max() <= 1


@sized
def test_degenerate_pictures_have_finite_gradients(row):
    image = degenerate_images().requires_grad_()
    for params in (random_params(row, len(image)), row.neutral.float().repeat(len(image), 1)):
        params.requires_grad_()
        edited = apply(row, image, params, needed_mask(row, len(image)))
        slopes = torch.autograd.grad(edited.sum(), (image, params), allow_unused=True)
        assert edited.isfinite().all()
        assert all(slope.isfinite().all() for slope in slopes if slope is not None)


@rows(lambda row: row.radius == 0 and not row.local)
def test_point_wise_operators_take_pixel_lists(row):
    image, params = random_image(), random_params(row)
    assert torch.equal(row.function(image.flatten(2), params), row.function(image, params).flatten(2))


@rows(lambda row: row.radius is not None)
def test_a_pixel_changes_the_result_only_within_the_operators_radius(row):
    image, params, mask = random_image(1, 9, 9), random_params(row, 1), torch.ones(1, 1, 9, 9)
    moved = image.clone()
    moved[..., 4, 4] = 1 - moved[..., 4, 4]
    changed = (apply(row, image, params, mask) != apply(row, moved, params, mask)).any(1)[0]
    y, x = changed.nonzero(as_tuple=True)
    assert ((y - 4).abs() <= row.radius).all()
    assert ((x - 4).abs() <= row.radius).all()


def test_no_two_operators_have_the_same_name_for_people():
    labels = [row.label for row in TABLE.values()]
    assert len(set(labels)) == len(labels)
    assert all(label[0].isupper() and "_" not in label for label in labels)


def test_names_and_nick_names():
    for alias, name in ALIASES.items():
        assert get_operator(alias) is get_operator(name) is TABLE[name]
    for unknown in ("glow", "", None, ["brightness"], 3):
        with pytest.raises(UserError, match="unknown operator .*known are: brightness"):
            get_operator(unknown)


@pytest.mark.parametrize("session", SESSIONS)
def test_vocabularies_have_the_published_ids(session):
    vocab = OperatorVocab(SESSIONS[session])
    assert [vocab.ids[token] for token in ("<NONE>", "<START>", "<END>")] == [0, 1, 2]
    assert all(vocab[index] is operator is get_operator(vocab.names[index]) for index, operator in vocab.operators)
    assert vocab.max_params == {4: 27}.get(session, 24)
    assert len(vocab) == {0: 11, 1: 11, 2: 27, 3: 11, 4: 36}[session]


@pytest.mark.parametrize(("names", "reason"), [
    (("<NONE>", "<START>", "brightness"), "missing <END>"),
    (("<NONE>", "<START>", "<END>", "hue", "hue"), "twice")])
def test_impossible_vocabularies_are_refused(names, reason):
    with pytest.raises(UserError, match=reason):
        OperatorVocab(names)


def test_one_row_adds_an_operator():
    invert = Operator("invert", lambda image, params: image + params[..., None, None] * (1 - 2 * image), "inverts",
                      "linear", (Param("amount", 0, 1),))
    image = random_image()
    torch.testing.assert_close(apply(invert, image, torch.ones(2, 1)), 1 - image)
