"""Testing the whole pipeline: one decoding for each grounder, beside methods that learn nothing."""
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from tabulate import tabulate
from torch.utils.data import DataLoader

from core.datasets.annotations import pair_name, source_photo
from core.datasets.pairs import until_repetition
from core.engine.data import data_root
from core.engine.folders import revision, run_folder, tested_folder
from core.engine.options import ON, number
from core.engine.publish import publish
from core.evaluation.evaluate import photo_of
from core.evaluation.run_table import known_trial
from core.files import write_json, write_jsonl
from core.methods.keywords import keyword_operators
from core.methods.pipeline import GROUNDERS, load_edits, load_pipeline, thumbnails_of
from core.methods.planner import THUMBNAIL, Edited, as_result
from core.metrics.bootstrap import mean_interval
from core.metrics.image import l1, ssim
from core.metrics.sequence import ORDERS, bleu, bleu1_interval, mask_overlaps, parameter_mse
from core.models.pipeline import known_masks
from core.operators import MAX_STEPS, Mask, Plan, Step
from core.pages import write_results

BATCH = 32
TRUE = "true masks"   # the upper bound of every grounder


def add_pipeline_test(parser):
    """Add the flags of the pipeline's test; return the parser."""
    parser.set_defaults(dataset="synth", session=0)
    group = parser.add_tested()
    group.add_argument("--load_checkpoint_path", help="checkpoint, in place of the one of --trial")
    group.add_argument("--grounder", choices=GROUNDERS, help="where masks come from: the true segments of the set, "
                       "among which rules choose (default where the set has them), or what LDIE finds in the photo")
    group.add_argument("--visualize", **ON, help="write the page")
    group.add_argument("--visualize_every", type=number(int, 1), default=1, help="show every n-th result on the page")
    return parser.add_ignored("--print_every", "--display_every")


def measure_pipeline(options):
    """Test a trained pipeline; write and return `metrics.json`; write `images.jsonl` and the page."""
    start, folder = time.time(), tested_folder(options)
    path = Path(options.load_checkpoint_path or run_folder(options) / options.checkpoint)
    network, vocab, _ = load_pipeline(path, options.experiment)
    dataset, plans = load_edits(options, options.phase, vocab, network.vocab)
    print(*dataset.report(), sep="\n")
    references = [Plan(tuple(until_repetition(plans[pair_name(entry)])[:MAX_STEPS])) for entry in dataset.annotations]
    root = Path(data_root(options))
    kind = options.grounder or ("segments" if (root / "masks").is_dir() else "finder")
    found = {TRUE: decoded(network, dataset), kind: decoded(network, dataset, GROUNDERS[kind](root))}
    rows = {name: figures(*results, references, dataset) for name, results in found.items()}
    plain = {"most frequent plan of training": frequent(options, vocab, network.vocab, len(dataset)),
             "keyword editor": [sorted(keyword_operators(entry["request"])) for entry in dataset.annotations]}
    orders = [[step.op for step in reference] for reference in references]
    photos = list(map(source_photo, dataset.annotations))
    rows |= {name: order_figures(sequences, orders, photos) for name, sequences in plain.items()}
    own = rows.pop(kind)
    measured = {"run": folder.parent.name, "experiment": options.experiment, "trial": options.trial,
                "dataset": options.dataset, "phase": options.phase, "checkpoint": path.name,
                "grounder": kind, "images": len(dataset),
                "photos": len(set(photos)), **own, "references": rows,
                "seconds": round(time.time() - start, 1), "revision": revision(), "date": time.strftime("%Y-%m-%d")}
    write_jsonl(folder / "images.jsonl", list(lines(*found[kind], references, dataset)))
    write_json(folder / "metrics.json", measured, indent=1)
    report(measured)
    publish(options, "pipeline", measured)
    if options.visualize:
        page = write_results(folder / "web", folder.parent.name, shown(
            found[kind][0], dataset, options.visualize_every), dataset.report())
        print(f"page: {page}")
    return measured


def decoded(network, dataset, grounder=None):
    """Return (plans, their results (N, 3, H, W), names of the dropped steps of each); without a grounder, with the
    true masks."""
    plans, images, dropped = [], [], []
    for batch in DataLoader(dataset, BATCH):
        if grounder is None:
            orders = [[network.vocab.names[index] for index in row if network.vocab[index]]
                      for row in batch["ops"].tolist()]
            ground = known_masks(batch["masks"], orders)
        else:
            ground = thumbnails_of(grounder, [photo_of({"name": name}) for name in batch["name"]], batch["request"])
        done = network.decode(batch["input"], batch["request_ids"], ground)
        plans += [Plan(tuple(Step.make(name, params, None if mask is None else Mask.from_array(mask[0].numpy()))
                             for (name, params, _), mask in zip(steps, masks, strict=True)))
                  for steps, masks in zip(done.steps, done.masks, strict=True)]
        images.append(done.image)
        dropped += done.dropped
    return plans, torch.cat(images), dropped


