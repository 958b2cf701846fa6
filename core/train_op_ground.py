"""Locality: learn whether an operator of a request edits a part of the photo or all of it.

The notebook's "op ground" is a binary classifier, local or global, for each operator of a request, beside the grounder
that finds the part. Loss: the cross-entropy of "local".

  python core/train_op_ground.py --id 1 --session 3      # words, operator and photo
  python core/train_op_ground.py --id 2 --session 3      # without the photo; needs no images
"""
import _init_paths  # noqa: F401
import torch
import torch.nn.functional as F

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.language import load_language
from core.engine.options import OFF, Parser, number, parse
from core.engine.run import MAIN, Run
from core.engine.seeds import over_seeds
from core.models.locality import Locality, LocalityConfig
from core.training.locality import load_uses, measure, operators_of, probabilities

EXPERIMENT = "op_ground"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    language = load_language(options)
    train, val = (load_uses(options, language, phase, options.image_blind) for phase in ("train", "val"))
    training = Run(options)
    for sentence in (*language.notes, *(f"{name}: {len(some)} operators of requests, {some.local.mean():.0%} local"
                                        for name, some in (("train", train), ("val", val)))):
        training.say(sentence)
    network = Locality(LocalityConfig(
        words=language.vocab.names, operators=operators_of(language), hidden_size=options.hidden_size,
        vector_size=language.vector_size, fixed_vectors=language.vectors is not None, dropout=options.dropout,
        image_blind=options.image_blind), language.vectors)
    learnt = [weight for weight in network.parameters() if weight.requires_grad]
    network = training.setup(network, torch.optim.Adam(learnt, options.learning_rate))

    for batch in training.batches(train):
        network.train()
        training.step(local=F.binary_cross_entropy_with_logits(network(batch), batch["local"]))
        if training.due(options.checkpoint_every):
            figures = measure(probabilities(training.networks[MAIN], val, training.device), val)
            training.checkpoint(1 - (figures["ROC"][0] or 0), ROC=figures["ROC"][0], accuracy=figures["accuracy"][0])
    return {"best validation": training.best}


def arguments():
    parser = Parser(__doc__).add_data().add_training(5000).add_machine()
    parser.add_argument("--hidden_size", type=number(int, 2, 4096), default=256, help="size of the hidden layers")
    parser.add_argument("--dropout", type=number(float, 0, 0.9), default=0.2, help="dropout")
    parser.add_argument("--image_blind", **OFF, help="do not look at the photo")
    parser.set_defaults(dataset="GIER", session=3)
    return parser


if __name__ == "__main__":
    run(main)
