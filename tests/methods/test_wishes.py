"""Wishes become steps of the develop panel, whose strength follows the degree and whose effect can be measured."""
import itertools

import pytest
import torch

from core.filters import preview
from core.methods.repairs import lack, repair
from core.methods.wishes import WAYS, granted, plan_wishes
from core.metrics.attributes import MEASURES
from core.operators import TABLE, Plan, Step, execute
from core.operators.light import middle
from core.operators.strengths import strength
from core.requests.wish import CANNOT, COLOURS, GEOMETRY, LOOKS, REPAIRS, Wish
from core.synthesis.degrade import expose


@pytest.fixture()
def image(photo):
    return torch.from_numpy(photo(120, 160)).permute(2, 0, 1) / 255 * 0.6 + 0.2   # room for more and for less


def moved(wish, image):
    measure = MEASURES[wish.attribute]
    return measure.of(execute(plan_wishes([wish], image), image[None])).item() - measure.of(image[None]).item()


ABSENT = {(name, -1) for name in COLOURS} | {("sepia", -1), ("black and white", -1)}   # invisible here


@pytest.mark.parametrize(("name", "sign"), [pair for pair in itertools.product(LOOKS, (1, -1)) if pair not in ABSENT])
def test_a_wish_moves_its_attribute_in_its_direction(name, sign, image):
    wish = Wish(name, sign)
    assert list(WAYS) == list(LOOKS)
    assert {way.op for way in WAYS[name][sign]} <= {op for op, row in TABLE.items() if row.version == 2}
    assert sign * moved(wish, image) > 0


def test_a_slight_wish_takes_a_stronger_step_before_it_takes_another_operator():
    flat = torch.rand(3, 120, 160, generator=torch.Generator().manual_seed(0)) * 0.004 + 0.5   # little to be softened
    steps = [plan_wishes([Wish("sharpness", -1, degree)], flat).steps for degree in ("slight", "plain", "strong")]
    moves = [abs(moved(Wish("sharpness", -1, degree), flat)) for degree in ("slight", "plain", "strong")]
    assert len({step.op for found in steps for step in found}) == 1
    assert moves == sorted(moves)


@pytest.mark.parametrize("name", ["light", "contrast", "saturation", "temperature", "haze", "shadows", "vignette"])
def test_a_strong_wish_moves_further_than_a_slight_one_and_numbers_are_obeyed(name, image):
    slight, strong = (abs(moved(Wish(name, 1, degree), image)) for degree in ("slight", "strong"))
    five, fifty = (abs(moved(Wish(name, 1, degree), image)) for degree in (5, 50))
    assert slight < strong
    assert 0 < 3 * five < fifty


def first(wish, image):
    return plan_wishes([wish], image).steps[0]


def test_strengths_are_the_measured_ones_and_numbers_shares_of_the_bound(image):
    assert first(Wish("light", -1, "slight"), image).params[0] == pytest.approx(strength("exposure_soft", -1, "slight"))
    assert first(Wish("light", 1, 0.5, unit="stops"), image) == Step.make("exposure_soft", 0.5)
    assert first(Wish("light", -1, 1, unit="stops"), image) == Step.make("exposure_soft", -1)
    assert first(Wish("shadows", 1, 50, unit="points"), image) == Step.make("shadows", 0.5)
    assert first(Wish("saturation", -1, 30), image) == Step.make("chroma", -0.3)
    assert first(Wish("light", 1, 10**9), image) == Step.make("exposure_soft", 3)
    assert first(Wish("saturation", 1, 40, unit="points"), image) == Step.make("chroma", 1)
    assert first(Wish("vignette", 1, "strong"), image).params[0] < 0
    assert first(Wish("green", -1, 100), image).params[8 + 3] == -1
    assert len(plan_wishes([Wish("light", 1, 0)], image)) == 0


@pytest.mark.parametrize(("percent", "sign"), [(5, 1), (30, 1), (30, -1), (100, 1)])
def test_per_cent_of_light_scale_the_samples(percent, sign):
    dark = torch.full((1, 3, 8, 8), 0.3)
    bright = execute(plan_wishes([Wish("light", sign, percent)], dark[0]), dark)
    assert bright.mean().item() == pytest.approx(0.3 * (1 + sign * percent / 100), rel=0.06)


def test_contrast_turns_about_the_photos_own_middle(image):
    step = first(Wish("contrast"), image)
    assert step.params[1] == pytest.approx(middle(image[None])[0].item(), abs=1e-4)
    assert abs(moved(Wish("contrast"), image)) > 2


@pytest.mark.parametrize("degree", ["plain", "strong"])
def test_black_and_white_and_sepia_are_whole(degree, image):
    grey = execute(plan_wishes([Wish("black and white", 1, degree)], image), image)
    assert (grey.amax(0) - grey.amin(0)).max() < 0.01
    for name in ("black and white", "sepia"):
        measure, duller = MEASURES[name], execute(Plan((Step.make("chroma", -0.3),)), image[None])
        whole = execute(plan_wishes([Wish(name, 1, degree)], image), image[None])
        before, half, after = (measure.of(part).item() for part in (image[None], duller, whole))
        assert granted(Wish(name, 1, degree), measure, before, after)
        assert not granted(Wish(name, 1, degree), measure, before, half)


def test_steps_stand_in_the_order_of_the_table_and_share_operators(image):
    wishes = [Wish("flip"), Wish("red"), Wish("blue", -1), Wish("green-magenta", -1), Wish("contrast"),
              Wish("temperature"), Wish("light"), Wish("rotate", 1, 90, unit="degrees")]
    plan = plan_wishes(wishes, image)
    ops = [step.op for step in plan]
    assert ops == ["exposure_soft", "white_balance", "contrast_pivot", "hsl", "flip", "rotate"]
    assert plan.steps[1].params[0] > 0 > plan.steps[1].params[1]
    assert plan.steps[3].params[8] > 0 > plan.steps[3].params[8 + 5]
    assert plan.steps[5] == Step.make("rotate", -90)   # clockwise


