"""The scripts of the image generators, in the tiny project: training, exact resuming, test and demo."""
import json

import pytest
import torch
from easydict import EasyDict
from tiny_project import SYNTH

from core.engine.checkpoints import load_checkpoint
from core.methods.generator import ImageMethod

TINY = (*SYNTH, "--ngf", 2, "--ndf", 2, "--cond_nc", 3, "--hidden_size", 4, "--num_D", 1, "--batch_size", 3,
        "--print_every", 1, "--checkpoint_every", 1, "--visualize", 0, "--gpu_ids", -1)
SCRIPTS = {
    "pix2pixHD": ("--netG", "resnet_1blocks", "--triple", "--no_vgg_loss"),
    "bilinearGAN": ("--netG", "resnet_1blocks", "--use_vgg", 0),
    "HaiWang": ("--which_model_netG", "unet_8", "--no_vgg_loss", "--model", "FilterBank", "--num_G", 2),
}


def train(run_script, experiment, num_iters, *flags, trial=200):
    run = run_script(f"core/train_{experiment}.py", *TINY, *SCRIPTS[experiment], "--trial", trial, "--num_iters",
                     num_iters, *flags)
    assert run.code == 0, run.err
    return run


def folder_of(project, experiment, trial=200):
    return project / "output" / f"synth_{experiment}_trial_{trial}"


def log_of(project, experiment, trial=200):
    """Return the losses of a run by iteration, without the notes on its health."""
    rows = [json.loads(line) for line in (folder_of(project, experiment, trial) / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if isinstance(value, (int, float))} for row in rows]


def networks(project, experiment, trial=200):
    state = load_checkpoint(folder_of(project, experiment, trial) / "last.pt", experiment)
    return {"G": state["model"]["weights"], "D": state["others"]["D"]["model"]["weights"]}


@pytest.mark.parametrize("experiment", SCRIPTS)
def test_both_networks_learn_and_an_interrupted_run_resumes_exactly(experiment, project, run_script):
    train(run_script, experiment, 1, "--schedule", "constant")
    before = networks(project, experiment)
    train(run_script, experiment, 3, "--schedule", "constant")
    after = networks(project, experiment)
    for network in ("G", "D"):
        moved = {name for name in before[network] if not torch.equal(before[network][name], after[network][name])}
        assert any("request_encoder" in name for name in moved), f"the language encoder of {network}"
        assert any("trunk" in name or "bank" in name or "scales" in name for name in moved), network
    train(run_script, experiment, 3, "--schedule", "constant", trial=201)
    broken, whole = log_of(project, experiment), log_of(project, experiment, 201)
    assert broken == whole and len(whole) == 3
    assert {"GAN", "D real", "D fake", "D_accuracy_real", "D_accuracy_fake"} <= whole[0].keys()


@pytest.mark.parametrize("experiment", SCRIPTS)
def test_a_run_is_tested_by_the_common_evaluation(experiment, project, run_script, monkeypatch):
    train(run_script, experiment, 2, "--visualize", 1)
    folder = folder_of(project, experiment)
    assert (folder / "train" / "web" / "index.html").exists()
    run = run_script(f"core/test_{experiment}.py", *SYNTH, "--trial", 200, "--phase", "val")
    assert run.code == 0, run.err
    measured = json.loads((folder / "test_val" / "metrics.json").read_text())
    assert measured["works at"].startswith("the photo's size, padded to a multiple of")
    assert 0 < measured["metrics"]["output L1"] < 1
    assert (folder / "test_val" / "web" / "index.html").exists()

    image = torch.rand(3, 40, 50)
    method = ImageMethod.of_run(EasyDict(dataset="synth", experiment=experiment, trial=200, suffix="", output="output",
                                         checkpoint="last.pt", expected=()))
    weights = networks(project, experiment)["G"]
    again = type(method.generator)(method.generator.config).eval()
    again.load_state_dict(weights)
    torch.testing.assert_close(
        method(image, "make it brighter").image,
        again(image[None], torch.tensor([method.vocab.encode("make it brighter")]))[0])


@pytest.mark.parametrize("experiment", ["pix2pixHD", "HaiWang"])
def test_a_demo_shows_how_much_results_differ_between_requests(experiment, project, run_script):
    train(run_script, experiment, 1)
    run = run_script(f"core/demo_{experiment}.py", *SYNTH, "--trial", 200, "--short_edge", 40, "--requests",
                     "make it brighter", "<b>darker</b>")
    assert run.code == 0, run.err
    assert "variance over the requests: 0." in run.out and "<b>darker</b>" in run.out
    page = (folder_of(project, experiment) / "demo" / "web" / "index.html").read_text()
    assert "make it brighter" in page and "<b>darker</b>" not in page


@pytest.mark.parametrize(("encoders", "equal", "taught_by_both"), [
    ("separate", False, True), ("shared", True, True), ("G", True, False)])
