"""The develop panel, detail, effects and geometry: what each operator does to pictures that show it."""
import kornia
import numpy as np
import pytest
import torch
from scenes import (
    colourful,
    difference,
    edited,
    fractal,
    lightness,
    overshoot,
    pixels,
    reduced,
    relative_contrast,
    ripple,
    step_edge,
)

from core.operators.layers import luma


def random_image(*size, seed=0):
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


# Local contrast

@pytest.mark.parametrize("amount", [-0.8, -0.4, 0.5, 1, 1.5])
def test_clarity_and_texture_change_the_local_contrast(amount):
    for name, period in (("clarity", 8), ("texture", 2)):
        pattern = ripple(0.5, 0.03, period, (160, 320))
        ratio = relative_contrast(edited(name, pattern, amount)) / relative_contrast(pattern)
        assert (ratio - 1) * amount > 0.3 * amount * amount


def test_each_acts_most_on_its_own_scale():
    fine, coarse = ripple(0.5, 0.03, 2, (200, 400)), ripple(0.5, 0.03, 16, (200, 400))
    gains = {(name, kind): relative_contrast(edited(name, pattern, 1)) / relative_contrast(pattern)
             for name in ("clarity", "texture") for kind, pattern in (("fine", fine), ("coarse", coarse))}
    middles = {name: (luma(edited(name, coarse, 1) - coarse)[0, 0, 100, 4:400:8]).abs().mean().item()
               for name in ("clarity", "texture")}
    assert gains["texture", "fine"] > 1.5
    assert gains["clarity", "fine"] > 1.5
    assert middles["clarity"] > 3 * middles["texture"]   # inside a coarse stripe only clarity sees the next stripe


@pytest.mark.parametrize("name", ["clarity", "texture"])
@pytest.mark.parametrize(("low", "high"), [(0.2, 0.8), (0.05, 0.95), (0.4, 0.6), (0.6, 0.95)])
def test_local_contrast_gives_edges_a_bounded_halo(name, low, high):
    assert overshoot(edited(name, step_edge(low, high), 1)) < 0.08
    assert overshoot(edited(name, step_edge(low, high), -1)) < 0.005


@pytest.mark.parametrize("name", ["clarity", "texture"])
def test_local_contrast_keeps_the_mean(name):
    photo = fractal(160, 240)
    assert (lightness(edited(name, photo, 1)) - lightness(photo)).mean().abs() < 1


# Haze

