"""The develop panel, light and colour: what each operator does to pictures that show it."""
import itertools
import math

import kornia
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scenes import (
    colourful,
    colourfulness,
    difference,
    edited,
    fractal,
    greys,
    lightness,
    newly_clipped,
    overshoot,
    pixels,
    relative_contrast,
    ripple,
    skin_ramp,
    step_edge,
)

from core.colour import decode, encode, oklch_to_srgb, srgb_to_lab, srgb_to_oklch
from core.operators.colours import BANDS, band_weights
from core.operators.layers import luma
from core.operators.light import KNEE, middle

QUICK = settings(max_examples=40, deadline=None)
SKIN, SKY, LEAF = (0.80, 0.62, 0.52), (0.55, 0.66, 0.80), (0.45, 0.52, 0.35)


# Exposure

@pytest.mark.parametrize(("stops", "levels"), [(1, 12), (2, 5)])
def test_light_skin_rises_everywhere_when_the_exposure_rises(stops, levels):
    ramp = edited("exposure_soft", skin_ramp(), stops)
    assert (ramp.diff(dim=-1) > 0).all()
    peaks = (ramp * 255).round()[0].amax(0).flatten().unique()
    assert len(peaks) >= levels
    assert (peaks.diff() <= 6).all()
    assert len((edited("brightness", skin_ramp(), 0.5) * 255).round()[0].amax(0).unique()) == 1   # the notebook's: flat


@pytest.mark.parametrize("stops", [-2, -0.5, 0.5, 1, 3])
def test_exposure_keeps_the_hue(stops):
    image = torch.cat((skin_ramp(0.1, 1)[..., None, :].flatten(2, 3), pixels(SKY, LEAF, (0.9, 0.2, 0.1))), -1)
    turned = srgb_to_oklch(edited("exposure_soft", image, stops))[:, 2] - srgb_to_oklch(image)[:, 2]
    assert turned.abs().max() < math.radians(1)


@pytest.mark.parametrize("stops", [-3, -1, 0.7, 1])
def test_exposure_below_the_knee_scales_linear_light(stops):
    image = encode(torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0)) * KNEE * 0.99 / 2)
    torch.testing.assert_close(decode(edited("exposure_soft", image, stops)), decode(image) * 2.0 ** stops)


# White balance

def bradford(image, gains):
    """Adapt (3, N) by the cone gains in NumPy, by way of CIE XYZ and back; the grey keeps its luminance."""
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],   # Lindbloom, sRGB D65
                       [0.0193339, 0.1191920, 0.9503041]])
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    source = cones @ to_xyz @ np.ones(3)
    xyz = np.linalg.inv(cones) @ np.diag(source * gains / source) @ cones @ to_xyz
    linear = np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)
    adapted = np.linalg.inv(to_xyz) @ (xyz / (xyz @ np.ones(3))[1]) @ linear
    return np.where(adapted <= 0.0031308, 12.92 * adapted, 1.055 * np.maximum(adapted, 1e-9) ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(("p", "q"), [(1, 0), (-2, 0.5), (0.3, -1), (2, 2)])
def test_white_balance_is_a_bradford_adaptation(p, q):
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gains = np.exp([0.055 * p + 0.045 * q, -0.02 * p - 0.09 * q, -0.28 * p + 0.045 * q])
    expected = bradford(image[0].flatten(1).numpy(), gains).clip(0, 1)
    np.testing.assert_allclose(edited("white_balance", image, p, q)[0].flatten(1).numpy(), expected, atol=2e-3)


SHIFTS = st.floats(-2, 2, width=32)


@QUICK
@given(st.floats(0.05, 0.95), SHIFTS, SHIFTS)
def test_white_balance_keeps_the_luminance_of_grey_and_removes_its_cast(level, p, q):
    card = torch.full((1, 3, 1, 1), level, dtype=torch.float64)
    cast = edited("white_balance", card, p, q)
    assume(cast.max() < 1)
    torch.testing.assert_close(luma(decode(cast)), luma(decode(card)), rtol=1e-3, atol=0)
    clean = edited("white_balance", cast, -p, -q)
    assert clean.max() - clean.min() < 1e-6
    torch.testing.assert_close(luma(decode(clean)), luma(decode(card)), rtol=0.06, atol=0)


@QUICK
@given(SHIFTS, SHIFTS, st.integers(0, 9))
def test_the_opposite_white_balance_restores_the_colours_up_to_one_gain(p, q, seed):
    image = 0.2 + 0.4 * torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    cast = edited("white_balance", image, p, q)
    assume(cast.min() > 0 and cast.max() < 1)
    ratio = decode(edited("white_balance", cast, -p, -q)) / decode(image)
    torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio), rtol=1e-5, atol=0)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_temperature_of_one_moves_the_mean_b_by_about_eight(sign):
    for seed in range(3):
        photo = fractal(seed=seed, mean=0.38, spread=0.2, colour=0.35)
        moved = (srgb_to_lab(edited("white_balance", photo, sign, 0)) - srgb_to_lab(photo)).mean((0, 2, 3))
        assert 6.5 < sign * moved[2] < 9.5
        assert moved[0].abs() < 0.5
        moved = (srgb_to_lab(edited("white_balance", photo, 0, sign)) - srgb_to_lab(photo)).mean((0, 2, 3))
        assert 6.5 < sign * moved[1] < 9.5


