"""What the critics' scripts share: their flags, a new and a trained critic, and how well one tells right from wrong."""
import torch
from torch.utils.data import DataLoader

from core.datasets import WordVocab
from core.engine.candidates import candidates
from core.engine.checkpoints import load_checkpoint
from core.engine.options import number
from core.files import naming
from core.models.critic import Critic, CriticConfig

BATCH = 32                                 # pairs judged at once, each with all its candidates
LEVELLED = ("classification", "triplet")   # objectives for which a score of 0 parts right from wrong


def add_critic(parser):
    """Add the flags of a critic; return the parser."""
    group = parser.add_argument_group("critic")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="of the LSTM that reads")
    group.add_argument("--cond_nc", type=number(int, 1), default=512, help="of the space in which words and edit meet")
    group.add_argument("--use_attention", type=int, default=1, choices=(0, 1), help="attend over the words")
    return parser


def open_critic(options, language):
    """Return a new critic, as `add_critic`'s flags describe it, and its optimizer."""
    config = CriticConfig(
        words=language.vocab.names, hidden_size=options.hidden_size, cond_nc=options.cond_nc,
        vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        use_attention=bool(options.use_attention))
    critic = Critic(config, language.vectors)
    return critic, torch.optim.Adam([p for p in critic.parameters() if p.requires_grad], options.learning_rate)


def load_critic(path, experiment):
    """Return a trained critic, its WordVocab, and the flags that it was trained with. Raises UserError."""
    state = load_checkpoint(path, experiment)
    critic = Critic.from_checkpoint(state["model"], path).eval().requires_grad_(False)
    with naming(path):
        return critic, WordVocab(critic.config.words), state.get("options", {})


@torch.no_grad()
def accuracies(scores, shown, levelled=True):
    """Return what a training notes: the shares, as 0-d tensors, of right and of wrong edits on their side of 0.

    Where 0 parts nothing (`levelled` is False), the middle between the means of both does.
    """
    right, wrong = scores[0], scores[1:][shown.wrong]
    if not len(wrong):
        return {}
    middle = 0.0 if levelled else (right.mean() + wrong.mean()) / 2
    return {"D_accuracy_real": (right > middle).float().mean(), "D_accuracy_fake": (wrong < middle).float().mean()}


@torch.no_grad()
def judge_pairs(critic, dataset, operators, device="cpu", seed=0):
    """Yield (samples of a batch, Candidates, scores (K, B)) of a data set; what is drawn follows from the seed."""
    critic.eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for batch in DataLoader(dataset, BATCH):
            batch |= {key: value.to(device) for key, value in batch.items() if torch.is_tensor(value)}
            shown = candidates(batch, operators)
            yield batch, shown, shown.judged(critic)


def validate_critic(critic, dataset, operators, device):
    """Return the area under the ROC curve of right against wrong edits of a validation set; 0.5 if none is wrong."""
    right, wrong = [], []
    for _, shown, scores in judge_pairs(critic, dataset, operators, device):
        right += scores[0].tolist()
        wrong += scores[1:][shown.wrong].tolist()
    return 0.5 if (found := area(right, wrong)) is None else found


def area(right, wrong):
    """Return the area under the ROC curve of two lists of scores, or None where one is empty."""
    from sklearn.metrics import roc_auc_score
    if not right or not wrong:
        return None
    return float(roc_auc_score([1] * len(right) + [0] * len(wrong), [*right, *wrong]))
