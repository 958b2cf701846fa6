"""Lines, files and index of an evaluation."""
import json

import pytest
import torch

from core.engine.editing import PlanMethod
from core.engine.evaluation import evaluate, index_runs, report
from core.engine.trials import Trial
from core.metrics import fid
from core.operators import Plan, Step

MEASURED = {"dataset": "FiveK", "phase": "test", "images": 3, "metrics": {
    "input L1": 0.12, "output L1": 0.08, "input SSIM": 0.79, "output SSIM": 0.85, "input FID": 12.0, "output FID": 6.0,
    "avg var": 0.0061}}
ABOUT = {"run": "toy_run", "experiment": "toy", "trial": 1, "dataset": "toy", "phase": "test"}


class Pairs(list):
    """Photos of three sizes; each target is its input, half as bright."""

    def __init__(self, photo):
        images = [torch.from_numpy(photo(20 + size, 30, seed=size)).permute(2, 0, 1) / 255 for size in range(3)]
        super().__init__({"input": image, "target": image / 2, "request": f"darken {number} <b>", "name": f"{number}"}
                         for number, image in enumerate(images))

    def report(self):
        return ["3 pairs"]


@pytest.fixture(autouse=True)
def quick_features(monkeypatch):
    """Mean colours, in place of a network's features."""
    extractor = fid.FeatureExtractor("FID(toy)", torch.nn.Identity())
    extractor.network.forward = lambda images: images.float().mean((2, 3))
    monkeypatch.setattr("core.engine.evaluation.open_features", lambda weights: extractor)


def darken(name):
    return Plan((Step.make("exposure", [-1.0]),))


def test_a_perfect_method_is_measured_as_one(photo, tmp_path, capsys):
    pairs = Pairs(photo)
    measured = evaluate(PlanMethod(darken), pairs, tmp_path, ABOUT)
    metrics = measured["metrics"]
    assert metrics["output L1"] == pytest.approx(0, abs=1e-6)
    assert metrics["output SSIM"] == pytest.approx(1, abs=1e-4)
    assert metrics["output FID(toy)"] == pytest.approx(0, abs=1e-6)
    expected = sum(pair["input"].mean().item() / 2 for pair in pairs) / 3   # each photo counts once, whatever its size
    assert metrics["input L1"] == pytest.approx(expected, rel=1e-5)
    assert "avg var" not in metrics
    assert json.loads((tmp_path / "metrics.json").read_text()) == measured
    rows = [json.loads(line) for line in (tmp_path / "images.jsonl").read_text().splitlines()]
    assert [row["request"] for row in rows] == [pair["request"] for pair in pairs]
    assert "darken 0 &lt;b&gt;" in (tmp_path / "web/index.html").read_text()
    assert f"input L1 dist {expected:.4f}, output L1 dist 0.0000" in capsys.readouterr().out


def test_the_page_shows_every_nth_image_or_none(photo, tmp_path):
    evaluate(PlanMethod(darken), Pairs(photo), tmp_path, ABOUT, visualize_every=2)
    page = (tmp_path / "web/index.html").read_text()
    assert ("darken 0" in page, "darken 1" in page, "darken 2" in page) == (True, False, True)
    evaluate(PlanMethod(darken), Pairs(photo), tmp_path / "none", ABOUT, visualize_every=0)
    assert not (tmp_path / "none/web").exists()


def test_variance_is_averaged_over_the_images(photo, tmp_path):
    def two_answers(image, requests):
        return [torch.zeros_like(image) if number % 2 else torch.ones_like(image) for number in range(len(requests))]
    measured = evaluate(PlanMethod(darken), Pairs(photo), tmp_path, ABOUT, visualize_every=0, variance_of=two_answers)
    assert measured["metrics"]["avg var"] == pytest.approx(0.25)


def test_an_interrupted_evaluation_leaves_the_old_figures(photo, tmp_path):
    evaluate(PlanMethod(darken), Pairs(photo), tmp_path, ABOUT)
    before = [(tmp_path / name).read_bytes() for name in ("metrics.json", "images.jsonl")]

    def interrupted(name):
        if name == "2":
            raise KeyboardInterrupt
        return Plan()

    with pytest.raises(KeyboardInterrupt):
        evaluate(PlanMethod(interrupted), Pairs(photo), tmp_path, ABOUT)
    assert [(tmp_path / name).read_bytes() for name in ("metrics.json", "images.jsonl")] == before


def test_the_notebooks_figures_stand_in_brackets_and_fid_only_beside_fid():
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
    assert "does not compare with FID(efficientnet-lite0)" in lines[-1]
    assert "notebook" not in " ".join(report(MEASURED))


def test_the_index_links_the_runs_that_have_a_page(photo, tmp_path):
    for run, every in (("a_run", 1), ("b_run", 0)):
        evaluate(PlanMethod(darken), Pairs(photo), tmp_path / run / "test", ABOUT | {"run": run}, visualize_every=every)
    page = index_runs(tmp_path).read_text()
    assert 'href="a_run/test/web/index.html"' in page
    assert "b_run" in page
    assert "b_run/test" not in page
