"""Every script, run as a user runs it: a few iterations on a tiny project, printed lines and written files."""
import argparse
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_project import ROOT, RUN, SCRIPTS, SYNTH, TINY, TRAINED, tiny_project

from core.datasets import load_image, to_tensor
from core.engine.trials import read_trials
from core.methods.planner import SHIPPED, PlannerMethod
from core.operators import Plan, execute

TRAIN, TEST, EDIT = "core/train_seq2seqL1.py", "core/test_seq2seqL1.py", "core/edit.py"


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def losses(folder):
    return read_lines(folder / "log.jsonl")


# All scripts (conftest.py reports scripts that no test has run)

@pytest.mark.parametrize("script", SCRIPTS)
def test_help_explains_every_flag_and_its_default(script, run_script, monkeypatch):
    parsers = []
    shown = argparse.ArgumentParser.print_help
    monkeypatch.setattr(argparse.ArgumentParser, "print_help",
                        lambda parser, *file: (parsers.append(parser), shown(parser, *file)))
    result = run_script(script, "--help")
    assert result.code == 0
    parser, = parsers
    assert f"python {script}" in result.out   # an example command
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        assert action.help, action.dest
        assert all(flag in result.out for flag in action.option_strings)
        if action.default not in (None, False, argparse.SUPPRESS):
            explained = parser._get_formatter()._expand_help(action)
            assert "default" in explained, action.dest


def test_every_trial_of_the_file_is_understood(run_script, project):
    """A trial with an unknown flag or value would fail before the missing vocabulary, or set, is reported."""
    for number in read_trials("seq2seqL1"):
        result = run_script(TRAIN, "--trial", number, "--language", "nowhere")
        missing = "vocabs_sess_1.json: no such vocabulary", "has neither op_record.json nor"   # a local trial's plans
        assert (result.code, any(words in result.err for words in missing)) == (2, True), result.err


# Planning

def test_planning_writes_plans_options_and_a_page(run_well, project):
    result = run_well("prepro/gen_greedy_seqs.py", *SYNTH, "--phase", "val", "--action_id", 3)
    folder = project / "output/actions_set_3"
    row, = read_lines(folder / "synth_val_sess_1.jsonl")
    assert {step.op for step in Plan.from_dict(row["plan"])} <= {"brightness"}
    assert json.loads((folder / "synth_val_sess_1.options.json").read_text())["operators"] == ["brightness"]
    assert (folder / "web_synth_val_sess_1/index.html").exists()
    assert "the notebook, FiveKReq train: 0.1201 -> 0.0521" in result.out


def test_a_users_own_set_keeps_its_order_and_its_options(run_well, run_script, project):
    own = ("prepro/gen_greedy_seqs.py", *SYNTH, "--action_id", 12, "--operators", "saturation,color", "--fixed_order",
           "--tolerance", 0)
    run_well(*own)
    path = project / "output/actions_set_12/synth_train_sess_1.jsonl"
    plans = [tuple(step.op for step in Plan.from_dict(row["plan"])) for row in read_lines(path)]
    assert len(plans) == 7
    assert set(plans) <= {(), ("saturation",), ("hue",), ("saturation", "hue")}
    assert ("saturation", "hue") in plans
    before = path.read_bytes()
    refused = run_script(*own, "--beam", 2)
    assert refused.code == 2
    assert "planned with beam 3, not 2; give another --action_id" in refused.err
    run_well(*own)
    assert path.read_bytes() == before


def test_plans_with_epsilon_are_random_and_repeatable_by_seed(run_well, project):
    plans = []
    for number, seed in ((12, 0), (13, 0), (14, 1)):
        run_well("prepro/gen_greedy_seqs.py", *SYNTH, "--action_id", number, "--operators",
                "brightness,contrast,saturation,tint", "--epsilon", 1, "--seed", seed)
        plans.append((project / f"output/actions_set_{number}/synth_train_sess_1.jsonl").read_bytes())
    assert plans[0] == plans[1] != plans[2]