# Zones of luminance

ZONES = [("highlights", (0.0, 0.5), (0.7, 0.9)), ("whites", (0.0, 0.7), (0.85, 0.97)),
         ("shadows", (0.5, 1.0), (0.08, 0.3)), ("blacks", (0.3, 1.0), (0.0, 0.12))]   # (name, kept, moved)


@pytest.mark.parametrize(("name", "kept", "moved"), ZONES, ids=[zone[0] for zone in ZONES])
@pytest.mark.parametrize("amount", [-1, -0.5, 0.5, 1])
def test_a_zone_moves_its_own_tones_only(name, kept, moved, amount):
    for level in np.linspace(*kept, 7):
        flat = torch.full((1, 3, 12, 18), float(level))
        assert (edited(name, flat, amount) - flat).abs().max() < 2e-3
    for level in np.linspace(*moved, 5):
        flat = torch.full((1, 3, 12, 18), float(level))
        change = (edited(name, flat, amount) - flat).mean().item() * math.copysign(1, amount)
        assert change > 0.004 or level == 0 > amount


@pytest.mark.parametrize("name", ["highlights", "shadows", "whites", "blacks"])
@pytest.mark.parametrize("amount", [-1, 1])
def test_a_zone_keeps_the_order_of_tones(name, amount):
    levels = torch.linspace(0, 1, 101)
    flats = levels.view(-1, 1, 1, 1).expand(-1, 3, 6, 9)
    assert (edited(name, flats, amount)[:, 0, 3, 4].diff() > -1e-6).all()


@pytest.mark.parametrize(("name", "amount", "level"), [
    ("highlights", -1, 0.85), ("highlights", -0.5, 0.85), ("shadows", 1, 0.15), ("shadows", -1, 0.15),
    ("whites", -1, 0.92)])
def test_a_zone_keeps_the_local_contrast(name, amount, level):
    pattern = ripple(level, 0.02)
    after = edited(name, pattern, amount)
    ratio = relative_contrast(decode(after)) / relative_contrast(decode(pattern))
    ends = edited(name, torch.full((2, 3, 6, 9), level) + torch.tensor([0.02, -0.02]).view(2, 1, 1, 1), amount)
    curve = decode(ends)[:, 0, 3, 4]
    by_curve = ((curve[0] - curve[1]) / curve.sum()).abs().item() / relative_contrast(decode(pattern))
    assert 0.85 < ratio < 1.1
    assert abs(1 - ratio) < 0.5 * abs(1 - by_curve)   # one tone curve for all pixels would change it more


@pytest.mark.parametrize("name", ["highlights", "shadows", "whites", "blacks"])
@pytest.mark.parametrize("amount", [-1, 1])
@pytest.mark.parametrize(("low", "high"), [(0.2, 0.8), (0.05, 0.5), (0.6, 0.95), (0.05, 0.95), (0.1, 0.3), (0.7, 0.9)])
def test_a_zone_gives_a_step_edge_no_halo(name, amount, low, high):
    assert overshoot(edited(name, step_edge(low, high), amount)) <= 0.02


