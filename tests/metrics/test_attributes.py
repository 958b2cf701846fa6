"""Attributes move in the direction of the matching edit, and have their known values."""
import pytest
import torch

from core.metrics.attributes import (
    ATTRIBUTES,
    MEASURES,
    chroma,
    contrast,
    detail,
    lightness,
    look,
    mean_luminance,
    sharpness,
    warmth,
)
from core.metrics.language import FIXED_REQUESTS, request_variance
from core.operators import TABLE, Plan, Step, execute
from core.operators.colours import BANDS
from core.requests.wish import COLOURS, LOOKS

WARM = [1.5] * 4 + [0.5] * 4 + [1] * 8 + [0.5] * 4 + [1.5] * 4  # lighter red, darker blue midtones
COOL = WARM[16:] + WARM[8:16] + WARM[:8]


def as_tensor(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


@pytest.mark.parametrize(("name", "op", "more", "less"), [
    ("bright", "brightness", [0.3], [-0.3]),
    ("bright", "exposure", [0.5], [-0.5]),
    ("contrast", "contrast", [0.5], [-0.5]),
    ("sat", "saturation", [0.5], [-0.5]),
    ("warm", "hue", WARM, COOL),
    ("sharp", "sharpness", [0.5], [-0.15]),
])
def test_an_edit_moves_its_attribute_both_ways(photo, name, op, more, less):
    image = as_tensor(photo())[None]
    attribute = ATTRIBUTES[name]
    lower, middle, upper = (attribute(x).item() for x in (
        execute(Plan((Step.make(op, less),)), image), image, execute(Plan((Step.make(op, more),)), image)))
    assert lower < middle < upper


def test_known_values():
    grey = torch.full((1, 3, 8, 8), 0.5)
    halves = torch.zeros(1, 3, 8, 8)
    halves[..., :4] = 1
    batch = torch.cat((grey, halves))
    torch.testing.assert_close(mean_luminance(batch), torch.tensor([0.5, 0.5]))
    torch.testing.assert_close(lightness(batch), torch.tensor([53.39, 50.0]), atol=1e-2, rtol=0)
    torch.testing.assert_close(contrast(batch), torch.tensor([0.0, 50.0]), atol=1e-2, rtol=0)
    torch.testing.assert_close(chroma(batch), torch.zeros(2), atol=0.05, rtol=0)
    torch.testing.assert_close(sharpness(batch), torch.tensor([0.0, 0.25]))  # 2 of 8 columns lie at an edge of height 1
    yellow_and_blue = torch.tensor([[1.0, 1, 0], [0, 0, 1]]).view(2, 3, 1, 1).expand(-1, -1, 4, 4)
    assert warmth(yellow_and_blue)[0] > 50 > -50 > warmth(yellow_and_blue)[1]


def test_attributes_measured_together_equal_those_measured_one_by_one(photo):
    images = torch.stack([as_tensor(photo(seed=seed)) for seed in (0, 1)])
    measured = look(images)
    assert list(measured) == list(ATTRIBUTES)
    for name, attribute in ATTRIBUTES.items():
        torch.testing.assert_close(measured[name], attribute(images))


def test_detail_does_not_change_with_exposure_and_contrast(photo):
    image = as_tensor(photo())[None] * 0.4 + 0.1   # far from clipping
    brighter, blurred = image * 1.5, execute(Plan((Step.make("sharpness", [-0.15]),)), image)
    assert sharpness(brighter) > 2 * sharpness(image)
    torch.testing.assert_close(detail(brighter), detail(image), atol=0.02, rtol=0)
    assert detail(blurred) < detail(image) - 0.1
    assert detail(torch.full((1, 3, 8, 8), 0.5)).isfinite()


def test_request_variance_is_the_population_variance_over_requests():
    outputs = torch.zeros(4, 3, 2, 2)
    outputs[:2] = 1
    assert request_variance(outputs) == pytest.approx(0.25)
    outputs[:, 1:] = 0  # only one channel depends on the request
    assert request_variance(outputs) == pytest.approx(0.25 / 3)
    assert request_variance(torch.rand(1, 3, 5, 5).expand(10, -1, -1, -1)) == pytest.approx(0, abs=1e-12)


def test_there_are_ten_different_fixed_requests():
    assert len(set(FIXED_REQUESTS)) == len(FIXED_REQUESTS) == 10


# The table of all attributes

MAIN = {"black_and_white": 1.0, "sepia": 1.0, "fade": 1.0, "grain": 0.5, "sharpen_scaled": 4.0, "hsl": 1.0}
FLIPPED = {"haze", "vignette", "noise"}   # attributes of which the preferred operator takes away


def test_every_attribute_of_a_look_has_a_measure_and_operators_of_the_panel():
    assert list(MEASURES) == list(LOOKS)
    assert set(COLOURS) == set(BANDS)
    for name, measure in MEASURES.items():
        assert measure.visible > 0
        assert {TABLE[op].version for op in measure.operators} == {2}, name
        assert {TABLE[op].version for op in measure.others} <= {1}, name


@pytest.mark.parametrize("name", LOOKS)
def test_the_preferred_operator_moves_its_attribute_visibly(photo, name):
    image, measure = as_tensor(photo(96, 160))[None], MEASURES[name]
    if name in COLOURS:   # muted, so that the gamut has room for more
        image = 0.5 * image + 0.25
    row = TABLE[measure.operators[0]]
    params = row.neutral.clone()
    places = {"hsl": 8 + COLOURS.index(name) if name in COLOURS else 0, "tone_curve_smooth": 2}
    place = 1 if name == "green-magenta" else places.get(row.name, 0)
    params[place] = MAIN.get(row.name, params[place] + 0.6 * (row.high[place] - params[place]))
    moved = (measure.of(execute(Plan((Step.make(row.name, params),)), image)) - measure.of(image)).item()
    assert (-moved if name in FLIPPED else moved) >= measure.visible


@pytest.mark.parametrize("name", LOOKS)
def test_a_measure_takes_batches_tiny_and_flat_pictures_and_has_finite_slopes(photo, name):
    of = MEASURES[name].of
    pair = torch.stack([as_tensor(photo(seed=seed)) for seed in (0, 1)]).requires_grad_()
    values = of(pair)
    torch.testing.assert_close(values, torch.cat([of(image[None]) for image in pair]), rtol=1e-4, atol=1e-4)
    values.sum().backward()
    assert pair.grad.isfinite().all()
    for size in ((1, 1), (1, 7), (5, 5)):
        assert of(torch.zeros(1, 3, *size)).isfinite().all()


def test_known_values_of_the_further_attributes():
    grey, red = torch.full((1, 3, 8, 8), 0.5), torch.tensor([0.8, 0.2, 0.2]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    assert MEASURES["black and white"].of(grey).item() == pytest.approx(0, abs=0.05)
    assert MEASURES["red"].of(red) > 10 > 0.1 > MEASURES["blue"].of(red)
    ramp = torch.linspace(0, 1, 100).expand(1, 3, 1, 100)
    darkest, shadows, middle, highlights, lightest = (
        MEASURES[name].of(ramp).item() for name in ("blacks", "shadows", "midtones", "highlights", "whites"))
    assert 0 <= darkest < shadows < middle < highlights < lightest <= 100
    assert MEASURES["fade"].of(0.3 + 0.4 * ramp) > MEASURES["fade"].of(ramp) + 20
