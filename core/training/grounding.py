"""Functions that the scripts of grounding share: samples, the network with its flags, drawing pairs, validation."""
import functools
from pathlib import Path

import torch
from easydict import EasyDict

from core.datasets.annotations import source_photo
from core.datasets.features import FeatureReader
from core.datasets.gier import GIERPairs
from core.datasets.grounding import GroundingSet, read_expressions, read_requests
from core.datasets.images import image_size
from core.datasets.proposals import read_proposals
from core.datasets.refcoco import RefCOCO
from core.engine.checkpoints import load_checkpoint
from core.engine.data import data_root
from core.engine.folders import run_folder
from core.engine.language import load_language
from core.engine.options import OFF, ON, number
from core.engine.run import Run
from core.files import UserError
from core.metrics.grounding import best_threshold
from core.metrics.roc import pooled_roc
from core.models.grounding import MODULES, Grounder, GrounderConfig
from core.operators.table import SESSIONS

SAMPLES = ("requests", "expressions", "both", "refcoco")
NO_OPERATOR = ""
OWN, RANDOM = "own", "random"   # operators by which words are read in a test
CLAMP = 0.1                     # of each number of a gradient, as in MAttNet
BETAS = (0.8, 0.999)


def start(options):
    """Start training: return the Run, the Language, the training samples and the validation samples."""
    if options.hidden_size % 2:
        raise UserError(f"--hidden_size {options.hidden_size}: give an even number, half for each reading direction")
    language = load_language(options)
    train, val = (load_samples(options, language, phase) for phase in ("train", "val"))
    training = Run(options)
    for sentence in (*language.notes, *report(train, "train"), *report(val, "val")):
        training.say(sentence)
    return training, language, train, val


def load_samples(options, language, phase):
    """Return the GroundingSet of a phase. Raises UserError if the set's files cannot be used, or hold no sample."""
    root, operators, left_out = Path(data_root(options)), operators_of(language), {}
    if options.samples == "refcoco":
        found = RefCOCO(root, options.refs, options.split_by)
        queries, read, images = found.queries(phase), found.proposals, found.images
    else:
        queries, left_out = _queries(options, root, phase, operators)
        read, images = functools.partial(read_proposals, root), root / "images"

    def proposals_of(photo):
        segments = read(photo)
        return segments if segments.masks[0].fits(*image_size(images / photo)) else None
    dataset = GroundingSet(queries, proposals_of, FeatureReader(images, Path(options.output) / "cache"), language.vocab,
                           operators)
    dataset.left_out.update(left_out)
    return dataset


def _queries(options, root, phase, operators):
    """Return the queries of a phase in GIER's format, requests and expressions, and counts of those left out."""
    queries, left_out = [], {}
    if options.samples != "expressions":
        queries, left_out = read_requests(root, phase, options.session, operators, options.data_mode)
    if options.samples != "requests":
        _, entries = GIERPairs.read(root, phase, options.session, "full")
        sources = {entry["input"]: source_photo(entry) for entry in entries}
        queries = [*queries, *read_expressions(root / "expressions.json", phase, sources)]
    return queries, left_out


def report(dataset, phase):
    """Return a list of sentences on the samples of a phase."""
    photos = len({query.source for query in dataset.queries})
    found = [f"{phase}: {len(dataset)} samples of {len(dataset.proposals)} pictures from {photos} photos"]
    return found + [f"  {count} left out: {reason}" for reason, count in dataset.left_out.most_common()]


def operators_of(language):
    """Return the names of the operators by whose weights words can be read; the first one stands for none."""
    return (NO_OPERATOR, *(name for name in language.operators.names if name[0] != "<"))


