"""The scripts of the whole pipeline, run as a user runs them, on synthetic edits and on local edits of drawn scenes."""
import json
import runpy
import sys

import numpy as np
import pytest
from easydict import EasyDict
from small_gier import pair, write_gier
from small_regions import BALLS, draw
from tiny_project import ROOT, TINY

from core.datasets import WordVocab, to_tensor, to_uint8
from core.datasets.vocab import SPECIAL
from core.engine.trials import read_trials
from core.methods.pipeline import FoundSegments, TrueSegments, load_edits, place_of
from core.operators import SESSIONS, Mask, OperatorVocab, Plan, Step, execute

SCRIPT, TEST = "core/train_pipeline.py", "core/test_pipeline.py"
SMALL = TINY[TINY.index("--vis_encoder"):]
SAID = {"red": "brighten the red ball", "blue": "brighten the blue ball"}


@pytest.fixture()
def scenes(project):
    """A RegionReq of one drawn scene, in which one ball is brightened; every phase is the same."""
    photo, ids, _ = draw(BALLS, noise=2)
    masks = [ids == number for number in np.unique(ids)]
    names = {256: "sports ball", 512: "sports ball", 768: "sports ball", 1000: "plants", 70000: "sky"}
    entries, rows, pictures = [], [], {}
    for number, (shape, request) in enumerate(zip(BALLS, SAID.values(), strict=False)):
        entry = pair(number, request, request, request, brightness=[number]) | {
            "wishes": [{"attribute": "light", "sign": 1, "degree": "plain"}], "region": request.split(" ", 1)[1]}
        plan = Plan((Step.make("brightness", [0.6], Mask.from_array(shape.mask())),))
        pictures[entry["input"]] = photo
        pictures[entry["output"]] = to_uint8(execute(plan, to_tensor(photo)))
        entries.append(entry)
        rows.append({"name": f"{entry['input']}>{entry['output']}", "distances": [0.1, 0.0], "plan": plan.to_dict()})
    root = write_gier(project / "data/RegionReq", dict.fromkeys(("train", "val", "test"), entries),
                      lambda entry, side: pictures[entry[side]], masks=masks)
    for entry in entries:
        (root / "masks" / f"{entry['input'][:-4]}_mask.json").write_text(json.dumps(
            [Mask.from_array(mask, region=names[number]).to_dict()
             for number, mask in zip(np.unique(ids), masks, strict=True)]))
    (root / "plans.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("brighten", "the", "red", "blue", "ball")
    for name, known in (("vocabs", (*SPECIAL, *words)), ("operator_vocabs", SESSIONS[3])):
        (project / f"data/language/RegionReq_{name}_sess_3.json").write_text(json.dumps(
            {word: number for number, word in enumerate(known)}))
    return project


REGIONS = ("--dataset", "RegionReq", "--session", 3)


def test_every_trial_of_the_file_is_understood(run_script, project):
    for number in read_trials("pipeline"):
        result = run_script(SCRIPT, "--trial", number, "--language", "nowhere")
        assert (result.code, "json: no such vocabulary" in result.err) == (2, True), result.err


def test_local_edits_are_learnt_and_their_regions_are_found(run_well, scenes):
    run_well(SCRIPT, *REGIONS, *SMALL, "--trial", 101, "--num_iters", 60, "--batch_size", 6, "--learning_rate", 0.02,
             "--checkpoint_every", 60, "--dropout", 0)
    out = run_well(TEST, *REGIONS, "--trial", 101, "--phase", "val").out
    folder = scenes / "output/RegionReq_pipeline_trial_101/test_val"
    measured = json.loads((folder / "metrics.json").read_text())
    assert measured["metrics"]["BLEU-1"] == 1
    assert measured["metrics"]["mask IoU"] > 0.9            # the red and the blue ball are told apart
    assert measured["references"]["true masks"]["metrics"]["mask IoU"] > 0.95
    assert measured["metrics"]["output L1"] < measured["metrics"]["input L1"]
    assert measured["references"]["keyword editor"]["metrics"]["BLEU-1"] == 1
    assert set(measured["parameters"]) == {"brightness"}
    assert "most frequent plan of training" in out
    row = json.loads((folder / "images.jsonl").read_text().splitlines()[0])
    assert (row["plan"], row["reference"], row["dropped"]) == (["brightness"], ["brightness"], [])
    assert "brighten the red ball" in (folder / "web/index.html").read_text()


def test_the_notebooks_scripts_resume_to_the_same_losses(project, run_well, monkeypatch):
    (project / "data/synth/annotations").rename(project / "data/synth/others")
    (project / "data/synth/annotations").mkdir()
    for phase in ("train", "val", "test"):
        (project / f"data/synth/annotations/{phase}_sess_0.json").write_bytes(
            (project / f"data/synth/others/{phase}_sess_1.json").read_bytes())
    for path in (project / "data/language").glob("*_sess_1.json"):
        path.with_name(path.name.replace("_1.json", "_0.json")).write_bytes(path.read_bytes())

    def old_name(name, *flags):
        path = ROOT / "core/tools" / name
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, flags)])
        monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
        monkeypatch.delitem(sys.modules, "_init_paths", raising=False)
        runpy.run_path(str(path), run_name="__main__")
    flags = (*SMALL, "--checkpoint_every", 2)
    old_name("run_train.py", *flags, "--num_iters", 4, "--trial", 3)
    run_well(SCRIPT, *flags, "--num_iters", 2, "--trial", 4, "--use_vis_feat", 0)
    run_well(SCRIPT, *flags, "--num_iters", 4, "--trial", 4, "--use_vis_feat", 0)
    one, two = (project / f"output/synth_pipeline_trial_{number}/log.jsonl" for number in (3, 4))
    assert one.read_text() == two.read_text()
    old_name("run_test.py", "--load_checkpoint_path", "output/synth_pipeline_trial_4/best.pt", "--trial", 3,
             "--dataset", "synth", "--grounder", "finder")
    assert (project / "output/synth_pipeline_trial_3/test/metrics.json").is_file()


