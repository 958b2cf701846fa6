"""Mending changes the parameters of a plan until its result grants the wishes; the operators stay."""
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.methods.mend import TYPICAL, mend
from core.methods.repairs import lack
from core.methods.wishes import plan_wishes
from core.metrics.attributes import AMOUNTS, MEASURES, measured
from core.operators import TABLE, Mask, Plan, Step, execute
from core.requests.wish import Wish


@pytest.fixture()
def image(photo):
    return torch.from_numpy(photo(120, 160)).permute(2, 0, 1) / 255 * 0.6 + 0.2   # room for more and for less


def moves(plan, image, *names):
    """Return by how many just visible steps a plan moves attributes of a photo."""
    before, after = (measured(picture, names) for picture in (image[None], execute(plan, image)[None]))
    return [((after[name] - before[name]) / MEASURES[name].visible).item() for name in names]


def step(op, *params):
    return Step.make(op, [*params, *TABLE[op].neutral.tolist()[len(params):]])


OPERATORS = {"light": "exposure_soft", "contrast": "contrast_pivot", "saturation": "chroma",
             "temperature": "white_balance"}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", OPERATORS)
def test_a_wish_that_the_plan_fails_is_granted(name, sign, image):
    op = OPERATORS[name]
    for start in (0.0, -0.2 * sign):
        found = mend(Plan((step(op, start + 0.001),)), image, [Wish(name, sign)])
        assert [made.op for made in found] == [op]
        assert sign * moves(found, image, name)[0] >= 1


def test_sharpness_is_mended_on_a_larger_preview(image):
    found = mend(Plan((step("sharpen_scaled", 0.05),)), image, [Wish("sharpness")])
    assert moves(found, image, "sharpness")[0] >= 1


@pytest.mark.parametrize(("wish", "ratio"), [
    (Wish("light", 1, 0.5, unit="stops"), math.sqrt(2)), (Wish("light", -1, 1, unit="stops"), 0.5),
    (Wish("light", 1, 20), 1.2), (Wish("saturation", -1, 40), 0.6), (Wish("contrast", 1, 15), 1.15)])
def test_a_number_is_met_exactly(wish, ratio, image):
    plan = mend(Plan((step(OPERATORS[wish.attribute], 0.1 * wish.sign),)), image, [wish])
    of = AMOUNTS[wish.attribute]
    assert of(execute(plan, image)[None]).item() / of(image[None]).item() == pytest.approx(ratio, rel=0.05)


def test_a_plan_that_grants_its_wish_and_spills_nothing_stays_nearly_as_it_is(image):
    plan = Plan((step("white_balance", 0.8),))
    assert mend(plan, image, [Wish("temperature")]).steps[0].params[0] == pytest.approx(0.8, abs=0.15)


def test_attributes_that_nobody_mentioned_move_less_and_kept_ones_least(image):
    plan = Plan((step("exposure_soft", 0.8), step("contrast_pivot", 0.5), step("chroma", 0.5)))
    wish = Wish("light")
    kept = Wish("contrast", 0), Wish("saturation", 0)
    spilled = [sum(map(abs, moves(made, image, "contrast", "saturation")))
               for made in (plan, mend(plan, image, [wish], unasked=0.1), mend(plan, image, [wish]),
                            mend(plan, image, [wish, *kept]))]
    assert spilled[0] > spilled[1] > spilled[2] > spilled[3]
    assert moves(mend(plan, image, [wish]), image, "light")[0] >= 2


def test_a_granted_wish_yields_to_one_that_the_plan_misses(photo):
    image = torch.from_numpy(photo(120, 160)).permute(2, 0, 1) / 255 * 0.4 + 0.3
    image[2] -= 0.2   # warm: less colour makes it colder
    wishes = [Wish("saturation", -1), Wish("temperature", 1)]
    plan = plan_wishes(wishes, image)
    assert moves(plan, image, "temperature")[0] < 0
    colour, warmth = moves(mend(plan, image, wishes), image, "saturation", "temperature")
    assert colour < -0.5
    assert warmth > 0.5


def test_a_slight_wish_is_limited_and_a_strong_one_goes_further_than_a_typical_retouch(image):
    plan = Plan((step("exposure_soft", 0.8),))
    slight, plain, strong = (moves(mend(plan, image * 0.8, [Wish("light", 1, degree)], unasked=0.1), image * 0.8,
                                   "light")[0] for degree in ("slight", "plain", "strong"))
    assert slight < TYPICAL["light"] + 0.5
    assert slight + 1 < strong
    assert plain == pytest.approx(moves(plan, image * 0.8, "light")[0], abs=0.5)


