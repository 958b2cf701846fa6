"""The exemplar fill `patch`: textures continue, pixels outside the hole stay, and every mask has an answer."""
import numpy as np
import pytest
import torch

from core.files import UserError
from core.operators import TABLE, Mask, Plan, Step, execute, patchmatch
from core.operators.inpaint import inpaint_obj
from core.threads import threads

SIDE = 64
HOLE = torch.zeros(1, 1, SIDE, SIDE)
HOLE[..., 22:40, 25:41] = 1
ROWS, COLUMNS = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
PATTERNS = {
    "stripes": (COLUMNS // 4 + ROWS // 4) % 2,
    "checkerboard": (COLUMNS // 6 % 2) ^ (ROWS // 6 % 2),
    "two areas": ROWS > 30,
}


def coloured(pattern):
    """Return a picture (1, 3, H, W) of two colours that differ in each channel."""
    return torch.where(pattern.bool(), *(torch.tensor(colour).view(1, 3, 1, 1) for colour in ((0.8, 0.6, 0.3),
                                                                                              (0.2, 0.3, 0.5))))


def noise(height=SIDE, width=SIDE):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def hole_of(height, width, *parts):
    mask = torch.zeros(1, 1, height, width)
    for rows, columns in parts:
        mask[..., rows, columns] = 1
    return mask


@pytest.fixture(params=["searched", "refined"])
def levels(request, monkeypatch):
    """Fill with a search on all levels, or with one on coarse levels only, as in large photos."""
    if request.param == "refined":
        monkeypatch.setattr(patchmatch, "SEARCHED", 300)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_texture_continues(name, levels):
    clean = coloured(PATTERNS[name])
    errors = [(inpaint_obj(torch.where(HOLE > 0, torch.tensor(1.0), clean), HOLE, inpainter) - clean).abs().sum()
              for inpainter in ("patch", "telea")]
    assert errors[0] / HOLE.sum() < 0.1
    assert errors[0] < errors[1]


def test_a_slope_continues():
    clean = (COLUMNS + ROWS).expand(1, 3, SIDE, SIDE) / 150
    filled = inpaint_obj(torch.where(HOLE > 0, torch.tensor(0.0), clean), HOLE, "patch")
    assert (filled - clean).abs().max() < 0.05


def test_pixels_outside_the_hole_stay_and_those_inside_do_not_count():
    clean = noise()
    results = [inpaint_obj(torch.where(HOLE > 0, torch.tensor(level), clean), HOLE, "patch") for level in (0.0, 1.0)]
    assert torch.equal(*results)
    kept = (HOLE == 0).expand_as(clean)
    assert torch.equal(results[0][kept], clean[kept])
    assert results[0].min() >= 0 and results[0].max() <= 1


def test_the_number_of_threads_does_not_change_the_result(monkeypatch, levels):
    monkeypatch.setattr(patchmatch, "CHUNK", 50)
    results = []
    for count in (1, 2, 3):
        with threads(count):
            results.append(inpaint_obj(noise(), HOLE, "patch"))
    assert all(torch.equal(results[0], result) for result in results)


def test_colours_are_those_of_the_picture():
    filled = inpaint_obj(coloured(PATTERNS["stripes"]), HOLE, "patch")
    shift = patchmatch.SHIFT / 255
    low, high = (torch.tensor(colour).view(1, 3, 1, 1) for colour in ((0.2, 0.3, 0.3), (0.8, 0.6, 0.5)))
    assert (filled >= low - 2 * shift).all() and (filled <= high + 2 * shift).all()


ALL = slice(None)


@pytest.mark.parametrize("mask", [
    hole_of(32, 32, (slice(0, 10), slice(0, 12))), hole_of(32, 32, (slice(20, 32), ALL)),
    hole_of(32, 32, (ALL, slice(10, 14))), hole_of(32, 32, (slice(0, 31), ALL)),
    hole_of(32, 32, (slice(3, 32), ALL), (ALL, slice(3, 32))), hole_of(32, 32, (slice(None, None, 3), ALL)),
    hole_of(33, 47, (slice(0, 24), ALL)), hole_of(33, 47, (slice(1, 2), slice(1, 2)), (slice(31, 33), slice(44, 47))),
    hole_of(1, 1), hole_of(1, 9, (0, slice(2, 4))), hole_of(9, 1, (slice(0, 8), 0)), hole_of(2, 2, (0, 0)),
    hole_of(3, 3, (1, 1)), hole_of(4, 4, (0, 0)), hole_of(6, 40, (ALL, slice(8, 20))), hole_of(5, 5),
    hole_of(7, 8, (0, ALL)),
], ids=str)
def test_every_hole_with_surroundings_is_filled(mask):
    image = noise(*mask.shape[-2:])
    filled = inpaint_obj(image, mask, "patch")
    assert torch.equal(torch.where(mask > 0, image, filled), image)
    assert filled.isfinite().all() and filled.min() >= 0 and filled.max() <= 1


@pytest.mark.parametrize("side", [1, 2, 20])
def test_a_mask_of_the_whole_picture_is_refused(side):
    step = Step.make("inpaint_obj", mask=Mask.from_array(np.ones((side, side))), inpainter="patch")
    with pytest.raises(UserError, match="covers the whole picture.*smaller mask"):
        execute(Plan((step,)), noise(side, side))


def test_a_plan_names_the_inpainter_and_one_without_the_name_uses_telea():
    mask = Mask.from_array(HOLE[0, 0].numpy())
    image = noise()
    old = Plan.from_dict({"format": "ldie-plan", "version": 1,
                          "steps": [{"op": "inpaint_obj", "params": [], "mask": mask.to_dict()}]})
    telea, patch = (Plan((Step.make("inpaint_obj", mask=mask, inpainter=name),)) for name in ("telea", "patch"))
    assert [plan.to_dict()["version"] for plan in (old, telea, patch)] == [1, 2, 2]
    assert "inpainter" not in old.to_dict()["steps"][0]
    assert torch.equal(execute(old, image), inpaint_obj(image, HOLE, "telea"))
    assert torch.equal(execute(telea, image), execute(old, image))
    assert torch.equal(execute(Plan.from_dict(patch.to_dict()), image), inpaint_obj(image, HOLE, "patch"))
    assert "patch" in patch.steps[0].describe()


def test_only_known_inpainters_and_only_for_operators_that_inpaint():
    with pytest.raises(UserError, match="inpaint_obj: unknown inpainter 'magic'; known are: telea, patch"):
        Step.make("inpaint_obj", inpainter="magic")
    with pytest.raises(UserError, match="contrast: .* takes no inpainter"):
        Step.make("contrast", [0.1], inpainter="patch")
    assert [row.name for row in TABLE.values() if row.inpaints] == ["inpaint_obj"]
