"""L1, PSNR, SSIM and colour difference, against independent references and known values."""
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from core.metrics.image import delta_e, l1, psnr, ssim


def pair(height=24, width=31, batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    a = torch.rand(batch, 3, height, width, generator=generator)
    return a, (a + 0.2 * torch.randn(a.shape, generator=generator)).clamp(0, 1)


def slow_ssim(a, b):
    """Return SSIM by the published formula on one (H, W) channel with a two-dimensional window, in float64."""
    y, x = np.mgrid[-5:6, -5:6]
    window = np.exp(-(x ** 2 + y ** 2) / (2 * 1.5 ** 2))
    window /= window.sum()
    mean_a, mean_b, aa, bb, ab = (convolve2d(m, window, mode="same") for m in (a, b, a * a, b * b, a * b))
    variance_a, variance_b, covariance = aa - mean_a ** 2, bb - mean_b ** 2, ab - mean_a * mean_b
    return ((2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
            / ((mean_a ** 2 + mean_b ** 2 + 1e-4) * (variance_a + variance_b + 9e-4))).mean()


@pytest.mark.parametrize("size", [(24, 31), (7, 40), (1, 1)])
def test_ssim_agrees_with_a_slow_reference_up_to_the_border(size):
    a, b = pair(*size)
    expected = [np.mean([slow_ssim(x, y) for x, y in zip(p, q, strict=True)])
                for p, q in zip(a.double().numpy(), b.double().numpy(), strict=True)]
    np.testing.assert_allclose(ssim(a, b), expected, atol=2e-5)


def test_ssim_agrees_with_scikit_image_on_pictures_with_a_black_frame():
    """With a black frame as wide as the window, zero padding and scikit-image's reflection give the same values."""
    a, b = (torch.nn.functional.pad(x, (11, 11, 11, 11)) for x in pair(40, 30, batch=1))
    expected = structural_similarity(a[0].numpy(), b[0].numpy(), channel_axis=0, data_range=1, gaussian_weights=True,
                                     sigma=1.5, use_sample_covariance=False, full=True)[1].mean()
    assert ssim(a, b).item() == pytest.approx(expected, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 1000))
def test_ssim_is_symmetric_bounded_and_one_for_equal_pictures(height, width, seed):
    a, b = pair(height, width, seed=seed)
    torch.testing.assert_close(ssim(a, b), ssim(b, a))
    torch.testing.assert_close(ssim(a, a), torch.ones(2))
    assert (ssim(a, b).abs() <= 1 + 1e-5).all()


def test_ssim_has_finite_gradients_for_flat_pictures():
    a = torch.full((1, 3, 6, 5), 0.4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(ssim, (a, torch.full_like(a, 0.6).detach()))


@pytest.mark.parametrize("metric", [l1, psnr, ssim, lambda a, b: delta_e(a, b)[0], lambda a, b: delta_e(a, b)[1]])
def test_a_metric_gives_one_value_per_image(metric):
    a, b = pair(batch=3)
    together = metric(a, b)
    assert together.shape == (3,)
    torch.testing.assert_close(together, torch.cat([metric(a[i:i + 1], b[i:i + 1]) for i in range(3)]))


@pytest.mark.parametrize("metric", [l1, psnr, ssim, delta_e])
def test_pictures_of_different_sizes_are_refused(metric):
    with pytest.raises(ValueError, match="one shape"):
        metric(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))


def test_l1_and_psnr_of_a_constant_difference():
    a, b = torch.full((1, 3, 5, 5), 0.3), torch.full((1, 3, 5, 5), 0.4)
    assert l1(a, b).item() == pytest.approx(0.1)
    assert psnr(a, b).item() == pytest.approx(20, abs=1e-4)
    assert psnr(a, a).item() == float("inf")


def test_delta_e_from_black_to_white_is_100():
    half = torch.zeros(1, 3, 4, 4)
    half[..., :2] = 1
    mean, largest = delta_e(half, torch.zeros_like(half))
    assert mean.item() == pytest.approx(50, abs=0.01)
    assert largest.item() == pytest.approx(100, abs=0.01)
    assert [value.item() for value in delta_e(half, half)] == [0, 0]


def test_delta_e_agrees_with_scikit_image_on_pictures():
    a, b = pair()
    lab_a, lab_b = (rgb2lab(x.double().movedim(1, -1).numpy()) for x in (a, b))
    expected = deltaE_ciede2000(lab_a, lab_b)
    mean, largest = delta_e(a, b)
    np.testing.assert_allclose(mean, expected.mean((1, 2)), rtol=1e-3)
    np.testing.assert_allclose(largest, expected.max((1, 2)), rtol=1e-3)
