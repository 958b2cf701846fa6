"""The develop panel as a whole: effects rise with parameters, extreme pictures, plans of versions 1 and 2."""
import json

import kornia
import numpy as np
import pytest
import torch
from scenes import colourful, colourfulness, edited, fractal, lightness

from core.colour import srgb_to_lab
from core.files import UserError
from core.operators import SESSIONS, TABLE, Mask, OperatorVocab, Plan, Step, apply, apply_batch, execute, trace
from core.operators.layers import luma


def mean_of(measure):
    return lambda image: measure(image).mean().item()


def spread_of(measure):
    return lambda image: measure(image).std().item()


def warmth(image):
    return srgb_to_lab(image)[:, 2]


def magenta(image):
    return srgb_to_lab(image)[:, 1]


def fine_detail(image):
    return (luma(image) - kornia.filters.gaussian_blur2d(luma(image), (9, 9), (2.0, 2.0))).abs()


RISING = [("exposure_soft", "{}", mean_of(lightness)), ("white_balance", "{} 0", mean_of(warmth)),
          ("white_balance", "0 {}", mean_of(magenta)), ("highlights", "{}", mean_of(lightness)),
          ("shadows", "{}", mean_of(lightness)), ("whites", "{}", mean_of(lightness)),
          ("blacks", "{}", mean_of(lightness)), ("contrast_pivot", "{} 0.5", spread_of(lightness)),
          ("vibrance", "{}", mean_of(colourfulness)), ("chroma", "{}", mean_of(colourfulness)),
          ("clarity", "{}", spread_of(lightness)), ("texture", "{}", mean_of(fine_detail)),
          ("sharpen_scaled", "{} 0.003", mean_of(fine_detail)),
          ("vignette", "{} 0.3", mean_of(lightness)), ("grain", "{} 7", mean_of(fine_detail)),
          ("lightness", "{}", mean_of(lightness))]
FALLING = [("dehaze", "{}", mean_of(lambda image: image.amin(1))), ("denoise", "{} 0", mean_of(fine_detail)),
           ("denoise", "0 {}", spread_of(warmth)),
           ("fade", "{}", spread_of(lightness)), ("black_and_white", "{}" + " 0" * 8, mean_of(colourfulness)),
           ("sepia", "{}", spread_of(warmth)), ("gaussian_blur", "{}", mean_of(fine_detail)),
           ("radial_blur", "{}", mean_of(fine_detail)), ("facet_blur", "{}", mean_of(fine_detail))]


@pytest.mark.parametrize(("name", "params", "measure", "sign"),
                         [(*row, 1) for row in RISING] + [(*row, -1) for row in FALLING])
def test_the_effect_rises_with_the_parameter(name, params, measure, sign):
    photo = fractal(160, 240, power=1.2).clamp(0.02, 0.98)
    place = params.split().index("{}")
    low, high = TABLE[name].low[place].item(), TABLE[name].high[place].item()
    measured = [sign * measure(edited(name, photo, *map(float, params.format(low + share * (high - low)).split())))
                for share in (0, 0.25, 0.5, 0.75, 1)]
    assert (np.diff(measured) > 0).all(), measured


# Extreme pictures

PANEL = [row for row in TABLE.values() if row.version == 2]
SIZED = [row for row in PANEL if not row.resizes]


def strong(row, share=0.9):
    """Return parameters near the upper bounds, (1, n)."""
    return row.normalise((row.low + (row.high - row.low) * share).float()[None])


@pytest.mark.parametrize("row", SIZED, ids=lambda row: row.name)
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3)])
def test_a_picture_smaller_than_a_radius_is_edited(row, size):
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    for share in (0.1, 0.9):
        result = apply(row, image, strong(row, share))
        assert result.shape == image.shape
        assert result.isfinite().all()


LOCAL = ["clarity", "texture", "sharpen_scaled", "denoise", "gaussian_blur", "radial_blur", "facet_blur"]


@pytest.mark.parametrize("name", LOCAL)
def test_a_picture_without_neighbours_or_of_one_colour_stays(name):
    for image in (torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1), torch.full((1, 3, 30, 40), 0.4)):
        torch.testing.assert_close(apply(TABLE[name], image, strong(TABLE[name])), image, atol=1e-5, rtol=0)


@pytest.mark.parametrize("row", SIZED, ids=lambda row: row.name)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_and_white_pictures_give_one_finite_colour(row, level):
    for share in (0.1, 0.9):
        result = apply(row, torch.full((1, 3, 24, 36), level), strong(row, share))
        assert result.isfinite().all()
        if row.name not in ("vignette", "grain", "edge"):
            assert (result.amax((2, 3)) - result.amin((2, 3))).max() < 1e-3


