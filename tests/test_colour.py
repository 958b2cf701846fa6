"""Colour spaces and CIEDE2000, against published values and other libraries."""
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.color import rgb_to_lab
from skimage.color import deltaE_ciede2000, rgb2lab

from core.colour import ciede2000, oklch_to_srgb, srgb_to_lab, srgb_to_oklch, to_linear, to_srgb

SHARMA = np.fromstring("""
50 2.6772 -79.7751 50 0 -82.7485 2.0425      50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412      50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000     50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669                        50 -1 2 50 0 0 2.3669
50 2.49 -0.001 50 -2.49 0.0009 7.1792        50 2.49 -0.001 50 -2.49 0.0010 7.1792
50 2.49 -0.001 50 -2.49 0.0011 7.2195        50 2.49 -0.001 50 -2.49 0.0012 7.2195
50 -0.001 2.49 50 0.0009 -2.49 4.8045        50 -0.001 2.49 50 0.0010 -2.49 4.8045
50 -0.001 2.49 50 0.0011 -2.49 4.7461        50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492                   50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030                   50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000             50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000             50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630 61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146 90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381 6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
""", sep=" ").reshape(-1, 7)   # Sharma et al. 2005, table 1: two Lab colours and their difference


def pictures(count=2, side=8):
    return torch.rand(count, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_ciede2000_of_the_34_published_pairs():
    assert len(SHARMA) == 34
    a, b = (torch.tensor(SHARMA[:, columns]).T[None, :, :, None] for columns in (slice(0, 3), slice(3, 6)))
    np.testing.assert_allclose(ciede2000(a, b)[0, :, 0], SHARMA[:, 6], atol=1e-4)
    np.testing.assert_allclose(deltaE_ciede2000(SHARMA[:, :3], SHARMA[:, 3:6]), SHARMA[:, 6], atol=1e-4)


@given(st.integers(0, 10**6), st.floats(0, 60))
def test_ciede2000_agrees_with_scikit_image_on_any_colours(seed, distance):
    """The colours include grey ones, colours outside sRGB, and pairs on both sides of every hue."""
    rng = np.random.default_rng(seed)
    a = rng.uniform((0, -120, -120), (100, 120, 120), (1, 8, 8, 3))
    b = a + distance * rng.normal(size=a.shape)
    a[:, :2, :, 1:] = b[:, 1:3, :, 1:] = 0
    ours = ciede2000(*(torch.from_numpy(x).movedim(-1, 1) for x in (a, b)))
    np.testing.assert_allclose(ours, deltaE_ciede2000(a, b), atol=1e-5)


def test_the_transfer_curve_and_its_inverse():
    x = torch.linspace(0, 1, 256, dtype=torch.float64)
    torch.testing.assert_close(to_srgb(to_linear(x)), x)
    assert to_linear(torch.tensor(0.5)).item() == pytest.approx(0.21404, abs=1e-5)
    assert to_srgb(torch.tensor([-1.0, 2.0])).tolist() == pytest.approx([0, 1])


def test_lab_agrees_with_scikit_image():
    image = pictures()
    expected = np.stack([rgb2lab(picture.movedim(0, -1).numpy()) for picture in image])
    np.testing.assert_allclose(srgb_to_lab(image).movedim(1, -1), expected, atol=0.02)


def test_oklch_of_published_colours_and_back():
    image = pictures()
    torch.testing.assert_close(oklch_to_srgb(srgb_to_oklch(image)), image, atol=1e-6, rtol=0)
    white, red = srgb_to_oklch(torch.tensor([[1.0, 1, 1], [1, 0, 0]])[..., None])[..., 0].tolist()
    assert white[:2] == pytest.approx([1, 0], abs=1e-4)
    assert red == pytest.approx([0.62796, 0.25768, np.deg2rad(29.234)], abs=1e-4)   # Ottosson 2020; CSS Color 4


@pytest.mark.parametrize("scale", [1.0, 0.05])   # with 0.05 most pixels lie in the linear part of both curves
def test_lab_agrees_with_kornia(scale):
    image = scale * torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    image[0, :, 0, :3] = torch.eye(3)
    image[0, :, 1, 0], image[0, :, 1, 1] = 0, 1
    torch.testing.assert_close(srgb_to_lab(image), rgb_to_lab(image), atol=3e-4, rtol=0)


def test_lab_has_a_gradient_at_black_and_white():
    image = torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2).clone().requires_grad_()
    srgb_to_lab(image).sum().backward()
    assert image.grad.isfinite().all()
