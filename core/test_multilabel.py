"""Test a multi-label classifier: which operators does a request ask for?

Prints the area under the ROC curve and the average precision, pooled over the operators and averaged (macro), F1 and
the share of exact sets at thresholds chosen on other data, beside operator frequency, the keyword editor, and a linear
model on the words. Writes, under the run's folder, test/metrics.json, test/requests.jsonl and test/web/index.html.

  python core/test_multilabel.py --session 3 --id 1 --phase test
  python core/test_multilabel.py --dataset RegionReq --session 3 --trial 101 --data_root <folder>
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.evaluation.multilabel import add_classifier_test, measure_classifier
from core.evaluation.run_table import run_under_seeds


def main():
    run_under_seeds(parse(arguments(), "multilabel"), measure_classifier)


def arguments():
    return add_classifier_test(Parser(__doc__).add_data()).add_seeds("test").add_publish()


if __name__ == "__main__":
    run(main)