def build_grounder(options, language, dataset):
    """Return a new grounder, as `add_grounder`'s flags describe it, and its optimizer."""
    features = next(iter(dataset.segments.values()))
    config = GrounderConfig(
        words=() if language.minilm else language.vocab.names, lang_encoder=options.lang_encoder,
        operators=operators_of(language) if options.use_op_prior else (NO_OPERATOR,),
        coarse=features["coarse"].shape[1], fine=features["fine"].shape[1], hidden_size=options.hidden_size,
        vector_size=language.vector_size, fixed_vectors=language.vectors is not None, norm=options.norm,
        dropout=options.dropout, switched_off=tuple(options.switched_off or ()), use_names=options.use_names,
        use_sign=options.use_sign, text_blind=options.text_blind)
    grounder = Grounder(config, language.vectors, language.minilm)
    learnt = [weight for weight in grounder.parameters() if weight.requires_grad]
    for weight in learnt:
        weight.register_hook(_clamped)
    return grounder, torch.optim.Adam(learnt, options.learning_rate, BETAS)


def _clamped(gradient):
    """Clamp a gradient; among several processes, a weight without a loss has none."""
    return None if gradient is None else gradient.clamp(-CLAMP, CLAMP)


def load_grounder(options, experiment):
    """Return (the network of a run, its Language, the options of its training). Raises UserError if they do not fit."""
    path = run_folder(options) / options.checkpoint
    state = load_checkpoint(path, experiment)
    minilm = state["model"].get("config", {}).get("lang_encoder") == "minilm"
    language = load_language(EasyDict(options | {"lang_encoder": "minilm" if minilm else "words"}))
    network = Grounder.from_checkpoint(state["model"], path, minilm=language.minilm)
    if not minilm and network.config.words != language.vocab.names:
        raise UserError(f"{path}: was trained with another vocabulary; give its folder with --language")
    return network.eval(), language, state.get("options", {})


def draw_pairs(batch, positives="one", same_class=0.3):
    """Draw the segments of the ranking loss; the random numbers are torch's.

    Args:
        batch: `labels` and `present`, bool (B, N), and `classes` (B, N).
        positives: "one" draws one segment that is meant for each row, "all" takes all of them.
        same_class: the probability that the other segment is of the same class. Where a photo has none of a kind, the
            other kind is drawn, and a segment of another row only if every segment of the photo is meant.

    Returns: rows (M,) and segments that are meant (M,); rows and segments that are not meant (M, 2).
    """
    labels, present, classes = batch["labels"], batch["present"], batch["classes"]
    if positives == "one":
        meant = torch.multinomial(labels.float(), 1)[:, 0]
        rows = torch.arange(len(labels), device=labels.device)
    else:
        rows, meant = labels.nonzero(as_tuple=True)
    wrong = (present & ~labels)[rows]
    alike = classes[rows] == classes[rows, meant][:, None]
    same, other = wrong & alike, wrong & ~alike
    wants_same = (torch.rand(len(rows), device=labels.device) < same_class)[:, None]
    pool = torch.where(torch.where(wants_same, same.any(1, True), ~other.any(1, True)), same, other)
    inside = pool.any(1)
    others = torch.stack((rows, torch.multinomial(pool.float() + (~inside)[:, None], 1)[:, 0]), 1)
    if not inside.all():
        others[~inside] = _of_other_rows(present, rows[~inside])
    return rows, meant, others


def _of_other_rows(present, rows):
    """Return for each of `rows` the row and the segment of a random segment of another row, (M, 2)."""
    cells = present.nonzero()
    weights = (cells[None, :, 0] != rows[:, None]).float()
    weights[weights.sum(1) == 0] = 1   # a batch of one row: its own segments
    return cells[torch.multinomial(weights, 1)[:, 0]]


def with_operator(batch, how, operators):
    """Return a batch whose words are read by another operator: OWN keeps it, RANDOM draws one, else the named one."""
    if how == OWN:
        return batch
    ids = batch["operator"]
    if how == RANDOM:
        drawn = torch.randint(1, max(len(operators), 2), ids.shape, generator=torch.Generator().manual_seed(0))
        return batch | {"operator": drawn.to(ids.device)}
    return batch | {"operator": torch.full_like(ids, operators.index(how))}


