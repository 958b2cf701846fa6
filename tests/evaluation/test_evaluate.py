"""Printed lines, files and page of an evaluation."""
import json

import pytest
import torch

from core.engine.trials import Trial
from core.evaluation.evaluate import PSNR_LIMIT, evaluate, report
from core.methods.planner import Edited
from core.methods.registry import KnownPlans, Method, RulePlans
from core.operators import Plan, Step

MEASURED = {"dataset": "FiveK", "phase": "test", "images": 3, "metrics": {
    "input L1": 0.12, "output L1": 0.08, "input SSIM": 0.79, "output SSIM": 0.85, "input FID": 12.0, "output FID": 6.0,
    "avg var": 0.0061}}
ABOUT = {"run": "toy_run", "experiment": "toy", "trial": 1, "dataset": "toy", "phase": "test"}


class Pairs(list):
    """Photos of three sizes; each target is the input at half brightness."""

    def __init__(self, photo):
        images = [torch.from_numpy(photo(20 + size, 30, seed=size)).permute(2, 0, 1) / 255 for size in range(3)]
        super().__init__({"input": image, "target": image / 2, "request": f"darken {number} <b>",
                          "name": f"{number}>{number}_A"} for number, image in enumerate(images))

    def report(self):
        return ["3 pairs"]


DARKEN = Plan((Step.make("exposure", [-1.0]),))


def rule(plan=DARKEN):
    return RulePlans(lambda image, request: plan, "a rule")


class Moody(Method):
    """A method that answers with black and white pictures in turn, without plans."""

    def edits(self, image, requests):
        return [Edited(image, image=torch.full_like(image, float(number % 2))) for number in range(len(requests))]


def test_a_perfect_method_is_measured_as_one(photo, tmp_path, capsys):
    pairs = Pairs(photo)
    measured = evaluate(rule(), pairs, tmp_path, ABOUT)
    metrics = measured["metrics"]
    assert metrics["output L1"] == pytest.approx(0, abs=1e-6)
    assert metrics["output SSIM"] == pytest.approx(1, abs=1e-4)
    assert metrics["output FID(efficientnet-lite0)"] == pytest.approx(0, abs=1e-6)
    expected = sum(pair["input"].mean().item() / 2 for pair in pairs) / 3   # each photo counts once, at any size
    assert metrics["input L1"] == pytest.approx(expected, rel=1e-5)
    assert metrics["output PSNR"] == pytest.approx(PSNR_LIMIT)
    assert metrics["output CIEDE2000"] == pytest.approx(0, abs=1e-2)
    assert metrics["avg var"] == 0
    assert json.loads((tmp_path / "metrics.json").read_text()) == measured
    rows = [json.loads(line) for line in (tmp_path / "images.jsonl").read_text().splitlines()]
    assert [row["request"] for row in rows] == [pair["request"] for pair in pairs]
    assert "darken 0 &lt;b&gt;" in (tmp_path / "web/index.html").read_text()
    assert f"input L1 dist {expected:.4f}, output L1 dist 0.0000" in capsys.readouterr().out


def test_the_page_shows_every_nth_image_or_none(photo, tmp_path):
    evaluate(rule(), Pairs(photo), tmp_path, ABOUT, visualize_every=2)
    page = (tmp_path / "web/index.html").read_text()
    assert ("darken 0" in page, "darken 1" in page, "darken 2" in page) == (True, False, True)
    evaluate(rule(), Pairs(photo), tmp_path / "none", ABOUT, visualize_every=0)
    assert not (tmp_path / "none/web").exists()


def test_variance_is_averaged_over_the_images(photo, tmp_path):
    measured = evaluate(Moody("moody"), Pairs(photo), tmp_path, ABOUT, visualize_every=0)
    assert measured["metrics"]["avg var"] == pytest.approx(0.25)
    assert measured["intervals"]["avg var"] == pytest.approx([0.25, 0.25])


def test_a_method_that_only_knows_its_pairs_has_no_variance(photo, tmp_path):
    pairs = Pairs(photo)
    method = KnownPlans({pair["name"]: DARKEN for pair in pairs}, "known")
    metrics = evaluate(method, pairs, tmp_path, ABOUT, visualize_every=0)["metrics"]
    assert "avg var" not in metrics
    assert metrics["output L1"] == pytest.approx(0, abs=1e-6)


