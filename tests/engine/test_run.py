"""Batches, log, events, checkpoints and stops of a Run, tested with a model of one weight."""
import html
import json
import math
import struct
from types import SimpleNamespace

import pytest
import torch
from easydict import EasyDict
from hypothesis import given
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event

from core.engine.batches import IterationBatches
from core.engine.checkpoints import load_checkpoint, save_checkpoint
from core.engine.run import Run
from core.evaluation.run_table import index_runs
from core.files import UserError
from core.threads import threads

DATA = [{"x": torch.tensor(float(number)), "name": f"sample {number}"} for number in range(5)]


class Line(torch.nn.Module):
    """The model y = w x, which is trained towards y = 2 x."""

    def __init__(self, width=1):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return self.weight * x

    def checkpoint(self):
        return {"config": {"width": len(self.weight)}, "weights": self.state_dict()}


@pytest.fixture()
def train(tmp_path):
    """Return `train(num_iters, **flags)`: train up to iteration `num_iters` in one folder; return the Run."""
    def go(num_iters, model=None, loss=lambda run, loss: loss, **flags):
        options = EasyDict({
            "suffix": "", "dataset": "toy", "experiment": "line", "trial": 1, "output": str(tmp_path), "gpu_ids": "-1",
            "precision": "32-true", "manual_seed": 3, "batch_size": 2, "num_iters": num_iters, "num_workers": 0,
            "print_every": 2, "learning_rate": 0.1, "schedule": "constant",
            "restart": False} | flags)
        run, model = Run(options), model or Line()
        model = run.setup(model, torch.optim.Adam(model.parameters(), options.learning_rate))
        for batch in run.batches(DATA):
            noise = torch.randn(len(batch["x"])) * 0.1   # random like dropout: a resumed run must repeat it
            run.step(square=loss(run, (model(batch["x"] + noise) - 2 * batch["x"]).square().mean()))
            if run.due(2):
                run.checkpoint(model.weight.item(), weight=model.weight.item())
        return run
    return go


def log_of(run):
    return [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]


