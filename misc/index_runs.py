"""Write output/index.html again: the table of all runs, including incomplete runs and runs of older versions.

  python misc/index_runs.py
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser
from core.evaluation.run_table import index_runs


def main():
    options = arguments().parse_args()
    path, notes = index_runs(options.output)
    print(*notes, f"all runs: {path}", sep="\n")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--output", default="output", help="folder of the runs")
    return parser


if __name__ == "__main__":
    run(main)
