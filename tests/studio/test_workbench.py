"""The workbench: cards that form a plan, follow-up requests, and files that equal those of core/edit.py."""
import errno
import gc
import pickle
import shutil
import tempfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.datasets import WordVocab
from core.datasets.vocab import SPECIAL
from core.exports import apply_cube
from core.files import UserError
from core.methods.gate import Gate
from core.methods.mend import UNASKED
from core.operators import TABLE, Mask, Plan, Step
from core.photo import Photo, read_photo, write_photo
from core.requests import reader
from core.requests.reader import Reading
from core.requests.wish import Wish
from core.studio.workbench import (
    AMOUNTS,
    DIRECTIONS,
    MAX_CARDS,
    MAX_TURNS,
    PREVIEW,
    Card,
    Workbench,
    degree_of,
    here,
    history,
    is_undo,
    notice,
    region,
)

BRIGHTER, CURVE, SHARPER = Step.make("brightness", [0.3]), Step.make("tint", range(1, 9)), Step.make("sharpness", [0.5])
NUMBERED = [Step.make(row.name, row.low + 0.7 * (row.high - row.low)) for row in TABLE.values() if row.n_params]
SLID = [step for step in NUMBERED if not TABLE[step.op].resizes]


class Planner:
    """A planner that answers each request with the next given plan and records the pictures that it gets."""

    def __init__(self, *plans):
        self.answers, self.seen = iter(plans), []
        self.vocab, self.unasked = WordVocab((*SPECIAL, "make", "it", "brighter")), UNASKED

    def plans(self, image, requests):
        self.seen.append(image)
        return [SimpleNamespace(plan=Plan(tuple(next(self.answers))), notes=()) for _ in requests]


@pytest.fixture()
def file(tmp_path, photo):
    """Write a small photo into a new folder; return its path."""
    Image.fromarray(photo()).save(path := tmp_path / "cat.jpg", quality=95)
    return path


@pytest.fixture()
def bench(file):
    return Workbench.open(file)


def planned(bench, *steps):
    return bench.ask("make it brighter", Planner(steps))


# Follow-up requests

@pytest.mark.parametrize(("request_text", "factor"), [
    ("more", 1.5), ("a bit more", 1.2), ("Much more!", 2), ("even more, please", 1.5), ("make it a lot stronger", 2),
    ("less", 1 / 1.5), ("a little bit less", 1 / 1.2), ("that is way too much", 1 / 2), ("a bit too strong", 1 / 1.2),
    ("not enough", 1.5), ("just slightly weaker now", 1 / 1.2), ("less, a lot", 1 / 2)])
def test_words_of_degree_alone_are_a_factor(request_text, factor):
    assert degree_of(request_text) == pytest.approx(factor)


@pytest.mark.parametrize("request_text", ["more contrast", "a bit", "brighter", "less colourful", "moreover", "",
                                          "much", "make it more saturated", "more or less"])
def test_any_other_sentence_is_a_new_request(request_text):
    assert degree_of(request_text) is None
    assert not is_undo(request_text)


@given(st.sampled_from(sorted(AMOUNTS)))
def test_less_reverses_more_of_the_same_degree(amount):
    assert degree_of(f"{amount} more") * degree_of(f"{amount} less") == pytest.approx(1)
    assert all((degree_of(f"{amount} {phrase}") > 1) == (sign > 0) for phrase, sign in DIRECTIONS.items())


def test_a_degree_changes_only_the_steps_of_the_last_answer(bench):
    bench = planned(planned(bench, BRIGHTER), Step.make("contrast", [0.2]), CURVE)
    less = bench.ask("a lot less", Planner())
    assert [card.value for card in less.cards] == pytest.approx([0.3, 0.1, 0.5])
    assert [turn.request for turn in less.history] == ["make it brighter"] * 2 + ["a lot less"]
    assert "0.5 times as strong" in less.history[-1].answer
    again = less.ask("more", Planner())
    assert [card.value for card in again.cards] == pytest.approx([0.3, 0.15, 0.75])


