"""Training and reading of multi-label classifiers: flags, labelled requests, construction and validation."""
import numpy as np
import torch
from torch.utils.data import DataLoader

from core.datasets import get_source
from core.datasets.annotations import pair_name
from core.datasets.images import Thumbnails
from core.datasets.operator_labels import OperatorLabels, operators_of
from core.engine.data import data_root
from core.engine.options import OFF, number
from core.files import UserError, naming
from core.methods.planner import THUMBNAIL
from core.metrics.labels import roc
from core.models.multilabel import OperatorClassifier, OperatorClassifierConfig
from core.models.vision import ENCODERS
from core.synthesis import record_plans

BATCH = 256   # requests that are classified at once


def add_classifier(parser):
    """Add the flags of a multi-label classifier; return the parser."""
    parser.set_defaults(dataset="GIER", session=3)
    group = parser.add_argument_group("classifier")
    group.add_argument("--vis_encoder", default="resnet18", choices=ENCODERS, help="encoder of the input photo")
    group.add_argument("--image_blind", **OFF, help="no visual feature: the images are not needed")
    group.add_argument("--text_blind", **OFF, help="control: replace every request by the same words")
    group.add_argument("--lang_encoder", default="words", choices=("words", "minilm"), help="input of the LSTM that "
                       "reads the request: word vectors, or states of the frozen sentence encoder all-MiniLM-L6-v2")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="size of the LSTM and of the head")
    group.add_argument("--pool_words", **OFF, help="read the maximum over the words' states, too, not only the last "
                       "states")
    group.add_argument("--dropout", type=number(float, 0, 0.99), default=0.0, help="dropout on word vectors, LSTM "
                       "states and the head")
    group.add_argument("--merge", **OFF, help="count lightness and exposure as brightness, and black&white as "
                       "saturation; this changes the labels, so figures with and without it do not compare")
    return parser


def load_labels(options, phase, vocab, names, merge=False, with_photos=True):
    """Return the OperatorLabels of a phase: one sample for each request. Raises UserError.

    Args: `vocab` of the words, `names` of the operators that are labels, `merge` see `operators_of`. The operators of
    a synthetic set are those of the plans that made it.
    """
    reader = get_source(options.dataset).reader
    path, entries = reader.read(data_root(options), phase, options.session, options.data_mode or reader.every)
    if "operator" in entries[0]:
        with naming(path):
            used = [operators_of(entry, merge) for entry in entries]
    elif (path.parents[1] / "op_record.json").exists():
        plans = record_plans(path.parents[1])
        used = [{step.op for step in plans[pair_name(entry)]} for entry in entries]
    else:
        raise UserError(f"{path}: its entries have no field 'operator', so there are no labels; give a set in GIER's "
                        f"format, or a synthetic one")
    photos = None
    if with_photos:
        photos = Thumbnails(path.parents[1] / "images", [entry["input"] for entry in entries], THUMBNAIL,
                            f"{options.output}/cache")
    return OperatorLabels(entries, used, names, vocab, photos)


def build_classifier(options, language):
    """Return a new classifier, as `add_classifier`'s flags describe it, and its optimizer. Raises UserError."""
    if options.hidden_size % 2:
        raise UserError(f"--hidden_size {options.hidden_size}: give an even number, half for each reading direction")
    config = OperatorClassifierConfig(
        words=() if language.minilm else language.vocab.names,
        operators=tuple(operator.name for _, operator in language.operators.operators),
        hidden_size=options.hidden_size, vector_size=language.vector_size,
        fixed_vectors=language.vectors is not None, lang_encoder=options.lang_encoder,
        vis_encoder=None if options.image_blind else options.vis_encoder, pool_words=options.pool_words,
        dropout=options.dropout, text_blind=options.text_blind)
    network = OperatorClassifier(config, language.vectors, language.minilm)
    return network, torch.optim.Adam([p for p in network.parameters() if p.requires_grad], options.learning_rate)


@torch.no_grad()
def classify(network, samples, device="cpu", order=None):
    """Return probabilities (N, K) float64 of the labels of OperatorLabels; the network is set to eval mode.

    `order`, N indices, gives each sample the request of another one.
    """
    network.eval()
    requests = samples.request_ids if order is None else samples.request_ids[order]
    found = []
    for start, batch in zip(range(0, len(samples), BATCH), DataLoader(samples, BATCH), strict=True):
        image = batch["input"].to(device) if "input" in batch else None
        found.append(network(requests[start:start + BATCH].to(device), image).sigmoid().double().cpu())
    return torch.cat(found).numpy()


def validate_classifier(network, samples, device):
    """Return the pooled area under the ROC curve on a validation set; .5 where it is undefined."""
    area = roc(classify(network, samples, device), samples.labels.numpy() > 0.5)
    return 0.5 if area is None else area


def shuffled(count, seed=0):
    """Return a permutation (count,) that gives each sample the request of another one."""
    circle, order = np.random.default_rng(seed).permutation(count), np.empty(count, int)
    order[circle] = np.roll(circle, 1)
    return order
