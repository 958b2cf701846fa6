"""One evaluation for every method: same decoding, same sizes, same metrics, one set of files."""
import time
from pathlib import Path

import torch
from tqdm import tqdm

from core.engine.editing import Edited, as_result
from core.engine.run import revision
from core.files import UserError, read_json, write_json, write_jsonl
from core.metrics.fid import FrechetStatistics, frechet_distance, open_features
from core.metrics.image import l1, ssim
from core.metrics.language import FIXED_REQUESTS, request_variance
from core.operators import execute
from core.pages import write_index, write_results


@torch.no_grad()
def evaluate(method, dataset, folder, about, *, trial=None, fid_weights=None, visualize_every=1, variance_of=None):
    """Run `method` over `dataset`; write `metrics.json`, `images.jsonl` and the page under `folder`; print the lines.

    Args:
        method: a callable (image (3, H, W), request, name) -> Edited.
        dataset: a PairDataset of photos at their own size.
        about: plain values that say what was measured: run, experiment, dataset, phase, checkpoint, ...
        trial: the Trial whose notebook figures are printed beside the measured ones.
        fid_weights: see `open_features`.
        visualize_every: images between entries of the page; 0 writes none.
        variance_of: a callable (image, requests) -> list of images, for the variance over ten requests; None: none.

    Returns: what `metrics.json` holds: `about`, `images`, `metrics` {name: number or None}, `revision`, `date`.
    """
    folder = Path(folder)
    meter = _Meter(fid_weights)
    rows, start = [], time.time()

    def results():
        for index in tqdm(range(len(dataset)), desc=about["run"], unit="image"):
            sample = dataset[index]
            edited = method(sample["input"], sample["request"], sample["name"])
            row = meter.measure(sample, edited)
            if variance_of is not None:
                row["variance"] = request_variance(torch.stack(variance_of(sample["input"], FIXED_REQUESTS)))
            rows.append(row)
            if visualize_every and index % visualize_every == 0:
                shown = {name: value for name, value in row.items() if isinstance(value, float)}
                yield as_result(sample["name"], sample["request"], sample["input"], edited, sample["target"], shown)

    notes = [*dataset.report(), " · ".join(f"{key}: {value}" for key, value in about.items())]
    if visualize_every:
        write_results(folder / "web", about["run"], results(), notes)
    else:
        for _ in results():
            pass
    measured = about | {"images": len(rows), "metrics": meter.summary(rows), "seconds": round(time.time() - start, 1),
                        "revision": revision(), "date": time.strftime("%Y-%m-%d")}
    write_jsonl(folder / "images.jsonl", rows)
    write_json(folder / "metrics.json", measured, indent=1)
    print(*report(measured, trial), sep="\n")
    return measured


class _Meter:
    """Accumulates what is measured over a test set."""

    def __init__(self, fid_weights):
        extractor = open_features(fid_weights)
        self.fid_name = extractor.name
        self.statistics = {which: FrechetStatistics(extractor) for which in ("input", "output", "target")}

    def measure(self, sample, edited: Edited):
        """Return the row of one image."""
        pictures = {"input": sample["input"][None], "output": edited.image[None], "target": sample["target"][None]}
        for which, statistics in self.statistics.items():
            statistics.update(pictures[which])
        row = {"name": sample["name"], "request": sample["request"]}
        for metric, function in (("L1", l1), ("SSIM", ssim)):
            for which in ("input", "output"):
                row[f"{which} {metric}"] = function(pictures[which], pictures["target"]).item()
        if edited.plan is not None:
            row["plan"] = edited.plan.to_dict()["steps"]
        return row

    def summary(self, rows):
        """Return the means, the Frechet distances and the variance."""
        names = ("input L1", "output L1", "input SSIM", "output SSIM")
        means = {name: sum(row[name] for row in rows) / len(rows) for name in names}
        for which in ("input", "output"):
            means[f"{which} {self.fid_name}"] = frechet_distance(self.statistics[which], self.statistics["target"])
        if all("variance" in row for row in rows):
            means["avg var"] = sum(row["variance"] for row in rows) / len(rows)
        return means


def report(measured, trial=None):
    """Return the notebook's lines, the notebook's own figures beside the measured where a trial has some."""
    metrics = measured["metrics"]
    fid = next(name.removeprefix("input ") for name in metrics if name.startswith("input FID"))
    pairs = [("L1 dist", "L1"), ("SSIM", "SSIM"), (fid, fid)]
    known = trial.notebook if trial else {}
    lines = [f"on {measured['dataset']} {measured['phase']}, {measured['images']} images, measured now"
             + ("; in brackets the notebook's figures, on FiveKReq test" if known else "")]
    for label, name in pairs:
        parts = [f"{which} {label} {_number(metrics[f'{which} {name}'])}"
                 + (f" ({known[f'{which} {name}']:.4f})" if f"{which} {name}" in known else "")
                 for which in ("input", "output")]
        lines.append(", ".join(parts))
    if "avg var" in metrics:
        beside = f" ({known['avg var']:.6f})" if "avg var" in known else ""
        lines.append(f"avg var: {metrics['avg var']:.6f}{beside}")
    if fid != "FID" and "input FID" in known:
        lines.append(f"the notebook's FID, {known['input FID']:.4f} -> {known['output FID']:.4f}, is on Inception "
                     f"features and does not compare with {fid}; give --fid_weights for it")
    return lines


def _number(value):
    return "undefined (needs at least 2 images)" if value is None else f"{value:.4f}"


def index_runs(output):
    """Write `output/index.html`, the table of all runs with a test, and return its path."""
    output = Path(output)
    rows = []
    for path in sorted(output.glob("*/test*/metrics.json")):
        try:
            measured = read_json(path)
            if not isinstance(measured, dict) or not isinstance(measured.get("metrics"), dict):
                raise UserError(f"{path}: field 'metrics' is missing or no object")
        except UserError as error:
            raise UserError(f"{error}; test that run again, or delete the file, and {output}/index.html is "
                            f"complete") from None
        page = path.parent / "web" / "index.html"
        fields = ("run", "experiment", "trial", "dataset", "phase", "metrics", "date", "revision")
        rows.append({name: measured.get(name) for name in fields}
                    | {"page": page.relative_to(output).as_posix() if page.exists() else None})
    write_index(output, rows)
    return output / "index.html"


def executed(plans, image):
    """Return the images that plans make of one photo."""
    return [execute(plan, image) for plan in plans]
