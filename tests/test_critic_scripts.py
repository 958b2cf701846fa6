"""The scripts of the critics and of planning on critics, run as a user runs them, on a tiny project."""
import json
import math

import pytest
import torch
from tiny_project import SYNTH

from core.engine.trials import read_trials
from core.methods.critics import load_critic
from core.operators import Plan

TRAIN, TRAIN1 = "core/train_self_discriminator.py", "core/train_self_discriminator1.py"
TEST, TEST1 = "core/test_self_discriminator.py", "core/test_self_discriminator1.py"
PLAN, PLAN_ALIAS, DEMO = "core/plan_on_discriminator.py", "core/utils/beam_search.py", "core/demo_seq2seqGAN_plan.py"
TINY = (*SYNTH, "--hidden_size", 8, "--cond_nc", 8, "--batch_size", 4, "--print_every", 1, "--visualize", 0)
SHORT = ("--operators", "brightness,saturation", "--beam", 1, "--max_steps", 1)   # a quick search
NOTEBOOK = ("--no_lsgan", "--no_vgg_loss", "--no_ganFeat_loss")


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_of(project, trial, experiment="self_discriminator1"):
    return project / f"output/synth_{experiment}_trial_{trial}"


def weights(folder, name="model", file="last.pt"):
    state = torch.load(folder / file, weights_only=True)
    return (state if name == "model" else state["others"][name])["model"]["weights"]