def test_undo_restores_the_plan_before_the_last_request(bench):
    first = planned(bench, BRIGHTER)
    second = planned(first.move(0, 0.1), CURVE).move(1, 2)
    assert second.ask("undo", Planner()).plan == first.move(0, 0.1).plan
    assert second.ask("please go back", Planner()).ask("undo that", Planner()) is bench


@pytest.mark.parametrize("request_text", ["", "  !?", "a", "less", "undo"])
def test_a_follow_up_without_content_is_refused_in_one_sentence(bench, request_text):
    with pytest.raises(UserError):
        bench.ask(request_text, Planner())


def test_more_of_an_empty_answer_is_refused(bench):
    with pytest.raises(UserError, match='"more" needs an earlier edit'):
        planned(planned(bench, BRIGHTER)).ask("more", Planner())


def test_a_new_request_is_planned_on_the_edited_photo_and_appended(bench):
    planner = Planner([BRIGHTER], [BRIGHTER, CURVE])
    first = bench.ask("make it brighter", planner)
    second = first.ask("make it brighter", planner)
    assert torch.equal(planner.seen[0], bench.source.preview)
    assert torch.equal(planner.seen[1], first.edited())
    assert second.plan == Plan((BRIGHTER, BRIGHTER, CURVE))
    assert second.history[-1].answer == "Brightness, Plain tone curve"


def test_the_history_and_the_plan_of_a_bench_are_limited(bench):
    state = planned(bench, *[BRIGHTER] * MAX_CARDS)
    with pytest.raises(UserError, match=f"more than {MAX_CARDS} steps"):
        planned(state, BRIGHTER)
    for _ in range(MAX_TURNS - 1):
        state = state.ask("more", Planner())
    with pytest.raises(UserError, match=f"already has {MAX_TURNS} requests"):
        state.ask("more", Planner())
    assert len(state.ask("undo", Planner()).ask("more", Planner()).history) == MAX_TURNS


# The gate

@pytest.fixture()
def gate(monkeypatch):
    """Return `gate(*wishes, **others)`: a Gate before a planner that brightens, which reads every request like this."""
    def arrange(*wishes, **others):
        monkeypatch.setattr(reader, "read", lambda request, tagger: Reading(wishes, **others))
        planner = Planner(*[[BRIGHTER]] * 9)
        planner.operators = ["brightness", "saturation"]
        return Gate(planner)
    return arrange


def test_a_refused_request_is_one_sentence_with_examples_and_edits_nothing(bench, gate):
    bench = planned(bench, CURVE)
    with pytest.raises(UserError) as refusal:
        bench.ask("remove the bin", gate(Wish("adding", where="the <b>bin</b>")))
    shown = notice(refusal.value)
    assert 'role="alert"' in shown and shown.count("<p") == 1
    assert "&lt;b&gt;bin" in shown and "make it a bit brighter" in shown
    assert bench.plan == Plan((CURVE,))


def test_parts_that_are_left_out_stand_in_the_history(bench, gate):
    wishes = Wish("light"), Wish("adding", where="the bin")
    mixed = bench.ask("brighter, bin", gate(*wishes, not_understood=("floofy",)))
    assert len(mixed.plan) == 1
    answer = mixed.history[0].answer
    assert "the bin" in answer and "floofy" in answer


def test_follow_ups_pass_the_gate(bench, gate):
    bright = bench.ask("brighter", gate(Wish("light")))
    nothing = gate()   # refuses all it reads
    assert bright.ask("a bit less", nothing).plan.steps[0].params[0] < bright.plan.steps[0].params[0]
    assert bright.ask("undo", nothing).plan == Plan()
    assert bright.ask("leave it", gate(Wish("unchanged"))).plan == bright.plan


def test_a_step_of_the_keyword_plan_is_a_card_like_any_other(bench, gate):
    served = bench.ask("vignette", gate(Wish("vignette")))
    assert [card.planned.op for card in served.cards] == ["vignette"]
    assert served.ask("a lot less", gate()).plan.steps[0].params[0] == pytest.approx(served.plan.steps[0].params[0] / 2)


# Regions

LEFT = Mask.from_array(np.eye(48, 64), feather=0.01, region="the <dog>")


class LocalPlanner(Planner):
    """A planner that records the masks within which it is asked to plan."""

    def __init__(self, *plans):
        super().__init__(*plans)
        self.masks = []

    def within(self, mask):
        self.masks.append(mask)
        return self