KEEP_BLACK = ["exposure_soft", "white_balance", "highlights", "shadows", "whites", "contrast_pivot", "vibrance",
              "chroma", "hsl", "clarity", "texture", "dehaze", "vignette", "black_and_white", "sepia"]


@pytest.mark.parametrize("name", KEEP_BLACK)
def test_black_stays_black(name):
    black = torch.zeros(1, 3, 24, 36)
    torch.testing.assert_close(apply(TABLE[name], black, strong(TABLE[name])), black, atol=1e-3, rtol=0)


# Plans

def panel_plan(op, params, **others):
    return {"format": "ldie-plan", "version": 2, "steps": [{"op": op, "params": params} | others]}


ONE_MASK = {"size": [2, 2], "counts": "04"}
BAD = [   # (plan, words of the error sentence)
    (panel_plan("tone_curve_smooth", [0, 0.25, 0.5, 0.75, 1.2]), r"params\[4\]: 1\.2 is out of range \(maximum 1\)"),
    (panel_plan("tone_curve_smooth", [-0.1, 0.25, 0.5, 0.75, 1]), r"params\[0\]: -0\.1 is out of range \(minimum 0\)"),
    (panel_plan("tone_curve_smooth", [0, 0.5, 1]), r"params: has 3 values, needs 5"),
    (panel_plan("hsl", [0] * 23 + [-1.5]), r"params\[23\]: -1\.5 is out of range \(minimum -1\)"),
    (panel_plan("hsl", [0] * 8), r"params: has 8 values, needs 24"),
    (panel_plan("colour_grading", [1.1] + [0] * 8), r"params\[0\]: 1\.1 is out of range \(maximum 1\)"),
    (panel_plan("black_and_white", [1] + [0] * 7 + [2]), r"params\[8\]: 2 is out of range"),
    (panel_plan("sharpen_scaled", [1, 0.5]), r"params\[1\]: 0\.5 is out of range"),
    (panel_plan("white_balance", [float("nan"), 0]), r"\(white_balance\): params contain NaN; give finite numbers"),
    (panel_plan("exposure_soft", [float("inf")]), r"params\[0\]: inf is out of range"),
    (panel_plan("gaussain_blur", [0.01]), "unknown operator 'gaussain_blur'"),
    (panel_plan("crop", [0.1] * 4, mask=ONE_MASK), "changes the size of the picture, so it takes no mask; remove the"),
    (panel_plan("vibrance", [0.5]) | {"version": 3}, "plan version 3 is newer than this program's 2; update it"),
]


