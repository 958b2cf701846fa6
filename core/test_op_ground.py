"""Test a trained classifier of locality: is an operator of a request local? A baseline knows the operator only.

Prints ROC AUC and the accuracy at probability .5 with 95% intervals over photos, beside the notebook's, and writes
test/metrics.json under the run's folder.

  python core/test_op_ground.py --id 1 --session 3 --phase test
"""
import _init_paths  # noqa: F401
from tabulate import tabulate

from core.engine.checkpoints import load_checkpoint
from core.engine.cli import run
from core.engine.folders import revision, run_folder, tested_folder
from core.engine.language import load_language
from core.engine.options import Parser, parse
from core.engine.publish import publish
from core.engine.seeds import over_seeds
from core.engine.trials import get_trial
from core.files import UserError, write_json
from core.models.locality import Locality
from core.training.locality import by_operator, load_uses, measure, probabilities

EXPERIMENT = "op_ground"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), test_once, tested_folder)


def test_once(options):
    """Test one run; return its figures."""
    path = run_folder(options) / options.checkpoint
    network = Locality.from_checkpoint(load_checkpoint(path, EXPERIMENT)["model"], path)
    language = load_language(options)
    if network.config.words != language.vocab.names:
        raise UserError(f"{path}: was trained with another vocabulary; give its folder with --language")
    train, dataset = (load_uses(options, language, phase, blind) for phase, blind in (
        ("train", True), (options.phase, network.config.image_blind)))
    methods = {"classifier": measure(probabilities(network, dataset, "cpu"), dataset),
               "the operator alone": measure(by_operator(train, dataset), dataset)}
    measured = {"run": run_folder(options).name, "dataset": options.dataset, "phase": options.phase,
                "samples": len(dataset), "methods": methods, "revision": revision()}
    write_json(tested_folder(options) / "metrics.json", measured, indent=1)
    publish(options, "locality", measured)
    print(tabulate([[name, *(_cell(found[key]) for key in ("ROC", "accuracy"))] for name, found in methods.items()],
                   [f"{options.dataset} {options.phase}, {len(dataset)} samples", "ROC", "accuracy"],
                   disable_numparse=True))
    if notebook := get_trial(EXPERIMENT, options.trial, options.dataset).notebook:
        print("the notebook's figures, on GIER test: " + ", ".join(f"{key} {value}" for key, value in notebook.items()))
    return {key: value[0] for key, value in methods["classifier"].items()}


def _cell(figure):
    if figure[0] is None:
        return "-"
    return f"{figure[0]:.4f}" + ("" if figure[1] is None else f" [{figure[1]:.4f}, {figure[2]:.4f}]")


def arguments():
    parser = Parser(__doc__).add_data()
    parser.add_tested()
    parser.add_seeds("test").set_defaults(dataset="GIER", session=3)
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
