"""A user's mistake or a full disk gets one clear sentence and exit code 2, and damages no existing file."""
import errno
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_project import RUN, SYNTH, TAUGHT, TINY, copy_of, tiny_project

from core.engine.checkpoints import load_checkpoint, save_checkpoint
from core.methods.planner import SHIPPED
from core.requests import reader
from core.requests.reader import Reading
from core.requests.wish import Wish

TRAIN, TEST, EDIT = "core/train_seq2seqL1.py", "core/test_seq2seqL1.py", "core/edit.py"
PLAN, REFERENCES, DEMO = "prepro/gen_greedy_seqs.py", "core/test_references.py", "core/demo_seq2seqL1.py"
REQUEST = ("--request", "make it brighter")


@pytest.fixture()
def project(tmp_path_factory, tmp_path, monkeypatch, photo):
    """Return a copy of the tiny project with a photo `cat.png`, and make it the current folder."""
    copy = copy_of(tiny_project(tmp_path_factory), tmp_path)
    monkeypatch.chdir(copy)
    Image.fromarray(photo()).save(copy / "cat.png")
    return copy


def files(folder):
    """Return {path: content} of all files but the cache, which may grow and holds no file of the user."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and "cache" not in path.parts}


@pytest.fixture()
def refuse(run_script, project):
    """Return `refuse(command, *words)`: the command must print one error with these words and change no file."""
    def check(command, *words):
        before = files(project)
        result = run_script(*command)
        assert result.code == 2, result.out
        assert result.err.count("error: ") == 1, result.err
        assert not [word for word in words if word not in result.err], result.err
        assert files(project) == before
        return result
    return check


def change(path, **values):
    """Change the second entry of an annotation."""
    entries = json.loads(path.read_text())
    entries[1] |= values
    path.write_text(json.dumps(entries))


# Photos

@pytest.mark.parametrize(("content", "words"), [
    (None, "no such file"), (b"", "the file is empty (0 bytes)"), (b"\xff\xd8\xff\xe0 and no more", "broken"),
    (b"just text", "not a picture of a known format")])
@pytest.mark.parametrize("flags", [REQUEST, ("--replay", "none.json")])
def test_unreadable_photos_are_refused(content, words, flags, refuse, project):
    (project / "none.json").write_text('{"format": "ldie-plan", "version": 1, "steps": []}')
    if content is not None:
        (project / "photo.jpg").write_bytes(content)
    refuse((EDIT, "--img", "photo.jpg", *flags), "photo.jpg: ", words)


@pytest.mark.parametrize(("mode", "suffix", "note"), [
    ("L", "jpg", "grey picture: converted to RGB"), ("CMYK", "jpg", "CMYK: converted to RGB"),
    ("RGBA", "png", ""), ("RGBA", "webp", ""), ("I;16", "png", "grey picture"), ("P", "png", "palette picture")])
def test_photos_of_other_modes_are_converted_with_a_note(mode, suffix, note, run_script, project, photo):
    if mode == "I;16":
        picture = Image.fromarray(photo()[..., 1].astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(photo()).convert(mode)
    picture.save(project / f"other.{suffix}")
    result = run_script(EDIT, "--img", f"other.{suffix}", *REQUEST)
    assert result.code == 0, result.err
    assert note in result.out
    edited = Image.open(project / f"other_edited.{suffix}")
    assert (edited.size, edited.mode in ("RGB", "RGBA", "I;16")) == ((64, 48), True)


@pytest.mark.parametrize("script", [TRAIN, TEST, PLAN])
def test_missing_and_broken_images_of_a_data_set_are_refused(script, refuse, project):
    phase = "test" if script == TEST else "train"
    command = (script, *SYNTH, *(("--action_id", 3) if script == PLAN else ("--trial", 100)))
    entry = json.loads((project / f"data/synth/annotations/{phase}_sess_1.json").read_text())[0]
    image = project / "data/synth/images" / entry["output"]
    whole = image.read_bytes()
    image.write_bytes(whole[:len(whole) // 2])
    refuse(command, entry["output"], "truncated")
    image.write_bytes(b"")
    refuse(command, entry["output"], "0 bytes")
    image.unlink()
    refuse(command, "data/synth/images", entry["output"], "missing", "filter_gif_data.py")


def test_outputs_of_another_size_are_resized_and_counted(run_script, project):
    entry = json.loads((project / "data/synth/annotations/test_sess_1.json").read_text())[0]
    path = project / "data/synth/images" / entry["output"]
    Image.open(path).resize((40, 40)).save(path)
    for command in ((TEST, *SYNTH, "--trial", 100), (REFERENCES, *SYNTH, "--reference", "identity")):
        result = run_script(*command, "--visualize", 0)
        assert result.code == 0, result.err
        assert f"1 outputs differ in size from their inputs and are resized: {entry['input']}" in result.out


# Requests

@pytest.mark.parametrize("request_flags", [(), ("--request", ""), ("--request", "   ")])
def test_a_request_without_words_is_refused(request_flags, refuse):
    refuse((EDIT, "--img", "cat.png", *request_flags), "--request: say in words what to do")


def test_a_request_of_500_words_is_read(run_well, monkeypatch, project):
    monkeypatch.setattr(reader, "read", lambda request, tagger=None: Reading((Wish("light", -1),)))
    text = "darken the flurbish photo " * 125
    explained = run_well(EDIT, "--img", "cat.png", "--request", text, "--checkpoint", SHIPPED, "--explain").out
    assert "exposure_soft" in explained
    assert "does not know" not in explained   # the planner that ships reads the wish, not the words


def test_odd_requests_of_a_data_set_are_counted(run_script, project):
    path = project / "data/synth/annotations/test_sess_1.json"
    change(path, request="5 !")
    result = run_script(TEST, *SYNTH, "--trial", 100, "--visualize", 0)
    assert "1 requests have no word at all: 5 !" in result.out
    change(path, request="flurbish " * 500)
    result = run_script(TEST, *SYNTH, "--trial", 100, "--visualize", 0)
    assert result.code == 0
    assert "1 requests are longer than a planner reads and are cut: flurbish" in result.out
    assert "words are not in the vocabulary and are read as <UNK>" in result.out


# Annotations, vocabularies, plans of a data set

@pytest.mark.parametrize("script", [TRAIN, PLAN])
def test_unusable_annotations_are_refused(script, refuse, project):
    path, command = project / "data/synth/annotations/train_sess_1.json", (script, *SYNTH)
    change(path, request=math.nan)
    refuse(command, "train_sess_1.json, entry 1: field 'request' is NaN", "filter_gif_data.py")
    change(path, request="")
    refuse(command, "entry 1: field 'request' is empty")
    change(path, request="darker", input="../../secret.png")
    refuse(command, "entry 1: field 'input' ('../../secret.png') leaves the folder of the images")
    path.write_text('[{"input": "a.png",\n "output" "b.png"}]')
    refuse(command, "train_sess_1.json, line 2: malformed JSON")
    path.write_text("[]")
    refuse(command, "has no entries")
    path.unlink()
    refuse(command, "train_sess_1.json: no such file", "data/README.md")


def test_a_missing_vocabulary_is_reported_with_the_command_that_makes_it(refuse, project):
    remedy = "prepro/build_vocab.py --dataset synth --session 1"
    for name in ("synth_operator_vocabs_sess_1.json", "synth_vocabs_sess_1.json"):
        (project / "data/language" / name).unlink()
        for script in (TRAIN, PLAN, REFERENCES):
            refuse((script, *SYNTH), f"{name}: no such vocabulary", remedy)


def test_missing_plans_are_reported_with_the_command_that_makes_them(refuse, project):
    refuse((TRAIN, *TINY, "--action_id", 7), "train_sess_1.json", "has a plan", "prepro/gen_greedy_seqs.py")
    refuse((REFERENCES, *SYNTH, "--reference", "planned", "--phase", "val"), "synth_val_sess_1.jsonl: has no plan of 1",
           "prepro/gen_greedy_seqs.py --dataset synth --phase val --action_id 1")


@pytest.mark.parametrize(("step", "words"), [
    ('{"op": "brightness", "params": [NaN]}', "params contain NaN"),
    ('{"op": "sparkle", "params": [1]}', "unknown operator 'sparkle'"),
    ('{"op": "exposure", "params": [1]}', "operator 'exposure' of its plan is not in the operator vocabulary")])
def test_plans_that_no_planner_can_learn_are_refused(step, words, refuse, project):
    path = project / "output/actions_set_1/synth_train_sess_1.jsonl"
    lines = path.read_text().splitlines()
    row = json.loads(lines[1])
    row["plan"]["steps"] = ["STEP"]
    lines[1] = json.dumps(row).replace('"STEP"', step)
    path.write_text("\n".join(lines) + "\n")
    refuse((TRAIN, *TINY), row["name"], words)
    lines[1] = '{"name": "a",'
    path.write_text("\n".join(lines) + "\n")
    refuse((TRAIN, *TINY), "synth_train_sess_1.jsonl, line 2: malformed JSON")


# Plan files

@pytest.mark.parametrize(("text", "words"), [
    (None, "no such file"), ("{", "line 1: malformed JSON"), ("[]", "is not of type 'object'"),
    ('{"format": "ldie-plan", "version": 99, "steps": []}', "plan version 99 is newer"),
    ('{"format": "ldie-plan", "version": 1, "steps": [{"op": "sparkle", "params": []}]}', "unknown operator 'sparkle'"),
    ('{"format": "ldie-plan", "version": 1, "steps": [{"op": "brightness", "params": [9]}]}', "9 is out of range"),
    ('{"format": "ldie-plan", "version": 1, "steps": [{"op": "color_bg", "params": []}]}', "needs a mask")])
def test_bad_plan_files_are_refused(text, words, refuse, project):
    if text is not None:
        (project / "p.json").write_text(text)
    refuse((EDIT, "--img", "cat.png", "--replay", "p.json"), "p.json", words)


# Checkpoints

def damaged(state, how):
    """Return a state that another experiment, operator table or program has written."""
    if how == "experiment":
        return state | {"experiment": "pix2pix", "model": {"weights": {}}}
    if how == "format":
        return state | {"format": "somebody else's"}
    if how == "version":
        return state | {"version": 99}
    if how == "operator":   # an operator that this program lacks
        weights = {name.replace("heads.hue", "heads.glow"): value for name, value in state["model"]["weights"].items()}
        return state | {"model": state["model"] | {"weights": weights}}
    weights = dict(state["model"]["weights"])   # an operator with fewer parameters
    weights["heads.tint.weight"], weights["heads.tint.bias"] = (
        weights[f"heads.tint.{part}"][:3] for part in ("weight", "bias"))
    return state | {"model": state["model"] | {"weights": weights}}


COMMANDS = [(TEST, *SYNTH, "--trial", 100), (DEMO, *SYNTH, "--trial", 100),
            (EDIT, "--img", "cat.png", *REQUEST, "--checkpoint", RUN)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(("how", "words"), [
    ("experiment", "'pix2pix'"), ("format", "not a checkpoint of this project"), ("version", "version 99 is newer"),
    ("operator", "operator table"), ("parameters", "operator table")])
def test_checkpoints_of_another_experiment_or_program_are_refused(command, how, words, refuse, project):
    path = project / RUN / "best.pt"
    state = load_checkpoint(path)
    torch.save(damaged(state, how), path)
    refuse(command, "best.pt: ", words)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_files_that_are_no_checkpoints_are_refused(command, refuse, project):
    path = project / RUN / "best.pt"
    whole = path.read_bytes()
    for content in (whole[:len(whole) // 2], b"", b"just text", bytes(range(256)) * 9):
        path.write_bytes(content)
        refuse(command, "best.pt: not a checkpoint, or damaged")
    path.unlink()
    refuse(command, "best.pt: no such checkpoint", "last.pt")
    path.with_name("last.pt").unlink()
    refuse(command, "best.pt: no such checkpoint", "core/train_seq2seqL1.py", "make demo")


# Runs that cannot resume

def test_a_run_resumes_only_with_its_own_flags_words_and_operators(refuse, project):
    resume = (TRAIN, *TAUGHT, "--num_iters", 50)
    refuse(resume, "synth_seq2seqL1_trial_100: was trained with --learning_rate 0.01, not 0.002", "--restart")
    resume = (*resume, "--learning_rate", 0.01)
    vocabulary = project / "data/language/synth_vocabs_sess_1.json"
    known = vocabulary.read_text()
    vocabulary.write_text(known.replace('"make"', '"zmake"'))
    refuse(resume, "last.pt: was trained with another vocabulary", "--restart")
    vocabulary.write_text(known)
    path = project / RUN / "last.pt"
    state = load_checkpoint(path)
    save_checkpoint(path, damaged(state, "parameters"))
    refuse(resume, "last.pt: does not fit this version's network or operator table")
    path.write_bytes(path.read_bytes()[:-5000])
    refuse(resume, "last.pt: not a checkpoint, or damaged")


@pytest.mark.parametrize("lost", [("options.json",), ("log.jsonl",), ("best.pt",), ("last.pt",),
                                  ("last.pt", "best.pt", "log.jsonl")])
def test_a_half_written_run_folder_resumes_or_restarts(lost, run_script, project):
    for name in lost:
        (project / RUN / name).unlink()
    result = run_script(TRAIN, *TAUGHT, "--learning_rate", 0.01, "--num_iters", 121)
    assert result.code == 0, result.err
    assert ("resuming" in result.out) == ("last.pt" not in lost)
    assert load_checkpoint(project / RUN / "last.pt")["iteration"] == 121
    assert json.loads((project / RUN / "options.json").read_text())["num_iters"] == 121


def test_a_non_finite_loss_is_named_and_the_checkpoint_is_kept(run_script, project):
    result = run_script(TRAIN, *TINY, "--trial", 9, "--learning_rate", 1e18, "--num_iters", 9, "--checkpoint_every", 1)
    assert result.code == 2
    assert re.search(r"loss '\w+' became (nan|inf) in iteration 2; lower --learning_rate", result.err), result.err
    assert load_checkpoint(project / "output/synth_seq2seqL1_trial_9/last.pt")["iteration"] == 1


def test_a_broken_metrics_file_of_another_run_is_named_and_does_not_stop_a_test(run_script, project):
    path = project / "output/old/test/metrics.json"
    path.parent.mkdir(parents=True)
    for text, words in (('{"run":', "line 1: malformed JSON"), ("[]", "does not hold a JSON object"),
                        ('{"metrics": [1]}', "has no metrics")):
        path.write_text(text)
        result = run_script(TEST, *SYNTH, "--trial", 100, "--visualize", 0)
        assert (result.code, words in result.out) == (0, True), result.out
        assert "1 file(s) of runs could not be read" in result.out
        assert "output/old/test" in result.out
        assert path.read_text() == text


# Flags

@pytest.mark.parametrize(("command", "words"), [
    ((TRAIN, "--dataset", "FiveKReqs"), "'FiveKReqs'"), ((TRAIN, *TINY, "--trail", 3), "--trail"),
    ((TRAIN, *TINY, "--trial", "one"), "invalid int value: 'one'"), ((TRAIN, *TINY, "--trial", -1), "--trial"),
    ((TRAIN, *TINY, "--batch_size", -4), "argument --batch_size: -4 is out of range; give a number at least 1"),
    ((TRAIN, *TINY, "--num_iters", 0), "--num_iters"), ((TRAIN, *TINY, "--learning_rate", -1), "--learning_rate"),
    ((TRAIN, *TINY, "--learning_rate", "nan"), "--learning_rate"), ((TRAIN, *TINY, "--dropout", 2), "from 0 to 0.99"),
    ((TRAIN, *TINY, "--hidden_size", 15), "--hidden_size 15: give an even number"),
    ((TRAIN, *TINY, "--hidden_size", 0), "--hidden_size"), ((TRAIN, *TINY, "--num_workers", -1), "--num_workers"),
    ((TRAIN, *TINY, "--manual_seed", -1), "--manual_seed"), ((TRAIN, *TINY, "--manual_seed", 10**30), "--manual_seed"),
    ((TRAIN, *TINY, "--vis_encoder", "vgg"), "'vgg'"), ((TRAIN, *TINY, "--crop", 1000), "--crop"),
    ((TRAIN, *TINY, "--gpu_ids", "99"), "--gpu_ids 99: this machine has "),
    ((TRAIN, *TINY, "--gpu_ids", "first"), "--gpu_ids first: give numbers such as 0 or 0,1"),
    ((TEST, *SYNTH, "--short_edge", 0), "--short_edge"), ((TEST, *SYNTH, "--visualize_every", 0), "--visualize_every"),
    ((TEST, *SYNTH, "--trial", 100, "--fid_weights", "none.pth"), "none.pth"),
    ((TEST, *SYNTH, "--trial", 31), "synth_seq2seqL1_trial_31/best.pt: no such checkpoint"),
    ((PLAN, *SYNTH, "--phase", "train,trian"), "'trian' is not a known phase"),
    ((PLAN, *SYNTH, "--limit", -1), "--limit"),
    ((PLAN, *SYNTH, "--epsilon", 2), "--epsilon"), ((PLAN, *SYNTH, "--beam", 0), "--beam"),
    ((PLAN, *SYNTH, "--action_id", 12), "--action_id 12 is not one of the numbered sets"),
    ((PLAN, *SYNTH, "--action_id", 12, "--operators", "glow"), "unknown operator 'glow'"),
    ((EDIT, "--img", "cat.png", *REQUEST, "--size", -5), "--size"),
    ((EDIT, "--img", "cat.png", *REQUEST, "--quality", 0), "--quality"),
    ((EDIT, "--img", "cat.png", *REQUEST, "--out", "cat.gif"), "cat.gif: unknown suffix"),
    ((EDIT, "--img", ".", *REQUEST, "--plan", "p.json"), "--plan p.json: is for one photo"),
    ((EDIT, "--img", "data", *REQUEST), "data: no photos here"),
    ((EDIT, "--img", "cat.png", *REQUEST, "--checkpoint", "output/none"), "output/none: no such checkpoint"),
    ((EDIT, "--img", "cat.png", *REQUEST, "--max_megapixels", 0.001), "more than the limit of 0.001"),
    ((EDIT, "--img", "cat.png", *REQUEST, "--max_decoded_mb", 0.001), "MB when decoded, more than the limit of 0"),
], ids=lambda value: " ".join(map(str, value[-2:])) if isinstance(value, tuple) else "")
def test_bad_flags_are_refused(command, words, refuse):
    refuse(command, words)


# The disk

@pytest.fixture()
def full_disk(monkeypatch, project):
    """Return `fill(suffix)`: from now on every write to a file of that suffix fails as on a full disk."""
    if not os.path.exists("/dev/full"):
        pytest.skip("needs Linux's /dev/full")
    made = os.open

    def fill(suffix):
        def create(path, flags, *more, **options):
            handle = made(path, flags, *more, **options)
            if flags & os.O_CREAT and suffix and Path(path).suffix == suffix:
                os.close(handle)
                handle = made("/dev/full", os.O_WRONLY)
            return handle
        monkeypatch.setattr(os, "open", create)
    return fill


@pytest.mark.parametrize(("suffix", "command"), [
    (".pt", (TRAIN, *TINY, "--trial", 5, "--action_id", 1, "--num_iters", 2)),
    (".jsonl", (TEST, *SYNTH, "--trial", 100)), (".html", (TEST, *SYNTH, "--trial", 100)),
    (".json", (PLAN, *SYNTH, "--action_id", 3)), (".npy", (TRAIN, *TINY)),
    (".png", (EDIT, "--img", "cat.png", *REQUEST)), (".json", (EDIT, "--img", "cat.png", *REQUEST))],
    ids=["checkpoint", "measured", "page", "options", "thumbnails", "photo", "plan"])
def test_a_full_disk_is_reported_and_damages_no_file(suffix, command, full_disk, run_script, project):
    before = files(project)
    full_disk(suffix)
    result = run_script(*command)
    assert result.code == 2, result.out
    assert result.err.count("error: ") == 1
    assert "the disk is full: free some space and run again" in result.err
    after = files(project)
    assert all(after[path] == content for path, content in before.items())
    assert not [path for path in after if os.path.basename(path).startswith(".")]   # no temporary file is left
    assert not [path for path in after.keys() - before.keys() if path.endswith(suffix)]


def test_a_run_that_resumes_on_a_full_disk_keeps_its_checkpoint_and_log(full_disk, run_script, project):
    resume = (TRAIN, *TAUGHT, "--learning_rate", 0.01, "--num_iters", 122)
    before = files(project / RUN)
    full_disk(".jsonl")
    assert run_script(*resume).code == 2
    assert files(project / RUN)["log.jsonl"] == before["log.jsonl"]
    full_disk(".pt")
    assert run_script(*resume).code == 2
    assert files(project / RUN)["last.pt"] == before["last.pt"]
    full_disk("")   # there is space again
    result = run_script(*resume)
    assert result.code == 0
    assert len((project / RUN / "log.jsonl").read_text().splitlines()) == 122


def test_a_full_disk_for_the_log_is_reported(run_script, project, on_opening):
    on_opening(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "/log.jsonl")
    result = run_script(TRAIN, *TINY, "--trial", 9, "--num_iters", 2)
    assert result.code == 2
    assert "synth_seq2seqL1_trial_9/log.jsonl: the disk is full" in result.err


@pytest.mark.parametrize("command", [(TRAIN, *TINY), (TEST, *SYNTH, "--trial", 100), (PLAN, *SYNTH, "--action_id", 3),
                                     (EDIT, "--img", "cat.png", *REQUEST)], ids=lambda command: command[0])
def test_a_folder_without_write_permission_is_reported(command, refuse, on_opening):
    for part in ("output/", "cat_edited"):   # simulated, because permissions do not stop root
        on_opening(PermissionError(errno.EACCES, "Permission denied"), part)
    refuse(command, "cannot be written here (Permission denied); choose another folder")
