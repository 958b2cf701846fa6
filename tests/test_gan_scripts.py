"""Scripts of planners with a discriminator: updates, logs, files, and refused flags."""
import json
import shutil
from pathlib import Path

import pytest
import torch
from tiny_project import RUN, SYNTH, TINY
from torch.nn.modules.module import register_module_forward_pre_hook

from core.engine.language import Language
from core.engine.run import Run
from core.engine.trials import read_trials
from core.files import UserError
from core.methods.planner import PlannerMethod
from core.models.gan.discriminator import MultiScaleDiscriminator
from core.training.adversarial import build_discriminator

EXPERIMENTS = ("seq2seqGAN", "seq2seqAdaptGAN")
DISCRIMINATOR = ("--ndf", 4, "--cond_nc", 4, "--num_D", 1)
GAN_ONLY = ("--no_vgg_loss", "--no_ganFeat_loss")
ON_D = {"D real", "D fake", "D_accuracy_real", "D_accuracy_fake"}


@pytest.fixture()
def train(run_script, project):
    """Return `train(experiment, *flags, trial=1)`: train in the tiny project; return the rows of the log.

    If an exit `code` other than 0 is given, the script must end with it, and its result is returned.
    """
    def run(experiment, *flags, trial=1, code=0):
        result = run_script(f"core/train_{experiment}.py", *TINY, *DISCRIMINATOR, "--trial", trial, *flags)
        assert result.code == code, result.err
        return result if code else [json.loads(line) for line in (folder(experiment, trial) / "log.jsonl").open()]
    return run


def folder(experiment, trial=1):
    return Path(f"output/synth_{experiment}_trial_{trial}")


def state(experiment, name="last.pt"):
    return torch.load(folder(experiment) / name, weights_only=True)


