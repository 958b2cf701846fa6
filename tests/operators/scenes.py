"""Small synthetic pictures, and measures of them, for the tests of the develop panel."""
import torch
import torch.nn.functional as F

from core.colour import ciede2000, encode, srgb_to_lab
from core.operators import TABLE, apply


def edited(name, image, *params):
    """Return `image` (B, 3, H, W) edited by an operator of the table, the same parameters for each picture."""
    return apply(TABLE[name], image, torch.tensor([params], dtype=image.dtype).expand(len(image), -1))


def fractal(height=80, width=120, seed=0, power=1.5, mean=0.5, spread=0.18, colour=0.6):
    """Return a cloudy picture (1, 3, H, W) whose amplitudes fall with frequency^power, like those of soft photos."""
    generator = torch.Generator().manual_seed(seed)
    across, down = torch.fft.rfftfreq(width) * width, torch.fft.fftfreq(height)[:, None] * height
    waves = torch.fft.rfft2(torch.randn(3, height, width, generator=generator))
    clouds = torch.fft.irfft2(waves / torch.hypot(down, across).clamp_min(1) ** power, s=(height, width))
    clouds = (clouds - clouds.mean((1, 2), keepdim=True)) / clouds.std((1, 2), keepdim=True)
    grey, warm, green = clouds
    channels = (grey + colour * warm, grey + colour * green, grey - colour * warm)
    return (mean + spread * torch.stack(channels))[None].clamp(0, 1)


def colourful(seed=0):
    """Return a smooth picture of strong colours that stays away from 0 and 255."""
    return fractal(seed=seed, power=2, colour=1.2).clamp(0.03, 0.97)


def greys(*levels):
    """Return a row of grey pixels (1, 3, 1, N)."""
    return torch.tensor(levels, dtype=torch.float32).expand(1, 3, 1, -1)


def pixels(*colours):
    """Return a row of pixels (1, 3, 1, N) of sRGB colours."""
    return torch.tensor(colours, dtype=torch.float32).T[None, :, None]


def step_edge(low, high, height=60, width=120):
    """Return a grey picture whose left half is `low` and whose right half is `high`."""
    image = torch.full((1, 3, height, width), float(low))
    image[..., width // 2:] = high
    return image


def ripple(level, height, period=2, size=(60, 120)):
    """Return a grey picture of vertical stripes: `level` plus and minus `height`, `period` pixels apart."""
    wave = 1 - 2 * (torch.arange(size[1]) // (period // 2) % 2)
    return (level + height * wave.float()).expand(1, 3, *size)


def relative_contrast(image):
    """Return (max - min) / (max + min) of the middle of a picture."""
    middle = image[..., 20:-20, 30:-30]
    return ((middle.amax() - middle.amin()) / (middle.amax() + middle.amin())).item()


def overshoot(image):
    """Return how far the middle row of an edited step edge exceeds its flat ends."""
    row = image[0, 0, image.shape[-2] // 2]
    low, high = sorted((row[3].item(), row[-4].item()))
    return max(row.max().item() - high, low - row.min().item())


def lightness(image):
    """Return L* (B, H, W)."""
    return srgb_to_lab(image)[:, 0]


def colourfulness(image):
    """Return the chroma in Lab, (B, H, W)."""
    return torch.hypot(*srgb_to_lab(image)[:, 1:].unbind(1))


def difference(first, second):
    """Return CIEDE2000 of each pixel, (B, H, W)."""
    return ciede2000(srgb_to_lab(first), srgb_to_lab(second))


def at_limits(image):
    """Return bool (B, H, W): the pixels that have a channel at 0 or 255 of 8 bits."""
    levels = (image * 255).round()
    return ((levels <= 0) | (levels >= 255)).any(1)


def newly_clipped(before, after):
    """Return the share of pixels of which a channel is newly at 0 or 255."""
    return (at_limits(after) & ~at_limits(before)).float().mean().item()


def reduced(image, factor):
    """Return the area means of squares of `factor` pixels."""
    return F.avg_pool2d(image, factor)


def skin_ramp(first=0.6, last=1.0, count=120):
    """Return a tone of skin (1, 3, 1, N) in light that rises from `first` to `last` of full."""
    colour = torch.tensor((1.0, 0.62, 0.47)).view(1, 3, 1, 1)   # linear light
    return encode(colour * torch.linspace(first, last, count))
