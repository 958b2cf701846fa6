"""Test a trained seq2seq + L1 planner on photos at their own size (short edge at most 600).

Prints the notebook's lines and writes, under the run's folder, test/metrics.json, test/images.jsonl (one line per
image) and test/web/index.html.

  python core/test_seq2seqL1.py --trial 1 --phase test
"""
import _init_paths  # noqa: F401

from core.datasets import open_dataset
from core.engine.cli import run
from core.engine.editing import PlannerMethod
from core.engine.evaluation import evaluate, executed, index_runs
from core.engine.options import Parser, parse
from core.engine.run import run_folder, test_folder
from core.engine.trials import get_trial

EXPERIMENT = "seq2seqL1"


def main():
    options = parse(arguments(), EXPERIMENT)
    folder = run_folder(options)
    method = PlannerMethod.load(folder / options.checkpoint, EXPERIMENT)
    dataset = open_dataset(options.dataset, options.phase, options.session, method.vocab, options.data_root,
                           size=None, short_edge=options.short_edge)
    for sentence in dataset.report():
        print(sentence)

    def over_requests(image, requests):
        return executed([edited.plan for edited in method.plans(image, requests)], image)

    about = {"run": folder.name, "experiment": EXPERIMENT, "trial": options.trial, "dataset": options.dataset,
             "phase": options.phase, "checkpoint": options.checkpoint}
    evaluate(lambda image, request, name: method(image, request), dataset, test_folder(options), about,
             trial=get_trial(EXPERIMENT, options.trial), fid_weights=options.fid_weights, variance_of=over_requests,
             visualize_every=options.visualize and options.visualize_every)
    print(f"page: {test_folder(options) / 'web' / 'index.html'}\nall runs: {index_runs(options.output)}")


def arguments():
    return Parser(__doc__).add_data().add_test()


if __name__ == "__main__":
    run(main)