def moved(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def losses_of(row):
    return set(row) - {"iteration", "sums", "health"}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_odd_iterations_are_supervised_and_even_ones_adversarial(train, experiment):
    # with this seed the first plans have steps; empty plans would give no gradient in iteration 2
    rows = train(experiment, "--num_iters", 2, "--checkpoint_every", 1, "--manual_seed", 3)
    assert losses_of(rows[0]) == {"operator", "parameter"}
    assert losses_of(rows[1]) == {"GAN", "features", "perceptual"} | ON_D
    assert all(0 <= rows[1][name] <= 1 for name in rows[1] if "accuracy" in name)
    assert set(rows[1]["health"]) == {"model", "D"}
    assert all(health["non-finite"] == 0 and health["gradient"] > 0 for health in rows[1]["health"].values())


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_each_network_changes_only_in_its_own_iterations(train, experiment):
    weights = {}
    for done in (1, 2, 4):
        train(experiment, "--num_iters", done, *GAN_ONLY)
        saved = state(experiment)
        weights[done] = {"G": saved["model"]["weights"], "D": saved["others"]["D"]["model"]["weights"]}
    assert moved(weights[1]["D"], weights[2]["D"]), "the second iteration is the discriminator's first"
    for name in "GD":
        assert moved(weights[2][name], weights[4][name]), name


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_a_resumed_run_gives_the_losses_of_an_unbroken_one(train, experiment):
    unbroken = train(experiment, "--num_iters", 4, "--no_vgg_loss")
    train(experiment, "--num_iters", 2, "--no_vgg_loss", "--restart")
    assert train(experiment, "--num_iters", 4, "--no_vgg_loss") == unbroken


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_a_checkpoint_restores_both_networks(train, experiment, monkeypatch):
    runs = []
    monkeypatch.setattr(Run, "save", lambda run, *args, save=Run.save: (save(run, *args), runs.append(run)))
    train(experiment, "--num_iters", 2)
    trained, saved = runs[-1].networks, state(experiment)
    generator = torch.Generator().manual_seed(0)
    image, other = torch.rand(2, 1, 3, 64, 64, generator=generator)
    ids = torch.tensor([[1, 5, 4, 2]])
    with torch.no_grad():
        planner = PlannerMethod.load(folder(experiment) / "last.pt", experiment).planner
        assert torch.equal(planner(image, ids).image, trained["model"].eval()(image, ids).image)
        D = MultiScaleDiscriminator.from_checkpoint(saved["others"]["D"]["model"]).eval()
        assert torch.equal(D(image, other, ids)[0][0], trained["D"].eval()(image, other, ids)[0][0])


@pytest.mark.parametrize(("flags", "expected"), [
    (GAN_ONLY, {"GAN"}), (("--no_vgg_loss",), {"GAN", "features"}), (("--no_ganFeat_loss",), {"GAN", "perceptual"}),
    (("--no_lsgan", *GAN_ONLY), {"GAN"}), (("--gan", "hinge", "--r1", 5, *GAN_ONLY), {"GAN", "D r1"}),
    (("--gan", "wgan", *GAN_ONLY), {"GAN", "D penalty"})])
def test_every_loss_can_be_switched_off(train, flags, expected):
    rows = train("seq2seqGAN", "--num_iters", 2, *flags)
    assert losses_of(rows[1]) == expected | ON_D


def test_no_lsgan_and_gan_vanilla_give_the_same_losses(train):
    rows = train("seq2seqGAN", "--num_iters", 2, "--no_lsgan", *GAN_ONLY)
    assert train("seq2seqGAN", "--num_iters", 2, "--gan", "vanilla", *GAN_ONLY, "--restart") == rows
    assert train("seq2seqGAN", "--num_iters", 2, *GAN_ONLY, "--restart")[1]["D real"] != rows[1]["D real"]


def test_the_pseudo_target_is_the_result_of_the_planned_sequence(train):
    seen = []
    handle = register_module_forward_pre_hook(
        lambda network, given: seen.append(given) if isinstance(network, MultiScaleDiscriminator) else None)
    try:
        train("seq2seqAdaptGAN", "--num_iters", 2, *GAN_ONLY)
    finally:
        handle.remove()
    real, planned, fake = zip(*(part.chunk(3) for part in seen[0]), strict=True)   # each: source, candidate, words
    assert torch.equal(real[0], planned[0])
    assert torch.equal(real[0], fake[0])
    before, after = ((image - real[1]).abs().mean() for image in (real[0], planned[1]))
    assert after < before / 2   # planned sequences come close to the targets


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_test_script_measures_the_trained_planner(train, run_script, experiment):
    train(experiment, "--num_iters", 2, "--checkpoint_every", 2, *GAN_ONLY)
    script = f"core/test_{experiment}.py"
    result = run_script(script, *SYNTH, "--print_every", 100, "--visualize_every", 100, "--visualize", 0,
                        "--is_train", 0, "--trial", 1)
    assert result.code == 0, result.err
    measured = json.loads((folder(experiment) / "test/metrics.json").read_text())
    assert measured["experiment"] == experiment
    assert 0 < measured["metrics"]["output L1"] < 1
    shutil.copytree(RUN, folder(experiment, 3))
    refused = run_script(script, *SYNTH, "--trial", 3)
    assert (refused.code, "a checkpoint of experiment 'seq2seqL1'" in refused.err) == (2, True)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_trial_is_understood_and_has_the_notebooks_figure(run_script, project, experiment):
    trials = read_trials(experiment)
    for number in trials:
        result = run_script(f"core/train_{experiment}.py", "--trial", number, "--language", "nowhere")
        assert (result.code, "vocabs_sess_1.json: no such vocabulary" in result.err) == (2, True), result.err
    assert {number for number, trial in trials.items() if "output L1" in trial.notebook} == {
        number for number in trials if 0 < number < 100}   # the notebook has no figure for trial 0


def test_a_trial_sets_flags_without_a_value(train):
    train("seq2seqGAN", "--num_iters", 1, trial=7)
    made = json.loads((folder("seq2seqGAN", 7) / "options.json").read_text())
    assert (made["gan"], made["no_vgg_loss"], made["no_ganFeat_loss"]) == ("vanilla", True, True)


@pytest.mark.parametrize(("flags", "sentence"), [
    (("--norm_D", "batch", "--batch_size", 1), "--batch_size 1: batch norm"),
    (("--crop", 20), "20 x 20 pixels is too small for the discriminator"),
    (("--action_id", 9), "gen_greedy_seqs.py"), (("--vgg_weights", "none.pth"), "none.pth: cannot be read"),
    (("--norm_D", "layer"), "invalid choice: 'layer'"), (("--num_D", 0), "0 is out of range")])
def test_impossible_flags_are_refused_in_one_sentence(train, flags, sentence):
    refused = train("seq2seqGAN", "--num_iters", 2, *flags, code=2)
    assert sentence in refused.err
    assert "Traceback" not in refused.err


def test_a_run_does_not_resume_with_other_flags_of_the_discriminator(train):
    train("seq2seqGAN", "--num_iters", 1)
    assert "--ndf 4, not 8" in train("seq2seqGAN", "--num_iters", 2, "--ndf", 8, code=2).err


def test_word_pieces_are_refused():
    with pytest.raises(UserError, match="--lang_encoder minilm: the discriminator reads words"):
        build_discriminator(None, Language(None, None, None, minilm=Path("all-MiniLM-L6-v2")))
