"""The fit of one operator finds a known optimum, for whole batches and within bounds."""
import pytest
import torch

from core.operators import TABLE, apply
from core.planning.fits import FITS, fit, weighted_median

FITTED = [row for row in TABLE.values() if row.structure in FITS]
by_row = pytest.mark.parametrize("row", FITTED, ids=lambda row: row.name)


@pytest.fixture
def images(photo):
    return torch.stack([torch.from_numpy(photo(24, 32, seed)).permute(2, 0, 1) / 255 for seed in range(4)])


def everywhere(images):
    return torch.ones(images.shape[-2:], dtype=torch.bool)


def gentle_params(row, count):
    """Return parameters that clip few pixels, different for each sample."""
    share = torch.linspace(-0.3, 0.3, count)[:, None] * torch.linspace(1, -0.5, row.n_params)
    return row.normalise((row.neutral + share * row.high.clamp(max=1.0)).float())


@by_row
def test_known_parameters_are_found_for_a_whole_batch(row, images):
    target = apply(row, images, gentle_params(row, 4))
    found = fit(row, images, target, everywhere(images))
    assert found.shape == (4, row.n_params)
    assert (apply(row, images, found) - target).abs().mean((1, 2, 3)).max() < 2e-3


@by_row
def test_a_sample_is_fitted_alike_alone_and_in_a_batch(row, images):
    target = apply(row, images, gentle_params(row, 4)) * 0.9
    together = fit(row, images, target, everywhere(images))
    alone = torch.cat([fit(row, images[i:i + 1], target[i:i + 1], everywhere(images)) for i in range(4)])
    torch.testing.assert_close(together, alone, atol=2e-3, rtol=0)


@by_row
def test_the_fit_stays_in_bounds_whatever_the_target(row, images):
    black, white = torch.zeros_like(images), torch.ones_like(images)
    for before, after in ((images, images.flip(0)), (images, white), (images, black), (black, white), (white, black)):
        found = fit(row, before, after, everywhere(images))
        assert found.isfinite().all()
        assert (found >= row.low.float()).all()
        assert (found <= row.high.float()).all()


@by_row
def test_pixels_that_are_not_valid_do_not_count(row, images):
    target = apply(row, images, gentle_params(row, 4))
    valid = everywhere(images)
    valid[:, :10] = False
    spoilt = target.clone()
    spoilt[..., :10] = 1 - spoilt[..., :10]
    assert torch.equal(fit(row, images, spoilt, valid), fit(row, images, target, valid))


@pytest.mark.parametrize("row", [row for row in FITTED if row.n_params == 1], ids=lambda row: row.name)
def test_no_grid_point_is_better(row, images):
    """For noisy targets, which the operator cannot reach, the fit is the best of the whole range of parameters."""
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0)) * 0.05
    target = (apply(row, images, gentle_params(row, 4)) + noise).clamp(0, 1)

    def distance(params):
        return (apply(row, images, params) - target).abs().mean((1, 2, 3))
    reached = distance(fit(row, images, target, everywhere(images)))
    for p in torch.linspace(row.low.item(), row.high.item(), 81):
        assert (reached <= distance(p.expand(4, 1)) + 1e-3).all()


def test_weighted_median():
    values = torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [5.0, -1.0, 0.0]])
    weights = torch.tensor([[1.0, 1.0, 1.0], [9.0, 1.0, 1.0], [0.0, 0.0, 2.0]])
    assert weighted_median(values, weights).tolist() == [2, 3, 0]


@pytest.mark.parametrize("name", ["exposure_soft", "white_balance", "contrast_pivot", "chroma", "vibrance", "clarity"])
def test_operators_of_the_panel_are_fitted_from_neutral(name, images):
    row = TABLE[name]
    params = row.neutral.float().repeat(len(images), 1)
    params[:, row.effect] += 0.2 * torch.tensor([[1.0], [-1.0], [0.5], [0.0]])
    target = apply(row, images, params)
    result = apply(row, images, fit(row, images, target, everywhere(images)))
    before, after = ((picture - target).abs().mean((1, 2, 3)) for picture in (images, result))
    assert (after <= 0.15 * before + 2e-4).all()
