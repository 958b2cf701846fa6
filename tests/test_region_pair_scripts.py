"""Local edits through the scripts: planned with masks, trained with masks, tested on pairs with true masks."""
import json

import pytest
from PIL import Image
from small_regions import SCENES, draw
from tiny_project import TINY
from tiny_sets import copy_vocabulary

from core.datasets import ActionSet
from core.datasets.gier import MODES
from core.datasets.images import to_tensor, to_uint8
from core.operators import Mask, Plan, Step, execute

SET = ("--dataset", "RegionReq", "--session", "3")
SMALL = (*SET, *TINY[TINY.index("--vis_encoder"):])
PLAN, TRAIN, TEST = "prepro/gen_greedy_seqs_GIER.py", "core/train_seq2seqL1.py", "core/test_region_pairs.py"
SHAPES = SCENES["three.png"]
PAIRS = [   # name of the output, request, operator, its id, step; ids are those of the shapes, and the sky's
    ("a", "brighten the red ball", "brightness", 0, ("brightness", [0.5])),
    ("b", "darken the blue ball", "brightness", 1, ("brightness", [-0.5])),
    ("c", "remove the box", "inpaint_obj", 3, ("inpaint_obj", ())),
    ("d", "make the sky white", "color_bg", 4, ("color_bg", ())),
    (None, "brighten the zebra", None, None, None)]


@pytest.fixture()
def regions(project):
    """Add data/RegionReq with its vocabulary to the tiny project: five pairs of one drawn scene in each phase."""
    root = project / "data/RegionReq"
    copy_vocabulary(project, "RegionReq", 3)
    photo, ids, _ = draw(SHAPES, noise=4)
    masks = [Mask.from_array(array) for array in [*(shape.mask() for shape in SHAPES), ids == 70000]]
    for folder in ("images", "masks", "splits"):
        (root / folder).mkdir(parents=True)
    for phase in ("train", "val", "test"):
        entries = []
        for output, request, op, number, step in PAIRS:
            name = f"{phase}_{output or 'in'}.png"
            target = photo if step is None else to_uint8(execute(Plan((Step.make(*step, masks[number]),)),
                                                                 to_tensor(photo)))
            Image.fromarray(target).save(root / "images" / name)
            entries.append({"input": f"{phase}_in.png", "output": name, "request": request, "kind": op,
                            "expert_summary": [request], "amateur_summary": [f"please {request}"],
                            "photo": f"{phase}{len(entries) % 2}.jpg",
                            "operator": {op: {"local": True, "ids": [number]}} if op else {}})
        (root / f"splits/{phase}_sess_3.json").write_text(json.dumps(entries))
        for name in filter(None, MODES.values()):
            (root / f"splits/{phase}_{name}_sess_3.json").write_text(json.dumps(list(range(len(entries)))))
        (root / f"masks/{phase}_in_mask.json").write_text(json.dumps([mask.to_dict() for mask in masks]))
    return root


def test_the_notebooks_command_plans_with_masks(regions, run_well):
    result = run_well(PLAN, "--dataset", "RegionReq")
    assert "(the notebook, GIER: 0.1073 -> 0.0411)" in result.out
    plans = ActionSet("output/actions_set_1/RegionReq_train_sess_3.jsonl").plans()
    found = {name.split("_")[-1][0]: [(step.op, step.mask is not None) for step in plan]
             for name, plan in plans.items()}
    assert ("inpaint_obj", True) in found.pop("c")   # thumbnails blur the edge of the hole, so more steps may follow
    assert found == {"a": [("brightness", True)], "b": [("brightness", True)], "d": [("color_bg", True)], "i": []}
    again = run_well(PLAN, "--dataset", "RegionReq", "--masks", 0, "--action_id", 12, "--operators", "brightness")
    assert "set 12" in again.out


def test_a_set_without_masks_is_not_continued_with_masks(regions, run_well, run_script):
    run_well(PLAN, "--dataset", "RegionReq", "--masks", 0)
    options = regions.parents[1] / "output/actions_set_1/RegionReq_train_sess_3.options.json"
    older = {name: value for name, value in json.loads(options.read_text()).items() if name != "masks"}
    options.write_text(json.dumps(older))   # as written before there were masks
    run_well(PLAN, "--dataset", "RegionReq", "--masks", 0)
    result = run_script(PLAN, "--dataset", "RegionReq")
    assert result.code == 2
    assert "was planned with" in result.err


