"""Testing a critic: how often it is right, by kind of wrong edit, and which candidates it favours."""
import time

import torch
from tabulate import tabulate

from core.datasets import ActionSet, action_set_path, to_uint8
from core.engine.data import load_phase
from core.engine.folders import revision, run_folder, tested_folder
from core.engine.language import load_language
from core.engine.options import ON, number
from core.engine.publish import publish
from core.evaluation.evaluate import photo_of
from core.evaluation.run_table import known_trial
from core.files import write_json, write_jsonl
from core.methods.critics import LEVELLED, area, judge_pairs, load_critic
from core.methods.planner import THUMBNAIL
from core.metrics.bootstrap import mean_interval
from core.pages import write_results

SHOWN = 24   # number of best pairs, and of worst pairs, on the page


def add_critic_test(parser):
    """Add the flags of a critic's test; return the parser."""
    group = parser.add_tested()
    group.add_argument("--action_id", type=number(int, 1), default=1, help="planned set whose mixed trajectories are "
                       "among the wrong edits, if the phase was planned")
    group.add_argument("--visualize", **ON, help="write the page")
    return parser.add_ignored("--print_every")


def measure_critic(options):
    """Test a trained critic; write and return `metrics.json`; write `images.jsonl` and the page."""
    start, folder = time.time(), tested_folder(options)
    critic, vocab, trained = load_critic(run_folder(options) / options.checkpoint, options.experiment)
    dataset, operators, notes = load_judged(options, vocab)
    print(*notes, sep="\n")
    rows, extremes = [], []
    for batch, shown, scores in judge_pairs(critic, dataset, operators):
        rows += rows_of(batch, shown, scores)
        if options.visualize:
            extremes = ends([*extremes, *results_of(batch, shown, scores)])
    levelled = trained.get("objective", LEVELLED[0]) in LEVELLED
    measured = {"run": folder.parent.name, "experiment": options.experiment, "trial": options.trial,
                "dataset": options.dataset, "phase": options.phase, "checkpoint": options.checkpoint,
                "images": len(rows), "photos": len({photo_of(row) for row in rows}), **summarise(rows, levelled),
                "seconds": round(time.time() - start, 1), "revision": revision(), "date": time.strftime("%Y-%m-%d")}
    write_jsonl(folder / "images.jsonl", rows)
    write_json(folder / "metrics.json", measured, indent=1)
    report(measured)
    publish(options, "critic", measured)
    if options.visualize:
        notes.append("Each photo's candidates are sorted by score; the best one is shown as the output. The photos "
                     "are sorted by the margin of the right edit over the best wrong one.")
        page = write_results(folder / "web", folder.parent.name, (result for _, result in extremes), notes)
        print(f"page: {page}")
    return measured


def load_judged(options, vocab):
    """Load a phase, with its plans if it was planned; return (dataset, OperatorVocab, notes on the wrong edits)."""
    path = action_set_path(options.action_id, options.dataset, options.phase, options.session, options.output)
    plans = {"plans": ActionSet(path).plans(), "plans_path": path} if path.exists() else {}
    dataset = load_phase(options, options.phase, vocab, size=THUMBNAIL, cache=f"{options.output}/cache", **plans)
    note = "wrong edits: mixed trajectories, random edits, other words" if plans else (
        f"wrong edits: the photo as it was, random edits, other words; no {path}, so no mixed trajectories "
        f"(prepro/gen_greedy_seqs.py --dataset {options.dataset} --phase {options.phase} plans them)")
    return dataset, load_language(options).operators, [*dataset.report(), note]


def rows_of(batch, shown, scores):
    """Return the rows of `images.jsonl`: each pair's scores by kind, without "wrong" edits that equal the right one."""
    kept = torch.cat((torch.ones_like(shown.wrong[:1]), shown.wrong))
    return [{"name": name, "request": request,
             "scores": {kind: scores[k, i].item() for k, kind in enumerate(shown.kinds) if kept[k, i]}}
            for i, (name, request) in enumerate(zip(batch["name"], batch["request"], strict=True))]


