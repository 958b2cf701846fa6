"""Fully supervised actor: plan an edit from a photo and a request; learn from planned sequences only.

Each iteration is one teacher-forced step: its losses are the next operator's likelihood and the distance of the
parameters, given the earlier steps of a planned sequence. The network never executes its own plans in training;
core/train_seq2seqL1.py adds a loss on their results.

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1     # first: plan the training pairs
  python core/train_actor_fs.py --trial 5
  python core/train_actor_fs.py --dataset synth --trial 101 --num_iters 600        # a small trial on a CPU
"""
import _init_paths  # noqa: F401

from core.datasets.transforms import crop_and_flip
from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import Parser, parse
from core.engine.seeds import over_seeds
from core.training.average import average_weights
from core.training.planners import add_planner, build_planner, look_back, start, supervised

EXPERIMENT = "actor_fs"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    training, language, train, val = start(options)
    planner = training.setup(*build_planner(options, language), "teacher_forced")
    average = average_weights(training, options.ema)

    for batch in training.batches(train):
        planner.train()
        image = batch["input"]
        if options.crop:
            image, _ = crop_and_flip(image, batch["target"], options.crop)

        training.step(**supervised(planner, image, batch, options))

        look_back(training, planner, val, average)
    return {"best validation": training.best}


def arguments():
    return add_planner(Parser(__doc__).add_data().add_training(20000)).add_machine()


if __name__ == "__main__":
    run(main)