def test_interrupted_planning_resumes_to_the_same_file(run_well, run_script, project, photo, on_opening):
    numbers, path = range(40), project / "output/actions_set_3/synth_train_sess_1.jsonl"
    for number in range(8):   # 40 pairs of 8 inputs and 5 outputs: two batches
        Image.fromarray(photo(24, 32, seed=number)).save(project / f"data/synth/images/{number}_O.png")
        Image.fromarray(photo(24, 32, seed=number + 9)).save(project / f"data/synth/images/{number}_A.png")
    (project / "data/synth/annotations/train_sess_1.json").write_text(json.dumps([
        {"input": f"{number % 8}_O.png", "output": f"{number // 8}_A.png", "request": "darker"} for number in numbers]))
    command = ("prepro/gen_greedy_seqs.py", *SYNTH, "--action_id", 3)
    run_well(*command)
    unbroken = path.read_bytes()
    path.unlink()

    end = on_opening(KeyboardInterrupt, path.name, nth=2)   # before the second batch is written
    assert run_script(*command).code == 130
    end()
    assert len(read_lines(path)) == 32
    for end in (None, -10, -len(unbroken) // 4):   # nothing is missing, or the file ends amid a line, as after a kill
        path.write_bytes(path.read_bytes()[:end])
        run_well(*command)
        assert path.read_bytes() == unbroken


def test_published_plans_are_imported(run_well, project):
    entries = json.loads((project / "data/synth/annotations/val_sess_1.json").read_text())
    for index, entry in enumerate(entries):
        folder = project / f"published/val{index}"
        folder.mkdir(parents=True)
        (folder / f"{index:05d}.json").write_text(json.dumps({
            "request": entry["request"], "init distance": 0.2, "operation sequence": [[["brightness", [0.5], 0.1]]]}))
    result = run_well("prepro/gen_greedy_seqs.py", *SYNTH, "--phase", "val", "--import_from", "published")
    row, = read_lines(project / "output/actions_set_1/synth_val_sess_1.jsonl")
    assert [(step.op, step.params) for step in Plan.from_dict(row["plan"])] == [("brightness", (0.5,))]
    assert "1 of 1 pairs have a plan in published" in result.out


# Training

def test_a_run_writes_all_its_files(tmp_path_factory):
    folder = tiny_project(tmp_path_factory) / RUN
    options = json.loads((folder / "options.json").read_text())
    assert (options["manual_seed"], options["num_iters"], bool(options["revision"])) == (0, 120, True)
    rows = losses(folder)
    assert [row["iteration"] for row in rows] == list(range(1, 121))
    assert {"iteration", "operator", "parameter", "L1", "sums", "health"} == set(rows[0])
    assert rows[-1]["health"]["model"]["gradient"] > 0
    assert rows[-1]["operator"] < rows[0]["operator"]
    assert list(folder.glob("events.out.tfevents.*"))
    assert {path.name for path in folder.glob("*.pt")} == {"last.pt", "best.pt"}
    assert "synth_seq2seqL1_trial_100 after 120 iterations" in (folder / "train/web/index.html").read_text()


def test_a_resumed_run_has_the_losses_of_an_unbroken_one(run_well, project):
    run_well(TRAIN, *TINY, "--trial", 8, "--num_iters", 6)
    run_well(TRAIN, *TINY, "--trial", 9, "--num_iters", 3)
    assert len(losses(project / "output/synth_seq2seqL1_trial_9")) == 3
    result = run_well(TRAIN, *TINY, "--trial", 9, "--num_iters", 6)
    assert "resuming output/synth_seq2seqL1_trial_9 after iteration 3" in result.out
    unbroken, resumed = (project / f"output/synth_seq2seqL1_trial_{number}/log.jsonl" for number in (8, 9))
    assert resumed.read_text() == unbroken.read_text()
    finished = run_well(TRAIN, *TINY, "--trial", 9, "--num_iters", 6)
    assert "nothing to do" in finished.out
    assert resumed.read_text() == unbroken.read_text()


def test_ctrl_c_finishes_the_iteration_and_saves_it(run_script, run_well, project, on_step):
    run_well(TRAIN, *TINY, "--trial", 8, "--num_iters", 5)
    on_step(3, lambda: signal.raise_signal(signal.SIGINT))
    result = run_script(TRAIN, *TINY, "--trial", 9, "--num_iters", 5)
    folder = project / "output/synth_seq2seqL1_trial_9"
    assert result.code == 130
    assert "run again to continue" in result.err
    assert len(losses(folder)) == 3
    run_well(TRAIN, *TINY, "--trial", 9, "--num_iters", 5)
    assert losses(folder) == losses(project / "output/synth_seq2seqL1_trial_8")


def test_a_run_that_broke_off_in_an_iteration_resumes_from_its_checkpoint(run_script, run_well, project, on_step):
    """The run breaks off as after a second Ctrl-C. Iteration 4 is repeated, and its log row occurs once."""
    run_well(TRAIN, *TINY, "--trial", 8, "--num_iters", 6)

    def interrupted():
        raise KeyboardInterrupt

    on_step(5, interrupted)
    command = (TRAIN, *TINY, "--trial", 9, "--num_iters", 6, "--checkpoint_every", 3)
    assert run_script(*command).code == 130
    result = run_well(*command)
    assert "after iteration 3" in result.out
    folder = project / "output/synth_seq2seqL1_trial_9"
    assert losses(folder) == losses(project / "output/synth_seq2seqL1_trial_8")
    assert not list(folder.glob(".*"))   # no temporary file


def test_sigint_from_a_terminal(project):
    """The script runs in a new process, because Ctrl-C must reach Python's own handlers and a data-loading worker."""
    command = [sys.executable, str(ROOT / TRAIN), *TINY, "--trial", "9", "--num_iters", "100000", "--num_workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=os.environ | {"PYTHONUNBUFFERED": "1"}, start_new_session=True)
    try:
        assert any(line.startswith("iter 2/") for line in process.stdout)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    folder = project / "output/synth_seq2seqL1_trial_9"
    assert PlannerMethod.load(folder / "last.pt", "seq2seqL1")
    assert len(losses(folder)) >= 2


def test_a_numbered_trial_gives_flags_and_the_command_line_overrides_them(run_well, project):
    run_well("prepro/gen_greedy_seqs.py", *SYNTH, "--action_id", 3)
    run_well(TRAIN, *TINY, "--trial", 4, "--num_iters", 1)
    run_well(TRAIN, *TINY, "--trial", 23, "--num_iters", 1, "--use_attention", 1)
    run_well(TRAIN, *TINY, "--trial", 4711, "--num_iters", 1)
    brightness, overridden, new = (
        json.loads((project / f"output/synth_seq2seqL1_trial_{number}/options.json").read_text())
        for number in (4, 23, 4711))
    assert brightness["action_id"] == 3
    assert overridden["use_attention"] == 1
    assert (new["action_id"], new["learning_rate"]) == (1, 1e-3)


def test_a_text_blind_copy_ignores_the_words(run_well, project):
    run_well(TRAIN, *TRAINED, "--trial", 9, "--text_blind", 1, "--visualize", 0)
    entries = json.loads((project / "data/synth/annotations/train_sess_1.json").read_text())
    image = to_tensor(load_image(project / "data/synth/images" / entries[0]["input"]))
    requests = sorted({entry["request"] for entry in entries})
    apart = {}
    for number in (9, 100):
        method = PlannerMethod.load(project / f"output/synth_seq2seqL1_trial_{number}/last.pt")
        results = torch.stack([execute(edited.plan, image) for edited in method.plans(image, requests)])
        apart[number] = (results - results[0]).abs().max()
    assert apart[9] < 1e-4 < 1e-3 < apart[100]


# Testing

def test_a_test_prints_lines_like_the_notebooks_and_writes_all_files(run_well, project):
    result = run_well(TEST, *SYNTH, "--trial", 100)
    folder = project / RUN / "test"
    measured = json.loads((folder / "metrics.json").read_text())
    metrics = measured["metrics"]
    for line in (f"input L1 dist {metrics['input L1']:.4f}, output L1 dist {metrics['output L1']:.4f}",
                 f"input SSIM {metrics['input SSIM']:.4f}, output SSIM {metrics['output SSIM']:.4f}",
                 "input FID(efficientnet-lite0) ", f"avg var: {metrics['avg var']:.6f}"):
        assert line in result.out
    assert (measured["run"], measured["images"]) == ("synth_seq2seqL1_trial_100", 2)
    rows = read_lines(folder / "images.jsonl")
    assert np.mean([row["output L1"] for row in rows]) == pytest.approx(metrics["output L1"])
    assert all(row["plan"] for row in rows)
    page = (folder / "web/index.html").read_text()
    assert all(row["request"] in page for row in rows)
    assert "synth_seq2seqL1_trial_100/test/web/index.html" in (project / "output/index.html").read_text()


def test_the_notebooks_figures_are_printed_beside_the_measured_ones(run_well, project):
    (project / RUN).rename(project / "output/synth_seq2seqL1_trial_1")
    result = run_well(TEST, *SYNTH, "--trial", 1, "--phase", "val", "--visualize", 0)
    assert "on synth val, 1 images, measured now; in brackets the notebook's figures, on FiveKReq test" in result.out
    assert "(0.1190), output L1 dist " in result.out
    assert "(0.8530)" in result.out
    assert "(0.006112)" in result.out
    assert "input FID(efficientnet-lite0) undefined (needs at least 2 images)" in result.out
    assert "12.3714 -> 6.2376, is on Inception features and cannot be compared" in result.out
    assert not (project / "output/synth_seq2seqL1_trial_1/test/web").exists()


def test_a_trial_with_two_seeds_is_trained_tested_and_reported_with_its_spread(run_well, project):
    run_well(TRAIN, *TINY, "--trial", 12, "--seeds", 2, "--num_iters", 2)
    result = run_well(TEST, *SYNTH, "--trial", 12, "--seeds", 2, "--visualize", 0)
    assert "mean and standard deviation over 2 seeds" in result.out
    runs = [project / f"output/synth_seq2seqL1_trial_12{suffix}" for suffix in ("", "_seed_1")]
    weights = [PlannerMethod.load(run / "last.pt").planner.operator_head.weight for run in runs]
    assert not torch.equal(*weights)
    seeds = json.loads((runs[0] / "test/seeds.json").read_text())
    measured = [json.loads((run / "test/metrics.json").read_text())["metrics"]["output L1"] for run in runs]
    assert seeds["mean"]["output L1"] == pytest.approx(sum(measured) / 2)


@pytest.mark.parametrize("reference", ["identity", "mean_edit", "auto_tone", "keywords", "planned"])
def test_references_are_measured_under_the_same_protocol(reference, run_well, project):
    result = run_well("core/test_references.py", *SYNTH, "--reference", reference, "--visualize", 0)
    folder = project / f"output/synth_{reference}_trial_1/test"
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    plans = [json.dumps(row["plan"]) for row in read_lines(folder / "images.jsonl")]
    assert f"output L1 dist {metrics['output L1']:.4f}" in result.out
    if reference == "identity":
        assert metrics["output L1"] == metrics["input L1"]
        assert set(plans) == {"[]"}
    elif reference == "mean_edit":
        assert len(set(plans)) == 1
    elif reference in ("auto_tone", "keywords"):   # rules without training, which may worsen the input
        assert len(set(plans)) > 1
        assert metrics["output L1"] != metrics["input L1"]
    else:
        assert metrics["output L1"] < metrics["input L1"] / 2


def test_the_demo_reports_whether_the_planner_obeys(run_well, project):
    result = run_well("core/demo_seq2seqL1.py", *SYNTH, "--trial", 100, "--short_edge", 64)
    rows = json.loads((project / RUN / "demo/obedience.json").read_text())
    assert "make it brighter" in result.out
    assert {"make it brighter", "make it darker", "sharpen it"} < {row["request"] for row in rows}
    assert (project / RUN / "demo/web/index.html").exists()


def test_the_first_result_needs_no_data_and_no_training(run_well, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_well("core/demo_seq2seqL1.py", "--short_edge", 64)
    page = tmp_path / "output/planner_that_ships/demo/web/index.html"
    rows = json.loads((page.parents[1] / "obedience.json").read_text())
    assert sum(row["obeys"] == "yes" for row in rows) >= len(rows) - 1   # the planner obeys nearly all
    assert page.exists()
    assert f"page: {page.relative_to(tmp_path)}" in result.out
    assert f"planner {SHIPPED}" in result.out


# Editing

def test_a_trained_demo_does_not_replace_the_shipped_planner(run_well, run_script, project, photo):
    Image.fromarray(photo()).save(project / "cat.png")
    edit = (EDIT, "--img", "cat.png", "--request", "make it brighter", "--overwrite")
    assert f"planner: {SHIPPED}" in run_well(*edit).out
    assert f"planner: {RUN}/best.pt" in run_well(*edit, "--checkpoint", "demo").out
    (project / RUN / "best.pt").unlink()
    refused = run_script(*edit, "--checkpoint", "demo")
    assert (refused.code, f"{RUN}/best.pt: no such checkpoint" in refused.err) == (2, True)


def test_an_edit_runs_at_the_photos_own_size_and_replays_to_the_bit(run_well, project, photo):
    Image.fromarray(photo(150, 211)).save(project / "cat.png")
    result = run_well(EDIT, "--img", "cat.png", "--request", "make it brighter")
    edited = Image.open(project / "cat_edited.png")
    plan = Plan.load(project / "cat_edited.plan.json")
    assert edited.size == (211, 150)
    assert len(plan)
    assert all(f"{step.op} " in result.out for step in plan)
    assert not np.array_equal(np.asarray(edited), photo(150, 211))
    run_well(EDIT, "--img", "cat.png", "--replay", "cat_edited.plan.json", "--out", "again.png")
    assert (project / "again.png").read_bytes() == (project / "cat_edited.png").read_bytes()
    assert (project / "again.plan.json").read_bytes() == (project / "cat_edited.plan.json").read_bytes()
    run_well(EDIT, "--img", "cat.png", "--replay", "cat_edited.plan.json", "--size", 70, "--out", "small/cat.jpg",
            "--plan", "small/how.json")
    assert Image.open(project / "small/cat.jpg").size == (70, 50)
    assert Plan.load(project / "small/how.json") == plan


def test_a_plan_that_was_changed_by_hand_can_be_replayed_from_its_file(run_well, project, photo):
    Image.fromarray(photo()).save(project / "cat.png")
    Plan.from_dict({"format": "ldie-plan", "version": 1, "steps": [{"op": "exposure", "params": [1.0]}]}).save("p.json")
    run_well(EDIT, "--img", "cat.png", "--replay", "p.json", "--out", "p.png", "--plan", "p.json")
    expected = np.clip(photo().astype(int) * 2, 0, 255)
    assert np.abs(np.asarray(Image.open("p.png")).astype(int) - expected).max() <= 1


def test_a_folder_is_edited_photo_by_photo(run_well, run_script, project, photo):
    (project / "trip").mkdir()
    for name in ("a.jpg", "a.png", "b.png"):
        Image.fromarray(photo(seed=len(name))).save(project / "trip" / name)
    result = run_well(EDIT, "--img", "trip", "--request", "make it brighter")
    assert "3 of 3 photos edited" in result.out
    assert sorted(path.name for path in (project / "trip_edited").iterdir()) == [
        "a.jpg", "a.jpg.plan.json", "a.png", "a.png.plan.json", "b.png", "b.png.plan.json"]
    (project / "trip/broken.jpg").write_bytes((project / "trip/a.jpg").read_bytes()[:300])
    result = run_script(EDIT, "--img", "trip", "--request", "make it brighter", "--out", "out")
    assert result.code == 2
    assert "1 photo(s) could not be edited:\n  trip/broken.jpg: " in result.err
    assert len(list((project / "out").glob("*.plan.json"))) == 3


def test_existing_files_are_replaced_only_with_overwrite(run_well, run_script, project, photo):
    Image.fromarray(photo()).save(project / "cat.png")
    edit = (EDIT, "--img", "cat.png", "--request", "make it brighter")
    for taken in ("cat_edited.png", "cat_edited.plan.json"):
        (project / taken).write_text("mine")
        result = run_script(*edit)
        assert (result.code, f"{taken}: exists; give --overwrite" in result.err) == (2, True)
        assert (project / taken).read_text() == "mine"
        (project / taken).unlink()
    (project / "cat_edited.png").write_text("mine")
    run_well(*edit, "--overwrite")
    assert Image.open(project / "cat_edited.png").size == (64, 48)


def test_the_plan_between_two_photos_is_found_and_applied_to_others(run_well, run_script, tmp_path, monkeypatch, photo):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trip").mkdir()
    for name, pixels in (("raw", photo()), ("done", photo() // 2), ("trip/a", photo(seed=1))):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    command = ("core/plan_pair.py", "--before", "raw.png", "--after", "done.png", "--apply_to", "trip", "--out", "out")
    run_well(*command)
    assert len(Plan.load("done.plan.json"))
    halved = np.asarray(Image.open("out/a.png")).astype(int)
    assert np.abs(halved - photo(seed=1) // 2).mean() < 3
    assert "done.plan.json: exists; give --overwrite" in run_script(*command, "--strength", 0.5).err