def hazy(seed):
    """Return a scene with dark places everywhere, the same scene in haze that thickens upwards, and the airlight."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.rand(1, 3, 40, 60, generator=generator)
    blocks = (blocks - blocks.amin(1, keepdim=True) * 0.9) * 0.9      # strong colours: one channel is nearly dark
    scene = blocks.repeat_interleave(3, -1).repeat_interleave(3, -2)   # (1, 3, 120, 180)
    clear = torch.linspace(0.02, 0.95, 120).view(1, 1, -1, 1)
    airlight = torch.tensor([0.82, 0.86, 0.9]).view(1, 3, 1, 1)
    return scene, scene * clear + airlight * (1 - clear), clear, airlight


@pytest.mark.parametrize("seed", range(3))
def test_dehazing_recovers_a_scene_of_known_haze(seed):
    scene, image, clear, _ = hazy(seed)
    near = (clear > 0.3).expand_as(scene)   # thicker haze hides the scene
    errors = [(edited("dehaze", image, amount) - scene)[near].abs().mean().item() for amount in (0, 0.5, 1)]
    assert errors[1] < 0.8 * errors[0]
    assert errors[2] < 0.4 * errors[0]


def test_dehazing_takes_a_white_wall_and_snow_for_haze_only_a_little():
    light = fractal(120, 180, power=2, mean=0.8, spread=0.06, colour=0.2)   # no dark place anywhere
    assert difference(edited("dehaze", light, 0.5), light).mean() < 6
    white = light > 0.9
    assert (light - edited("dehaze", light, 1))[white].mean() < 0.04


def test_negative_dehazing_adds_haze():
    scene, image, _, airlight = hazy(0)
    added = edited("dehaze", image, -0.5)
    torch.testing.assert_close(added, image + 0.3 * (airlight - image), atol=0.02, rtol=0)
    assert lightness(added).std() < lightness(image).std()
    assert (edited("dehaze", scene, -1) - scene).abs().mean() > 0.1


# Sharpening

def test_sharpening_looks_alike_on_a_preview_and_at_full_size():
    full = fractal(1200, 1800, power=1.35).clamp(0.02, 0.98)
    preview = reduced(full, 3)
    for radius in (0.0008, 0.002):
        sharp = edited("sharpen_scaled", full, 1, radius)
        assert difference(reduced(sharp, 3), edited("sharpen_scaled", preview, 1, radius)).mean() < 0.3
        assert difference(sharp, full).mean() > 0.5                 # and it is seen at full size,
        assert difference(edited("sharpen_scaled", preview, 1, radius), preview).mean() > 0.15   # and on the preview
    notebook = edited("sharpness", full, 1)
    assert difference(reduced(notebook, 3), edited("sharpness", preview, 1)).mean() > 0.5


def test_sharpening_spares_noise():
    generator = torch.Generator().manual_seed(0)
    noise = 0.5 + 0.002 * torch.randn(1, 1, 60, 90, generator=generator).expand(-1, 3, -1, -1)
    edge = step_edge(0.3, 0.7, 60, 90)
    soft = kornia.filters.gaussian_blur2d(edge, (9, 9), (1.5, 1.5))
    sharp = edited("sharpen_scaled", soft, 1, 0.003 * 600 / 90)
    assert edited("sharpen_scaled", noise, 1, 0.003).std() < 1.15 * noise.std()
    steepness = [image.diff(dim=-1).amax().item() for image in (soft, sharp)]
    assert steepness[1] > 1.1 * steepness[0]


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.8), (0.05, 0.95), (0.4, 0.6)])
@pytest.mark.parametrize("amount", [1, 2])
def test_sharpening_bounds_its_halo(low, high, amount):
    edge = step_edge(low, high, 60, 600)
    soft = kornia.filters.gaussian_blur2d(edge, (9, 9), (1.5, 1.5))
    for image in (edge, soft):
        assert overshoot(edited("sharpen_scaled", image, amount, 0.003)) <= 0.0501 * amount


# Noise

def psnr(image, clean):
    return -10 * (image - clean).square().mean().log10().item()


@pytest.mark.parametrize(("level", "gain"), [(5, 5), (15, 6), (25, 5)])
def test_denoising_gains_on_known_noise_and_keeps_edges(level, gain):
    clouds = fractal(160, 240, power=2).clamp(0.05, 0.95)
    for clean in (clouds, step_edge(0.3, 0.7, 160, 240)):
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1)) * (level / 255)
        noisy = (clean + noise).clamp(0, 1)
        both, grey, colour = (psnr(edited("denoise", noisy, *p), clean) for p in ((1, 1), (1, 0), (0, 1)))
        assert both > psnr(noisy, clean) + gain
        assert psnr(noisy, clean) + 0.2 < min(grey, colour) < both
    calm = edited("denoise", noisy, 1, 1)
    assert (calm[..., 120] - calm[..., 119]).mean() > 0.85 * 0.4
    assert psnr(edited("denoise", clouds, 1, 1), clouds) > 40   # a picture without noise stays
    weave = 0.8 * clouds + ripple(0.1, 0.02, 8, (160, 240))   # as do its fine details
    assert psnr(edited("denoise", weave, 1, 1), weave) > 40


def test_denoising_the_colours_keeps_the_luma():
    noisy = colourful() + 0.03 * torch.randn(1, 3, 80, 120, generator=torch.Generator().manual_seed(0))
    noisy = noisy.clamp(0.1, 0.9)
    torch.testing.assert_close(luma(edited("denoise", noisy, 0, 1)), luma(noisy), atol=2e-3, rtol=0)


# Blurs

@pytest.mark.parametrize("radius", [0.004, 0.01, 0.015, 0.02])
def test_gaussian_blur_is_a_gaussian(radius):
    image = fractal(100, 200, power=0.8)
    sigma = 200 * radius
    size = 2 * int(np.ceil(4 * sigma)) + 1
    expected = kornia.filters.gaussian_blur2d(image, (size, size), (sigma, sigma), "replicate")
    off = (edited("gaussian_blur", image, radius) - expected).abs()
    assert off[..., 12:-12, 12:-12].mean() < 0.002   # borders are repeated at another size
    assert off[..., 12:-12, 12:-12].max() < 0.012


@pytest.mark.parametrize("pixels_wide", [0.2, 0.45, 0.7, 0.95, 1.3])
def test_a_narrow_gaussian_has_its_full_variance(pixels_wide):
    dot = torch.zeros(1, 3, 21, 101)
    dot[..., 10, 50] = 1
    spread = edited("gaussian_blur", dot, pixels_wide / 101)[0, 0]
    places = (torch.arange(101) - 50.0).square()
    assert spread.min() >= 0
    torch.testing.assert_close((spread.sum(0) @ places), torch.tensor(pixels_wide ** 2), rtol=0.01, atol=0)


def test_a_radial_blur_keeps_circles_and_blurs_across():
    y, x = torch.meshgrid(torch.linspace(-1, 1, 81), torch.linspace(-1, 1, 81), indexing="ij")
    distance, angle = torch.hypot(x, y), torch.atan2(y, x)
    inside = (distance < 0.9) & (distance > 0.2)
    rings = (0.5 + 0.3 * torch.cos(8 * distance)).expand(1, 3, -1, -1)
    spokes = (0.5 + 0.3 * torch.cos(12 * angle)).expand(1, 3, -1, -1)
    assert (edited("radial_blur", rings, 20) - rings)[..., inside].abs().max() < 0.02
    assert edited("radial_blur", spokes, 30)[..., inside].std() < 0.1 * spokes[..., inside].std()


def test_facets_are_flat_and_keep_edges():
    edge = step_edge(0.3, 0.7, 120, 240)
    noisy = edge + 0.03 * torch.randn(1, 1, 120, 240, generator=torch.Generator().manual_seed(0))
    painted = edited("facet_blur", noisy, 1)
    assert (painted - edge).std() < 0.6 * (noisy - edge).std()
    assert (painted[..., 122] - painted[..., 117]).mean() > 0.36
    torch.testing.assert_close(edited("facet_blur", edge, 1), edge, atol=1e-5, rtol=0)


def test_edges_are_drawn_by_a_sobel_filter():
    image = colourful()
    expected = (1 - 4 * kornia.filters.sobel(luma(image))).clamp_min(0).expand(-1, 3, -1, -1)
    torch.testing.assert_close(edited("edge", image, 1), expected, atol=5e-3, rtol=0)
    drawn = edited("edge", step_edge(0.3, 0.7), 1)
    assert (drawn[..., :50] > 0.99).all()
    assert drawn[..., 59:61].max() < 0.3


# Vignette and grain

@pytest.mark.parametrize("stops", [-2, -0.5, 1])
@pytest.mark.parametrize("size", [(60, 90), (90, 60), (61, 61)])
def test_a_vignette_changes_the_corners_symmetrically(stops, size):
    grey = torch.full((1, 3, *size), 0.5)
    change = edited("vignette", grey, stops, 0.4) - grey
    torch.testing.assert_close(change, change.flip(-1))
    torch.testing.assert_close(change, change.flip(-2))
    y, x = (torch.linspace(-1, 1, side + 1)[:-1] + 1 / side for side in size)
    distance = torch.hypot(y[:, None], x) / 2 ** 0.5
    assert change[..., distance < 0.4].abs().max() < 1e-6
    order = change[0, 0][distance > 0.41] * stops
    assert order.min() > 0
    assert change[0, 0, 0, 0] * stops > (change[0, 0] * stops).max() - 1e-6


def test_grain_follows_its_seed_and_keeps_the_mean():
    photo = colourful()
    once, again, other = (edited("grain", photo, 0.5, seed) for seed in (7, 7, 8))
    assert torch.equal(once, again)
    assert (once - other).abs().mean() > 0.01
    assert (once - photo).mean().abs() < 2e-3
    noise = edited("grain", torch.full((1, 3, 80, 120), 0.5), 1, 7) - 0.5
    assert 0.09 < noise.std() < 0.11
    assert torch.equal(noise[:, :1].expand_as(noise), noise)   # grey grain
    dark = edited("grain", torch.full((1, 3, 80, 120), 0.1), 1, 7) - 0.1
    assert dark.std() < 0.6 * noise.std()


# Geometry

@pytest.mark.parametrize("quarters", [-2, -1, 1, 2])
def test_quarter_turns_move_pixels(quarters):
    image = random_image(5, 8)
    assert torch.equal(edited("rotate", image, 90.0 * quarters), torch.rot90(image, quarters, (-2, -1)))


@pytest.mark.parametrize("degrees", [-12, -3, 1.5, 7, 44])
@pytest.mark.parametrize("size", [(60, 90), (90, 60), (64, 64)])
def test_straightening_keeps_the_size_and_has_no_empty_corner(degrees, size):
    white = torch.ones(1, 3, *size)
    torch.testing.assert_close(edited("rotate", white, degrees), white)
    framed = white.clone()   # a frame beyond the border would be seen if a corner were empty
    framed[..., 0, :] = framed[..., -1, :] = framed[..., :, 0] = framed[..., :, -1] = 0
    turned = edited("rotate", framed, degrees)
    assert turned.shape == white.shape
    assert (turned < 0.5).float().mean() < 0.02


@pytest.mark.parametrize("degrees", [5, -20])
def test_straightening_turns_about_the_centre(degrees):
    y, x = torch.meshgrid(torch.linspace(-1, 1, 101), torch.linspace(-1, 1, 101), indexing="ij")
    disc = (torch.hypot(x - 0.3, y) < 0.1).float().expand(1, 3, -1, -1)   # right of the centre
    weight = edited("rotate", disc, degrees)[0, 0]
    centre_x, centre_y = ((weight * axis).sum() / weight.sum() for axis in (x, y))
    torch.testing.assert_close(torch.rad2deg(torch.atan2(-centre_y, centre_x)), torch.tensor(float(degrees)),
                               atol=0.5, rtol=0)
    assert edited("rotate", disc.transpose(-1, -2), 85).shape == disc.shape


def test_flips_mirror():
    image = random_image(5, 8)
    assert torch.equal(edited("flip", image, 1, 0), image.flip(-1))
    assert torch.equal(edited("flip", image, 0, 1), image.flip(-2))
    assert torch.equal(edited("flip", edited("flip", image, 1, 1), 1, 1), image)
    assert torch.equal(edited("flip", image, 0, 0), image)


@pytest.mark.parametrize(("shares", "rows", "columns"), [
    ((0, 0, 0, 0), slice(0, 40), slice(0, 60)), ((0.25, 0, 0, 0), slice(0, 40), slice(15, 60)),
    ((0.1, 0.2, 0.3, 0.4), slice(8, 24), slice(6, 42)), ((0.95, 0.95, 0.95, 0.95), slice(38, 39), slice(57, 58))])
def test_crops_cut_shares_of_the_sides_off(shares, rows, columns):
    image = random_image(40, 60)
    assert torch.equal(edited("crop", image, *shares), image[..., rows, columns])


def test_a_crop_leaves_a_pixel_of_any_picture():
    assert edited("crop", pixels((0.1, 0.2, 0.3)), 0.95, 0.95, 0.95, 0.95).shape == (1, 3, 1, 1)
