"""One evaluation for every method: same decoding, same sizes, same metrics, one set of files."""
import math
import statistics
import time
from pathlib import Path

import torch
from tqdm import tqdm

from core.engine.data import load_phase
from core.engine.folders import revision, run_folder, tested_folder
from core.engine.language import load_language
from core.engine.publish import publish
from core.evaluation.run_table import known_trial, run_under_seeds
from core.files import write_json, write_jsonl
from core.methods.planner import Edited, as_result
from core.methods.registry import SwappedPhotos, load_method
from core.metrics.bootstrap import mean_interval
from core.metrics.fid import FrechetStatistics, frechet_distance, load_features
from core.metrics.image import delta_e, l1, psnr, ssim
from core.metrics.language import FIXED_REQUESTS, request_variance
from core.metrics.lpips import load_lpips
from core.pages import write_results

PSNR_LIMIT = 100   # dB; equal pictures have an infinite PSNR, which would make the mean infinite
METRICS = {"L1": l1, "SSIM": ssim, "PSNR": lambda a, b: psnr(a, b).clamp(max=PSNR_LIMIT),
           "CIEDE2000": lambda a, b: delta_e(a, b)[0]}
SIDES = ("input", "output")


def run_tests(options):
    """Run a test script: test the method of `options` under each seed, and index the runs."""
    run_under_seeds(options, run_test, f"page: {tested_folder(options) / 'web' / 'index.html'}")


def run_test(options):
    """Test the method of `options` under their seed; return the content of `metrics.json`."""
    method = load_method(options)
    vocab = method.vocab or load_language(options).vocab
    dataset = load_phase(options, options.phase, vocab, size=None, short_edge=options.short_edge, need_targets=False)
    for sentence in dataset.report():
        print(sentence)
    if options.swap_photos:
        method = SwappedPhotos(method, dataset)
    about = {"run": run_folder(options).name, "dataset": options.dataset, "phase": options.phase,
             "short_edge": options.short_edge, "method": method.label} | method.about
    if options.data_mode:
        about["data_mode"] = options.data_mode
    measured = evaluate(method, dataset, tested_folder(options), about, fid_weights=options.fid_weights,
                        lpips_weights=options.lpips_weights,
                        visualize_every=options.visualize and options.visualize_every)
    publish(options, "evaluation", measured)
    return measured


@torch.no_grad()
def evaluate(method, dataset, folder, about, *, fid_weights=None, lpips_weights=None, visualize_every=1):
    """Run `method` over `dataset`; write `metrics.json`, `images.jsonl` and the page under `folder`; print a report.

    Args:
        method: a core.methods.registry.Method.
        dataset: a PairDataset of photos at their own size; without targets, the metrics that need one are None.
        about: plain values that describe the test: run, experiment, trial, dataset, phase, checkpoint, ...
        fid_weights, lpips_weights: see `load_features` and `load_lpips`.
        visualize_every: images between entries of the page; 0 writes none.

    Returns: the content of `metrics.json`: `about`, `images`, `photos`, `metrics` {name: number or None}, `intervals`
    {name: [low, high] or None}, `seconds`, `seconds_a_photo` (the median over single edits), `revision`, `date`.
    """
    folder = Path(folder)
    meter = Meter(fid_weights, lpips_weights)
    rows, variances, times, start = [], {}, [], time.time()

    def results():
        for index in tqdm(range(len(dataset)), desc=about["run"], unit="image"):
            sample = dataset[index]
            asked = time.perf_counter()
            edited = method(sample["input"], sample["request"], sample["name"])
            shown = visualize_every and index % visualize_every == 0
            _ = edited.stages if shown else None   # the page shows every step, so all steps are executed here, once
            _ = edited.image
            times.append(time.perf_counter() - asked)
            row = meter.measure(sample, edited)
            if method.answers_any:
                photo = photo_of(row)
                if photo not in variances:   # one value for all requests of a photo
                    answers = method.edits(sample["input"], FIXED_REQUESTS)
                    variances[photo] = request_variance(torch.stack([answer.image for answer in answers]))
                row["variance"] = variances[photo]
            rows.append(row)
            if shown:
                values = {name: value for name, value in row.items() if isinstance(value, float)}
                yield as_result(sample["name"], sample["request"], edited, sample["target"], values)

    notes = [*dataset.report(), " · ".join(f"{key}: {value}" for key, value in about.items())]
    if visualize_every:
        write_results(folder / "web", about["run"], results(), notes)
    else:
        for _ in results():
            pass
    metrics, intervals = meter.summary(rows)
    measured = about | {"images": len(rows), "photos": len({photo_of(row) for row in rows}), "metrics": metrics,
                        "intervals": intervals, "seconds": round(time.time() - start, 1),
                        "seconds_a_photo": statistics.median(times), "revision": revision(),
                        "date": time.strftime("%Y-%m-%d")}
    write_jsonl(folder / "images.jsonl", rows)
    write_json(folder / "metrics.json", measured, indent=1)
    notes = list(meter.notes)
    known = known_trial(about["experiment"], about["trial"], about["dataset"], notes)
    print(*notes, *report(measured, known), sep="\n")
    return measured