def test_the_pipeline_reads_the_words_for_places(scenes):
    """A request without its places lost its second step, or which step is local."""
    vocab = WordVocab((*SPECIAL, "brighten", "the", "red", "blue", "ball"))
    options = EasyDict(dataset="RegionReq", session=3, data_root=None, data_mode=None, output="output")
    samples, _ = load_edits(options, "val", vocab, OperatorVocab(SESSIONS[3]))
    for sample in samples:
        assert vocab.decode(sample["request_ids"].tolist()) == sample["request"]


def test_colours_reach_the_grounder_in_the_order_of_the_executor(scenes):
    """The notebook's detector read BGR, its executor RGB; then the red ball would be the blue one."""
    grounder = TrueSegments(scenes / "data/RegionReq")
    for shape, request in zip(BALLS, SAID.values(), strict=False):
        found = grounder("p0_p0.png", request, "brightness")
        assert (found[shape.mask()] > 0.9).all() and found.mean() < 0.1
    assert grounder("p0_p0.png", "brighten the dog", "brightness") is None
    assert grounder("p0_p0.png", "brighten it", "brightness") is None   # no noun phrase


def test_nothing_that_is_found_ends_the_search(scenes, monkeypatch):
    """MAttNet lowers its threshold for ever where the detector finds nothing."""
    monkeypatch.setattr("core.finding.finder.detect", lambda image: [])
    assert FoundSegments(scenes / "data/RegionReq")("p0_p0.png", "remove the dog", "inpaint_obj") is None


@pytest.mark.parametrize(("request_", "operator", "words"), [
    ("brighten the sky and remove the dog", "inpaint_obj", "dog"),
    ("brighten the sky and remove the dog", "brightness", "the sky"),
    ("brighten the sky", "contrast", "the sky"), ("make it white", "color_bg", "the background"),
    ("brighten it", "brightness", None), ("", "hue", None)])
def test_the_place_of_an_operator_is_that_of_its_wish(request_, operator, words):
    place = place_of(request_, operator)
    assert (place.words if place else None) == words


def test_mistakes_get_one_sentence(run_script, scenes):
    def refused(*command):
        result = run_script(*command)
        assert result.code == 2, result.out
        assert result.err.count("error: ") == 1, result.err
        return result.err
    assert "best.pt: no such checkpoint" in refused(TEST, *REGIONS, "--trial", 9)
    assert "--hidden_size 7: give an even number" in refused(SCRIPT, *REGIONS, "--hidden_size", 7)
    assert "a checkpoint of experiment 'seq2seqL1', not 'pipeline'" in refused(
        TEST, *REGIONS, "--load_checkpoint_path", "output/synth_seq2seqL1_trial_100/best.pt")
    path = scenes / "data/RegionReq/splits/train_sess_3.json"
    path.write_text(path.read_text().replace('"wishes"', '"others"'))
    assert "p0_p0.png>p0_x.png: field 'wishes' is missing" in refused(SCRIPT, *REGIONS, *SMALL, "--sentences", 2)
    (scenes / "data/RegionReq/plans.jsonl").unlink()
    assert "has neither op_record.json nor plans.jsonl" in refused(SCRIPT, *REGIONS)
