"""Measure what any planner must beat, or cannot, under the same protocol: no network is involved.

  identity   the photo as it is
  mean_edit  the one plan that serves all training pairs best, whatever was asked
  planned    the plan found from the target itself: the floor of every planner with these operators

  python core/test_references.py --reference planned --dataset FiveK --phase val
"""
import _init_paths  # noqa: F401
import torch

from core.datasets import ActionSet, action_set_path, open_dataset
from core.datasets.annotations import listing, pair_name
from core.engine.cli import run
from core.engine.editing import THUMBNAIL, PlanMethod
from core.engine.evaluation import evaluate, index_runs
from core.engine.language import open_language
from core.engine.options import Parser, number, parse
from core.engine.run import run_folder, test_folder
from core.files import UserError
from core.operators import Plan
from core.planning import action_options
from core.planning.mean import mean_edit

EXPERIMENT = "references"


def main():
    options = parse(arguments(), EXPERIMENT)
    options.experiment = options.reference
    folder = run_folder(options)
    language = open_language(options)

    def pairs(phase, size):
        return open_dataset(options.dataset, phase, options.session, language.vocab, options.data_root, size=size,
                            short_edge=options.short_edge, cache=f"{options.output}/cache")

    dataset = pairs(options.phase, None)
    for sentence in dataset.report():
        print(sentence)
    if options.reference == "planned":
        plan_of = planned(dataset, options).__getitem__
    else:
        plan = Plan() if options.reference == "identity" else mean_plan(pairs("train", THUMBNAIL))

        def plan_of(name):
            return plan
    about = {"run": folder.name, "experiment": options.reference, "trial": options.trial, "dataset": options.dataset,
             "phase": options.phase}
    evaluate(PlanMethod(plan_of), dataset, test_folder(options), about, fid_weights=options.fid_weights,
             visualize_every=options.visualize and options.visualize_every)
    print(f"page: {test_folder(options) / 'web' / 'index.html'}\nall runs: {index_runs(options.output)}")


def planned(dataset, options):
    """Return {pair name: Plan} of the planned set. Raises UserError where a pair of the data set has no plan."""
    actions = ActionSet(action_set_path(options.action_id, options.dataset, options.phase, options.session,
                                        options.output))
    missing = [name for name in map(pair_name, dataset.annotations) if name not in actions.done]
    if missing:
        raise UserError(f"{actions.path}: has no plan of {len(missing)} of the {len(dataset)} pairs "
                        f"({listing(missing)}); plan them by prepro/gen_greedy_seqs.py --dataset {options.dataset} "
                        f"--phase {options.phase} --action_id {options.action_id}")
    return actions.plans()


def mean_plan(train):
    """Return the mean edit of a training set of thumbnails."""
    samples = [train[index] for index in torch.linspace(0, len(train) - 1, min(len(train), 1024)).int().tolist()]
    options = action_options(1, operators=("brightness", "contrast", "saturation", "hue", "tint"), tolerance=0.0)
    return mean_edit(*(torch.stack([sample[side] for sample in samples]) for side in ("input", "target")), options)


def arguments():
    parser = Parser(__doc__).add_data().add_test()
    parser.add_argument("--reference", default="identity", choices=("identity", "mean_edit", "planned"),
                        help="what is measured")
    parser.add_argument("--action_id", type=number(int, 1), default=1, help="planned set of --reference planned")
    return parser


if __name__ == "__main__":
    run(main)