def test_a_planner_learns_local_edits_and_is_tested_inside_the_masks(regions, run_well, run_script):
    run_well(PLAN, "--dataset", "RegionReq")
    begun = ("--init", "output/synth_seq2seqL1_trial_100", "--local", 1)
    result = run_well(TRAIN, *SMALL, *begun, "--trial", 900, "--num_iters", 2, "--visualize", 1, "--visualize_every", 2)
    assert "2 pairs have no plan and are left out" in result.out
    page = (regions.parents[1] / "output/RegionReq_seq2seqL1_trial_900/train/web/index.html").read_text()
    assert "_mask" in page or "no operation" in page.lower()
    run_well(TRAIN, *SMALL, *begun, "--trial", 900, "--num_iters", 3)   # resumes
    run_well(TRAIN, *SMALL, *begun, "--trial", 901, "--num_iters", 2, "--text_blind", 1)
    plans = "output/actions_set_1/RegionReq_test_sess_3.jsonl"
    run_well(PLAN, "--dataset", "RegionReq", "--phase", "test")
    rows = "identity,local,local_found,local_subject,blind,crop,crop_found,whole,planned"
    command = (TEST, *SET, "--trial", 900, "--blind", 901, "--planner", "shipped", "--plans", plans, "--rows", rows,
               "--publish", "regions/tiny")
    result = run_well(*command)
    assert all(row in result.out for row in rows.split(","))
    published = json.loads((regions.parents[1] / "docs/results/regions/tiny.json").read_text())
    methods = published["figures"]["methods"]
    assert methods["identity"]["share"][0] == 1
    assert methods["planned"]["share"][0] < 0.3
    assert methods["planned"]["leak"][0] == methods["local"]["leak"][0] == 0
    assert methods["identity"]["unasked"][0] == methods["local"]["unasked"][0] == 0
    assert methods["whole"]["leak"][0] > methods["crop"]["leak"][0]
    assert set(methods["local"]["kinds"]) == {"brightness", "inpaint_obj", "color_bg"}
    folder = regions.parents[1] / "output/RegionReq_seq2seqL1_trial_900/test/regions"
    before = (folder / "items.jsonl").read_text()
    run_well(*command)   # nothing is left to measure
    assert (folder / "items.jsonl").read_text() == before
    run_well(TEST, *SET, "--trial", 900, "--rows", "identity", "--pairs", 2)
    assert json.loads((folder / "metrics.json").read_text())["pairs"] == 2
    run_well(PLAN, "--dataset", "RegionReq", "--phase", "test", "--masks", 0, "--action_id", 12, "--operators", "tint")
    run_well(TEST, *SET, "--trial", 900, "--rows", "planned", "--plans", plans.replace("set_1", "set_12"))
    other = json.loads((folder / "metrics.json").read_text())["methods"]["planned"]
    assert other["share"][0] > 3 * methods["planned"]["share"][0], "other plans are measured anew"


@pytest.mark.parametrize(("flags", "words"), [
    (("--rows", "blind", "--trial", 900), "--rows blind: give --blind"),
    (("--rows", "planned"), "--rows planned: give --plans"),
    (("--rows", "lokal"), "'lokal' is not a known row"),
    (("--dataset", "synth", "--session", "1", "--rows", "identity"), "--dataset synth: has no masks")])
def test_rows_that_cannot_be_measured_are_refused(flags, words, regions, run_script):
    result = run_script(TEST, *SET, *flags)
    assert result.code == 2
    assert words in result.err


def test_a_planner_without_masks_is_no_local_planner_and_drawn_samples_have_no_masks(regions, run_script):
    run = regions.parents[1] / "output/synth_seq2seqL1_trial_100"
    run.rename(run.with_name("RegionReq_seq2seqL1_trial_100"))
    result = run_script(TEST, *SET, "--trial", 100, "--rows", "local")
    assert (result.code, "was trained without masks" in result.err) == (2, True)
    result = run_script(TRAIN, *SMALL, "--local", 1, "--mix", "bundled")
    assert (result.code, "drawn samples and crops have no masks" in result.err) == (2, True)