def test_a_follow_up_there_keeps_the_region(bench):
    local = planned(bench, Step.make("contrast", 0.4, LEFT))
    less = local.ask("a bit less there", Planner())
    assert [(card.value, card.step.mask) for card in less.cards] == [(pytest.approx(0.4 / 1.2), LEFT)]
    planner = LocalPlanner([BRIGHTER], [BRIGHTER])
    local.ask("make it brighter there", planner)
    bench.ask("make it brighter there", planner)   # no region yet
    assert planner.masks == [LEFT]


def test_the_region_of_a_card_is_a_picture_with_escaped_words(bench):
    shown = region(bench.source, LEFT)
    assert "data:image/jpeg" in shown
    assert "<dog>" not in shown and "&lt;dog&gt;" in shown


# Cards

def test_unchanged_cards_give_the_plan_to_the_last_bit(bench):
    assert planned(bench, *NUMBERED).plan == Plan(tuple(NUMBERED))


@given(st.sampled_from(SLID), st.floats(-10, 10), st.floats(0.01, 10))
def test_a_slider_and_the_parameters_of_its_step_stay_within_their_bounds(step, value, factor):
    for card in (Card.of(step).moved(value), Card.of(step).scaled(factor)):
        low, high, _ = card.bounds
        row = TABLE[step.op]
        assert low <= card.value <= high
        assert all(bounds.low <= p <= bounds.high for bounds, p in zip(row.params, card.step.params, strict=True))


@pytest.mark.parametrize("step", SLID, ids=lambda step: step.op)
def test_at_its_neutral_value_a_card_changes_nothing(bench, step):
    neutral = Card.of(step).bounds[2]
    edited = planned(bench, step).move(0, neutral).edited()
    assert (edited - bench.source.preview).abs().max() < 1e-5


def test_sliders_switches_and_order_change_the_plan_and_the_picture(bench):
    three = planned(bench, BRIGHTER, CURVE, SHARPER)
    pictures = [state.edited() for state in (three, three.move(0, 0.1), three.switch(1, False), three.swap(1))]
    assert [(a - b).abs().max() > 1e-3 for i, a in enumerate(pictures) for b in pictures[:i]] == [True] * 6
    assert three.switch(1, False).plan == Plan((BRIGHTER, SHARPER))
    assert three.switch(1, False).switch(1, True).plan == three.plan
    assert three.swap(0).plan == Plan((CURVE, BRIGHTER, SHARPER))
    assert three.swap(2).plan == three.plan
    assert three.plan == Plan((BRIGHTER, CURVE, SHARPER))   # these calls did not change the first bench


@pytest.mark.parametrize("step", [Step.make("color_bg", (), Mask.from_array(np.eye(48, 64))), Step.make("rotate", 90),
                                  Step.make("crop", [0.1, 0, 0.2, 0])], ids=lambda step: step.op)
def test_a_step_without_a_strength_can_only_be_switched(bench, step):
    state = planned(bench, BRIGHTER, step)
    assert state.cards[1].bounds is None
    assert state.ask("less", Planner()).plan.steps[1] == step
    assert len(state.switch(1, False).plan) == 1
    assert state.shown() != state.switch(1, False).shown()


# Files

@pytest.mark.parametrize("name", ["cat.jpg", "cat.JPEG", "cat.png", "cat.tif", "cat.webp"])
def test_the_files_equal_those_of_edit_py(run_script, tmp_path, photo, name):
    pixels = np.kron(photo(), np.ones((1, 24, 1)))   # 1536 pixels wide, more than the preview
    original = Photo(np.float32(pixels / 255), depth=16)
    write_photo(tmp_path / name, original.pixels, like=original)
    state = planned(Workbench.open(tmp_path / name), BRIGHTER, CURVE, Step.make("contrast", [-0.4]))
    assert max(state.source.preview.shape) == PREVIEW
    state = state.move(0, 0.17).move(1, 0.6).swap(1)
    (mine, _), (plan, _), (lut, notes) = state.write_photo(), state.write_plan(), state.write_lut()
    out = tmp_path / "out" / mine.name
    result = run_script("core/edit.py", "--img", tmp_path / name, "--replay", plan, "--out", out, "--export",
                        tmp_path / "out" / lut.name)
    assert result.code == 0, result.err
    assert out.read_bytes() == mine.read_bytes()
    assert (tmp_path / "out" / lut.name).read_bytes() == lut.read_bytes()
    assert read_photo(mine).depth == (16 if name in ("cat.png", "cat.tif") else 8)
    assert f"{lut.name}: CIEDE2000" in notes[0]


