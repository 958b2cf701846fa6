"""Self-discriminator on mixed trajectories: the critic also sees planned edits that do not fit the words.

The wrong candidates for each right edit are the pair's own plan cut short, the plan of another pair, a random edit, and
the right edit with the words of another pair. --objective chooses the critic's loss. With --combined, a planner is also
trained to raise the critic's score, and its edits are further wrong candidates.

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1      # first: plan the training pairs
  python core/train_self_discriminator1.py --trial 1
  python core/train_self_discriminator1.py --dataset synth --trial 101              # a small trial on a CPU
  python core/test_self_discriminator1.py --trial 1
"""
import _init_paths  # noqa: F401
import torch
import torch.nn.functional as F

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import OFF, ON, Parser, number, parse
from core.engine.run import MAIN
from core.engine.seeds import over_seeds
from core.losses.ranking import classification_loss, ranking_loss, regression_loss, triplet_loss
from core.methods.critics import LEVELLED
from core.models.vision import ENCODERS
from core.planning.candidates import FAR, NEAR, candidates
from core.training.critics import accuracies, add_critic, build_critic, validate_critic
from core.training.planners import build_planner, start, supervised

EXPERIMENT = "self_discriminator1"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    training, language, train, val = start(options)
    critic = training.setup(*build_critic(options, language))
    if options.combined:
        planner = training.setup(*build_planner(options, language), "teacher_forced", name="G")

    for batch in training.batches(train):
        critic.train()
        others = {"planned": plan(training, planner, batch)} if options.combined else {}
        shown = candidates(batch, language.operators, bool(options.random_edits), **others)
        scores = shown.judged(critic)
        training.step(**critic_losses(scores, shown, options))
        training.note(**accuracies(scores, shown, options.objective in LEVELLED))
        if training.due(options.checkpoint_every):
            area = validate_critic(critic, val, language.operators, training.device)
            training.checkpoint(1 - area, AUC=area)
    return {"best validation, 1 - AUC": training.best}


def critic_losses(scores, shown, options):
    """Return the critic's losses {name: 0-d tensor} of --objective on its scores (K, B) of Candidates."""
    weights = shown.weights(by_distance=bool(options.reweight))
    if options.objective == "ranking":
        return {"ranking": ranking_loss(scores, shown.distances, NEAR)}
    if options.objective == "regression":   # the negated score predicts the distance, in units of FAR
        weights = torch.cat((options.positive_weight * torch.ones_like(weights[:1]), weights))
        return {"regression": regression_loss(scores, shown.distances, weights, FAR)}
    real, fake = classification_loss(scores[0], scores[1:], weights, options.positive_weight)
    triplet = {"triplet": triplet_loss(scores[0], scores[1:], weights)} if options.objective == "triplet" else {}
    return {"real": real, "fake": fake, **triplet}


def plan(training, planner, batch):
    """Step the planner on its supervised losses and the frozen critic's loss; return its edits (B, 3, H, W)."""
    planner.train()
    planned = planner(batch["input"], batch["request_ids"])
    with training.held(MAIN) as critic:
        score = critic(batch["input"], planned.image, batch["request_ids"])
        training.step("G", **supervised(planner, batch["input"], batch, training.options),
                      judged=F.softplus(-score).mean())
    return planned.image.detach()


def arguments():
    parser = add_critic(Parser(__doc__).add_data().add_training().add_machine())
    group = parser.add_argument_group("data and loss of the critic")
    group.add_argument("--action_id", type=number(int, 0), default=1, help="number of the set of planned sequences to "
                       "mix; 0: the plans that made a synthetic set")
    group.add_argument("--random_edits", **ON, help="use random edits as wrong candidates")
    group.add_argument("--objective", default="classification", choices=("classification", "triplet", "ranking",
                       "regression"), help="loss: right or wrong (classification); the same and a margin between both "
                       "(triplet); order by L1 to the requested edit (ranking); that distance itself (regression)")
    group.add_argument("--positive_weight", type=number(float, 0), default=1.0, help="weight of the right "
                       "edits' loss")
    group.add_argument("--reweight", **OFF, help="weight wrong edits by their L1 distance "
                       "to the requested edit")
    group = parser.add_argument_group("planner that learns from the critic")
    group.add_argument("--combined", **OFF, help="train a planner together with the critic")
    group.add_argument("--vis_encoder", default="resnet18", choices=ENCODERS, help="visual encoder of the "
                       "planner")
    group.add_argument("--parameter_weight", type=number(float, 0), default=1.0, help="weight of the planner's "
                       "parameter loss relative to its operator loss")
    return parser


if __name__ == "__main__":
    run(main)
