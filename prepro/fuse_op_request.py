"""Fuse two annotations of the same pairs, the operators and the masks that they were applied to, into IER2.json.

--operators holds pairs {input, output, request, operator: {name: {local, mask_mode?}}, ...}; --masks holds
{input, output, operator: {name: [ids]}}. A pair is found by its input and output, never by its words, because several
pairs share a request. Pairs and operators that occur in one file only are counted and listed.

  python prepro/fuse_op_request.py --operators operators.json --masks masks.json --out data/IER2/IER2.json
"""
import _init_paths  # noqa: F401

from core.datasets.annotations import (
    entry_problem,
    pair_name,
    read_annotation,
    read_entries,
    without_nan,
)
from core.datasets.gier import operator_problem
from core.engine.cli import run
from core.engine.options import Parser, parse
from core.files import UserError, listing, write_json


def main():
    options = parse(arguments())
    pairs, masks = read_annotation(options.operators), read_masks(options.masks)
    fused, notes = fuse(pairs, masks)
    for number, pair in enumerate(fused):
        if problem := operator_problem(pair):
            raise UserError(f"{options.operators}, entry {number}: {problem}; correct it")
    write_json(options.out, without_nan(fused))   # a missing request may be NaN
    print(*(f"{len(names)} {text}: {listing(names)}" for text, names in notes.items() if names),
          f"{options.out}: {len(fused)} pairs", sep="\n")


def read_masks(path):
    """Return {pair name: {operator: ids}}. Raises UserError naming entry and field."""
    found = {}
    for number, entry in enumerate(read_entries(path)):
        if problem := entry_problem(entry | {"request": "none"} if isinstance(entry, dict) else entry):
            raise UserError(f"{path}, entry {number}: {problem}; correct it")
        table = entry.get("operator")
        if not isinstance(table, dict) or not all(isinstance(ids, list) for ids in table.values()):
            raise UserError(f"{path}, entry {number}: field 'operator' is not {{name: list of ids}}; correct it")
        found.setdefault(pair_name(entry), {}).update(table)
    return found


def fuse(pairs, masks):
    """Return (the pairs with the ids of their local operators, {description of a mismatch: names})."""
    notes = {"pairs have masks but no operators, and are left out": sorted(masks.keys() - set(map(pair_name, pairs))),
             "local operators have no masks": [], "operators have masks but are not local, and stay global": []}
    fused = []
    for pair in pairs:
        ids, table = masks.get(pair_name(pair), {}), {}
        for name, about in pair.get("operator", {}).items():
            local = bool(about.get("local"))
            if local != bool(ids.get(name)):
                text = "local operators have no masks" if local else list(notes)[2]
                notes[text].append(f"{pair_name(pair)}, {name}")
            own = ids.get(name, []) if local else []
            table[name] = {"mask_mode": "inclusive"} | about | {"local": local, "ids": own}
        fused.append(pair | {"operator": table})
    return fused, notes


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--operators", default="data/IER2/operators.json", help="pairs with their operators")
    parser.add_argument("--masks", default="data/IER2/masks.json", help="pairs with the ids of their operators' masks")
    parser.add_argument("--out", default="data/IER2/IER2.json", help="the fused file")
    return parser


if __name__ == "__main__":
    run(main)
