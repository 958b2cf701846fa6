"""Training of the whole pipeline: flags, construction, losses and validation."""
import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, Dataset

from core.datasets import PairDataset
from core.datasets.annotations import pair_name
from core.engine.options import ON, number
from core.files import UserError
from core.losses.plan import operator_nll, parameter_mse
from core.metrics.sequence import bleu
from core.models.pipeline import Pipeline, known_masks
from core.models.planner import PlannerConfig
from core.models.vision import ENCODERS
from core.operators import END, MAX_STEPS
from core.requests.grammar import choose
from core.requests.local_sentences import say
from core.requests.wish import Wish


def add_pipeline(parser):
    """Add the flags of the pipeline; return the parser."""
    parser.set_defaults(dataset="synth", session=0)
    group = parser.add_argument_group("pipeline")
    group.add_argument("--vis_encoder", default="resnet18", choices=ENCODERS, help="encoder of the picture at a step")
    group.add_argument("--use_vis_feat", **ON, help="let the decoder see the picture; 0 shows it grey")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="size of the LSTMs")
    group.add_argument("--dropout", type=number(float, 0, 0.99), default=0.0, help="dropout on word vectors, LSTM "
                       "states and visual features")
    group.add_argument("--parameter_weight", type=number(float, 0), default=1.0, help="weight of the squared error of "
                       "the parameters")
    group.add_argument("--words_first", type=number(int, 0), default=0, help="number of first iterations, which are "
                       "quick: the decoder sees grey pictures, and nothing is executed")
    group.add_argument("--sentences", type=number(int, 1), default=1, help="sentences for each request in these first "
                       "iterations: its own, and others that the grammar makes for the same wishes and another place")
    group.add_argument("--local_weight", type=number(float, 0), default=1.0, help="weight of the loss of local steps")
    return parser.add_ignored("--display_every")


def build_pipeline(options, language):
    """Return a new Pipeline, as `add_pipeline`'s flags describe it, and its optimizer."""
    config = PlannerConfig(
        words=language.vocab.names, operators=language.operators.names, vis_encoder=options.vis_encoder,
        hidden_size=options.hidden_size, vector_size=language.vector_size,
        fixed_vectors=language.vectors is not None, dropout=options.dropout, image_blind=not options.use_vis_feat)
    network = Pipeline(config, language.vectors)
    return network, torch.optim.Adam([p for p in network.parameters() if p.requires_grad], options.learning_rate)


class PlansOnly(Dataset):
    """Samples of a PairDataset with masks, without pictures: {request_ids, ops, params, local}, bool (MAX_STEPS,).

    Each pair has `sentences` samples. The first has the request of the pair, the others have a random sentence for the
    same wishes at the place of a random pair, because where an edit is does not change which operator it needs. Each
    sample is a pure function of (pairs, seed, index).
    """

    def __init__(self, pairs: PairDataset, sentences: int = 1, seed: int = 0) -> None:
        """Set the pairs and the number of sentences. Raises UserError if the pairs do not tell their wishes."""
        self.pairs, self.sentences, self.seed = pairs, sentences, seed
        self.local = torch.tensor([[mask is not None for mask in areas] + [False] * (MAX_STEPS - len(areas))
                                   for areas in pairs.areas])
        self.wishes, self.places = [], sorted({entry.get("region", "") for entry in pairs.annotations} - {""})
        if sentences > 1:
            self.wishes = [self._wishes(entry) for entry in pairs.annotations]

    def _wishes(self, entry):
        try:
            return [Wish(wish["attribute"], wish["sign"], wish["degree"]) for wish in entry["wishes"]]
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{self.pairs.path}, {pair_name(entry)}: field 'wishes' is missing or malformed "
                            f"({type(error).__name__}: {error}); give --sentences 1") from None

    def __len__(self):
        return len(self.pairs) * self.sentences

    def __getitem__(self, index):
        at, turn = divmod(index, self.sentences)
        sample = {name: getattr(self.pairs, name)[at] for name in ("request_ids", "ops", "params")}
        if turn and self.wishes[at] and self.places:
            rng = np.random.default_rng([self.seed, index])
            sample["request_ids"] = torch.tensor(self.pairs.vocab.encode(
                say(self.wishes[at], choose(rng, self.places), rng)))
        return sample | {"local": self.local[at]}


def pipeline_losses(network, batch, options):
    """Return the weighted, teacher-forced losses {"operator", "parameter", "local"} of each step."""
    ops = batch["ops"]
    log_probabilities, params, local = network.teacher_forced(batch.get("input"), batch["request_ids"], ops,
                                                              batch["params"], batch.get("masks"))
    known = ops[:, 1:-1]
    steps = (known > 0) & (known != network.vocab.ids[END])
    true_local = batch["local"] if "local" in batch else (batch["masks"] < 1).flatten(2).any(2)
    missed = binary_cross_entropy_with_logits(local, true_local.float(), reduction="none")
    return {"operator": operator_nll(log_probabilities, ops),
            "parameter": options.parameter_weight * parameter_mse(params, batch["params"], ops, network.vocab),
            "local": options.local_weight * (missed * steps).sum() / steps.sum().clamp_min(1)}


def validate_pipeline(network, samples, device, batch_size):
    """Return {"BLEU-1" of decoded operators, "output_L1", "input_L1"} on a validation set with its true masks."""
    network.eval()
    found, true, before, after = [], [], 0.0, 0.0
    for batch in DataLoader(samples, batch_size):
        orders = orders_of(network.vocab, batch["ops"])
        image, target = batch["input"].to(device), batch["target"].to(device)
        done = network.decode(image, batch["request_ids"].to(device), known_masks(batch["masks"].to(device), orders))
        found += [[name for name, *_ in steps] for steps in done.steps]
        true += orders
        before += (image - target).abs().mean((1, 2, 3)).sum().item()
        after += (done.image - target).abs().mean((1, 2, 3)).sum().item()
    return {"BLEU-1": bleu(found, true) or 0.0, "input_L1": before / len(samples), "output_L1": after / len(samples)}


def orders_of(vocab, ops):
    """Return the names of the operators of plans (B, T + 2), without special tokens."""
    return [[vocab.names[index] for index in row if vocab[index] is not None] for row in ops.tolist()]