def test_a_plain_wish_does_not_make_a_colourful_photo_garish(image):
    colourful = (image.mean(0) + 1.6 * (image - image.mean(0))).clamp(0, 1)
    plan = Plan((step("chroma", 1.5),))
    wild, tame, strong = (moves(made, colourful, "saturation")[0] for made in (
        plan, mend(plan, colourful, [Wish("saturation")]), mend(plan, colourful, [Wish("saturation", 1, "strong")])))
    assert 2 <= tame < 14
    assert strong == pytest.approx(wild, rel=0.1)


def test_clipping_is_undone():
    image = torch.linspace(0.3, 0.9, 64).expand(3, 48, 64)
    plan = Plan((step("brightness", 0.6),))
    clipped = [(execute(made, image) >= 1).float().mean().item() for made in (plan, mend(plan, image, [Wish("light")]))]
    assert clipped[0] > 0.3
    assert clipped[1] < 0.08


def test_skin_is_not_pushed_out_of_its_hue():
    skin = torch.tensor([0.78, 0.6, 0.5])[:, None, None] * torch.linspace(0.8, 1.1, 40)[None, :, None]
    image = skin.expand(3, 40, 40)
    plan = Plan((step("white_balance", 0.5, -3.0),))
    mended = mend(plan, image, [Wish("light")])
    assert abs(mended.steps[0].params[1]) < 2.5


def test_steps_without_free_parameters_stay(image):
    curve = Step.make("tint", [1, 2, 1, 1, 1, 1, 1, 1])
    masked = Step.make("exposure_soft", [0.3], Mask.from_array(torch.ones(8, 8).bool().numpy()))
    plan = Plan((curve, masked, Step.make("rotate", 3.0)))
    assert mend(plan, image, [Wish("light")]) == plan
    plan = Plan((Step.make("rotate", 3.0), step("exposure_soft", -0.5)))
    found = mend(plan, image, [Wish("light")])
    assert found.steps[0] == plan.steps[0]
    assert found.steps[1].params[0] > 0


def test_without_a_wish_for_pixels_nothing_is_mended(image):
    plan = Plan((step("exposure_soft", -0.5),))
    assert mend(plan, image, []) == plan
    assert mend(plan, image, [Wish("rotate")]) == plan
    assert mend(Plan(), image, [Wish("light")]) == Plan()


def test_a_repair_of_a_photo_without_the_fault_is_undone(image):
    plan = Plan((step("exposure_soft", 0.6),))
    assert lack("exposure repair", image[None]) == 0
    assert abs(moves(mend(plan, image, [Wish("exposure repair")]), image, "light")[0]) < 1


def test_a_repair_that_leaves_the_fault_is_mended(image):
    found = mend(Plan((step("exposure_soft", 0.1),)), image * 0.25, [Wish("exposure repair")])
    assert found.steps[0].params[0] > 0.5


def test_no_operator_is_pushed_to_its_bound_to_enhance_a_photo(image):
    found = mend(Plan((step("contrast", -0.1),)), image * 0.25, [Wish("enhance")])
    assert abs(found.steps[0].params[0]) < 0.3


PICTURES = {"black": torch.zeros(3, 9, 12), "white": torch.ones(3, 9, 12), "grey": torch.full((3, 9, 12), 0.5),
            "a pixel": torch.tensor([0.2, 0.5, 0.7])[:, None, None],
            "noise": torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(0))}
PLANNED = st.lists(st.sampled_from(["exposure_soft", "contrast_pivot", "chroma", "white_balance", "highlights",
                                    "brightness", "sharpen_scaled", "hsl", "vignette"]), min_size=1, unique=True)


@given(st.data(), PLANNED, st.sampled_from(list(PICTURES)),
       st.sampled_from([*OPERATORS, "sharpness", "blue", "enhance"]), st.sampled_from([1, -1]),
       st.sampled_from(["slight", "strong", 30]))
def test_any_plan_keeps_its_operators_and_the_bounds_of_its_parameters(data, names, picture, name, sign, degree):
    rows = [TABLE[name] for name in names]
    plan = Plan(tuple(Step.make(row.name, [data.draw(st.floats(low, high)) for low, high in
                                           zip(row.low.tolist(), row.high.tolist(), strict=True)]) for row in rows))
    found = mend(plan, PICTURES[picture], [Wish(name, sign, degree)])
    assert [made.op for made in found] == names
    for made, row in zip(found, rows, strict=True):
        params = torch.tensor(made.params)
        assert params.isfinite().all()
        assert (params >= row.low - 1e-4).all()
        assert (params <= row.high + 1e-4).all()
