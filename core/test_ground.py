"""Test a trained grounder: which segments does it take for those that a request, or an expression, means?

Prints pooled ROC AUC, mask IoU and more beside the notebook's figures and beside methods that learn nothing, all with
95% intervals over photos. Writes, under the run's folder, test/metrics.json, test/items.jsonl (one line for each
sample) and test/web/index.html: the segments coloured by their score, the words that each module attends to.

  python core/test_ground.py --id 0                                              # on GIER, as the notebook
  python core/test_ground.py --id 3 --use_op_prior 0
  python core/test_ground.py --dataset RegionReq --trial 101 --samples both --beside 102    # paired with another trial
"""
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
from easydict import EasyDict
from tabulate import tabulate
from tqdm import tqdm

from core.datasets import to_uint8
from core.datasets.refcoco import IMAGES
from core.engine.cli import run
from core.engine.data import data_root
from core.engine.folders import revision, run_folder, tested_folder
from core.engine.options import ON, Parser, number, parse, some_of
from core.engine.publish import publish
from core.engine.seeds import over_seeds
from core.engine.trials import get_trial
from core.evaluation.grounding import BASELINES, Answer, baselines, scenes, score
from core.files import write_json, write_jsonl
from core.metrics.grounding import choose, compare, iou, summarise
from core.models.grounding import MODULES
from core.pages.grounding import write_grounding
from core.training.grounding import add_samples, answers, load_grounder, load_samples

EXPERIMENT = "ground"
SHOWN = ("ROC", "sample ROC", "AP", "accuracy", "N of N", "F1", "exact", "IoU", "P@0.5")


def main():
    options = parse(arguments(), EXPERIMENT)
    over_seeds(options, test_once, tested_folder)


def test_once(options):
    """Test one run; return its figures."""
    grounder, language, trained = load_grounder(options, EXPERIMENT)
    dataset = load_samples(options, language, options.phase)
    own = "grounder"
    methods = {own: (_found(grounder, dataset, options.op_at_test or trained.get("op_at_test", "own")),
                     float(grounder.threshold))}
    if options.beside is not None:
        other, second, _ = load_grounder(EasyDict(options | {"trial": options.beside}), EXPERIMENT)
        reread = dataset if second.vocab.encode("a dog") == language.vocab.encode("a dog") else load_samples(
            options, second, options.phase)
        methods[f"trial {options.beside}"] = _found(other, reread), float(other.threshold)
    fixed = baselines([] if options.baselines == ["none"] else options.baselines)
    rows = {name: [] for name in (*methods, *fixed)}
    images = Path(data_root(options)) / (IMAGES if options.samples == "refcoco" else "images")
    folder = tested_folder(options)

    def results():
        for position, (index, scene) in enumerate(tqdm(scenes(dataset, images), total=len(dataset), unit="sample",
                                                     leave=False)):
            labels = dataset.labels(index)
            for name, (found, threshold) in methods.items():
                rows[name].append(score(scene, labels, found[index], threshold))
            for name, method in fixed.items():
                rows[name].append(score(scene, labels, method(scene), 0.5))
            if options.visualize and position % options.visualize_every == 0:
                yield shown(scene, methods[own][0][index], methods[own][1], rows[own][-1], language.vocab)

    title = f"{run_folder(options).name}, {options.dataset} {options.phase}"
    if options.visualize:
        write_grounding(folder / "web", title, results())
    else:
        list(results())
    measured = {"run": run_folder(options).name, "dataset": options.dataset, "phase": options.phase,
                "samples": options.samples, "threshold": methods[own][1], "revision": revision(),
                "methods": {name: summarise(some) for name, some in rows.items()},
                "groups": by_group(rows),
                "more than": {name: compare(rows[own], some) for name, some in rows.items() if name != own}}
    write_jsonl(folder / "items.jsonl", [
        {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in row.items()}
        for row in rows[own]])
    write_json(folder / "metrics.json", measured, indent=1)
    publish(options, "grounding", measured)
    report(measured, get_trial(EXPERIMENT, options.trial, options.dataset))
    return {name: measured["methods"][own][name][0] for name in ("ROC", "IoU")}


