"""Grounding: learn which segments of a photo a request edits, in the manner of MAttNet.

A sample is a request with one of its local operators. Segments that are meant must score higher than other segments for
the same words (loss: segments), and higher than for words that mean others (loss: words); the notebook's trials need no
more. Ours also teach a confidence, which tells how many segments are meant (loss: threshold).

  python core/train_ground.py --id 1 --session 3                      # on GIER, as the notebook
  python core/train_ground.py --id 3 --use_op_prior 0
  python core/train_ground.py --dataset RegionReq --trial 101         # minutes on a CPU
"""
import functools

import _init_paths  # noqa: F401
import torch

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import Parser, parse
from core.engine.run import MAIN
from core.engine.seeds import over_seeds
from core.losses.ranking import threshold_loss, triplet_loss
from core.training.grounding import add_grounder, build_grounder, draw_pairs, start, validate

EXPERIMENT = "ground"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    training, language, train, val = start(options)
    grounder = training.setup(*build_grounder(options, language, train), "ranked")
    draw = functools.partial(draw_pairs, positives=options.positives, same_class=options.same_class)

    for batch in training.batches(train):
        grounder.train()
        rivals = [part.to(training.device) for part in train.draw_rivals(batch["index"], options.same_class)]

        right, wrong_segment, wrong_words, found = grounder.ranked(batch, rivals, draw)
        each = torch.ones_like(right)[None]
        losses = {
            "segments": options.lambda_segments * triplet_loss(right, wrong_segment[None], each, options.margin),
            "words": options.lambda_words * triplet_loss(right, wrong_words[None], each, options.margin)}
        if options.lambda_threshold:
            losses["threshold"] = options.lambda_threshold * threshold_loss(found.logits, batch["labels"],
                                                                            batch["present"])
        training.step(**losses)

        if training.due(options.checkpoint_every):
            figures = validate(training.networks[MAIN], val, training.device, options.op_at_test)
            training.checkpoint(1 - figures["ROC"], **figures)
    return {"best validation": training.best}


def arguments():
    parser = add_grounder(Parser(__doc__).add_data().add_training(30000)).add_machine()
    parser.set_defaults(dataset="GIER", session=3, learning_rate=4e-4)
    return parser


if __name__ == "__main__":
    run(main)
