"""core/edit.py behind the gate: refusals, mixed requests, no change, --explain, and --jobs."""
import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.methods.planner import PlannerMethod
from core.metrics.attributes import lightness
from core.operators import Plan
from core.photo import read_photo
from core.requests import reader
from core.requests.reader import Reading
from core.requests.wish import Wish

SCRIPT = "core/edit.py"
READ = {   # the reader of these tests, by the words of a request
    "brighten": Wish("light", span=(0, 8)), "by-5%": Wish("light", 1, 5), "darken": Wish("light", -1),
    "vignette": Wish("vignette"), "bin": Wish("adding", where="the bin"), "keep": Wish("unchanged"),
    "turn": Wish("rotate"), "sky": Wish("light", where="the sky")}


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch, photo):
    """Change to a folder with two photos; requests are read by READ."""
    def read(request, tagger=None):
        words = request.split()
        return Reading(tuple(READ[word] for word in words if word in READ),
                       tuple(word for word in words if word not in READ))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reader, "read", read)
    for seed, name in enumerate(("cat.png", "dog.png")):
        Image.fromarray(photo(seed=seed)).save(name)


def ask(request, *flags):
    return "--img", "cat.png", "--request", request, *flags


def light(path):
    return lightness(read_photo(path).tensor()[None]).item()


# One photo

@pytest.mark.parametrize(("request_text", "words"), [
    ("bin", 'adding ("the bin") cannot be done yet'), ("flurbish glorp", '"glorp"'),
    ("\U0001f389", "has no words"), ("5! ?", "understood"), ("darken " * 5000, "has 5000 words"),
    ("<b>\x1b\x07</b>", '"<b> </b>"')])
@pytest.mark.parametrize("target", [("cat.png",), ("trip", "--out", "done")])
def test_a_refusal_is_one_sentence_with_code_3_and_no_file(request_text, words, target, run_script, contents):
    Path("trip").mkdir()
    Image.open("dog.png").save("trip/dog.png")
    before = contents()
    result = run_script(SCRIPT, "--img", *target, "--request", request_text)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("nothing was edited: ") and words in result.err
    assert result.err.strip().isprintable()
    assert contents() == before


def test_a_mixed_request_is_done_as_far_as_possible_and_the_rest_is_named(succeed):
    out = succeed(*ask("brighten bin glorp"))
    assert 'adding ("the bin") cannot be done yet' in out
    assert 'not understood: "glorp"' in out
    assert light("cat_edited.png") > light("cat.png") + 1


def test_an_understood_no_change_is_a_copy(succeed):
    assert "the result is a copy" in succeed(*ask("keep"))
    assert np.array_equal(Image.open("cat.png"), Image.open("cat_edited.png"))
    assert Plan.load("cat_edited.plan.json") == Plan()


def test_the_amount_is_obeyed_and_explained(succeed):
    out = succeed(*ask("by-5%", "--explain"))
    assert "more light, 5 %" in out and "keyword plan" in out
    assert 0 < light("cat_edited.png") - light("cat.png") < 3


def test_a_turn_changes_no_colour(succeed):
    succeed(*ask("turn"))
    assert np.array_equal(np.rot90(Image.open("cat.png"), -1), Image.open("cat_edited.png"))


def test_explained_steps_that_flags_change_are_printed_again(succeed):
    out = succeed(*ask("vignette", "--explain", "--set", "fade=0.5"))
    assert out.count("vignette") > out.count("fade") >= 1
    assert [step.op for step in Plan.load("cat_edited.plan.json")] == ["vignette", "fade"]


def test_a_folder_has_notes_on_each_photo(succeed):
    Path("trip").mkdir()
    for name in ("cat.png", "dog.png"):
        Path(name).rename(f"trip/{name}")
    assert "2 of 2 photos edited" in succeed("--img", "trip", "--request", "brighten bin", "--out", "done")
    assert light("done/cat.png") > light("trip/cat.png")
    assert "2 photo(s) were edited before" in succeed("--img", "trip", "--request", "brighten bin", "--out", "done")


# Many rows

