"""Action sets: files of planned action sequences, in JSON Lines with one row per pair, so that runs can resume."""
import math
import re
from itertools import accumulate
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.datasets.annotations import pair_name
from core.files import UserError, append_jsonl, listing, read_json, read_jsonl
from core.operators import Plan, Step, get_operator
from core.operators.functions import CURVE_STEPS

_FIELDS = {   # the fields of a row and the checks of their values
    "name": lambda value: isinstance(value, str),
    "distances": lambda value: isinstance(value, list) and value and all(map(_is_number, value)),
    "plan": lambda value: isinstance(value, dict),
}


def action_set_path(action_id, dataset, phase, session, output="output"):
    """Return `<output>/actions_set_{id}/{dataset}_{phase}_sess_{session}.jsonl`."""
    return Path(output) / f"actions_set_{action_id}" / f"{dataset}_{phase}_sess_{session}.jsonl"


def action_row(entry, plan, distances):
    """Return the row of a planned pair.

    Args:
        entry: the pair's annotation, with `input` and `output`.
        plan: its Plan.
        distances: L1 to the output before the plan and after each of its steps, len(plan) + 1 numbers.
    """
    return {"name": pair_name(entry), "input": entry["input"], "output": entry["output"],
            "distances": [float(distance) for distance in distances], "plan": plan.to_dict()}


def _with_distances(row):
    """Return a row with `distances`; an older row has `l1_input`, `l1_output` and `gains` instead."""
    if not isinstance(row, dict) or "distances" in row:
        return row
    row = dict(row)
    start, _, gains = (row.pop(field, None) for field in ("l1_input", "l1_output", "gains"))
    if _is_number(start) and isinstance(gains, list) and all(map(_is_number, gains)):
        row["distances"] = list(accumulate(gains, lambda distance, gain: distance - gain, initial=start))
    return row


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class ActionSet:
    """The planned pairs of one phase: a file of rows of `action_row`."""

    def __init__(self, path):
        """Open an action set; a missing file is an empty set. Raises UserError naming the line of a broken row."""
        self.path = Path(path)
        self.rows = {}
        for number, row in enumerate(read_jsonl(self.path) if self.path.exists() else [], start=1):
            row = _with_distances(row)
            fields = row if isinstance(row, dict) else {}
            wrong = [field for field, fits in _FIELDS.items() if not fits(fields.get(field))]
            if wrong:
                raise UserError(f"{self.path}, line {number}: field {wrong[0]!r} is missing or of a wrong type; "
                                f"delete this line")
            self.rows[row["name"]] = row

    def __len__(self):
        return len(self.rows)

    @property
    def done(self):
        """The names of the planned pairs."""
        return self.rows.keys()

    def append(self, rows):
        """Add rows and append them to the file; an interruption leaves earlier rows whole."""
        append_jsonl(self.path, rows)
        self.rows.update((row["name"], row) for row in rows)

    def plans(self):
        """Return {pair name: Plan}. Raises UserError naming the file, the pair and the field."""
        rows = tqdm(self.rows.items(), desc=f"plans of {self.path}", unit="plan", leave=False)
        return {name: Plan.from_dict(row["plan"], source=f"{self.path}, {name}") for name, row in rows}

    def summary(self):
        """Return {pairs, l1_input, l1_output}: the number of pairs, and the mean L1 before and after; None if empty."""
        means = {key: float(np.mean([row["distances"][place] for row in self.rows.values()])) if self.rows else None
                 for key, place in (("l1_input", 0), ("l1_output", -1))}
        return {"pairs": len(self), **means}


def import_published(folder, phase, entries):
    """Read an action set in the layout of the published planner.

    The layout has a folder `{phase}{i}` for the i-th entry of the annotation. It holds `{i:05d}.json` with `request`,
    `init distance` and `operation sequence`: the beam, best plan first; a plan is a list of
    [operation, parameters, L1 after].

    Args:
        folder: the action set, as in output/actions_set_1.
        phase: "train", "val" or "test".
        entries: the entries of the planned annotation, in its order.

    Returns: (rows, sentences about changes). Parameters out of our bounds are clipped. A plan ends before a step with
    NaN, a step that needs a mask (the layout stores none), or one that changes the size.
    Raises UserError if a file does not belong to the annotation.
    """
    rows, clipped, cut = [], [], []
    files = _published_files(folder, phase)
    for index, path in files:
        if index >= len(entries):
            raise UserError(f"{path}: entry {index} is not in the annotation ({len(entries)} entries)")
        steps, start = _read_published(path, entries[index]["request"])
        plan, distances, was_clipped = _as_plan(steps, start)
        rows.append(action_row(entries[index], plan, distances))
        if was_clipped:
            clipped.append(path.parent.name)
        if len(plan) < len(steps):
            cut.append(path.parent.name)
    sentences = [f"{len(rows)} of {len(entries)} pairs have a plan in {folder}"]
    if clipped:
        sentences.append(f"{len(clipped)} plans had parameters out of bounds, which are clipped: {listing(clipped)}")
    if cut:
        sentences.append(f"{len(cut)} plans end before a step with NaN or without its mask: {listing(cut)}")
    return rows, sentences


def _published_files(folder, phase):
    """Return (i, path) of each plan, sorted by i. Raises UserError if there is no plan."""
    pattern = re.compile(rf"{re.escape(phase)}(\d+)")
    matches = [pattern.fullmatch(path.name) for path in Path(folder).glob(f"{phase}*")]
    indices = sorted(int(match[1]) for match in matches if match)
    if not indices:
        raise UserError(f"{folder}: has no folders {phase}0, {phase}1, ...; give the folder of a published action set")
    return [(index, Path(folder) / f"{phase}{index}" / f"{index:05d}.json") for index in indices]


def _read_published(path, request):
    """Return the best plan as a list of (operator, params (n,), L1 after) and the L1 before it."""
    value = read_json(path)
    try:
        start, beam, stored = value["init distance"], value["operation sequence"], value["request"]
        steps = [(get_operator(name), np.asarray(params, dtype=float).reshape(-1), float(rest[-1]))
                 for name, params, *rest in (beam[0] if beam else [])]
        if not math.isfinite(start):
            raise ValueError("init distance is NaN")
    except (KeyError, TypeError, ValueError, IndexError, UserError) as error:
        raise UserError(f"{path}: not a published plan ({type(error).__name__}: {error})") from None
    stored = stored[0] if isinstance(stored, list) and stored else stored
    if stored != request:
        raise UserError(f"{path}: was planned for {stored!r}, but the request of this entry of the annotation is "
                        f"{request!r}; give the annotation that was planned")
    return steps, start


def _as_plan(steps, start):
    """Return the Plan, the L1 before the plan and after each of its steps, and whether parameters were clipped."""
    made, distances, clipped = [], [start], False
    for operator, params, distance in steps:
        params = params[:operator.n_params]
        if not operator.plannable or len(params) < operator.n_params or not np.isfinite([*params, distance]).all():
            break
        if operator.structure == "curve":  # only c / sum(c) matters; an unbounded search may end at -c
            weights = params.reshape(-1, CURVE_STEPS)
            params = np.where(weights.sum(1, keepdims=True) < 0, -weights, weights).ravel()
        highest = np.inf if operator.structure == "curve" else operator.high.numpy()
        clipped |= bool((params < operator.low.numpy()).any() or (params > highest).any())
        made.append(Step.make(operator.name, params))
        distances.append(distance)
    return Plan(tuple(made)), distances, clipped
