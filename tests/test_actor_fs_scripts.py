"""actor_fs, the planner that is trained on planned sequences only: its training data, resuming, trials and test."""
import json

import pytest
import torch
from tiny_project import SYNTH, TINY

from core.engine.trials import read_trials
from core.methods.planner import PlannerMethod

TRAIN, TEST = "core/train_actor_fs.py", "core/test_actor_fs.py"
RUN = "output/synth_actor_fs_trial_101"
SMALL = (*TINY, "--trial", 101, "--crop", 0)


@pytest.fixture()
def losses(project, run_script):
    """Return `train(*flags)`: train trial 101; return the rows of its log."""
    def train(*flags):
        result = run_script(TRAIN, *SMALL, *flags)
        assert result.code == 0, result.err
        return [json.loads(line) for line in (project / RUN / "log.jsonl").read_text().splitlines()]
    return train


def weights(path):
    return torch.load(path, weights_only=True)["model"]["weights"]


def test_training_uses_planned_sequences_and_ignores_targets(project, losses):
    rows = losses("--num_iter", 12, "--checkpoint_every", 1, "--learning_rate", 0.01, "--dropout", 0)
    assert {"operator", "parameter"} <= set(rows[0])
    assert "L1" not in rows[0]
    assert sum(rows[-1][name] for name in ("operator", "parameter")) < sum(
        rows[0][name] for name in ("operator", "parameter"))
    path = project / "output/actions_set_1/synth_train_sess_1.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row["plan"]["steps"] = [{"op": "sharpness", "params": [1.0]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    losses("--num_iters", 40, "--checkpoint_every", 40, "--learning_rate", 0.01, "--dropout", 0, "--restart")
    plan = PlannerMethod.load(project / RUN / "last.pt", "actor_fs")(torch.rand(3, 40, 60), "make it darker").plan
    assert [step.op for step in plan] == ["sharpness"]   # learnt from the sequences; the targets look different


def test_a_resumed_run_equals_an_unbroken_one(project, losses):
    unbroken = losses("--num_iters", 4, "--checkpoint_every", 2)
    whole = weights(project / RUN / "last.pt")
    losses("--num_iters", 2, "--checkpoint_every", 2, "--restart")
    half = weights(project / RUN / "last.pt")
    assert losses("--num_iters", 4, "--checkpoint_every", 2) == unbroken
    resumed = weights(project / RUN / "last.pt")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not torch.equal(half["operator_head.weight"], whole["operator_head.weight"])


def test_the_test_script_is_that_of_every_planner(project, losses, run_script):
    losses("--num_iters", 1)
    (project / RUN).rename(project / "output/synth_actor_fs_trial_5")
    result = run_script(TEST, *SYNTH, "--trial", 5, "--print_every", 100, "--visualize_every", 100)
    assert result.code == 0, result.err
    assert "(0.0949)" in result.out
    assert "(0.000532)" in result.out
    assert (project / "output/synth_actor_fs_trial_5/test/web/index.html").exists()
    image = torch.rand(3, 40, 60)
    edited = [PlannerMethod.load(project / f"output/synth_actor_fs_trial_5/{name}.pt", "actor_fs")(image, "brighter")
              for name in ("best", "last")]
    assert torch.equal(edited[0].image, edited[1].image)
    (project / "output/synth_actor_fs_trial_5").rename(project / "output/synth_seq2seqL1_trial_5")
    refused = run_script("core/test_seq2seqL1.py", *SYNTH, "--trial", 5)
    assert (refused.code, "a checkpoint of experiment 'actor_fs', not 'seq2seqL1'" in refused.err) == (2, True)


def test_every_trial_is_understood(project, run_script):
    for number in read_trials("actor_fs"):
        result = run_script(TRAIN, "--trial", number, "--language", "nowhere")
        assert (result.code, "vocabs_sess_1.json: no such vocabulary" in result.err) == (2, True), result.err