def test_the_last_wish_for_an_attribute_counts_and_what_cannot_be_done_gives_no_step(image):
    assert plan_wishes([Wish("light", -1), Wish("light", 1)], image) == plan_wishes([Wish("light")], image)
    idle = [Wish("contrast", 0), Wish("unchanged"), Wish("light", 1, where="the sky"), *map(Wish, CANNOT)]
    assert plan_wishes(idle, image) == Plan()


@pytest.mark.parametrize(("wish", "step"), [
    (Wish("rotate", 1, 180, unit="degrees"), ("rotate", 180)), (Wish("rotate", -1), ("rotate", 90)),
    (Wish("rotate", 1, 270, unit="degrees"), ("rotate", 90)), (Wish("rotate", -1, "slight"), ("rotate", 2)),
    (Wish("straighten", 1, 3, unit="degrees"), ("rotate", -3)), (Wish("flip", 1), ("flip", (1, 0))),
    (Wish("flip", -1), ("flip", (0, 1)))])
def test_geometry(wish, step, image):
    found = first(wish, image)
    assert (found.op, abs(found.params[0])) == (step[0], abs(Step.make(*step).params[0]))
    assert found == Step.make(*step) or abs(found.params[0]) == 180


def test_straightening_without_an_angle_needs_edges(image):
    assert plan_wishes([Wish("straighten")], image) == Plan()
    wide = torch.ones(3, 300, 600) * 0.2
    wide[:, :150] = 0.9
    turned = execute(Plan((Step.make("rotate", 3),)), wide)
    step, = plan_wishes([Wish("straighten")], turned)
    assert (step.op, step.params[0]) == ("rotate", pytest.approx(-3, abs=0.4))
    assert [wish.attribute for wish in map(Wish, GEOMETRY)] == ["rotate", "flip", "straighten"]


@pytest.mark.parametrize(("damage", "name", "attribute"), [
    (("exposure_soft", [-2]), "exposure repair", "light"), (("chroma", [-0.9]), "saturation repair", "saturation"),
    (("contrast_pivot", [-1, 0.5]), "contrast repair", "contrast")])
def test_a_repair_brings_a_damaged_photo_back_and_leaves_a_good_one(damage, name, attribute, image):
    image = execute(Plan((Step.make("contrast_pivot", [0.6, 0.5]),)), image[None])
    damaged = execute(Plan((Step.make(*damage),)), image)
    of = MEASURES[attribute].of
    assert repair(name, image) == []
    mended = execute(Plan(tuple(repair(name, damaged))), damaged)
    assert abs(of(mended) - of(image)) < abs(of(damaged) - of(image))


def test_a_cast_is_removed_and_a_grey_photo_lacks_nothing():
    grey = torch.rand(1, 1, 32, 32).expand(1, 3, 32, 32)
    assert repair("cast repair", grey) == []
    blue = execute(Plan((Step.make("white_balance", [-2, 0.5]),)), grey)
    mended = execute(Plan(tuple(repair("cast repair", blue))), blue)
    for name in ("temperature", "green-magenta"):
        assert abs(MEASURES[name].of(mended)) < 0.5 * abs(MEASURES[name].of(blue))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 5)])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_tiny_and_flat_photos_are_planned(size, level):
    flat = torch.full((3, *size), level)
    wishes = [Wish(name, sign) for name in LOOKS for sign in (1, -1)]
    for wish in (*wishes, *map(Wish, (*REPAIRS, *GEOMETRY))):
        assert execute(plan_wishes([wish], flat), flat).isfinite().all()


def test_enhancing_does_not_take_a_meadow_for_a_cast_and_leaves_black_and_white_alone(image):
    meadow = torch.tensor([0.45, 0.62, 0.25])[:, None, None] * torch.linspace(0.5, 1.3, 64).expand(3, 48, 64)
    turned = sum(abs(step.params[1]) for step in repair("enhance", meadow[None]) if step.op == "white_balance")
    assert turned < 0.2
    assert [step.op for step in repair("cast repair", meadow[None])] == ["white_balance"]   # where a cast is named
    grey = image.mean(0).expand(3, -1, -1)[None]
    assert "chroma" not in {step.op for name in ("enhance", "saturation repair") for step in repair(name, grey)}
    assert lack("saturation repair", grey) == 0


def test_the_preview_keeps_the_shape():
    assert preview(torch.rand(3, 300, 600)).shape == (3, 128, 256)
    assert preview(torch.rand(3, 20, 30)).shape == (3, 20, 30)
    assert preview(torch.rand(3, 1, 4000)).shape == (3, 1, 256)
    batch = torch.rand(2, 3, 300, 600)
    assert torch.equal(preview(batch, 48), torch.stack([preview(photo, 48) for photo in batch]))


def test_a_photo_that_is_far_too_dark_is_brought_back(image):
    dark = expose(image, -2.8)[None]
    step, = repair("exposure repair", dark)
    assert 2.2 < step.params[0] <= 3
    assert lack("exposure repair", execute(Plan((step,)), dark)) == 0
    assert repair("exposure repair", image[None]) == []


def test_enhancing_keeps_the_hue_of_a_print(image):
    brown = execute(Plan((Step.make("sepia", [1.0]),)), image)[None]
    assert "white_balance" not in {step.op for step in repair("enhance", brown)}
    assert "white_balance" in {step.op for step in repair("cast repair", brown)}   # where a cast is named
