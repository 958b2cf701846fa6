"""Measure what any planner must beat, or cannot, under the same protocol: no network is involved.

  identity   the photo as it is
  mean_edit  the one plan that serves all training pairs best, whatever was asked
  planned    the plan found from the target itself: the floor of every planner with these operators

  python core/test_references.py --reference planned --dataset FiveK --phase val
"""
import _init_paths  # noqa: F401
import torch

from core.datasets import ActionSet, action_set_path, open_dataset
from core.engine.cli import run
from core.engine.editing import THUMBNAIL, PlanMethod
from core.engine.evaluation import evaluate, index_runs
from core.engine.language import open_language
from core.engine.options import Parser, parse
from core.engine.run import run_folder
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

    if options.reference == "identity":
        plan_of = {}.get
        method = PlanMethod(lambda name: Plan())
    elif options.reference == "mean_edit":
        plan = mean_plan(pairs("train", THUMBNAIL))
        method = PlanMethod(lambda name: plan)
    else:
        plan_of = ActionSet(action_set_path(options.action_id, options.dataset, options.phase, options.session,
                                            options.output)).plans()
        method = PlanMethod(lambda name: plan_of[name])
    dataset = pairs(options.phase, None)
    about = {"run": folder.name, "experiment": options.reference, "trial": options.trial, "dataset": options.dataset,
             "phase": options.phase}
    evaluate(method, dataset, folder / "test", about, fid_weights=options.fid_weights,
             visualize_every=options.visualize and options.visualize_every)
    print(f"page: {folder / 'test' / 'web' / 'index.html'}\nall runs: {index_runs(options.output)}")


def mean_plan(train):
    """Return the mean edit of a training set of thumbnails."""
    samples = [train[index] for index in torch.linspace(0, len(train) - 1, min(len(train), 1024)).int().tolist()]
    options = action_options(1, operators=("brightness", "contrast", "saturation", "hue", "tint"), tolerance=0.0)
    return mean_edit(*(torch.stack([sample[side] for sample in samples]) for side in ("input", "target")), options)


def arguments():
    parser = Parser(__doc__).add_data().add_test()
    parser.add_argument("--reference", default="identity", choices=("identity", "mean_edit", "planned"),
                        help="what is measured")
    parser.add_argument("--action_id", type=int, default=1, help="planned set of --reference planned")
    return parser


if __name__ == "__main__":
    run(main)