def test_the_lut_holds_the_steps_before_the_first_that_it_cannot(bench, file):
    state = planned(bench, BRIGHTER, SHARPER, CURVE)
    path, notes = state.write_lut()
    expected = planned(bench, BRIGHTER).edited().permute(1, 2, 0).numpy()
    assert np.abs(apply_cube(path, read_photo(file).pixels) - expected).mean() < 2e-3
    assert any("sharpness" in note and "cannot be held" in note for note in notes)


def test_a_lut_of_no_step_is_refused_without_naming_a_path(bench):
    with pytest.raises(UserError, match="sharpness") as refused:
        planned(bench, SHARPER).write_lut()
    assert str(refused.value).startswith("cat_edited.cube: ")


@pytest.mark.parametrize(("name", "reason"), [
    ("letter.jpg", "not a picture of a known format"), ("cat.xcf", "unknown suffix '.xcf'"),
    ("none.jpg", "no such file")])
def test_a_file_that_is_no_photo_is_refused_without_naming_a_path(tmp_path, name, reason):
    if name != "none.jpg":
        (tmp_path / name).write_text("Dear all")
    with pytest.raises(UserError, match=reason) as refused:
        Workbench.open(tmp_path / name)
    assert str(tmp_path) not in str(refused.value)


def test_a_huge_photo_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (20000, 10000)).save(tmp_path / "huge.png")
    with pytest.raises(UserError, match="^huge.png: 20000 x 10000 is 200 megapixels, more than the limit of 60"):
        Workbench.open(tmp_path / "huge.png", 60_000_000)


def test_the_copy_outlives_the_upload_but_not_the_bench(file):
    state = planned(Workbench.open(file), BRIGHTER)
    file.unlink()
    path, _ = state.write_photo()
    assert path.is_file()
    del state
    gc.collect()
    assert not path.parent.exists()


def test_a_failed_copy_leaves_no_file(file, tmp_path, monkeypatch):
    def full(source, target):
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        Workbench.open(file)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_photos_can_be_read_and_written_in_another_process(file):
    done = []

    def job(function, *args):
        done.append(function)
        return pickle.loads(pickle.dumps(function))(*pickle.loads(pickle.dumps(args)))

    white = Step.make("color_bg", (), Mask.from_array(np.eye(48, 64)))
    there, near = (planned(Workbench.open(file, job=job), BRIGHTER, white) for job in (job, here))
    assert there.write_photo(job)[0].read_bytes() == near.write_photo()[0].read_bytes()
    there.switch(1, False).write_lut(job)
    assert len(done) == 3


def test_a_photo_of_too_many_bytes_is_refused(tmp_path):
    write_photo(tmp_path / "deep.png", np.zeros((20, 30, 3)), like=Photo(np.zeros((20, 30, 3)), depth=16))
    Workbench.open(tmp_path / "deep.png", max_bytes=3600)
    with pytest.raises(UserError, match="^deep.png: 30 x 20 pixels of 6 bytes"):
        Workbench.open(tmp_path / "deep.png", max_bytes=3599)


# Page texts

def test_any_request_is_shown_as_text(bench):
    state = bench.ask("<script>alert(1)</script> brighter", Planner([BRIGHTER]))
    shown = history(state.history)
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; brighter" in shown


def test_errors_are_alerts_and_name_no_path():
    assert notice("saved & <b>done</b>") == "<p>saved &amp; &lt;b&gt;done&lt;/b&gt;</p>"
    assert 'role="alert"' in notice(UserError("no"))
    shown = notice(OSError(28, "No space left on device", "/srv/secret/cat.jpg"))
    assert "No space left on device" in shown
    assert "/srv" not in shown
