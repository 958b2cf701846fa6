"""Check GIER (or IER2.json, the notebook's earlier file), and write its requests as the notebook's IER_rl files.

Prints how many pairs, requests, operators and masks there are, and each sample that cannot be used, counted by reason.
Without --check, writes annotations/IER_rl_<session>_<phase>.json, one row for each request: ids of words and operators,
and the masks of the local ones. Images and masks are checked where their folders exist.

  python data/GIER/GIER.py --check
  python data/GIER/GIER.py                                      # also writes annotations/IER_rl_3_train.json, ...
  python data/GIER/GIER.py --annotations data/IER2/IER2.json    # writes annotations/IER_rl_3.json beside that file
"""
from collections import defaultdict
from pathlib import Path

import _init_paths  # noqa: F401
from tabulate import tabulate

from core.datasets import WordVocab, load_operator_vocab, vocab_files
from core.datasets.annotations import entry_problem, existing_phases, pair_name, read_entries
from core.datasets.gier import GIERPairs, operator_problem
from core.datasets.gier_index import MAX_OPERATORS, counts, to_rl
from core.datasets.images import image_size
from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.files import UserError, listing, read_json, write_json
from core.operators import SESSIONS, Mask, OperatorVocab


def main():
    options = parse(arguments())
    if options.annotations:
        files = {"": Path(options.annotations)}
        root = files[""].parent
    else:
        root = Path(options.data_root)
        files = {phase: root / GIERPairs.folder / f"{phase}_sess_{options.session}.json"
                 for phase in existing_phases(root, options.session, GIERPairs.folder)}
    published = vocab_files("GIER", options.session, options.language)
    operators = load_operator_vocab(published.operators) if published.operators.exists() else OperatorVocab(
        SESSIONS.get(options.session, SESSIONS[3]))
    usable, problems = {}, defaultdict(list)
    for phase, path in files.items():
        usable[phase] = [entry for entry in read_entries(path) if not broken(entry, problems)]
        look_at_files(root, usable[phase], problems)
    if not any(usable.values()):
        raise UserError(f"{', '.join(map(str, files.values()))}: no entry can be used; {listing(problems)}")
    report(usable, [operator.name for _, operator in operators.operators], problems)
    if not options.check:
        words = WordVocab.load(published.words)
        for phase, pairs in usable.items():
            rows, notes = to_rl(pairs, words, operators)
            path = root / "annotations" / f"IER_rl_{options.session}{'_' * bool(phase)}{phase}.json"
            write_json(path, rows)
            print(*notes, f"{path}: {len(rows)} requests", sep="\n")


def broken(entry, problems):
    """Return whether an entry cannot be used, and note the reason."""
    if reason := entry_problem(entry):
        problems[reason].append(str(entry)[:60])
        return True
    if reason := operator_problem(entry):
        problems[reason].append(pair_name(entry))
        return True
    if len(entry.get("operator", {})) > MAX_OPERATORS:
        problems[f"more than {MAX_OPERATORS} operators (the first ones are kept)"].append(pair_name(entry))
    return False


def look_at_files(root, pairs, problems):
    """Note local operators without masks, missing or damaged masks, ids beyond them, and masks of another aspect."""
    have_masks, have_images = (root / "masks").is_dir(), (root / "images").is_dir()
    for pair in pairs:
        ids = []
        for name, about in pair.get("operator", {}).items():
            if about["local"] and not about["ids"]:
                problems["a local operator has no mask (it cannot be grounded)"].append(f"{pair_name(pair)}, {name}")
            ids += about["ids"] if about["local"] else []
        if not ids or not have_masks:
            continue
        path = root / "masks" / f"{Path(pair['input']).stem}_mask.json"
        try:
            sizes = [tuple(row["size"]) for row in read_json(path)]
            if max(ids) >= len(sizes):
                problems["an id is beyond the list of masks"].append(f"{pair_name(pair)}, {max(ids)} of {len(sizes)}")
            if have_images and not all(Mask(size, "").fits(*image_size(root / "images" / pair["input"]))
                                       for size in set(sizes)):
                problems["masks have another aspect than the input (the loader leaves the pair out)"].append(
                    pair_name(pair))
        except (UserError, TypeError, KeyError, ValueError) as error:
            problems["masks or input are missing or damaged"].append(f"{pair_name(pair)} ({error})")


def report(usable, names, problems):
    """Print the counts of each phase, and the problems by reason."""
    columns = {phase or "pairs": counts(pairs, names) for phase, pairs in usable.items()}
    facts = next(iter(columns.values()))
    print(tabulate([[fact, *(column[fact] for column in columns.values())] for fact in facts], ["", *columns]))
    for reason, members in sorted(problems.items(), key=lambda item: -len(item[1])):
        print(f"{len(members)}: {reason}: {listing(members)}")
    print(f"{sum(map(len, problems.values()))} remarks")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--data_root", default="data/GIER", help="folder of the data set")
    parser.add_argument("--annotations", help="a single file of all pairs, such as IER2.json, in place of the splits")
    parser.add_argument("--session", type=number(int, 0), default=3, help="session of the splits and the vocabulary")
    parser.add_argument("--language", default="data/language", help="folder of the vocabularies")
    parser.add_argument("--check", action="store_true", help="only check and count; write nothing")
    return parser


if __name__ == "__main__":
    run(main)