def test_whites_bring_the_light_end_to_white_and_highlights_keep_it():
    flat = torch.full((1, 3, 12, 18), 0.93)
    assert (edited("whites", flat, 1) == 1).all()
    assert edited("highlights", flat, 1).max() < 1
    snow, shade = (edited("highlights", torch.full((1, 3, 12, 18), level), -1).mean() for level in (1.0, 0.85))
    assert snow - shade > 0.15   # lighter tones keep their contrast


# Contrast

HISTOGRAMS = [{"mean": 0.5, "spread": 0.2}, {"mean": 0.25, "spread": 0.12}, {"mean": 0.7, "spread": 0.15},
              {"mean": 0.4, "spread": 0.3, "power": 1.2}]


@pytest.mark.parametrize("made", HISTOGRAMS)
@pytest.mark.parametrize("amount", [-0.5, 0.5])
def test_contrast_about_the_middle_keeps_the_mean_and_changes_the_spread(made, amount):
    photo = fractal(**made)
    after = lightness(edited("contrast_pivot", photo, amount, middle(photo).item()))
    before = lightness(photo)
    assert abs(after.mean() - before.mean()) < 1
    assert (after.std() - before.std()) * amount > 0.3


def test_the_middle_of_pictures_is_found_one_by_one():
    dark, light = fractal(mean=0.3), fractal(mean=0.6)
    pivots = middle(torch.cat((dark, light)))
    assert pivots.tolist() == [middle(dark).item(), middle(light).item()]
    assert 0.2 < pivots[0] < pivots[1] < 0.8
    assert ((middle(torch.stack((torch.zeros(3, 2, 2), torch.ones(3, 2, 2)))) - 0.5).abs() <= 0.4).all()


@pytest.mark.parametrize("amount", [-1, -0.5, 0.5, 1])
@pytest.mark.parametrize("pivot", [0.2, 0.5, 0.75])
def test_contrast_is_an_s_curve_about_its_pivot(amount, pivot):
    levels = torch.linspace(0, 1, 201)
    toned = edited("contrast_pivot", greys(*levels), amount, pivot)[0, 0, 0]
    torch.testing.assert_close(np.interp([0, pivot, 1], levels, toned), np.array([0, pivot, 1]), atol=1e-3, rtol=0)
    assert (toned.diff() >= 0).all()
    assert ((toned - levels) * (levels - pivot) * amount >= -1e-5).all()   # away from the pivot if amount > 0
    slope = toned.diff() * 200
    place = round(pivot * 200)
    assert abs(slope[place] - slope[place - 1]) < 0.15   # no kink at the pivot
    assert (slope[place] - 1) * amount > 0


# Vibrance and chroma

@pytest.mark.parametrize(("name", "amount"), [("vibrance", 1), ("vibrance", -1), ("chroma", 0.5), ("chroma", 1.5),
                                              ("chroma", -0.5)])
def test_strength_of_colour_keeps_lightness_and_clips_nothing(name, amount):
    dark = fractal(power=2, mean=0.12, spread=0.06).clamp(0.02, 0.98)
    for photo in (dark, *(colourful(seed) for seed in range(4))):
        after = edited(name, photo, amount)
        assert (lightness(after) - lightness(photo)).abs().max() < 1.5
        assert newly_clipped(photo, after) <= 0.005
        assert (colourfulness(after).mean() - colourfulness(photo).mean()) * amount > 1


@pytest.mark.parametrize(("name", "amount"), [("chroma", 0.6), ("chroma", 1.5), ("vibrance", 1.5), ("chroma", -0.6)])
def test_strength_of_colour_keeps_the_hue_up_to_the_gamuts_border(name, amount):
    photo = torch.cat((colourful().flatten(2)[:, :, None], pixels(SKIN, SKY, LEAF, (0.9, 0.35, 0.2))), -1)
    before, after = (srgb_to_oklch(image) for image in (photo, edited(name, photo, amount)))
    turn = torch.remainder(after[:, 2] - before[:, 2] + math.pi, 2 * math.pi) - math.pi
    coloured = turn.abs()[before[:, 1] > 0.04]   # skin that turned by 5 degrees towards red looked sunburnt
    assert coloured.mean() < math.radians(1.5)
    assert coloured.max() < math.radians(5)
    assert turn[..., -4:].abs().max() < math.radians(2)


