"""Regions by rule: masks of tones, colours and areas."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.regions.rules import AREAS, RULES, area, tones
from core.requests.places import COLOUR_NAMES

QUICK = settings(max_examples=50, deadline=None)
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
SWATCHES = {
    "red": ["ff0000", "b22222", "dc143c"], "orange": ["ffa500", "ff8c00"], "yellow": ["ffff00", "ffd700", "e0c040"],
    "green": ["008000", "00ff00", "6b8e23"], "aqua": ["00ffff", "40e0d0"], "blue": ["0000ff", "4682b4", "87ceeb"],
    "purple": ["8a2be2", "4b0082"], "magenta": ["ff00ff", "c71585"], "pink": ["ffc0cb", "ff69b4"],
    "brown": ["8b4513", "654321"], "white": ["ffffff", "f5f5f5"], "black": ["000000", "1a1a1a"],
    "grey": ["808080", "c0c0c0", "404040"]}


def picture(size, seed):
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))


def plain(code, size=(4, 5)):
    return torch.tensor([int(code[i:i + 2], 16) / 255 for i in (0, 2, 4)])[:, None, None].expand(3, *size)


def of(kind, name, image):
    return RULES[kind, name].function(image)


def test_every_name_of_a_colour_is_a_rule():
    assert {name for kind, name in RULES if kind == "colour"} == set(COLOUR_NAMES) == set(SWATCHES)
    assert all(rule.about for rule in RULES.values())


@QUICK
@given(SIZES, st.integers(0, 1000), st.sampled_from(sorted(RULES)))
def test_a_mask_has_the_size_of_the_picture_and_values_from_0_to_1(size, seed, key):
    mask = of(*key, picture(size, seed))
    assert mask.shape == size
    assert mask.dtype == torch.float32
    assert mask.min() >= 0
    assert mask.max() <= 1


@pytest.mark.parametrize("key", RULES)
@pytest.mark.parametrize("code", ["000000", "ffffff", "808080"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1)])
def test_plain_and_tiny_pictures_have_finite_masks(key, code, size):
    mask = of(*key, plain(code, size))
    assert mask.shape == size
    assert mask.isfinite().all()


@QUICK
@given(SIZES, st.integers(0, 1000), st.floats(0.1, 5))
def test_tones_sum_to_1_and_follow_the_lightness(size, seed, power):
    grey = picture(size, seed)[:1].expand(3, *size) ** power
    shadows, midtones, highlights = tones(grey)
    torch.testing.assert_close(shadows + midtones + highlights, torch.ones(size))
    order = grey[0].flatten().argsort()
    assert (shadows.flatten()[order].diff() <= 1e-5).all()
    assert (highlights.flatten()[order].diff() >= -1e-5).all()


def test_black_is_shadows_and_white_is_highlights():
    assert of("tone", "shadows", plain("000000")).min() == 1
    assert of("tone", "highlights", plain("ffffff")).min() == 1


@pytest.mark.parametrize(("low", "high"), [(0.5, 1.0), (0.0, 0.4)])
def test_light_and_dark_photos_have_shadows_and_highlights_of_their_own(low, high):
    grey = torch.linspace(low, high, 100).expand(3, 8, 100)
    shadows, midtones, highlights = (mask.mean(0) for mask in tones(grey))
    assert shadows[0] > 0.5
    assert highlights[-1] > 0.5
    assert midtones[50] > 0.5


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, codes in SWATCHES.items() for code in codes])
def test_swatches_are_found_by_their_name(name, code):
    masks = {other: of("colour", other, plain(code)).mean().item() for other in COLOUR_NAMES}
    assert masks[name] > 0.6
    others = {other for other, value in masks.items() if value > masks[name]}
    assert not others - {"magenta"}     # hot pink is a magenta, too


@pytest.mark.parametrize("name", sorted(set(COLOUR_NAMES) - {"white", "grey", "black"}))
def test_greys_have_no_colour(name):
    ramp = torch.linspace(0, 1, 50).expand(3, 2, 50)
    assert of("colour", name, ramp).max() == 0


def test_a_colour_is_found_where_it_is():
    image = plain("808080", (20, 30)).clone()
    image[:, 5:10, 20:28] = plain("0000ff", (5, 8))
    mask = of("colour", "blue", image)
    assert mask[5:10, 20:28].min() == 1
    assert mask.sum() == 40


def test_colours_change_smoothly_with_the_hue():
    steps = torch.linspace(0, 1, 2000)
    image = torch.stack((1 - steps, steps, 0.2 * torch.ones_like(steps)))[:, None]
    assert all(of("colour", name, image).diff().abs().max() < 0.05 for name in COLOUR_NAMES)


@QUICK
@given(SIZES)
def test_a_flipped_picture_has_a_flipped_area(size):
    image = picture(size, 0)
    for one, other, side in (("left", "right", -1), ("top", "bottom", -2), ("left third", "right third", -1),
                             ("middle", "middle", -1), ("corners", "corners", -2), ("edges", "edges", -1)):
        torch.testing.assert_close(of("area", one, image).flip(side), of("area", other, image))


@pytest.mark.parametrize(("names"), [("left", "right"), ("top", "bottom"), ("left third", "middle third",
                                                                           "right third")])
def test_areas_side_by_side_fill_the_frame_without_a_hard_line(names):
    image = picture((60, 80), 0)
    masks = [of("area", name, image) for name in names]
    torch.testing.assert_close(sum(masks), torch.ones(60, 80))
    assert all(mask.diff(dim=dim).abs().max() < 0.3 for mask in masks for dim in (0, 1))


def test_positions_together_name_their_common_part():
    image = picture((40, 60), 0)
    mask = area(image, ("top", "left"))
    assert mask[:18, :27].min() == 1
    assert mask[22:].max() == mask[:, 33:].max() == 0
    middle = area(image, ("top", "middle"))
    assert middle[:18, 24:36].min() == 1
    assert middle[:, :16].max() == middle[22:].max() == 0
    side = area(image, ("left", "middle"))
    assert side[17:23, :27].min() == 1
    assert side[:10].max() == side[:, 33:].max() == 0


def test_the_middle_and_the_corners_do_not_meet():
    image = picture((50, 50), 0)
    middle, corners, edges = (of("area", name, image) for name in ("middle", "corners", "edges"))
    assert middle[25, 25] == corners[0, 0] == edges[0, 25] == 1
    assert corners[25, 25] == edges[25, 25] == middle[0, 25] == 0
    assert (middle * corners).max() < 0.05


def test_an_unknown_position_is_refused():
    with pytest.raises(KeyError):
        area(picture((4, 4), 0), ("inside",))
    assert set(AREAS) >= {"left", "right", "top", "bottom", "middle", "corners", "edges", "front", "back"}