def photo_of(row):
    """Return the input photo of a row of `images.jsonl`; the bootstrap draws the rows of one photo together."""
    return row["name"].split(">")[0]


class Meter:
    """Accumulates the measures of a test set."""

    def __init__(self, fid_weights=None, lpips_weights=None):
        extractor = load_features(fid_weights)
        self.fid_name = extractor.name
        self.statistics = {which: FrechetStatistics(extractor) for which in (*SIDES, "target")}
        lpips, missing = load_lpips(lpips_weights)
        self.metrics = METRICS | ({lpips.name: lpips} if lpips else {})
        self.notes = [missing] if missing else []

    def measure(self, sample, edited: Edited):
        """Return the row of one image: plain values; without a target, no metric that needs one."""
        pictures = {"input": sample["input"][None], "output": edited.image[None]}
        if sample["target"] is not None:
            pictures["target"] = sample["target"][None]
        for which, picture in pictures.items():
            self.statistics[which].update(picture)
        row = {"name": sample["name"], "request": sample["request"], "size": list(edited.image.shape[-2:])}
        for metric, function in self.metrics.items() if "target" in pictures else ():
            for which in SIDES:
                value = function(pictures[which], pictures["target"]).item()
                if math.isfinite(value):
                    row[f"{which} {metric}"] = value
        if edited.plan is not None:
            row["plan"] = edited.plan.to_dict()["steps"]
        return row

    def summary(self, rows):
        """Return the means, the Frechet distances and the variance, and the 95% intervals over photos.

        An undefined figure is None. A Frechet distance has no interval, because it is not a mean over images, and its
        bias depends on the number of images, which a resample of photos would change.
        """
        means, intervals = {}, {}
        names = {f"{which} {metric}": f"{which} {metric}" for metric in self.metrics for which in SIDES}
        for name, field in (names | {"avg var": "variance"}).items():
            known = [row for row in rows if field in row]
            if not known and field == "variance":   # not measured where the method answers its own pairs only
                continue
            values = [row[field] for row in known]
            means[name] = sum(values) / len(values) if values else None
            intervals[name] = mean_interval(values, [photo_of(row) for row in known])
        for which in SIDES:
            means[f"{which} {self.fid_name}"] = frechet_distance(self.statistics[which], self.statistics["target"])
        return means, intervals


def report(measured, trial):
    """Return the report: the measured figures, and in brackets those of the notebook, if the Trial has any."""
    metrics, intervals, known = measured["metrics"], measured.get("intervals", {}), trial.notebook
    lacking = "targets" if metrics["input L1"] is None else "at least 2 images"
    lines = [f"on {measured['dataset']} {measured['phase']}, {measured['images']} images, measured now"
             + (f"; in brackets the notebook's figures, on {trial.tested_on}" if known else "")]
    for metric in (name.removeprefix("input ") for name in metrics if name.startswith("input ")):
        label = "L1 dist" if metric == "L1" else metric
        names = [f"{which} {metric}" for which in SIDES]
        parts = [f"{which} {label} {_number(metrics[name], lacking)}"
                 + (f" ({known[name]:.4f})" if name in known else "")
                 for which, name in zip(SIDES, names, strict=True)]
        lines.append(", ".join(parts) + _intervals(intervals.get(name) for name in names))
    if "avg var" in metrics:
        beside = f" ({known['avg var']:.6f})" if "avg var" in known else ""
        lines.append(f"avg var: {metrics['avg var']:.6f}{beside}{_intervals([intervals.get('avg var')], 6)}")
    if "seconds_a_photo" in measured:   # not in files of older versions
        size = f", {measured['parameters']:,} parameters" if "parameters" in measured else ""
        lines.append(f"{measured['seconds_a_photo']:.3g} s a photo{size}")
    if {"input FID", "output FID"} <= known.keys() and "input FID" not in metrics:
        fid = next(name.removeprefix("input ") for name in metrics if name.startswith("input FID"))
        lines.append(f"the notebook's FID, {known['input FID']:.4f} -> {known['output FID']:.4f}, is on Inception "
                     f"features and cannot be compared with {fid}; give --fid_weights to measure it")
    return lines


def _intervals(bounds, digits=4):
    """Return the intervals of a line as text; empty where one is undefined."""
    bounds = list(bounds)
    if None in bounds:
        return ""
    return "; 95% " + ", ".join(f"[{low:.{digits}f}, {high:.{digits}f}]" for low, high in bounds)


def _number(value, lacking):
    return f"undefined (needs {lacking})" if value is None else f"{value:.4f}"