def test_intervals_are_over_photos_and_undefined_for_a_single_photo(photo, tmp_path, capsys):
    pairs = Pairs(photo)
    measured = evaluate(rule(Plan()), pairs, tmp_path, ABOUT, visualize_every=0)
    rows = [json.loads(line) for line in (tmp_path / "images.jsonl").read_text().splitlines()]
    low, high = measured["intervals"]["output L1"]
    assert min(row["output L1"] for row in rows) <= low < measured["metrics"]["output L1"] < high
    assert f"; 95% [{low:.4f}, {high:.4f}]" in capsys.readouterr().out
    assert not [name for name in measured["intervals"] if "FID" in name]
    for pair in pairs:
        pair["name"] = "one>" + pair["name"]
    measured = evaluate(rule(), pairs, tmp_path, ABOUT, visualize_every=0)
    assert (measured["images"], measured["photos"]) == (3, 1)
    assert set(measured["intervals"].values()) == {None}
    assert "95%" not in capsys.readouterr().out


def test_the_frechet_distance_of_one_image_is_reported_as_undefined(photo, tmp_path, capsys):
    pairs = Pairs(photo)
    del pairs[1:]
    metrics = evaluate(rule(), pairs, tmp_path, ABOUT, visualize_every=0)["metrics"]
    assert metrics["output FID(efficientnet-lite0)"] is None
    assert "output FID(efficientnet-lite0) undefined (needs at least 2 images)" in capsys.readouterr().out


def test_without_targets_only_metrics_of_the_output_alone_are_measured(photo, tmp_path, capsys):
    pairs = Pairs(photo)
    for pair in pairs:
        pair["target"] = None
    measured = evaluate(Moody("moody"), pairs, tmp_path, ABOUT)
    assert {name for name, value in measured["metrics"].items() if value is not None} == {"avg var"}
    out = capsys.readouterr().out
    assert "output L1 dist undefined (needs targets)" in out
    assert "output FID(efficientnet-lite0) undefined (needs targets)" in out
    assert "darken 2" in (tmp_path / "web/index.html").read_text()


def test_an_interrupted_evaluation_leaves_the_old_figures(photo, tmp_path):
    evaluate(rule(), Pairs(photo), tmp_path, ABOUT)
    before = [(tmp_path / name).read_bytes() for name in ("metrics.json", "images.jsonl")]

    def interrupted(image, request):
        if request == "darken 2 <b>":
            raise KeyboardInterrupt
        return Plan()

    with pytest.raises(KeyboardInterrupt):
        evaluate(RulePlans(interrupted, "a rule"), Pairs(photo), tmp_path, ABOUT)
    assert [(tmp_path / name).read_bytes() for name in ("metrics.json", "images.jsonl")] == before


def test_the_notebooks_figures_are_shown_in_brackets_and_its_fid_only_beside_fid():
    known = Trial(1, notebook={"input L1": 0.1190, "output L1": 0.0770, "input FID": 12.3714, "output FID": 6.2376,
                               "avg var": 0.006112})
    lines = report(MEASURED, known)
    assert lines == [
        "on FiveK test, 3 images, measured now; in brackets the notebook's figures, on FiveKReq test",
        "input L1 dist 0.1200 (0.1190), output L1 dist 0.0800 (0.0770)", "input SSIM 0.7900, output SSIM 0.8500",
        "input FID 12.0000 (12.3714), output FID 6.0000 (6.2376)", "avg var: 0.006100 (0.006112)"]
    metrics = {name.replace("FID", "FID(efficientnet-lite0)"): value for name, value in MEASURED["metrics"].items()}
    lines = report(MEASURED | {"metrics": metrics}, known)
    assert "input FID(efficientnet-lite0) 12.0000, output FID(efficientnet-lite0) 6.0000" in lines
    assert "cannot be compared with FID(efficientnet-lite0)" in lines[-1]
    assert "notebook" not in " ".join(report(MEASURED, Trial(1)))
    gier = Trial(6, notebook={"input L1": 0.1079}, tested_on="GIER test")
    assert report(MEASURED, gier)[0].endswith("in brackets the notebook's figures, on GIER test")