@torch.no_grad()
def answers(network, dataset, device, batch_size=64, op_at_test=OWN):
    """Yield (index, scores (n,), confidence (n,), Said of the words) for each sample, as arrays on the CPU."""
    network.eval()
    for first in range(0, len(dataset), batch_size):
        indices = range(first, min(first + batch_size, len(dataset)))
        batch = {name: value.to(device) for name, value in
                 dataset.collate([dataset[index] for index in indices]).items()}
        found = network(with_operator(batch, op_at_test, tuple(dataset.operators)))
        for row, index in enumerate(indices):
            count = len(dataset.labels(index))
            yield (index, found.scores[row, :count].cpu().numpy(), found.confidence[row, :count].cpu().numpy(),
                   found.modules[row, :count].cpu().numpy(), found.said.at(row))


def validate(network, dataset, device, op_at_test=OWN):
    """Measure a grounder and set its threshold to the one with the best F1; return {"ROC", "F1"}."""
    rows = [(confidence, dataset.labels(index)) for index, _, confidence, *_ in
            answers(network, dataset, device, op_at_test=op_at_test)]
    scores, labels = zip(*rows, strict=True)
    threshold, score = best_threshold(scores, labels)
    network.threshold.fill_(threshold)
    return {"ROC": pooled_roc(scores, labels), "F1": score}


def add_samples(parser):
    """Add the flags that select the samples, and the operators by which their words are read."""
    parser.add_argument("--samples", choices=SAMPLES, default="requests", help="requests with a local operator, the "
                        "sentences of expressions.json, or both; or RefCOCO, whose folders are below --data_root")
    parser.add_argument("--refs", default="refcoco", choices=("refcoco", "refcoco+", "refcocog"), help="set of RefCOCO")
    parser.add_argument("--split_by", default="unc", choices=("unc", "google", "umd"), help="splits of RefCOCO")
    parser.add_argument("--op_at_test", choices=(OWN, RANDOM, *SESSIONS[3][3:]), default=OWN,
                        help="the operator by whose weights words are read in validations and tests: the request's "
                        "own, a random one, or always the same")
    return parser


def add_grounder(parser):
    """Add the flags of the network and of its losses."""
    add_samples(parser)
    group = parser.add_argument_group("grounder")
    group.add_argument("--lang_encoder", default="words", choices=("words", "minilm"), help="reader of the words: "
                       "word vectors, or the frozen all-MiniLM-L6-v2")
    group.add_argument("--hidden_size", type=number(int, 2, 4096), default=512, help="size of phrases and segments")
    group.add_argument("--dropout", type=number(float, 0, 0.9), default=0.2, help="dropout")
    group.add_argument("--norm", default="layer", choices=("layer", "batch"), help="normalisation; the notebook's is "
                       "batch norm, which ties the samples of a batch")
    group.add_argument("--use_op_prior", **ON, help="attend to words by weights of each operator; 0: one for all")
    group.add_argument("--use_names", **OFF, help="segments know their colour and the name of their class")
    group.add_argument("--use_sign", **OFF, help="the words give the score a sign, for \"everything but\"")
    group.add_argument("--switched_off", type=lambda text: text.split(","), help="modules without a weight, of "
                       + ", ".join(MODULES) + "; joined by commas")
    group.add_argument("--text_blind", **OFF, help="control: read an empty request instead of each request")
    group.add_argument("--positives", default="one", choices=("one", "all"), help="draw one pair for each sample, or "
                       "one for each segment that is meant")
    group.add_argument("--same_class", type=number(float, 0, 1), default=0.3, help="share of wrong segments and words "
                       "of the same class")
    group.add_argument("--margin", type=number(float, 0), default=0.1, help="margin of the ranking losses")
    group.add_argument("--lambda_segments", type=number(float, 0), default=1.0, help="weight of the loss of wrong "
                       "segments")
    group.add_argument("--lambda_words", type=number(float, 0), default=1.0, help="weight of the loss of wrong words")
    group.add_argument("--lambda_threshold", type=number(float, 0), default=0.0, help="weight of the loss of the "
                       "confidence, which decides how many segments are meant")
    return parser
