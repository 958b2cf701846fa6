"""Box mean and guided filter, against OpenCV and their documented properties."""
import cv2
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.filters import box_mean, guided_filter


def noise(height, width, channels=1, seed=0):
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 25), st.integers(0, 99))
def test_box_mean_is_the_mean_of_the_window_inside_the_picture(height, width, radius, seed):
    image = noise(height, width, seed=seed)
    row, column = height // 2, width // 3
    window = image[..., max(row - radius, 0):row + radius + 1, max(column - radius, 0):column + radius + 1]
    assert box_mean(image, radius)[0, 0, row, column].item() == pytest.approx(window.mean().item(), abs=1e-5)


def test_box_mean_agrees_with_opencv_away_from_the_border():
    image = noise(40, 50)
    expected = torch.from_numpy(cv2.blur(image[0, 0].numpy(), (7, 7)))
    torch.testing.assert_close(box_mean(image, 3)[0, 0, 3:-3, 3:-3], expected[3:-3, 3:-3])


def test_the_guided_filter_smooths_noise_and_keeps_an_edge():
    step = torch.zeros(1, 1, 32, 32)
    step[..., 16:] = 0.8
    noisy = (step + 0.02 * torch.randn(step.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    smooth = guided_filter(noisy, noisy, 4, 0.01)
    assert smooth[..., :12].std() < 0.5 * noisy[..., :12].std()
    assert (smooth[..., 16] - smooth[..., 15]).mean() > 0.6
    assert smooth.min() > -0.01
    assert smooth.max() < 0.85


def test_a_flat_picture_is_unchanged_and_gradients_are_finite():
    flat = torch.full((1, 3, 9, 9), 0.3, requires_grad=True)
    smooth = guided_filter(flat, flat[:, :1], 2, 1e-4)
    torch.testing.assert_close(smooth, flat)
    smooth.sum().backward()
    assert torch.isfinite(flat.grad).all()
