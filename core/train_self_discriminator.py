"""Self-discriminator: a critic that learns from pairs alone to score whether an edit of a photo fits the words.

The wrong candidates for each right edit are the unedited photo, a random edit, and the right edit with the words of
another pair. No plans are needed; core/train_self_discriminator1.py adds mixed trajectories.

  python core/train_self_discriminator.py --session 3 --learning_rate 0.001 --batch_size 16 --trial 1    # on GIER
  python core/train_self_discriminator.py --dataset synth --session 1 --trial 101                        # on a CPU
  python core/test_self_discriminator.py --dataset synth --session 1 --trial 101
"""

import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import Parser, parse
from core.engine.seeds import over_seeds
from core.losses.ranking import classification_loss
from core.planning.candidates import candidates
from core.training.critics import accuracies, add_critic, build_critic, validate_critic
from core.training.planners import start

EXPERIMENT = "self_discriminator"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    training, language, train, val = start(options, planned=False)
    critic = training.setup(*build_critic(options, language))

    for batch in training.batches(train):
        critic.train()
        shown = candidates(batch, language.operators)
        scores = shown.judged(critic)
        real, fake = classification_loss(scores[0], scores[1:], shown.weights())
        training.step(real=real, fake=fake)
        training.note(**accuracies(scores, shown))
        if training.due(options.checkpoint_every):
            area = validate_critic(critic, val, language.operators, training.device)
            training.checkpoint(1 - area, AUC=area)
    return {"best validation, 1 - AUC": training.best}


def arguments():
    parser = add_critic(Parser(__doc__).add_data().add_training(20000).add_machine())
    parser.set_defaults(dataset="GIER", session=3, batch_size=16)
    return parser.add_ignored("--shuffle")   # a run always shuffles its pairs


if __name__ == "__main__":
    run(main)
