"""The scripts of multi-label classification, run as a user runs them, on a tiny project."""
import json

import numpy as np
import pytest
from small_gier import pair, write_gier
from tiny_project import SYNTH, TINY
from tiny_sets import PHASES, add_gier

from core.engine.trials import read_trials

TRAIN, TEST = "core/train_multilabel.py", "core/test_multilabel.py"
TRAIN_BLIND, TEST_BLIND = "core/train_multilabel_abl1.py", "core/test_multilabel_abl1.py"
SMALL = ("--hidden_size", 16, "--batch_size", 8, "--print_every", 1)
SAID = {"brightness": "brighter", "hue": "warmer", "inpaint_obj": "remove"}


@pytest.fixture()
def gier(project):
    """A GIER of 32 pairs a phase whose words name the operators; without images."""
    add_gier(project)
    rng = np.random.default_rng(0)
    entries = {phase: [] for phase in PHASES}
    for number in range(96):
        chosen = [name for name in SAID if rng.random() < 0.5]
        words = " and ".join(SAID[name] for name in chosen) or "nothing"
        entries[PHASES[number % 3]].append(
            pair(number, words, f"please {words}", **{name: [0] if name == "inpaint_obj" else None for name in chosen}))
    write_gier(project / "data/GIER", entries, lambda entry, side: np.zeros((8, 8, 3), np.uint8))
    language = project / "data/language"
    (language / "GIER_vocabs_sess_3.json").write_text(json.dumps({word: place for place, word in enumerate(
        ("<NONE>", "<START>", "<END>", "<UNK>", *SAID.values(), "nothing", "please", "and"))}))
    (language / "GIER_vocabs_glove_feat_3.h5").unlink(missing_ok=True)
    return project


def measured(folder):
    return json.loads((folder / "metrics.json").read_text())


@pytest.mark.parametrize("experiment", ["multilabel", "multilabel_abl1"])
def test_every_trial_of_the_file_is_understood(experiment, run_script, project):
    for number in read_trials(experiment):
        result = run_script(f"core/train_{experiment}.py", "--trial", number, "--language", "nowhere")
        assert (result.code, "json: no such vocabulary" in result.err) == (2, True), result.err


def test_words_alone_tell_the_operators_and_the_words_of_others_do_not(run_well, gier):
    for phase in ("images", "masks"):
        (gier / "data/GIER" / phase).rename(gier / phase)   # the annotations are enough
    run_well(TRAIN_BLIND, "--session", 3, "--id", 2, *SMALL, "--num_iters", 300, "--checkpoint_every", 300,
             "--learning_rate", 0.01, "--pool_words", 1)
    result = run_well(TEST_BLIND, "--session", 3, "--id", 2, "--publish", "tiny")
    command = json.loads((gier / "docs/results/tiny.json").read_text())["command"]
    assert command == "python core/test_multilabel_abl1.py --session 3 --id 2 --publish tiny"
    folder = gier / "output/GIER_multilabel_abl1_trial_2/test"
    figures = measured(folder)
    assert figures["metrics"]["ROC"] > 0.95
    assert figures["metrics"]["exact"] > 0.7
    others = figures["references"]
    blind = others["operator frequency"]["metrics"]["ROC"]
    assert others["the same, with the requests of other samples"]["metrics"]["ROC"] < blind + 0.05
    assert others["bag of words, logistic regression"]["metrics"]["ROC"] > 0.95
    assert others["operator frequency"]["metrics"]["macro ROC"] == 0.5
    assert others["keyword editor"]["metrics"]["macro ROC"] > 0.7
    assert [row["label"] for row in figures["labels"]][:2] == ["brightness", "contrast"]
    assert "the notebook, on GIER test: ROC 0.9182" in result.out
    page = (folder / "web/index.html").read_text()
    assert "please remove" in page and "operator frequency" in page
    assert len((folder / "requests.jsonl").read_text().splitlines()) == 64


def test_a_photo_is_seen_and_a_resumed_run_equals_an_unbroken_one(run_well, project):
    flags = (*TINY, "--checkpoint_every", 2, "--manual_seed", 3)
    run_well(TRAIN, *flags, "--trial", 8, "--num_iters", 4)
    run_well(TRAIN, *flags, "--trial", 9, "--num_iters", 2)
    run_well(TRAIN, *flags, "--trial", 9, "--num_iters", 4)
    one, two = (project / f"output/synth_multilabel_trial_{number}/log.jsonl" for number in (8, 9))
    assert one.read_text() == two.read_text()
    result = run_well(TEST, *SYNTH, "--trial", 8, "--phase", "val")
    assert "the thresholds of F1 and exact sets are chosen on train" in (
        project / "output/synth_multilabel_trial_8/test_val/web/index.html").read_text()
    assert "synth_multilabel_trial_8 on synth val" in result.out


def test_mistakes_get_one_sentence(run_script, gier):
    def refused(*command):
        result = run_script(*command)
        assert result.code == 2, result.out
        assert result.err.count("error: ") == 1, result.err
        return result.err
    assert "--hidden_size 7: give an even number" in refused(TRAIN_BLIND, "--hidden_size", 7)
    path = gier / "data/GIER/splits/train_sess_3.json"
    entries = json.loads(path.read_text())
    entries[1]["operator"] = ["hue"]
    path.write_text(json.dumps(entries))
    assert "train_sess_3.json: p3_p3.png>p3_x.png: field 'operator' is not a table" in refused(TRAIN_BLIND, *SMALL)
    path.write_text(json.dumps([{"input": "a.png", "output": "b.png", "request": "brighter"}]))
    assert "no field 'operator', so there are no labels" in refused(TRAIN_BLIND, *SMALL)
    assert "GIER_multilabel_trial_7/best.pt: no such checkpoint" in refused(TEST, "--id", 7)
    run = gier / "output/GIER_multilabel_trial_7"
    run.mkdir()
    (run / "best.pt").write_bytes((gier / "output/synth_seq2seqL1_trial_100/best.pt").read_bytes())
    assert "of experiment 'seq2seqL1', not 'multilabel'" in refused(TEST, "--id", 7)
