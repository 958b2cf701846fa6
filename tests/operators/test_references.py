"""Operators against independent references: kornia, NumPy, and plain implementations of their formulas."""
import math

import kornia
import numpy as np
import pytest
import torch

from core.operators import TABLE, apply
from core.operators.inpaint import INPAINTERS, Inpainter, inpaint_obj


@pytest.fixture
def image():
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def edited(name, image, *params):
    return apply(TABLE[name], image, torch.tensor([params], dtype=image.dtype).expand(len(image), -1))


def scaled_in_hsv(image, channel, factor):
    hsv = kornia.color.rgb_to_hsv(image)
    hsv[:, channel] = (hsv[:, channel] * factor).clamp(0, 1)
    return kornia.color.hsv_to_rgb(hsv)


def luminance(image):
    return (image * torch.tensor([0.27, 0.67, 0.06])[:, None, None]).sum(1, keepdim=True)


@pytest.mark.parametrize("p", [-1, -0.4, 0.3, 1, 2])
def test_brightness_scales_the_hsv_value(image, p):
    torch.testing.assert_close(edited("brightness", image, p), scaled_in_hsv(image, 2, 1 + p), atol=1e-5, rtol=0)


@pytest.mark.parametrize("p", [-1, -0.4, 0.3, 1, 1.5])
def test_saturation_scales_the_hsv_saturation(image, p):
    torch.testing.assert_close(edited("saturation", image, p), scaled_in_hsv(image, 1, 1 + p), atol=1e-5, rtol=0)


@pytest.mark.parametrize("p", [-0.2, 0.5, 1.5])
def test_sharpness_is_a_filter(image, p):
    kernel = torch.tensor([[0., -p, 0.], [-p, 1 + 4 * p, -p], [0., -p, 0.]])
    expected = kornia.filters.filter2d(image, kernel[None], border_type="replicate").clamp(0, 1)
    torch.testing.assert_close(edited("sharpness", image, p), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("p", [-1, -0.3, 0.5, 1])
def test_contrast_is_the_lerp_towards_the_s_curve(image, p):
    lum = luminance(image)
    target = image / (lum + 1e-6) * (0.5 - 0.5 * torch.cos(math.pi * lum))
    torch.testing.assert_close(edited("contrast", image, p), ((1 - p) * image + p * target).clamp(0, 1),
                               atol=1e-5, rtol=0)


@pytest.mark.parametrize("p", [0.25, 1])
def test_black_and_white_is_the_lerp_to_luminance(image, p):
    torch.testing.assert_close(edited("black&white", image, p), (1 - p) * image + p * luminance(image))


@pytest.mark.parametrize("stops", [-3.5, -1, 0.5, 3.5])
def test_exposure_scales_by_stops(image, stops):
    torch.testing.assert_close(edited("exposure", image, stops), (image * 2 ** stops).clamp(0, 1))


def interpolated(values, weights):
    heights = np.concatenate(([0], np.cumsum(weights))) / np.sum(weights)
    return np.interp(values.numpy(), np.linspace(0, 1, len(weights) + 1), heights)


@pytest.mark.parametrize("weights", [range(1, 9), [8, 0, 0, 0, 0, 0, 0, 0], [0, 3, 0, 1, 0, 1, 2, 9]])
def test_tint_is_one_interpolated_curve(image, weights):
    image[0, :, 0, :9] = torch.linspace(0, 1, 9)   # pixels at the knots
    np.testing.assert_allclose(edited("tint", image, *weights), interpolated(image, list(weights)), atol=1e-6)


def test_hue_is_a_curve_for_each_channel(image):
    weights = np.random.default_rng(0).uniform(0, 5, (3, 8))
    changed = edited("hue", image, *weights.flatten())
    for channel in range(3):
        np.testing.assert_allclose(changed[:, channel], interpolated(image[:, channel], weights[channel]), atol=1e-6)


def test_color_bg_paints_white(image):
    mask = torch.zeros(2, 1, 16, 16)
    mask[..., 3:9, 4:12] = 1
    painted = apply(TABLE["color_bg"], image, torch.empty(2, 0), mask)
    assert (painted[..., 3:9, 4:12] == 1).all()


def test_inpainting_continues_the_surrounding_colours():
    y, x = torch.meshgrid(torch.linspace(0, 1, 24), torch.linspace(0, 1, 24), indexing="ij")
    clean = torch.stack((x, y, 0.5 * x + 0.5 * y))[None]
    mask = torch.zeros(1, 1, 24, 24)
    mask[..., 10:14, 9:13] = 1
    spoilt = torch.where(mask > 0, torch.tensor(1.0), clean)
    restored = apply(TABLE["inpaint_obj"], spoilt, torch.empty(1, 0), mask)
    assert (spoilt - clean).abs()[..., 10:14, 9:13].max() > 0.5
    assert (restored - clean).abs().max() < 0.06
    assert torch.equal(restored, apply(TABLE["inpaint_obj"], spoilt, torch.empty(1, 0), mask))


@pytest.mark.parametrize("level", [0, 0.4, 1])
def test_inpainting_without_a_hole_or_without_surroundings_keeps_the_picture(image, level):
    mask = torch.full((2, 1, 16, 16), float(level))
    assert torch.equal(inpaint_obj(image, mask), image)


@pytest.mark.parametrize("shape", [(1, 5), (1, 8), (1, 20), (20, 1)])
def test_inpainting_thin_pictures_does_not_read_uninitialised_memory(shape):
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        image, mask = (torch.rand(1, channels, *shape, generator=generator) for channels in (3, 1))
        results = []
        for level in (0.0, 1e30, float("nan")):   # values that freed memory may hold
            litter = [np.full((shape[0] + more, shape[1] + more), level, np.float32) for more in (0, 2) * 20]
            del litter
            results.append(inpaint_obj(image, mask))
        assert all(torch.equal(results[0], result) for result in results)
        assert results[0].isfinite().all()


def test_one_entry_adds_an_inpainter(image, monkeypatch):
    grey = Inpainter(lambda pixels, hole: np.where(hole[..., None], np.float32(0.5), pixels), margin=lambda *_: 0)
    monkeypatch.setitem(INPAINTERS, "grey", grey)
    mask = (torch.arange(16) < 8).float().expand(2, 1, 16, 16)
    filled = inpaint_obj(image, mask, "grey")
    assert (filled[..., :8] == 0.5).all()
    assert torch.equal(filled[..., 8:], image[..., 8:])