ROWS = [("cat.png", "brighten", "out/a.png"), ("dog.png", "bin glorp", "out/b.png"), ("cat.png", "keep", "out/c.jpg"),
        ("gone.png", "darken", "out/d.png"), ("dog.png", "darken bin", "out/e.jpg")]
STATUS = ["edited", "refused", "edited", "failed", "edited"]


def write(rows=ROWS, path="jobs.csv"):
    path = Path(path)
    path.parent.mkdir(exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        if path.suffix == ".csv":
            csv.writer(file).writerows([("img", "request", "out"), *rows])
        else:
            file.writelines(json.dumps(dict(zip(("img", "request", "out"), row, strict=True))) + "\n" for row in rows)
    return path


def lines(path="jobs.csv"):
    return [json.loads(line) for line in Path(f"{path}.results.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", ["jobs.csv", "jobs.jsonl"])
def test_each_row_leaves_a_line_in_the_order_of_the_rows(name, run_script):
    result = run_script(SCRIPT, "--jobs", write(path=name))
    assert result.code == 2
    assert "error: 1 row(s) failed: row 4: gone.png: no such file" in result.err
    assert f"3 edited, 1 refused, 1 failed; results: {name}.results.jsonl" in result.out
    found = lines(name)
    assert [(line["img"], line["request"], line["out"]) for line in found] == ROWS
    assert [line["status"] for line in found] == STATUS
    assert {tuple(line) for line in found} == {
        ("img", "request", "out", "status", "sentence", "wishes", "not_understood", "plan")}
    assert sorted(path.name for path in Path("out").iterdir() if path.suffix != ".json") == ["a.png", "c.jpg", "e.jpg"]
    brighter, refused, copied, failed, mixed = found
    assert brighter["wishes"] == [{"attribute": "light", "sign": 1, "degree": "plain", "where": None, "granted": True}]
    assert len(Plan.from_dict(brighter["plan"])) > 0
    assert (refused["plan"], refused["not_understood"]) == (None, ["glorp"])
    assert refused["sentence"].startswith("nothing was edited: adding")
    assert refused["wishes"][0]["granted"] is False
    assert (copied["plan"]["steps"], copied["wishes"][0]["granted"]) == ([], True)
    assert failed["plan"] is None
    assert "adding" in mixed["sentence"]
    assert [wish["granted"] for wish in mixed["wishes"]] == [True, False]


def test_paths_are_relative_to_the_jobs_file_and_edits_are_those_of_single_runs(succeed):
    write([("../cat.png", "brighten", "a.png")], "list/jobs.csv")
    succeed("--jobs", "list/jobs.csv")
    succeed(*ask("brighten"))
    assert Path("list/a.png").read_bytes() == Path("cat_edited.png").read_bytes()
    assert lines("list/jobs.csv")[0]["plan"] == json.loads(Path("cat_edited.plan.json").read_text())


def test_an_interrupted_run_goes_on(run_script, monkeypatch, contents):
    write()
    planned, plans = PlannerMethod.plans, []

    def plan(self, image, requests):
        plans.extend(requests)
        if len(plans) == 2 and "darken bin" in requests:
            raise KeyboardInterrupt
        return planned(self, image, requests)
    monkeypatch.setattr(PlannerMethod, "plans", plan)
    assert run_script(SCRIPT, "--jobs", "jobs.csv").code == 130
    assert [line["status"] for line in lines()] == STATUS[:4]
    with open("jobs.csv.results.jsonl", "a") as file:
        file.write('{"img": "dog')   # a line that was being written
    Path("out/c.jpg").unlink()
    result = run_script(SCRIPT, "--jobs", "jobs.csv")
    assert [line["status"] for line in lines()] == STATUS
    assert "2 row(s) were done before" in result.out   # the deleted and the failed row were done again
    assert plans == ["brighten", "darken bin", "darken bin"]


def test_a_row_that_was_written_before_its_line_is_not_an_error(succeed, contents):
    write(ROWS[:1])
    succeed("--jobs", "jobs.csv")
    whole = contents()
    Path("jobs.csv.results.jsonl").unlink()
    succeed("--jobs", "jobs.csv")
    assert contents() == whole


def test_changed_rows_are_done_again_and_the_others_are_kept(succeed, run_script):
    write(ROWS[:3])
    succeed("--jobs", "jobs.csv")
    before = lines()
    write([ROWS[0], ("dog.png", "darken", "out/b.png"), ROWS[2]])
    assert "2 row(s) were done before" in succeed("--jobs", "jobs.csv")
    after = lines()
    assert (after[0], after[2], after[1]["status"]) == (before[0], before[2], "edited")
    write([("cat.png", "darken", "out/a.png"), *ROWS[1:3]])   # another edit under the name of a result
    result = run_script(SCRIPT, "--jobs", "jobs.csv")
    assert (result.code, "row 1: out/a.png: exists; give --overwrite" in result.err) == (2, True)
    succeed("--jobs", "jobs.csv", "--overwrite")
    assert light("out/a.png") < light("cat.png")


def test_results_replace_no_photo_and_no_other_result(run_script, contents):
    write([("cat.png", "brighten", "a.png"), ("cat.png", "darken", "./a.png"), ("cat.png", "darken", "dog.png"),
           ("dog.png", "darken", "cat.png"), ("cat.png", "darken", "x" * 300 + ".png"), ("cat.png", "darken", "a.txt")])
    photos = {name: Path(name).read_bytes() for name in ("cat.png", "dog.png")}
    assert run_script(SCRIPT, "--jobs", "jobs.csv", "--overwrite").code == 2
    assert [line["status"] for line in lines()] == ["edited", *["failed"] * 5]
    assert "is also the result of row 1" in lines()[1]["sentence"]
    assert "would replace a photo of the jobs file" in lines()[2]["sentence"]
    assert {name: Path(name).read_bytes() for name in photos} == photos
    assert light("a.png") > light("cat.png")


@pytest.mark.parametrize(("name", "text", "words"), [
    ("jobs.csv", "", "header lacks img, request, out"), ("jobs.csv", "img,request\na,b\n", "lacks out"),
    ("jobs.csv", "img,request,out\n", "has no rows"),
    ("jobs.csv", "img,request,out\ncat.png,darken\n", "line 2: field 'out'"),
    ("jobs.csv", "img,request,out\n,darken,a.png\n", "line 2: field 'img'"),
    ("jobs.csv", 'img,request,out\ncat.png,"dark"en,a.png\n', "line 2: malformed CSV"),
    ("jobs.jsonl", "", "has no rows"), ("jobs.jsonl", '{"img": "cat.png"}\n', "line 1: field 'request'"),
    ("jobs.jsonl", "\n[1]\n", "line 2: is no JSON object"), ("jobs.jsonl", "{\n", "line 1: is no JSON object"),
    ("jobs.jsonl", '{"img": 1, "request": "a", "out": "b"}', "field 'img'"),
    ("jobs.jsonl", '{"img": "a", "request": "\\ud800", "out": "b"}', "field 'request'"),
    ("jobs.jsonl", '{"img": "a", "request": "a", "out": "b\\u0000"}', "field 'out'"),
    ("jobs.csv", b"\xff\xfe", "not UTF-8")])
def test_a_bad_jobs_file_is_one_sentence(name, text, words, refuse):
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    refuse("--jobs", name, words=(name, words))


@pytest.mark.parametrize("flags", [
    ("--img", "cat.png"), ("--request", "darken"), ("--out", "a.png"), ("--plan", "p.json"), ("--replay", "p.json"),
    ("--export", "a.cube")])
def test_flags_for_one_photo_are_refused_with_jobs(flags, refuse):
    write()
    refuse("--jobs", "jobs.csv", *flags, words=(f"--jobs, {flags[0]}: give one of them",))


def test_a_missing_jobs_file_and_damaged_results_are_named(refuse):
    refuse("--jobs", "gone.csv", words=("gone.csv: no such file",))
    refuse("--jobs", "", words=("--jobs: is empty",))
    write()
    Path("jobs.csv.results.jsonl").write_text("{oops}\n")
    refuse("--jobs", "jobs.csv", words=("jobs.csv.results.jsonl, line 1: malformed JSON",))