@pytest.mark.parametrize(("value", "sentence"), BAD, ids=[sentence[:40] for _, sentence in BAD])
def test_a_bad_plan_file_is_refused_in_one_sentence(value, sentence, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(value))
    with pytest.raises(UserError, match=r"plan\.json.*" + sentence) as refused:
        Plan.load(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("row", [row for row in PANEL if row.n_params], ids=lambda row: row.name)
def test_no_operator_takes_nan(row):
    with pytest.raises(UserError, match=f"{row.name}: needs {row.n_params} finite"):
        Step.make(row.name, [float("nan")] * row.n_params)


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_a_plan_has_the_oldest_version_that_has_its_operators(row):
    old, mask = Step.make("contrast", 0.2), Mask.from_array([[1, 0]]) if row.local else None
    for steps in ((Step.make(row.name, row.neutral, mask),), (old, Step.make(row.name, row.high, mask))):
        assert Plan(steps).to_dict()["version"] == row.version
    assert Plan((old,)).to_dict()["version"] == Plan().to_dict()["version"] == 1


CURVE = [0.4, 0.8, 1.2, 1.6, 1.6, 1.2, 0.8, 0.4]
VERSION_1 = [   # (steps, the pixel in row 1 and column 2 as version 1 edited it)
    ([["brightness", [0.3]]], [0.3197, 0.4902, 0.6607]),
    ([["brightness", [-0.45]], ["contrast", [0.2]]], [0.1206, 0.185, 0.2493]),
    ([["contrast", [-1]]], [0.3002, 0.4603, 0.6204]),
    ([["contrast", [1]], ["saturation", [-1]]], [0.396, 0.396, 0.396]),
    ([["saturation", [0.8]]], [0.0361, 0.2721, 0.5082]),
    ([["hue", CURVE * 3]], [0.1467, 0.3033, 0.5131]),
    ([["hue", [1] * 8 + CURVE + CURVE[::-1]]], [0.2459, 0.3033, 0.5131]),
    ([["tint", CURVE]], [0.1467, 0.3033, 0.5131]),
    ([["tint", [8, 0, 0, 0, 0, 0, 0, 0]]], [1.0, 1.0, 1.0]),
    ([["sharpness", [0.6]]], [0.0, 0.0, 0.5082]),
    ([["sharpness", [-0.2]], ["brightness", [0.1]]], [0.4905, 0.6348, 0.559]),
    ([["exposure", [1.5]]], [0.6955, 1.0, 1.0]),
    ([["exposure", [-2]], ["tint", CURVE[::-1]]], [0.0246, 0.0377, 0.0516]),
    ([["black&white", [1]]], [0.3495, 0.3495, 0.3495]),
    ([["black&white", [0.4]]], [0.2873, 0.366, 0.4447]),
    ([["saturation", [-0.3]], ["saturation", [0.3]]], [0.2695, 0.3889, 0.5082]),
    ([["brightness", [2]], ["brightness", [-0.5]]], [0.2419, 0.371, 0.5]),
    ([["contrast", [0.5]], ["sharpness", [1.5]], ["exposure", [-0.25]], ["saturation", [0.1]]], [0.0, 0.0, 0.1526]),
    ([["brightness", [0.2]], ["contrast", [0.1]], ["saturation", [0.2]], ["hue", CURVE * 3], ["tint", CURVE]],
     [0.057, 0.2897, 0.7484]),
    ([], [0.2459, 0.377, 0.5082]),
]


@pytest.mark.parametrize(("steps", "pixel"), VERSION_1)
def test_plans_of_version_1_are_read_and_give_the_same_picture(steps, pixel, tmp_path):
    stored = {"format": "ldie-plan", "version": 1, "steps": [{"op": op, "params": params} for op, params in steps]}
    plan, photo = Plan.from_dict(stored), torch.arange(60).reshape(3, 4, 5) * 37 % 61 / 61
    result = execute(plan, photo)
    torch.testing.assert_close(result[:, 1, 2], torch.tensor(pixel), atol=1e-4, rtol=0)
    plan.save(tmp_path / "plan.json")
    assert json.loads((tmp_path / "plan.json").read_text())["version"] == 1
    assert torch.equal(execute(Plan.load(tmp_path / "plan.json"), photo), result)
    assert torch.equal(execute(Plan.from_dict(stored | {"version": 2}), photo), result)


def test_plans_with_geometry_change_the_size_step_by_step():
    plan = Plan((Step.make("vignette", [-1, 0.3]), Step.make("rotate", 90), Step.make("crop", [0.25, 0, 0.25, 0.5]),
                 Step.make("flip", [1, 0]), Step.make("clarity", 0.5)))
    photo = colourful()[0]
    shapes = [tuple(shown.shape) for shown in trace(plan, photo)]
    assert shapes == [(3, 80, 120), (3, 120, 80), (3, 60, 40), (3, 60, 40), (3, 60, 40)]
    assert torch.equal(list(trace(plan, photo))[-1], execute(plan, photo))
    assert execute(Plan.from_dict(plan.to_dict()), photo[None]).shape == (1, 3, 60, 40)


@pytest.mark.parametrize("name", ["rotate", "flip", "crop"])
def test_operators_that_change_the_size_take_no_mask_and_no_mixed_batch(name):
    row, photo = TABLE[name], colourful()
    with pytest.raises(UserError, match=f"{name}: changes the size of the picture, so it takes no mask"):
        Step.make(name, row.high, Mask.from_array([[1]]))
    with pytest.raises(UserError, match=f"{name}: changes the size of the picture, so it takes no mask"):
        apply(row, photo, row.high.float()[None], torch.ones(1, 1, 80, 120))
    vocab = OperatorVocab(SESSIONS[2])
    with pytest.raises(UserError, match=f"'{name}' changes the size of a picture, so a batch cannot have it"):
        apply_batch(vocab, torch.tensor([vocab.ids[name]]), photo, torch.zeros(1, 24))
    with pytest.raises(UserError, match="the same parameters for all pictures of a batch"):
        apply(row, photo.expand(2, -1, -1, -1), torch.stack((row.high, row.low)).float())


def test_large_pictures_worked_on_in_strips_equal_the_whole(monkeypatch):
    photo = fractal(160, 240)
    for row in SIZED:
        whole = apply(row, photo, strong(row, 0.7))
        with monkeypatch.context() as patch:
            patch.setattr("core.operators.layers.STRIP", 240 * 37)
            torch.testing.assert_close(apply(row, photo, strong(row, 0.7)), whole, msg=row.name)
