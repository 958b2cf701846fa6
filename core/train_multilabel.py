"""Multi-label classification: which operators does a request ask for? Learnt from words and the input photo.

Each operator is a yes-or-no question (loss: binary cross-entropy), so a request may ask for several at once. All
requests of a pair share the operators of the pair, although a single request often asks for some of them only.

  python core/train_multilabel.py --session 3 --id 1                                             # on GIER
  python core/train_multilabel.py --dataset RegionReq --session 3 --trial 101 --data_root <folder>   # on a CPU
  python core/test_multilabel.py --session 3 --id 1 --phase test
"""
import _init_paths  # noqa: F401
from torch.nn.functional import binary_cross_entropy_with_logits

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.language import load_language
from core.engine.options import Parser, parse
from core.engine.run import Run
from core.engine.seeds import over_seeds
from core.methods.multilabel import load_labels
from core.training.multilabel import add_classifier, build_classifier, validate_classifier


def main():
    over_seeds(parse(arguments(), "multilabel"), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    language = load_language(options)
    names = [operator.name for _, operator in language.operators.operators]
    train, val = (load_labels(options, phase, language.vocab, names, options.merge, not options.image_blind)
                  for phase in ("train", "val"))
    training = Run(options)
    for sentence in (*language.notes, *train.report(), *val.report()):
        training.say(sentence)
    network = training.setup(*build_classifier(options, language))

    for batch in training.batches(train):
        network.train()
        logits = network(batch["request_ids"], batch.get("input"))
        training.step(operators=binary_cross_entropy_with_logits(logits, batch["labels"]))
        if training.due(options.checkpoint_every):
            area = validate_classifier(network, val, training.device)
            training.checkpoint(1 - area, ROC=area)
    return {"best validation, 1 - ROC": training.best}


def arguments():
    return add_classifier(Parser(__doc__).add_data().add_training(4000).add_machine())


if __name__ == "__main__":
    run(main)
