"""Split FiveKReq 7:1:2 by photo and encode its requests as word ids.

    python prepro/build_vocab.py --session 1 --dataset FiveK
    python data/FiveK/FiveK.py

The script reads FiveK.json (a list of {input, output, request}) and writes annotations/{train,val,test}_sess_1.json,
each entry with its request_idx. Seed 0 splits the full file (24,750 rows of 4,950 photos) exactly as published.
"""
import argparse
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np

from core.datasets.annotations import PHASES, entry_problem, read_entries, without_nan
from core.datasets.vocab import WordVocab, vocab_files
from core.engine.cli import run
from core.files import UserError, write_json


def parse_args():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default="data/FiveK", help="folder of FiveK.json (default: %(default)s)")
    parser.add_argument("--session", type=int, default=1,
                        help="number in the names of the annotations (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0,
                        help="seed of the split; 0 makes the published split (default: %(default)s)")
    parser.add_argument("--vocab", help="word vocabulary (default: data/language/FiveK_vocabs_sess_SESSION.json)")
    parser.add_argument("--force", action="store_true", help="replace existing annotations (default: leave them)")
    return parser.parse_args()


def split_photos(photos, seed):
    """Return {phase: set of photos}: 7/10, 1/10 and the rest of the photos, shuffled."""
    photos = np.array(sorted(set(photos)))
    # NumPy's legacy generator, because it made the published split
    shuffled = photos[np.random.RandomState(seed).permutation(len(photos))].tolist()
    train, val = len(photos) * 7 // 10, len(photos) // 10
    return {"train": set(shuffled[:train]), "val": set(shuffled[train:train + val]),
            "test": set(shuffled[train + val:])}


def main():
    """Write the three annotation files and print a summary of each."""
    options = parse_args()
    source = Path(options.root) / "FiveK.json"
    paths = {phase: Path(options.root) / "annotations" / f"{phase}_sess_{options.session}.json" for phase in PHASES}
    standing = [str(path) for path in paths.values() if path.exists()]
    if standing and not options.force:
        raise UserError(f"{standing[0]}: exists already; give --force to replace it, or another --session")
    vocab = WordVocab.load(options.vocab or vocab_files("FiveK", options.session).words)

    rows = read_entries(source)
    problems = [(index, problem) for index, row in enumerate(rows) if (problem := entry_problem(row))]
    for index, problem in problems:
        print(f"{source}, entry {index}: {problem}; left out")
    left_out = {index for index, _ in problems}
    usable = [without_nan(row) for index, row in enumerate(rows) if index not in left_out]
    if not usable:
        raise UserError(f"{source}: has no usable entry")

    phases = split_photos([row["input"] for row in usable], options.seed)
    for phase, path in paths.items():
        entries = [row | {"request_idx": vocab.encode(row["request"])}
                   for row in usable if row["input"] in phases[phase]]
        write_json(path, entries)
        print(f"{path}: {len(entries)} pairs of {len(phases[phase])} photos")
    print(f"{len(usable)} of {len(rows)} rows split by photo with seed {options.seed}; {len(problems)} left out")


if __name__ == "__main__":
    run(main)