def test_the_notebooks_saturation_would_fail_that():
    clipped = [newly_clipped(colourful(seed), edited("saturation", colourful(seed), 1)) for seed in range(4)]
    assert min(clipped) > 0.02


@pytest.mark.parametrize("amount", [-1, -0.5, 0.5, 1])
def test_vibrance_spares_skin(amount):
    image = pixels(SKIN, SKY, LEAF)
    skin, sky, leaf = (colourfulness(edited("vibrance", image, amount)) / colourfulness(image) - 1).abs().flatten()
    assert skin < 0.6 * min(sky, leaf)


def test_no_chroma_is_grey_of_the_same_lightness():
    grey = edited("chroma", colourful(), -1)
    assert (grey.amax(1) - grey.amin(1)).max() < 2e-3
    assert (lightness(grey) - lightness(colourful())).abs().max() < 0.1


# Colour bands

def test_the_windows_of_the_bands_are_smooth_and_periodic_and_sum_to_one():
    degrees = torch.arange(-360, 720, 0.5, dtype=torch.float64)
    weights = band_weights(degrees)
    torch.testing.assert_close(weights.sum(0), torch.ones_like(degrees))
    assert weights.min() >= 0
    torch.testing.assert_close(weights[:, :720], weights[:, 720:1440])
    assert weights.diff(dim=1).abs().max() < 0.04
    assert weights.diff(n=2, dim=1).abs().max() < 0.004   # no kinks
    torch.testing.assert_close(band_weights(torch.tensor(list(BANDS.values()))), torch.eye(8))


def wheel():
    """Return the 360 hues of OKLCh at one lightness and chroma, (1, 3, 1, 360)."""
    hues = torch.deg2rad(torch.arange(360.0))
    return oklch_to_srgb(torch.stack((hues * 0 + 0.65, hues * 0 + 0.08, hues))[None, :, None])


def moved_band(part, band, amount):
    params = [0.0] * 24
    params[8 * part + band] = amount
    return params


def test_a_band_changes_its_own_attribute_and_no_far_hue():
    before = srgb_to_oklch(wheel())[0, :, 0]
    for band, centre in enumerate(BANDS.values()):
        weight = band_weights(torch.arange(360.0))[band]
        for part in range(3):
            for amount in (-1, 1):
                image = edited("hsl", wheel(), *moved_band(part, band, amount))
                assert difference(image, wheel())[0, 0][weight == 0].max() < 0.5
                light, chroma, hue = (srgb_to_oklch(image)[0, :, 0] - before)[:, centre]
                turn = torch.remainder(hue + math.pi, 2 * math.pi) - math.pi
                own = (turn, chroma, light)[part] * amount
                assert own > (0.25, 0.01, 0.05)[part]
                assert part == 2 or light.abs() < 0.02
                assert part == 0 or turn.abs() < 0.1   # the compression into the gamut turns hues a little


def test_bands_do_not_touch_greys():
    image = greys(0, 0.1, 0.5, 0.9, 1)
    for part in range(3):
        for band in range(8):
            assert difference(edited("hsl", image, *moved_band(part, band, 1)), image).max() < 0.5


# Split toning

@pytest.mark.parametrize(("zone", "toned", "kept"), [(0, 0.12, 0.9), (1, 0.45, 0.02), (2, 0.88, 0.2)])
def test_split_toning_tones_one_zone(zone, toned, kept):
    image = greys(toned, kept)
    for hue in (0.15, 0.7):
        params = [0.0] * 9
        params[3 * zone:3 * zone + 2] = hue, 0.5
        after = edited("colour_grading", image, *params)
        assert colourfulness(after)[0, 0, 0] > 5
        assert difference(after, image)[0, 0, 1] < 0.5
        turn = srgb_to_oklch(after)[0, 2, 0, 0] / (2 * math.pi) - hue
        assert abs((turn + 0.5) % 1 - 0.5) < 0.06
    params = [0.0] * 9
    params[3 * zone + 2] = 1.0
    lighter = lightness(edited("colour_grading", image, *params)) - lightness(image)
    assert lighter[0, 0, 0] > 2
    assert lighter[0, 0, 1].abs() < 0.5


def test_split_toning_clips_nothing_and_keeps_black_and_white():
    params = [0.7, 1.0, 0, 0.3, 1.0, 0, 0.2, 1.0, 0]
    for seed in range(3):
        assert newly_clipped(colourful(seed), edited("colour_grading", colourful(seed), *params)) <= 0.005
    ends = greys(0.0, 1.0)
    assert difference(edited("colour_grading", ends, *params), ends).max() < 1


