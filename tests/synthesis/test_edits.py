"""Synthetic edits: visible, hardly clipped, and as strong as their words."""
import numpy as np
import pytest

from core.datasets.images import to_tensor
from core.operators import SESSIONS, OperatorVocab, Plan, Step, execute, strengths
from core.requests.grammar import intent
from core.requests.phrases import WORDS
from core.requests.wish import LEVELS, REPAIRS, Wish
from core.synthesis.edits import EDITS, LOCAL_EDITS, draw, edits_of, panel_edits
from core.synthesis.synth import draw_preparation, run


def test_every_direction_has_words_and_an_edit():
    assert set(EDITS) == {(attribute, sign) for attribute, sign in WORDS
                          if attribute not in ("removal", "unchanged", *REPAIRS)}
    assert set(LOCAL_EDITS) <= set(EDITS)


@pytest.mark.parametrize("direction", EDITS)
def test_stronger_words_are_larger_edits(direction, photo):
    edit = EDITS[direction]
    assert len(edit.strengths) == len(LEVELS) + 1
    picture = np.uint8(photo(40, 40) // 2 + 40)
    changes = []
    for strength in edit.strengths:
        params = edit.params(strength, None)
        step = Step.make(edit.op, params)
        assert step.params == pytest.approx(params, abs=1e-5)  # unchanged by bounds and normalisation
        changes.append(np.abs(run(Plan((step,)), picture) - picture.astype(float)).mean())
    assert changes == sorted(changes)
    assert changes[0] < changes[-1]


def carry_out(direction, strength, picture):
    edit = EDITS[direction]
    return run(Plan((Step.make(edit.op, edit.params(strength, None)),)), picture)


def mean_light(picture):
    return picture.mean()


def spread(picture):
    return picture.std()


def chroma(picture):
    return (picture.max(2).astype(float) - picture.min(2)).mean()


def red_over_blue(picture):
    return picture[..., 0].mean() - picture[..., 2].mean()


def roughness(picture):
    return np.abs(np.diff(picture.astype(float), axis=1)).mean()


@pytest.mark.parametrize(("up", "down", "measure"), [
    (("light", 1), ("light", -1), mean_light), (("shadows", 1), ("midtones", -1), mean_light),
    (("contrast", 1), ("contrast", -1), spread), (("saturation", 1), ("saturation", -1), chroma),
    (("temperature", 1), ("temperature", -1), red_over_blue), (("red", 1), ("blue", 1), red_over_blue),
    (("sharpness", 1), ("sharpness", -1), roughness)])
def test_edits_move_their_attribute_in_the_right_direction(up, down, measure, photo):
    picture = np.uint8(photo(64, 64, seed=3) * 0.6 + 30)
    raised, lowered = (carry_out(direction, EDITS[direction].strengths[1], picture) for direction in (up, down))
    assert measure(raised) > measure(picture) > measure(lowered)


def test_greener_adds_green_and_faded_lowers_contrast(photo):
    picture = photo(64, 64)
    green, faded = carry_out(("green", 1), 0.4, picture), carry_out(("fade", 1), 1.0, picture)
    assert green[..., 1].mean() > picture[..., 1].mean()
    assert green[..., 0].mean() < picture[..., 0].mean()
    assert spread(faded) < spread(picture)


@pytest.mark.parametrize("kind", ["global", "local", "compound", "inpaint"])
def test_drawn_edits_are_visible_and_hardly_clip(kind, photo):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        picture = photo(96, 96, seed)
        picture = run(draw_preparation(picture, rng), picture)
        plan, wishes = draw(kind, picture, rng)
        edited = run(plan, picture)
        masks = [step.mask.array().astype(bool) for step in plan if step.mask is not None]
        assert len(masks) == (kind in ("local", "inpaint"))
        if masks:
            assert (edited[~masks[0]] == picture[~masks[0]]).all()
            assert wishes[0].where is not None
        assert (edited != picture).any()
        newly = ((edited == 255) | (edited == 0)) & (picture > 10) & (picture < 245)
        assert newly.any(2).mean() < 0.15
        if kind == "compound":
            assert 2 <= len(plan) <= 3
            assert len({step.op for step in plan}) == len(plan)


def test_edits_that_do_not_fulfil_their_wish_are_drawn_again(photo):
    asked, picture = [], np.uint8(photo(64, 64) * 0.5)

    def shown(after, asked_for):
        asked.append(asked_for)
        return [len(asked) > 3 and image.mean() > picture.mean() / 255 for image in after]
    plan, wishes = draw("global", picture, np.random.default_rng(0), shown)
    assert len(asked) > 3
    assert asked[-1] == intent(wishes)
    assert run(plan, picture).mean() > picture.mean()
    assert draw("global", picture, np.random.default_rng(0), lambda after, _: [False] * len(after)) is None
    # a local edit is not checked against its wish
    assert draw("local", picture, np.random.default_rng(0), lambda after, _: [False] * len(after))


@pytest.mark.parametrize("seed", [2, 3, 4, 8])
def test_a_segment_that_vanishes_in_a_small_picture_is_replaced(seed):
    """Segments are found on a thumbnail; a segment one pixel wide may vanish in a smaller picture."""
    rng = np.random.default_rng(seed)
    rows = np.where(np.arange(24)[:, None, None] % 2, 220, 40)
    drawn = draw("inpaint", np.uint8(rows + rng.integers(0, 10, (24, 24, 3))), rng)
    assert drawn is None or drawn[0].steps[0].mask.array().any()


def test_no_edit_is_found_for_a_flat_black_picture():
    assert draw("global", np.zeros((32, 32, 3), np.uint8), np.random.default_rng(0)) is None


@pytest.mark.parametrize("direction", panel_edits())
def test_edits_of_the_panel_are_stronger_for_stronger_words(direction, photo):
    edit = panel_edits()[direction]
    assert list(edit.strengths) == sorted(edit.strengths)
    assert 0 < edit.strengths[0] < edit.strengths[-1]
    picture = to_tensor(np.uint8(photo(40, 40) // 2 + 40))[None]
    changes = [(execute(Plan((Step.make(edit.op, edit.params(strength, picture)),)), picture) - picture).abs().mean()
               for strength in edit.strengths]
    assert changes[0] <= changes[-1] + 1e-6


def test_given_wishes_get_their_operators_and_strengths(photo):
    picture = np.uint8(photo(40, 40) // 2 + 40)
    wishes = (Wish("light", 1, "strong"), Wish("temperature", -1, "slight"), Wish("green-magenta", 1),
              Wish("saturation", 0))
    plan, found = draw(wishes, picture, np.random.default_rng(0), edits=panel_edits())
    assert found == list(wishes)
    assert [step.op for step in plan] == ["exposure_soft", "white_balance"]   # two wishes share the white balance
    light, balance = (step.params for step in plan)
    assert light[0] > strengths.strength("exposure_soft", 1, "plain")
    assert balance[0] < 0 < balance[1]
    assert draw((Wish("unchanged"),), picture, np.random.default_rng(0), edits=panel_edits())[0] == Plan()


def test_the_vocabulary_decides_between_the_tables():
    assert edits_of(OperatorVocab()) is EDITS
    assert edits_of(OperatorVocab(SESSIONS[4])) is panel_edits()