def test_chosen_networks_train_the_language_encoder_of_pix2pixhd(encoders, equal, taught_by_both, project, run_script):
    train(run_script, "pix2pixHD", 2, "--encoders", encoders)
    weights = networks(project, "pix2pixHD")
    reader = [name for name in weights["G"] if name.startswith("request_encoder.")]
    assert all(torch.equal(weights["G"][name], weights["D"][name]) for name in reader) == equal
    state = load_checkpoint(folder_of(project, "pix2pixHD") / "last.pt")["others"]["D"]
    learning = len(state["optimizer"]["param_groups"][0]["params"])
    assert (learning > len(weights["D"]) - len(reader)) == taught_by_both


def test_the_average_of_the_weights_is_validated_saved_tested_and_resumed(project, run_script):
    plain, flags = ("--schedule", "constant"), ("--schedule", "constant", "--ema", "0.9")
    train(run_script, "pix2pixHD", 3, *plain)
    train(run_script, "pix2pixHD", 2, *flags, trial=201)
    train(run_script, "pix2pixHD", 3, *flags, trial=201)
    train(run_script, "pix2pixHD", 3, *flags, trial=202)
    assert log_of(project, "pix2pixHD", 201) == log_of(project, "pix2pixHD"), "it changes no step"
    states = [load_checkpoint(folder_of(project, "pix2pixHD", trial) / "last.pt") for trial in (201, 202)]
    averages = [state["others"]["average"]["model"]["weights"] for state in states]
    assert all(torch.equal(averages[0][name], averages[1][name]) for name in averages[0])
    assert any(not torch.equal(averages[0][name], states[0]["model"]["weights"][name]) for name in averages[0])
    method = ImageMethod.of_run(EasyDict(dataset="synth", experiment="pix2pixHD", trial=201, suffix="", output="output",
                                         checkpoint="last.pt", expected=()))
    tested = method.generator.state_dict()
    assert all(torch.equal(tested[name].cpu(), averages[0][name]) for name in tested)
    run = run_script("core/train_pix2pixHD.py", *TINY, *SCRIPTS["pix2pixHD"], "--trial", 203, "--ema", 1)
    assert run.code == 2 and "--ema" in run.err


def test_a_discriminator_may_have_no_words(project, run_script):
    train(run_script, "pix2pixHD", 1, "--encoders", "only_G", "--triple", 0)
    assert not any(name.startswith("request_encoder.") for name in networks(project, "pix2pixHD")["D"])
    run = run_script("core/train_pix2pixHD.py", *TINY, "--encoders", "only_G", "--triple", "--trial", 202)
    assert run.code == 2 and "--triple: needs a discriminator that reads words" in run.err


@pytest.mark.parametrize(("experiment", "flags"), [
    ("HaiWang", ("--model", "Bucket")), ("HaiWang", ("--model", "Pix2Pix", "--triple", "1", "--no_lsgan")),
    ("bilinearGAN", ("--fusing_method", "FiLM", "--gan", "hinge", "--lambda_L1", "1")),
    ("bilinearGAN", ("--fusing_method", "concat", "--gan", "wgan", "--r1", "0.1"))])
def test_the_other_models_and_adversarial_losses_train(experiment, flags, project, run_script):
    train(run_script, experiment, 1, *flags)
    row, = log_of(project, experiment)
    assert all(abs(value) < 1e6 for value in row.values())
    assert ("D wrong_words" in row) == (experiment == "bilinearGAN" or "--triple" in flags)
    assert ("D penalty" in row) == ("wgan" in flags) and ("D r1" in row) == ("--r1" in flags)


@pytest.mark.parametrize(("experiment", "script", "flags", "sentence"), [
    ("HaiWang", "test", ("--model", "Pix2Pix"), r"was trained with --model FilterBank, not Pix2Pix"),
    ("HaiWang", "demo", ("--num_G", 7), r"was trained with --num_G 2, not 7"),
    ("bilinearGAN", "test", ("--fusing_method", "FiLM"), r"was trained with --fusing_method lowrank_BP, not FiLM"),
    ("pix2pixHD", "test", ("--trial", 7777), r"best.pt: no such checkpoint"),
])
def test_a_test_of_another_network_is_refused(experiment, script, flags, sentence, project, run_script):
    train(run_script, experiment, 1)
    run = run_script(f"core/{script}_{experiment}.py", *SYNTH, "--trial", 200, *flags)
    assert run.code == 2
    assert sentence in run.err and run.err.count("\n") == 1


@pytest.mark.parametrize(("flags", "sentence"), [
    (("--batch_size", 1, "--norm_G", "batch"), "--batch_size 1: batch norm has no statistics"),
    (("--netG", "unet_100"), "generator 'unet_100' is unknown"),
    (("--hidden_size", 5), "--hidden_size 5: give an even number"),
])
def test_impossible_training_flags_are_refused_in_a_sentence(flags, sentence, project, run_script):
    run = run_script("core/train_pix2pixHD.py", *TINY, *SCRIPTS["pix2pixHD"], "--trial", 203, "--num_iters", 1, *flags)
    assert run.code == 2
    assert sentence in run.err.splitlines()[-1] and "Traceback" not in run.err


def test_the_perceptual_loss_names_its_network(project, run_script):
    run = train(run_script, "bilinearGAN", 1, "--use_vgg")
    assert "the perceptual loss compares features of" in run.out + run.err
    assert log_of(project, "bilinearGAN")[0]["VGG"] > 0
