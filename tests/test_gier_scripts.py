"""Scripts on GIER: the same programs with GIER's defaults, data modes and numbered trials."""
import json

import pytest
from tiny_project import TINY
from tiny_sets import add_fivek, add_gier

from core.engine.trials import get_trial, read_trials

PLAN, TRAIN, TEST = "prepro/gen_greedy_seqs_GIER.py", "core/train_GIER_seq2seqL1.py", "core/test_GIER_seq2seqL1.py"
SMALL = TINY[TINY.index("--vis_encoder"):]
VARIANTS = [f"core/{verb}_GIER_{name}.py" for name in ("seq2seqL1", "HaiWang", "bilinearGAN")
            for verb in ("train", "test")]


@pytest.fixture()
def gier(project):
    add_gier(project)
    return project


def test_gier_is_planned_trained_and_tested_by_the_scripts_of_every_set(gier, run_script):
    for command in ((PLAN,), (TRAIN, *SMALL, "--data_mode", "global+shapeAlign", "--trial", 6, "--num_iters", 2),
                    (TEST, "--data_mode", "global+shapeAlign", "--trial", 6)):
        result = run_script(*command)
        assert result.code == 0, result.err
    planned = (gier / "output/actions_set_1/GIER_train_sess_3.jsonl").read_text().splitlines()
    assert len(planned) == 7
    assert "on GIER test, 2 images, measured now; in brackets the notebook's figures, on GIER test" in result.out
    assert "(0.1028)" in result.out
    assert "--data_mode global+shapeAlign: 2 pairs" in result.out
    run = gier / "output/GIER_seq2seqL1_trial_6"
    assert json.loads((run / "options.json").read_text())["data_mode"] == "global+shapeAlign"
    assert json.loads((run / "test/metrics.json").read_text())["data_mode"] == "global+shapeAlign"


def test_a_reference_is_measured_in_a_data_mode(gier, run_script):
    (gier / "data/GIER/splits/test_global_sess_3.json").write_text("[1]")
    for reference in ("identity", "mean_edit"):
        result = run_script("core/test_references.py", "--dataset", "GIER", "--session", 3, "--data_mode",
                            "full+global", "--reference", reference, "--visualize", 0)
        assert result.code == 0, result.err
        assert "on GIER test, 1 images" in result.out


def test_a_vocabulary_is_built_from_the_summaries(gier, run_script):
    result = run_script("prepro/build_vocab.py", "--dataset", "GIER", "--session", 3, "--min_count", 1, "--out", "new")
    assert result.code == 0, result.err
    words = json.loads((gier / "new/GIER_vocabs_sess_3.json").read_text())
    assert "help" not in words   # a word of the web requests, which are in no sample
    assert len(words) > 10


@pytest.mark.parametrize("command", [(PLAN,), (TRAIN, *SMALL), (TEST, "--trial", 6)])
def test_an_unknown_mode_is_refused(command, gier, run_script):
    if command[0] == TEST:
        run = gier / "output/synth_seq2seqL1_trial_100"
        run.rename(gier / "output/GIER_seq2seqL1_trial_6")
    elif command[0] == TRAIN:
        (gier / "output/actions_set_1/GIER_train_sess_3.jsonl").write_text("")
    result = run_script(*command, "--data_mode", "global+aligned")
    assert result.code == 2
    assert result.err.count("error: ") == 1
    assert "error: --data_mode global+aligned: 'aligned' is unknown; known are: valid, shapeAlign" in result.err


def test_other_data_sets_refuse_a_mode_that_names_no_expert(project, run_script):
    add_fivek(project)
    result = run_script("core/train_seq2seqL1.py", *SMALL, "--data_mode", "global")
    assert result.code == 2
    assert "is of expert 'global'; the file's experts are: none" in result.err


def test_a_missing_planned_set_is_reported_with_the_command_that_makes_it(gier, run_script):
    result = run_script(TRAIN, *SMALL)
    assert result.code == 2
    command = "prepro/gen_greedy_seqs.py --dataset GIER --session 3 --phase train --action_id 1"
    assert command in result.err
    assert run_script(*command.split()).code == 0
    assert run_script(TRAIN, *SMALL, "--num_iters", 1).code == 0


@pytest.mark.parametrize("script", [*VARIANTS, PLAN])
def test_help_describes_the_called_script(script, run_script):
    result = run_script(script, "--help")
    assert result.code == 0, result.err
    assert f"python {script}" in result.out
    assert "(default: GIER)" in result.out


def test_a_data_set_has_its_own_trials(gier, run_script):
    assert get_trial("seq2seqL1", 1, "GIER").flags == {"data_mode": "global+shapeAlign"}
    assert get_trial("seq2seqL1", 1, "synth") == get_trial("seq2seqL1", 1)
    for number in read_trials("seq2seqL1", "GIER"):
        result = run_script(TRAIN, "--trial", number, "--language", "nowhere")
        assert "vocabs_sess_3.json: no such vocabulary" in result.err
    # the command line overrides the trial, and the trial overrides the defaults of the script
    (gier / "data/GIER/splits/train_shapeAlign_sess_3.json").write_text("[]")
    assert "--data_mode shapeAlign" in run_script(PLAN, "--data_mode", "shapeAlign").err
    assert run_script(PLAN).code == 0
    assert "no pair belongs to --data_mode shapeAlign" in run_script(TRAIN, *SMALL, "--trial", 5).err
    assert run_script(TRAIN, *SMALL, "--trial", 5, "--data_mode", "valid", "--num_iters", 1).code == 0
