"""Testing a multi-label classifier: its figures beside those of methods that learn little or nothing."""
import time

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from tabulate import tabulate

from core.datasets.annotations import source_photo
from core.engine.folders import revision, run_folder, tested_folder
from core.engine.options import ON
from core.engine.publish import publish
from core.evaluation.run_table import known_trial
from core.files import write_json, write_jsonl
from core.methods.keywords import keyword_operators
from core.methods.multilabel import classify, load_classifier, load_labels, shuffled
from core.metrics.labels import best_thresholds, score_labels
from core.pages.labels import write_labels

SHOWN = 200   # requests on the page
SHUFFLED, FREQUENCY, KEYWORDS, WORDS = ("the same, with the requests of other samples", "operator frequency",
                                        "keyword editor", "bag of words, logistic regression")
MEASURES = {"ROC": "ROC", "macro ROC": "macro ROC", "AP": "AP", "macro AP": "macro AP", "F1": "F1",
            "macro F1": "macro F1", "exact": "exact set"}


def add_classifier_test(parser):
    """Add the flags of a classifier's test; return the parser."""
    parser.set_defaults(dataset="GIER", session=3)
    group = parser.add_tested()
    group.add_argument("--visualize", **ON, help="write the page")
    return parser.add_ignored("--print_every")


def measure_classifier(options):
    """Test a trained classifier; write and return `metrics.json`; write `requests.jsonl` and the page."""
    start, folder = time.time(), tested_folder(options)
    network, vocab, trained = load_classifier(run_folder(options) / options.checkpoint, options.experiment)
    names = network.config.operators

    def load(phase, with_photos):
        return load_labels(options, phase, vocab, names, trained.get("merge", False), with_photos)

    seen, choosing = network.config.vis_encoder is not None, "train" if options.phase == "val" else "val"
    tested, chosen, train = load(options.phase, seen), load(choosing, seen), load("train", False)
    notes = [*tested.report(), f"the thresholds of F1 and exact sets are chosen on {choosing}",
             "the labels are the operators of the pair, and a single request often asks for some of them only",
             f"shown below, from the worst to the best answer: {min(len(tested), SHOWN)} requests"]
    methods = {folder.parent.name: lambda samples: classify(network, samples),
               SHUFFLED: lambda samples: classify(network, samples, order=shuffled(len(samples)))} | references(train)
    truth = tested.labels.numpy() > 0.5
    photos = list(map(source_photo, tested.entries))
    rows, scores = {}, {}
    for name, method in methods.items():
        thresholds = np.full(len(names), 0.5)   # the keyword editor says yes or no
        if name != KEYWORDS:
            thresholds = best_thresholds(method(chosen), chosen.labels.numpy() > 0.5)
        scores[name] = method(tested), thresholds
        rows[name] = score_labels(scores[name][0], truth, thresholds, photos, names)
    own = rows.pop(folder.parent.name)
    measured = {"run": folder.parent.name, "experiment": options.experiment, "trial": options.trial,
                "dataset": options.dataset, "phase": options.phase, "checkpoint": options.checkpoint,
                "images": len(tested), "photos": len(set(photos)), **own, "references": rows,
                "seconds": round(time.time() - start, 1), "revision": revision(), "date": time.strftime("%Y-%m-%d")}
    write_jsonl(folder / "requests.jsonl", [
        {"name": sample["name"], "request": sample["request"], "truth": dict(zip(names, row.tolist(), strict=True)),
         "scores": dict(zip(names, line.tolist(), strict=True))}
        for sample, row, line in zip(map(tested.__getitem__, range(len(tested))), truth, scores[folder.parent.name][0],
                                     strict=True)])
    write_json(folder / "metrics.json", measured, indent=1)
    report(measured)
    publish(options, "multilabel", measured)
    if options.visualize:
        page = write_labels(folder / "web", folder.parent.name, names, figures_of(measured),
                            shown(tested, *scores[folder.parent.name], truth), notes)
        print(f"page: {page}")
    return measured


def references(train):
    """Return {name: callable OperatorLabels -> scores (N, K)} of methods that see no photo; two learn from `train`."""
    frequency = train.labels.numpy().mean(0)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    known = words.fit_transform(entry["request"] for entry in train.entries)
    models = [LogisticRegression(max_iter=300).fit(known, column) if 0 < column.mean() < 1 else None
              for column in train.labels.numpy().T]

    def linear(samples):
        found = words.transform(entry["request"] for entry in samples.entries)
        return np.stack([np.full(len(samples), share) if model is None else model.predict_proba(found)[:, 1]
                         for model, share in zip(models, frequency, strict=True)], 1)

    def keywords(samples):
        asked = [keyword_operators(entry["request"]) for entry in samples.entries]
        return np.array([[float(name in some) for name in samples.names] for some in asked])

    return {FREQUENCY: lambda samples: np.tile(frequency, (len(samples), 1)), KEYWORDS: keywords, WORDS: linear}


def figures_of(measured):
    """Return {method: {title of a measure: number or None}} of a test, the tested method first."""
    rows = {measured["run"]: measured} | measured["references"]
    return {method: {title: row["metrics"][name] for name, title in MEASURES.items()} for method, row in rows.items()}


def shown(samples, scores, thresholds, truth):
    """Yield rows of the page: SHOWN requests, evenly spaced from the worst to the best by cross-entropy."""
    likely = np.clip(np.where(truth, scores, 1 - scores), 1e-9, None)
    order = np.argsort(np.log(likely).mean(1), kind="stable")
    for index in order[np.unique(np.linspace(0, len(order) - 1, min(len(order), SHOWN)).round().astype(int))]:
        sample = samples.entries[index]
        photo = {} if samples.photos is None else {"image": samples.photos[sample["input"]]}
        yield {"request": sample["request"], "name": sample["input"], "scores": scores[index],
               "decided": scores[index] >= thresholds, "truth": truth[index]} | photo


def report(measured):
    """Print the figures of the methods and of the labels, and the notebook's figures where there are any."""
    low, high = measured["intervals"]["ROC"] or (None, None)
    interval = "" if low is None else f"; ROC {measured['metrics']['ROC']:.4f} [{low:.4f}, {high:.4f}]"
    print(f"{measured['run']} on {measured['dataset']} {measured['phase']}, {measured['images']} requests{interval}")
    rows = figures_of(measured)
    print(tabulate([[method, *values.values()] for method, values in rows.items()],
                   ["method", *MEASURES.values()], floatfmt=".4f", missingval="undefined"))
    print(tabulate([list(row.values()) for row in measured["labels"]],
                   list(measured["labels"][0]), floatfmt=".4f", missingval="undefined"))
    problems = []
    known = known_trial(measured["experiment"], measured["trial"], measured["dataset"], problems)
    print(*problems, sep="\n", end="\n" if problems else "")
    if known.notebook:
        print(f"the notebook, on {known.tested_on}:", ", ".join(f"{name} {value:g}"
                                                                for name, value in known.notebook.items()))
