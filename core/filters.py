"""Box mean, guided filter (edge-aware smoothing whose cost does not depend on the radius), and previews."""
import torch
import torch.nn.functional as F

PREVIEW = 256   # pixels


def preview(image: torch.Tensor, side: int = PREVIEW) -> torch.Tensor:
    """Return photos (3, H, W) or (B, 3, H, W) with a long edge of at most `side` pixels, for measures."""
    scale = side / max(image.shape[-2:])
    size = [max(round(edge * scale), 1) for edge in image.shape[-2:]]
    return image if scale >= 1 else F.interpolate(image.reshape(-1, *image.shape[-3:]), size, mode="area").reshape(
        *image.shape[:-2], *size)


def box_mean(image, radius):
    """Return the mean over a square window of (2 radius + 1) pixels a side.

    Args: `image` (B, C, H, W); `radius`, a whole number of pixels, at least 0. At the border the window is cropped.
    """
    if radius == 0:
        return image
    return _box_sum(image, radius) / _box_sum(torch.ones_like(image[:1, :1]), radius)


def _box_sum(image, radius):
    for dim in (-1, -2):
        size = image.shape[dim]
        padding = (1, 0) if dim == -1 else (0, 0, 1, 0)
        sums = F.pad(image.double().cumsum(dim), padding)
        places = torch.arange(size, device=image.device)
        upper, lower = (places + radius + 1).clamp(max=size), (places - radius).clamp(min=0)
        image = (sums.index_select(dim, upper) - sums.index_select(dim, lower)).to(image.dtype)
    return image


def guided_filter(image, guide, radius, epsilon):
    """Smooth `image` along the edges of `guide` (He, Sun and Tang 2010, "Guided Image Filtering").

    Args:
        image: (B, C, H, W); guide: (B, 1, H, W), such as the luminance, in [0, 1].
        radius: of the window, in pixels.
        epsilon: variance of the guide below which a window counts as flat and is smoothed.

    Returns: (B, C, H, W).
    """
    slope, offset = guided_coefficients(image, guide, radius, epsilon)
    return slope * guide + offset


def guided_coefficients(image, guide, radius, epsilon):
    """Return slope and offset (B, C, H, W) of the guided filter, whose result is `slope * guide + offset`."""
    mean_guide, mean_image = box_mean(guide, radius), box_mean(image, radius)
    covariance = box_mean(guide * image, radius) - mean_guide * mean_image
    variance = box_mean(guide * guide, radius) - mean_guide.square()
    slope = covariance / (variance + epsilon)
    return box_mean(slope, radius), box_mean(mean_image - slope * mean_guide, radius)