def results_of(batch, shown, scores):
    """Return (margin, entry of the page) of each pair; the margin is the right score minus the best wrong score."""
    results = []
    for i, row in enumerate(rows_of(batch, shown, scores)):
        kinds = sorted(row["scores"], key=row["scores"].get, reverse=True)
        if len(kinds) == 1:
            continue
        places = [shown.kinds.index(kind) for kind in kinds]
        steps = [{"op": kind, "params": told(row["scores"][kind], shown.distances[k, i].item()),
                  "image": to_uint8(shown.images[k, i])} for kind, k in zip(kinds, places, strict=True)]
        margin = row["scores"]["right"] - max(score for kind, score in row["scores"].items() if kind != "right")
        results.append((margin, {
            "name": f"{row['name']} · favours {kinds[0]}", "request": row["request"],
            "input": to_uint8(batch["input"][i]), "output": steps[0]["image"], "target": to_uint8(batch["target"][i]),
            "steps": steps, "metrics": {"margin of the right one": margin}}))
    return results


def told(score, apart):
    """Return a score as text, with the L1 distance to the requested edit where it is known."""
    return f"score {score:+.2f}" + (f", L1 {apart:.4f}" if apart < float("inf") else "")


def ends(results):
    """Return the results, best margin first; if there are many, only the SHOWN best and the SHOWN worst."""
    ordered = sorted(results, key=lambda result: -result[0])
    return ordered if len(ordered) <= 2 * SHOWN else ordered[:SHOWN] + ordered[-SHOWN:]


def summarise(rows, levelled):
    """Return a dict: `metrics` {name: number or None}, `intervals`, and `by_kind`, the metrics by kind of wrong edit.

    - AUC: area under the ROC curve of all right against all wrong edits.
    - ranked: share of wrong edits that score below the right one of their pair.
    - accuracy: mean of the share of right edits above 0 and the share of wrong edits at most 0, so that a critic that
      rejects everything has 0.5; None for an objective whose scores have no fixed threshold.

    Args: `rows` as from `rows_of`; `levelled`, whether a score of 0 separates right from wrong edits.
    """
    right = [row["scores"]["right"] for row in rows]
    kinds = dict.fromkeys(kind for row in rows for kind in row["scores"] if kind != "right")
    wrong = {kind: [(row["scores"][kind], row) for row in rows if kind in row["scores"]] for kind in kinds}
    everything = [pair for pairs in wrong.values() for pair in pairs]
    metrics = _figures(right, everything, levelled)
    ordered = [float(score < row["scores"]["right"]) for score, row in everything]
    interval = mean_interval(ordered, [photo_of(row) for _, row in everything]) if everything else None
    return {"metrics": metrics, "intervals": {"ranked": interval},
            "by_kind": {kind: _figures(right, pairs, levelled) | {"count": len(pairs)}
                        for kind, pairs in wrong.items()}}


def _figures(right, pairs, levelled):
    """Return AUC, ranked and accuracy of right scores and (wrong score, its row) pairs; None where undefined."""
    wrong = [score for score, _ in pairs]
    if not wrong:
        return dict.fromkeys(("AUC", "ranked", "accuracy"))
    shares = (sum(score > 0 for score in right) / len(right), sum(score <= 0 for score in wrong) / len(wrong))
    return {"AUC": area(right, wrong),
            "ranked": sum(score < row["scores"]["right"] for score, row in pairs) / len(pairs),
            "accuracy": sum(shares) / 2 if levelled else None}


def report(measured):
    """Print the figures by kind of wrong edit, and the notebook's figures where there are any."""
    lines = [*measured["by_kind"].items(),
             ("all", measured["metrics"] | {"count": sum(row["count"] for row in measured["by_kind"].values())})]
    table = [(kind, row["count"], *(row[name] for name in ("AUC", "ranked", "accuracy"))) for kind, row in lines]
    print(f"{measured['run']} on {measured['dataset']} {measured['phase']}, {measured['images']} pairs, each with its "
          "right edit against:")
    print(tabulate(table, headers=("wrong edits", "count", "AUC", "ranked below", "accuracy"), floatfmt=".4f",
                   missingval="undefined"))
    problems = []
    known = known_trial(measured["experiment"], measured["trial"], measured["dataset"], problems).notebook
    print(*problems, sep="\n", end="\n" if problems else "")
    if known:
        print("the notebook:", ", ".join(f"{name} {value:g}" for name, value in known.items()))