def moved(before, after):
    return any(not torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("experiment", ["self_discriminator", "self_discriminator1"])
def test_every_trial_of_the_file_is_understood(experiment, run_script, project):
    """A trial with an unknown flag or value would fail before the missing vocabulary is reported."""
    for number in read_trials(experiment):
        result = run_script(f"core/train_{experiment}.py", "--trial", number, "--language", "nowhere")
        assert (result.code, "json: no such vocabulary" in result.err) == (2, True), result.err


def test_a_critic_learns_and_a_resumed_run_equals_an_unbroken_one(run_well, project):
    run_well(TRAIN1, *TINY, "--trial", 20, "--num_iters", 4, "--checkpoint_every", 2)
    run_well(TRAIN1, *TINY, "--trial", 21, "--num_iters", 2, "--checkpoint_every", 2)
    halfway = weights(run_of(project, 21))
    run_well(TRAIN1, *TINY, "--trial", 21, "--num_iters", 4, "--checkpoint_every", 2)
    unbroken, resumed = (rows_of(run_of(project, number) / "log.jsonl") for number in (20, 21))
    assert resumed == unbroken
    assert [row["iteration"] for row in unbroken] == [1, 2, 3, 4]
    assert all(math.isfinite(row[name]) for row in unbroken for name in ("real", "fake", "D_accuracy_real"))
    assert moved(halfway, weights(run_of(project, 21)))
    validations = rows_of(run_of(project, 20) / "validation.jsonl")
    assert all(0 <= row["AUC"] <= 1 for row in validations)


def test_the_planner_that_is_trained_with_a_critic_learns(run_well, project):
    command = (TRAIN1, *TINY, "--trial", 10, "--vis_encoder", "small")
    run_well(*command, "--num_iters", 1)
    before = {name: weights(run_of(project, 10), name) for name in ("model", "G")}
    run_well(*command, "--num_iters", 3)
    assert all(moved(before[name], weights(run_of(project, 10), name)) for name in before)
    row = rows_of(run_of(project, 10) / "log.jsonl")[-1]
    assert {"G operator", "G parameter", "G judged", "real", "fake"} <= row.keys()


@pytest.mark.parametrize(("objective", "losses"), [
    ("triplet", {"real", "fake", "triplet"}), ("ranking", {"ranking"}), ("regression", {"regression"})])
def test_each_objective_has_its_losses(objective, losses, run_well, project):
    run_well(TRAIN1, *TINY, "--trial", 22, "--num_iters", 1, "--objective", objective, "--reweight", 1)
    row, = rows_of(run_of(project, 22) / "log.jsonl")
    noted = {"iteration", "sums", "health", "D_accuracy_real", "D_accuracy_fake"}
    assert row.keys() - noted == losses


def test_a_test_reports_the_accuracy_of_a_critic_by_kind(run_well, project):
    run_well(TRAIN1, *TINY, "--trial", 4, "--num_iters", 2)
    result = run_well(TEST1, *SYNTH, "--print_every", 50, "--trial", 4)
    folder = run_of(project, 4) / "test"
    measured, rows = json.loads((folder / "metrics.json").read_text()), rows_of(folder / "images.jsonl")
    assert measured["images"] == len(rows) == 2
    assert {"cut short", "random edit"} <= measured["by_kind"].keys()      # the phase has plans
    assert set(measured["metrics"]) == {"AUC", "ranked", "accuracy"}
    pairs = [(row["scores"]["right"], score) for row in rows
             for kind, score in row["scores"].items() if kind != "right"]
    assert measured["metrics"]["ranked"] == pytest.approx(sum(right > wrong for right, wrong in pairs) / len(pairs))
    assert sum(row["count"] for row in measured["by_kind"].values()) == len(pairs)
    assert "the notebook: accuracy 0.5" in result.out
    page = (folder / "web/index.html").read_text()
    assert "favours" in page
    assert all(row["request"] in page for row in rows)
    assert "synth_self_discriminator1_trial_4/test/web/index.html" in (project / "output/index.html").read_text()


def test_scores_without_a_zero_have_no_accuracy(run_well, project):
    run_well(TRAIN1, *TINY, "--trial", 22, "--num_iters", 1, "--objective", "ranking")
    run_well(TEST1, *SYNTH, "--trial", 22, "--visualize", 0)
    metrics = json.loads((run_of(project, 22) / "test/metrics.json").read_text())["metrics"]
    assert metrics["accuracy"] is None
    assert 0 <= metrics["AUC"] <= 1


def test_a_critic_without_plans_is_trained_and_tested(run_well, project):
    run_well(TRAIN, *TINY, "--shuffle", 1, "--use_attention", 0, "--num_iters", 2)
    result = run_well(TEST, *SYNTH, "--phase", "val")
    assert "no mixed trajectories (prepro/gen_greedy_seqs.py --dataset synth --phase val plans them)" in result.out
    folder = run_of(project, 1, "self_discriminator")
    assert set(json.loads((folder / "test_val/metrics.json").read_text())["by_kind"]) == {"unedited", "random edit"}
    critic, vocab, options = load_critic(folder / "best.pt", "self_discriminator")
    assert (options["use_attention"], critic.config.use_attention) == (0, False)
    assert critic.config.words == vocab.names


def test_plans_on_a_critic_are_measured_by_the_common_evaluation(run_well, project):
    run_well(TRAIN1, *TINY, "--trial", 101, "--num_iters", 2)
    run_well(PLAN, *SYNTH, *SHORT, "--dist_type", "self-disc", "--trial", 101, "--short_edge", 48, "--phase", "val")
    folder = project / "output/synth_plan_on_self-disc_trial_101/test_val"
    measured = json.loads((folder / "metrics.json").read_text())
    assert (measured["judge"], measured["beam"]) == ("self_discriminator1 trial 101", 1)
    assert "avg var" in measured["metrics"]
    for row in rows_of(folder / "images.jsonl"):
        plan = Plan.from_dict({"format": "ldie-plan", "version": 1, "steps": row["plan"]})
        assert {step.op for step in plan} <= {"brightness", "saturation"}
        assert len(plan) <= 1


def test_plans_on_the_target_need_no_critic(run_well, project):
    run_well(PLAN, *SYNTH, "--dist_type", "L1", "--trial", 1, "--short_edge", 48, "--visualize", 0)
    metrics = json.loads((project / "output/synth_plan_on_L1_trial_1/test/metrics.json").read_text())["metrics"]
    assert metrics["output L1"] < 0.7 * metrics["input L1"]
    assert "avg var" not in metrics


def test_plans_on_a_discriminator_under_the_notebooks_names(run_well, project):
    run_well("core/train_seq2seqGAN.py", *TINY, *NOTEBOOK, "--vis_encoder", "small", "--num_D", 1, "--ndf", 2,
            "--num_iters", 2, "--trial", 7)
    run_well(PLAN_ALIAS, *SYNTH, *SHORT, *NOTEBOOK, "--trial", 7, "--short_edge", 48, "--phase", "val")
    assert (project / "output/synth_plan_on_seq2seqGAN-disc_trial_7/test_val/metrics.json").is_file()
    result = run_well(DEMO, *SYNTH, *SHORT, *NOTEBOOK, "--trial", 7, "--short_edge", 48,
                     "--requests", "make it brighter", "<b>darker</b>")
    assert "seq2seqGAN trial 7" in result.out
    page = (project / "output/synth_plan_on_seq2seqGAN-disc_trial_7/demo/web/index.html").read_text()
    assert "make it brighter" in page
    assert "<b>darker</b>" not in page and "&lt;b&gt;darker" in page


def test_a_mistake_gets_one_sentence(run_script, run_well, project):
    def refused(*command):
        result = run_script(*command)
        assert result.code == 2
        assert "Traceback" not in result.err
        last = result.err.strip().splitlines()[-1]
        return last[last.index("error: "):]
    assert "synth_self_discriminator1_trial_9/best.pt: no such checkpoint" in refused(TEST1, *SYNTH, "--trial", 9)
    assert "synth_seq2seqGAN_trial_7/best.pt: no such checkpoint" in refused(PLAN, *SYNTH, "--trial", 7)
    assert "--hidden_size 7: give an even number" in refused(TRAIN1, *TINY, "--hidden_size", 7)
    assert "gen_greedy_seqs.py" in refused(TRAIN1, *TINY, "--action_id", 9)
    assert "unknown operator 'glow'" in refused(PLAN, *SYNTH, "--dist_type", "L1", "--operators", "glow")
    (run_of(project, 9)).mkdir()
    (run_of(project, 9) / "best.pt").write_bytes((project / "output/synth_seq2seqL1_trial_100/best.pt").read_bytes())
    assert "a checkpoint of experiment 'seq2seqL1', not 'self_discriminator1'" in refused(TEST1, *SYNTH, "--trial", 9)