def events_of(run):
    """Return {name: {step: value}} of all event files. They are TFRecords: length, check sum, bytes, check sum."""
    found = {}
    for path in sorted(run.folder.glob("events.out.tfevents.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length, = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12:at + 12 + length])
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = value.simple_value
            at += length + 16
    return found


def test_a_run_that_broke_off_and_resumed_equals_an_unbroken_run(train):
    whole = log_of(train(7, trial=1))
    for first in (2, 5):
        train(first, trial=2, restart=True)
        assert log_of(train(7, trial=2)) == whole
    assert whole[-1]["square"] < whole[0]["square"]


def test_events_hold_the_log_and_the_validations(train):
    run = train(4)
    rows, events = log_of(run), events_of(run)
    assert events["square"][2] == pytest.approx((rows[0]["square"] + rows[1]["square"]) / 2)
    assert sorted(events["square"]) == sorted(events["val/weight"]) == [2, 4]
    assert events["val/weight"][4] == pytest.approx(run.networks["model"].weight.item())


def test_the_learning_curve_is_that_of_an_unbroken_run(train):
    def curve(run):
        return [json.loads(line) for line in (run.folder / "validation.jsonl").read_text().splitlines()]
    whole = curve(train(7, trial=1))
    assert [row["iteration"] for row in whole] == [2, 4, 6, 7]
    run = train(5, trial=2)
    with open(run.folder / "validation.jsonl", "a", encoding="utf-8") as file:   # a row whose checkpoint was not saved
        file.write('{"iteration": 6, "weight": 1.0}\n')
    resumed = curve(train(7, trial=2))
    assert [row for row in resumed if row["iteration"] != 5] == whole   # 5 ended the first run
    assert [row["iteration"] for row in curve(train(2, trial=2, restart=True))] == [2]


def test_best_is_the_lowest_score_and_last_the_latest(train):
    run = train(6)   # the score is the growing weight, so the first is the best
    best, last = (load_checkpoint(run.folder / f"{name}.pt", "line") for name in ("best", "last"))
    assert (best["iteration"], last["iteration"]) == (2, 6)
    assert best["best"] == last["best"] == pytest.approx(best["model"]["weights"]["weight"].item())
    assert torch.equal(last["model"]["weights"]["weight"], run.networks["model"].weight)


def test_a_disk_that_fills_between_two_checkpoints_loses_no_checkpoint(train, on_opening):
    expected = load_checkpoint(train(4, trial=2).folder / "best.pt")["iteration"]
    end = on_opening(OSError(28, "No space left on device"), ".pt", nth=2)
    with pytest.raises(UserError, match="space"):
        train(4)
    end()
    assert load_checkpoint(train(4).folder / "best.pt")["iteration"] == expected


@pytest.mark.parametrize("line", ["{}", "3", '{"iteration": "4"}', '{"iteration": 4, "sums": 3}',
                                  '{"iteration": 4, "sums": {"model": "low"}}', '{"iteration": 4, "seeing": "well"}'])
@pytest.mark.parametrize("name", ["log.jsonl", "validation.jsonl"])
def test_a_log_that_was_edited_by_hand_is_named(train, line, name):
    path = train(4).folder / name
    path.write_text(line + "\n" + path.read_text())
    before = path.read_bytes()
    with pytest.raises(UserError, match=f"{name}, line 1: .*; delete that line"):
        train(6)
    assert path.read_bytes() == before


def test_states_of_the_optimizer_that_all_lack_a_part_are_refused(train):
    path = train(4).folder / "last.pt"
    state = load_checkpoint(path, "line")
    for values in state["optimizer"]["state"].values():
        del values["exp_avg"]
    save_checkpoint(path, state)
    with pytest.raises(UserError, match=r"last\.pt: its optimizer does not fit its network"):
        train(6)


def test_restart_begins_a_run_anew(train):
    train(4)
    run = train(2, restart=True, learning_rate=0.5)
    assert [row["iteration"] for row in log_of(run)] == [1, 2]
    assert load_checkpoint(run.folder / "last.pt")["iteration"] == 2


def test_a_run_does_not_resume_with_other_flags_or_another_model(train):
    run = train(2)
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    with pytest.raises(UserError, match="with --learning_rate 0.1, not 0.2"):
        train(4, learning_rate=0.2)
    with pytest.raises(UserError, match=r"last\.pt: was trained with another vocabulary or network"):
        train(4, model=Line(2))
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


def test_a_restart_that_saved_nothing_leaves_the_options_of_the_old_run(train):
    def broken(run, loss):
        raise KeyboardInterrupt
    train(2)
    with pytest.raises(KeyboardInterrupt):
        train(4, loss=broken, restart=True, learning_rate=0.2)
    with pytest.raises(UserError, match="with --learning_rate 0.1, not 0.2"):
        train(4, learning_rate=0.2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ends_the_run_before_it_harms_the_weights(train, value):
    model = Line()
    with pytest.raises(UserError, match=f"loss 'square' became {value} in iteration 3"):
        train(4, model, loss=lambda run, loss: loss * (value if run.iteration == 2 else 1))
    assert model.weight.isfinite().all()


def test_a_loss_without_a_gradient_is_only_logged(train):
    run = train(1, loss=lambda run, loss: loss.detach())
    assert run.networks["model"].weight.item() == 0
    assert log_of(run)[0]["square"] > 0


@pytest.mark.parametrize(("ids", "words"), [("99", "this machine has"), ("a", "give numbers"), ("", "give numbers"),
                                            ("-2", "this machine has")])
def test_missing_devices_are_refused(train, ids, words):
    with pytest.raises(UserError, match=f"--gpu_ids {ids}: .*{words}"):
        train(1, gpu_ids=ids)


@given(size=st.integers(1, 30), batch=st.integers(1, 40), stop=st.integers(1, 50), seed=st.integers(0, 2**32 - 1),
       data=st.data())
def test_an_epoch_shows_each_sample_at_most_once_and_can_resume_anywhere(size, batch, stop, seed, data):
    start = data.draw(st.integers(0, stop))
    options = SimpleNamespace(manual_seed=seed, num_iters=stop, batch_size=batch)
    alone = SimpleNamespace(global_rank=0, world_size=1)
    batches = list(IterationBatches(size, options, 0, stop, alone))
    assert list(IterationBatches(size, options, start, stop, alone)) == batches[start:]
    assert {len(indices) for indices in batches} == {min(batch, size)}
    per_epoch = size // min(batch, size)
    for first in range(0, stop, per_epoch):
        shown = [index for indices in batches[first:first + per_epoch] for index in indices]
        assert len(set(shown)) == len(shown)
        assert set(shown) <= set(range(size))
    if min(batch, size) < 2:
        return
    shares = [list(IterationBatches(size, options, 0, stop, SimpleNamespace(global_rank=rank, world_size=2)))
              for rank in range(2)]
    assert [sorted(a + b) for a, b in zip(*shares, strict=True)] == [sorted(indices) for indices in batches]


def test_without_shuffling_samples_are_read_in_order():
    options = SimpleNamespace(manual_seed=0, batch_size=3)
    batches = IterationBatches(7, options, 1, 4, SimpleNamespace(global_rank=0, world_size=1), shuffle=False)
    assert list(batches) == [[3, 4, 5], [0, 1, 2], [3, 4, 5]]


def test_a_batch_must_have_a_pair_for_each_process():
    with pytest.raises(UserError, match=r"--batch_size 1: .* 2 processes"):
        IterationBatches(9, EasyDict(manual_seed=0, num_iters=4, batch_size=1), 0, 4,
                         SimpleNamespace(global_rank=0, world_size=2))


def test_further_networks_learn_log_and_resume_beside_the_tested_one(tmp_path):
    def train(trial, *parts):
        for num_iters in parts:
            run = Run(EasyDict(dataset="toy", experiment="pair", trial=trial, suffix="", output=str(tmp_path),
                               gpu_ids="-1", precision="32-true", manual_seed=3, batch_size=2, num_iters=num_iters,
                               num_workers=0, print_every=1, learning_rate=0.1, schedule="linear", restart=False))
            line, judge = Line(), Line()
            torch.nn.init.ones_(judge.weight)
            line = run.setup(line, torch.optim.SGD(line.parameters(), 0.1))
            judge = run.setup(judge, torch.optim.Adam(judge.parameters(), 0.01), name="D", floor=0.0)
            for batch in run.batches(DATA):
                run.step("D", right=(judge(line(batch["x"]).detach()) - 1).square().mean())
                with run.held("D") as held:
                    run.step(wrong=held(line(batch["x"]) - batch["x"]).square().mean())
                assert judge.weight.requires_grad
                run.note(accuracy=torch.tensor(0.5))
                run.checkpoint(0.0)
        return run
    unbroken, resumed = train(1, 4), train(2, 2, 4)
    assert log_of(unbroken)[:2] == log_of(resumed)[:2]   # later rows differ: the rate of a longer run falls later
    row = log_of(unbroken)[0]
    assert {"D right", "wrong", "accuracy"} <= set(row)
    assert set(row["health"]) == set(row["sums"]) == {"model", "D"}
    saved = load_checkpoint(resumed.folder / "last.pt")
    for name, state in (("model", saved), ("D", saved["others"]["D"])):
        assert torch.equal(state["model"]["weights"]["weight"], resumed.networks[name].weight)
    assert not torch.equal(resumed.networks["D"].weight, torch.ones(1))


def test_a_collapsed_run_stays_marked_until_a_restart(train, tmp_path):
    def explode(run, loss):
        return loss + 1.1 ** run.iteration
    folder = train(150, loss=explode).folder
    verdict = json.loads((folder / "health.json").read_text())["collapsed"]
    assert verdict.startswith("collapsed by iteration ")
    train(152, loss=explode)
    assert json.loads((folder / "health.json").read_text())["collapsed"] == verdict
    index_runs(tmp_path)
    assert verdict in html.unescape((tmp_path / "index.html").read_text())
    train(2, restart=True)
    assert not (folder / "health.json").exists()


def test_each_worker_gets_a_core_and_small_work_uses_one_thread(train, monkeypatch):
    during = []

    def noted(run, loss):
        during.append(torch.get_num_threads())
        return loss
    with threads(2):
        train(1, loss=noted)   # a batch of two numbers
        monkeypatch.setattr("core.threads.GRAIN", 1)
        train(2, loss=noted, num_workers=1)
        train(3, loss=noted, num_workers=0)
        train(4, loss=noted, num_workers=2)
        assert (during, torch.get_num_threads()) == ([1, 1, 2, 1], 2)


def _drop(inner, key):
    del inner[key]


ADAM = ("optimizer", "state", 0)


@pytest.mark.parametrize(("path", "change", "words"), [
    ((), lambda inner: _drop(inner, "options"), "lacks the field 'options'"),
    ((), lambda inner: _drop(inner, "iteration"), "lacks the field 'iteration'"),
    ((), lambda inner: _drop(inner, "optimizer"), "lacks the field 'optimizer'"),
    ((), lambda inner: inner.update(best="low"), "its field 'best' is not a number"),
    ((), lambda inner: inner.update(optimizer=[1]), "its optimizer does not fit its network"),
    (("options",), lambda inner: inner.update(batch_size=torch.zeros(3)), "field 'options' is not a table of flags"),
    (("model",), lambda inner: _drop(inner, "config"), "lacks the field 'config'"),
    (("model",), lambda inner: _drop(inner, "weights"), "lacks the field 'weights'"),
    (("model", "weights"), lambda inner: inner.update(weight=torch.zeros(4)), "does not fit this version's network"),
    (("optimizer",), lambda inner: _drop(inner, "param_groups"), "its optimizer does not fit"),
    (ADAM, lambda inner: inner.update(exp_avg=torch.zeros(4)), "its optimizer does not fit"),
    (ADAM, lambda inner: inner.update(exp_avg_sq=inner["exp_avg_sq"] * math.nan), "its optimizer does not fit"),
    (ADAM, lambda inner: inner.update(step=torch.tensor(-1.0)), "its optimizer does not fit")])
def test_a_run_does_not_resume_from_a_foreign_checkpoint(train, path, change, words):
    run = train(2)
    saved = inner = torch.load(run.folder / "last.pt", weights_only=True)
    for key in path:
        inner = inner[key]
    change(inner)
    torch.save(saved, run.folder / "last.pt")
    with pytest.raises(UserError, match=rf"last\.pt: .*{words}"):
        train(4)


def test_the_rates_of_an_optimizer_are_those_of_the_flags(train):
    run = train(2)
    saved = torch.load(run.folder / "last.pt", weights_only=True)
    saved["optimizer"]["param_groups"][0] |= {"lr": "fast", "betas": None}
    torch.save(saved, run.folder / "last.pt")
    assert train(4).optimizers["model"].param_groups[0]["betas"] == (0.9, 0.999)