def figures(plans, images, dropped, references, dataset):
    """Return {"metrics", "intervals", "parameters": {operator: squared error}} of decoded plans."""
    orders = [[step.op for step in reference] for reference in references]
    sequences = [[step.op for step in plan] + names for plan, names in zip(plans, dropped, strict=True)]
    photos, inputs, outputs, alike, overlaps, places = [], [], [], [], [], []
    for index, (plan, reference) in enumerate(zip(plans, references, strict=True)):
        sample = dataset[index]
        photos.append(source_photo(dataset.annotations[index]))
        target, result = sample["target"][None], images[index][None]
        inputs.append(l1(sample["input"][None], target).item())
        outputs.append(l1(result, target).item())
        alike.append(ssim(result, target).item())
        own = mask_overlaps(plan, reference, THUMBNAIL, THUMBNAIL)
        overlaps += own
        places += [photos[-1]] * len(own)
    empty = [index for index, reference in enumerate(references) if not len(reference)]
    of_orders = order_figures(sequences, orders, photos)
    metrics = of_orders["metrics"] | {
        "mask IoU": _mean(overlaps), "input L1": _mean(inputs), "output L1": _mean(outputs),
        "output SSIM": _mean(alike), "dropped steps": sum(map(len, dropped)),
        "left as it is where nothing is asked": _mean([not len(plans[index]) for index in empty])}
    return {"metrics": metrics, "parameters": parameter_mse(plans, references),
            "intervals": of_orders["intervals"] | {
                "mask IoU": mean_interval(overlaps, places) if overlaps else None,
                "output L1": mean_interval(outputs, photos)}}


def order_figures(sequences, references, photos):
    """Return {"metrics", "intervals"} of the operators of plans: BLEU against the known ones."""
    return {"metrics": {f"BLEU-{order}": bleu(sequences, references, order) for order in ORDERS},
            "intervals": {"BLEU-1": bleu1_interval(sequences, references, photos)}}


def frequent(options, vocab, operators, count):
    """Return the most frequent operators of a plan of the training pairs, `count` times."""
    train, _ = load_edits(options, "train", vocab, operators)
    most, _ = Counter(tuple(row) for row in train.ops.tolist()).most_common(1)[0]
    return [[operators.names[index] for index in most if operators[index]]] * count


def lines(plans, images, dropped, references, dataset):
    """Yield the rows of `images.jsonl`."""
    for entry, plan, names, reference in zip(dataset.annotations, plans, dropped, references, strict=True):
        yield {"name": pair_name(entry), "request": entry["request"], "plan": [step.op for step in plan],
               "dropped": names, "reference": [step.op for step in reference],
               "IoU": mask_overlaps(plan, reference, THUMBNAIL, THUMBNAIL)}


def shown(plans, dataset, every):
    """Yield the entries of the page."""
    for index in range(0, len(plans), every):
        sample = dataset[index]
        edited = Edited(sample["input"], plans[index])
        yield as_result(sample["name"], sample["request"], edited, sample["target"],
                        {"output L1": float((edited.image - sample["target"]).abs().mean())})


def report(measured):
    """Print the figures, and the notebook's where there are any."""
    rows = {measured["grounder"]: measured} | measured["references"]
    names = list(measured["metrics"])
    print(f"{measured['run']} on {measured['dataset']} {measured['phase']}, {measured['images']} pairs")
    print(tabulate([[name, *(row["metrics"].get(key) for key in names)] for name, row in rows.items()],
                   ["masks or method", *names], floatfmt=".4f", missingval="-"))
    problems = []
    known = known_trial(measured["experiment"], measured["trial"], measured["dataset"], problems)
    print("squared errors of parameters:", ", ".join(f"{name} {value:.4f}"
                                                     for name, value in measured["parameters"].items()) or "none")
    print(*problems, sep="\n", end="\n" if problems else "")
    if known.notebook:
        print(f"the notebook, on {known.tested_on}:", ", ".join(f"{name} {value:g}"
                                                                for name, value in known.notebook.items()))


def _mean(values):
    return float(np.mean(values)) if len(values) else None
