"""Training of critics: flags, construction and validation."""
import torch

from core.engine.options import ON, number
from core.methods.critics import area, judge_pairs
from core.models.critic import Critic, CriticConfig


def add_critic(parser):
    """Add the flags of a critic; return the parser."""
    group = parser.add_argument_group("critic")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="size of the LSTM for requests")
    group.add_argument("--cond_nc", type=number(int, 1), default=512, help="size of the joint space of words and edit")
    group.add_argument("--use_attention", **ON, help="attend over the words")
    return parser


def build_critic(options, language):
    """Build the critic that `add_critic`'s flags describe; return it and its optimizer."""
    config = CriticConfig(
        words=language.vocab.names, hidden_size=options.hidden_size, cond_nc=options.cond_nc,
        vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        use_attention=options.use_attention)
    critic = Critic(config, language.vectors)
    return critic, torch.optim.Adam([p for p in critic.parameters() if p.requires_grad], options.learning_rate)


@torch.no_grad()
def accuracies(scores, shown, levelled=True):
    """Return accuracies for the log, 0-d tensors: the share of right edits above a threshold, and of wrong edits below.

    The threshold is 0. Scores without a fixed threshold (`levelled` is False) use the middle between the mean scores of
    right and of wrong edits.
    """
    right, wrong = scores[0], scores[1:][shown.wrong]
    if not len(wrong):
        return {}
    middle = 0.0 if levelled else (right.mean() + wrong.mean()) / 2
    return {"D_accuracy_real": (right > middle).float().mean(), "D_accuracy_fake": (wrong < middle).float().mean()}


def validate_critic(critic, dataset, operators, device):
    """Return the area under the ROC curve of right against wrong edits of a validation set; 0.5 without wrong edits."""
    right, wrong = [], []
    for _, shown, scores in judge_pairs(critic, dataset, operators, device):
        right += scores[0].tolist()
        wrong += scores[1:][shown.wrong].tolist()
    return 0.5 if (found := area(right, wrong)) is None else found
