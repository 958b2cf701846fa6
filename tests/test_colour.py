"""Colour spaces: the library's numbers, and gradients everywhere."""
import pytest
import torch
from kornia.color import rgb_to_lab as reference

from core.colour import rgb_to_lab


@pytest.mark.parametrize("scale", [1.0, 0.05])   # the second is below the bend of both curves for most pixels
def test_lab_is_that_of_kornia(scale):
    image = scale * torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    image[0, :, 0, :3] = torch.eye(3)
    image[0, :, 1, 0], image[0, :, 1, 1] = 0, 1
    torch.testing.assert_close(rgb_to_lab(image), reference(image), atol=3e-4, rtol=0)


def test_lab_has_a_gradient_at_black_and_white():
    image = torch.tensor([0.0, 1.0]).expand(1, 3, 1, 2).clone().requires_grad_()
    rgb_to_lab(image).sum().backward()
    assert image.grad.isfinite().all()
