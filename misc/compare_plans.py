"""Compare the plans of a tested run with the planned sequences of its pairs.

The script prints BLEU-1 of the operator names over all pairs (nltk), and for each operator the mean squared error of
its parameters in units of their range, over the pairs whose plans both use the operator.

  python misc/compare_plans.py output/RetouchReq_seq2seqL1_trial_101/test_val \
      output/actions_set_1/RetouchReq_val_sess_1.jsonl
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.datasets.actions import ActionSet
from core.engine.cli import run
from core.engine.options import Parser
from core.evaluation.compare import load_tested
from core.files import UserError
from core.metrics.plans import operator_bleu, parameter_errors
from core.operators import Plan
from core.operators.plan import FORMAT, VERSION


def main():
    options = arguments().parse_args()
    if not Path(options.actions).is_file():
        raise UserError(f"{options.actions}: no such action set; make it by prepro/gen_greedy_seqs.py")
    tested, known = load_tested(options.run), ActionSet(options.actions).plans()
    rows = [row for row in tested.rows.values() if row["name"] in known and "plan" in row]
    if not rows:
        raise UserError(f"{tested.folder / 'images.jsonl'}: no plan of a pair in {options.actions}; give the set of "
                        "the same phase, and the run of a planner")
    plans = [Plan.from_dict({"format": FORMAT, "version": VERSION, "steps": row["plan"]},
                            source=f"{tested.folder}, {row['name']}") for row in rows]
    references = [known[row["name"]] for row in rows]
    bleu = operator_bleu(plans, references)
    print(f"{tested.name}: {len(rows)} plans, {len(tested.rows) - len(rows)} of the run's results have no reference")
    print("operator BLEU-1 " + ("undefined: no reference has a step" if bleu is None else f"{bleu:.4f}"))
    for name, error in parameter_errors(plans, references).items():
        print(f"{name}: mean squared error of the parameters {error:.4f}")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("run", metavar="RUN", help="folder of a run, or of one test if the run has several")
    parser.add_argument("actions", metavar="ACTIONS", help="file of planned sequences: actions_set_*/*.jsonl")
    return parser


if __name__ == "__main__":
    run(main)
