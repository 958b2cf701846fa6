"""Compare two tested runs pair by pair, and say which differences are larger than chance.

The script prints for each metric the mean difference over the pairs that both runs were tested on, with its 95%
interval from a bootstrap over photos. A difference counts as real if its interval excludes 0.

  python misc/compare_runs.py output/FiveK_keywords_trial_1 output/FiveK_seq2seqL1_trial_1
  python misc/compare_runs.py output/A/test_val output/B/test_val --json differences.json
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser
from core.evaluation.compare import comparable, compare, load_tested, sentence
from core.files import write_json


def main():
    options = arguments().parse_args()
    a, b = load_tested(options.A), load_tested(options.B)
    keys, notes = comparable(a, b)
    compared = compare(a, b, keys)
    photos = {row["photos"] for row in compared}
    print(f"A: {a.name}\nB: {b.name}", *notes,
          f"compared on {len(keys)} pairs of {max(photos, default=0)} photos", *map(sentence, compared), sep="\n")
    for name in sorted(name for name in a.metrics.keys() & b.metrics.keys() if name.startswith("output FID")):
        print(f"{name}: A {a.metrics[name]}, B {b.metrics[name]}; over all pairs of each, without an interval")
    if options.json:
        write_json(options.json, {"A": a.name, "B": b.name, "pairs": len(keys), "notes": notes, "metrics": compared},
                   indent=1)


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("A", help="folder of a run, or of one test if the run has several")
    parser.add_argument("B", help="folder of the other run or test")
    parser.add_argument("--json", metavar="FILE", help="also write the comparison to this file")
    return parser


if __name__ == "__main__":
    run(main)