# Tone curve

def hermite(heights, x):
    """Return the monotone cubic through five knots, computed cell by cell in NumPy."""
    heights = np.maximum.accumulate(np.asarray(heights, np.float64))
    chords = np.diff(heights) * 4
    inner = [0 if a + b == 0 else 2 * a * b / (a + b) for a, b in itertools.pairwise(chords)]
    slopes = np.array([chords[0], *inner, chords[-1]])
    cell = np.minimum((x * 4).astype(int), 3)
    t, width = x * 4 - cell, 0.25
    return ((1 + 2 * t) * (1 - t) ** 2 * heights[cell] + t * (1 - t) ** 2 * width * slopes[cell]
            + t * t * (3 - 2 * t) * heights[cell + 1] + t * t * (t - 1) * width * slopes[cell + 1])


KNOTS = [(0, 0.1, 0.5, 0.9, 1), (0.1, 0.3, 0.35, 0.7, 0.9), (0, 0, 0.5, 1, 1), (0, 0.6, 0.6, 0.61, 1),
         (0.2, 0.1, 0.5, 0.4, 0.8)]


@pytest.mark.parametrize("knots", KNOTS)
def test_the_smooth_curve_passes_its_knots_and_is_monotone_and_smooth(knots):
    x = torch.linspace(0, 1, 1601, dtype=torch.float64)
    y = edited("tone_curve_smooth", x.expand(1, 3, 1, -1), *knots)[0, 0, 0]
    np.testing.assert_allclose(y, hermite(knots, x.numpy()), atol=1e-6)
    np.testing.assert_allclose(y[::400], np.maximum.accumulate(knots), atol=1e-9)
    slope = y.diff() * 1600
    assert slope.min() >= -1e-9
    assert (slope[[400, 800, 1200]] - slope[[399, 799, 1199]]).abs().max() < 0.1   # slopes from left and from right


def test_the_smooth_curve_of_a_line_is_the_line():
    x = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(edited("tone_curve_smooth", x, 0.1, 0.3, 0.5, 0.7, 0.9), 0.1 + 0.8 * x)


# Prints, and lightness

@pytest.mark.parametrize("band", range(8))
def test_the_mixer_of_black_and_white_lightens_its_own_band(band):
    params = [0.0] * 8
    plain = edited("black_and_white", wheel(), 1, *params)
    assert (plain.amax(1) - plain.amin(1)).max() < 1e-6
    params[band] = 1.0
    lighter = lightness(edited("black_and_white", wheel(), 1, *params)) - lightness(plain)
    weight = band_weights(torch.arange(360.0))[band]
    assert lighter[0, 0][list(BANDS.values())[band]] > 8
    assert lighter[0, 0][weight == 0].abs().max() < 0.1
    half = edited("black_and_white", wheel(), 0.5, *params)
    torch.testing.assert_close(half, (wheel() + edited("black_and_white", wheel(), 1, *params)) / 2)


def test_sepia_is_a_brown_print_and_fade_lifts_the_blacks():
    image = colourful()
    brown = edited("sepia", image, 1)
    hue = srgb_to_oklch(brown)[:, 2]
    assert (hue - math.radians(75)).abs().max() < math.radians(15)
    assert (luma(brown) - luma(image)).abs().max() < 0.05
    torch.testing.assert_close(edited("fade", greys(0, 1), 0.5), greys(0.06, 0.96))
    assert lightness(edited("fade", image, 1)).std() < lightness(image).std()


@pytest.mark.parametrize("amount", [-1, -0.3, 0.4, 1])
def test_lightness_is_that_of_hls(amount):
    image = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    before, after = (kornia.color.rgb_to_hls(part)[:, 1] for part in (image, edited("lightness", image, amount)))
    torch.testing.assert_close(after, before + amount * (1 - before) if amount > 0 else before * (1 + amount))
    turned = kornia.color.rgb_to_hls(edited("lightness", image, amount))[:, 0] - kornia.color.rgb_to_hls(image)[:, 0]
    assert abs(amount) == 1 or torch.sin(turned / 2).abs().max() < 1e-2