def _found(grounder, dataset, op_at_test="own"):
    """Return the Answer of a grounder for each sample."""
    return {index: Answer(scores, confidence, None, modules, said) for index, scores, confidence, modules, said in
            answers(grounder, dataset, next(grounder.parameters()).device, op_at_test=op_at_test)}


def shown(scene, answer, threshold, row, vocab):
    """Return the entry of the page for a sample."""
    words = ["[CLS]", *vocab.read(scene.query.words), "[SEP]"]
    weights, attention = answer.said.weights.tolist(), answer.said.attention.cpu().numpy()
    attention = attention[:, :len(words)] / attention.max(1, keepdims=True).clip(1e-9)   # without padding
    read = {module: (weight, list(zip(words, attended, strict=True)))
            for module, weight, attended in zip(MODULES, weights, attention.tolist(), strict=True)}
    operator = f"{scene.query.operator} · " if scene.query.operator else ""
    picture = scene.picture
    return {"name": f"{operator}{scene.query.photo}", "words": scene.query.words, "photo": to_uint8(picture.photo),
            "segments": picture.arrays, "scores": answer.scores, "chosen": choose(answer.confidence, threshold),
            "truth": scene.truth, "iou": iou(row), "read": read}


def by_group(rows):
    """Return {group: {"samples", method: {"IoU"}}}, the mean IoU by the trait that makes the words unique."""
    groups = dict.fromkeys(row["group"] for some in rows.values() for row in some)
    return {group: {"samples": sum(row["group"] == group for row in next(iter(rows.values())))} | {
        name: float(np.mean([iou(row) for row in some if row["group"] == group])) for name, some in rows.items()}
        for group in groups}


def report(measured, trial):
    print(f"on {measured['dataset']} {measured['phase']}, {measured['methods']['grounder']['samples']} samples of "
          f"{measured['methods']['grounder']['photos']} photos; [95% intervals over photos]")
    print(tabulate([[name, *(_cell(found.get(key)) for key in SHOWN)] for name, found in measured["methods"].items()],
                   ["", *SHOWN], disable_numparse=True))
    for name, more in measured["more than"].items():
        print(f"more than {name}: ROC {_cell(more['ROC'])}, IoU {_cell(more['IoU'])}")
    print(tabulate([[group, found["samples"], *(f"{found[name]:.3f}" for name in measured["methods"])]
                    for group, found in measured["groups"].items()],
                   ["IoU", "n", *measured["methods"]], disable_numparse=True))
    if trial.notebook:
        print("the notebook's figures, on", trial.tested_on, "with features of UPSNet: " + ", ".join(
            f"{name} {value}" for name, value in trial.notebook.items()) + "; they cannot be compared with other data")


def _cell(figure):
    if not isinstance(figure, list) or figure[0] is None:
        return "-"
    mean, low, high = figure
    return f"{mean:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")


def arguments():
    parser = add_samples(Parser(__doc__).add_data())
    group = parser.add_tested()
    group.add_argument("--beside", type=number(int, 0), metavar="TRIAL", help="also test this trial, such as the "
                       "text-blind one, and compare in pairs")
    group.add_argument("--baselines", type=some_of((*BASELINES, "none"), "baseline"), default=list(BASELINES),
                       help=f"comma-separated, of {', '.join(BASELINES)}, or none (default: all)")
    group.add_argument("--visualize", **ON, help="write the page of results")
    group.add_argument("--visualize_every", type=number(int, 1), default=5, help="show every n-th result on the page")
    parser.add_ignored("--use_op_prior").add_seeds("test")
    parser.set_defaults(dataset="GIER", session=3, op_at_test=None)
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
