"""Functions that train scripts share: start, training data, validation, and the planner with its flags and losses."""
import functools
from dataclasses import replace

import torch

from core.datasets import ActionSet, Mixed, action_set_path, to_tensor
from core.engine.data import data_root, load_phase
from core.engine.language import Language, load_language
from core.engine.options import OFF, ON, number
from core.engine.run import MAIN, Run
from core.files import UserError
from core.losses.plan import operator_nll, parameter_loss
from core.methods.planner import THUMBNAIL, PlannerMethod
from core.metrics.attributes import look
from core.metrics.obedience import JUST_VISIBLE
from core.metrics.reading import FIVE
from core.models.planner import Planner, PlannerConfig
from core.models.vision import ENCODERS, blindness, varying_share
from core.operators import SESSIONS
from core.pretrained import minilm_folder
from core.requests.corpus import read_corpus
from core.requests.grammar import intent
from core.synthesis import plans_of_set
from core.synthesis.degrade import DrawnRepairs, Inputs
from core.training.average import add_average
from core.training.previews import write_previews

SENTENCES = 96   # number of sentences whose obedience is validated
OBEYING = 0.25   # weight of obedience in the choice of the best checkpoint; its standard error is about .05
DRAWN = ("mix", "words_first", "rehearse")   # flags that draw sentences; then no word is rare
GUARDED = 40   # number of validation photos over which the visual encoder's units must vary


def start(options, planned=True):
    """Start training: return the Run, the Language, the training pairs and the validation pairs.

    Args: `planned`, see `load_pairs`. Raises UserError where flags or data do not fit.
    """
    if options.hidden_size % 2:
        raise UserError(f"--hidden_size {options.hidden_size}: give an even number, half for each reading direction")
    if options.hide_words and not options.wishes:
        raise UserError(f"--hide_words {options.hide_words}: a planner without --wishes 1 would read nothing")
    language = _language_of(options.init) if options.init else load_language(options)
    train, val = (load_pairs(options, language, phase, planned) for phase in ("train", "val"))
    if not language.minilm and not any(getattr(options, flag, None) for flag in DRAWN):
        language.rare = language.vocab.rare_in(entry["request"] for entry in train.annotations)
    training = Run(options)
    notes = blindness(options.vis_encoder)
    for sentence in (*language.notes, *train.report(), *val.report(), *([notes] if notes else [])):
        training.say(sentence)
    return training, language, train, val


def _language_of(path):
    """Return the Language of a planner, see --init."""
    method = PlannerMethod.of(path)
    minilm = minilm_folder() if method.planner.config.lang_encoder == "minilm" else None
    return Language(method.vocab, method.planner.vocab, None, [f"weights and vocabularies of {method.path}"], minilm)


def look_back(training, network, val, average=None):
    """Validate, save and write preview pages, each if it is due in this iteration; for `network` see `validate`.

    `average`, an EMA, is updated first, and takes the place of the network.
    """
    options = training.options
    if average:
        average.update(training.networks[MAIN])
        network = average.network
    if training.due(options.checkpoint_every):
        before, after = validate(network, val, training.device, options.batch_size)
        figures = {"input_L1": before, "output_L1": after, **seeing(training, val), **obeying(training, network, val)}
        # a planner that reads wishes is chosen by both: the share of the L1 that is left, and the sentences obeyed
        score = after / before - OBEYING * figures["obeying"] if "obeying" in figures else after
        training.checkpoint(score, **figures)
    if options.visualize and training.due(options.visualize_every):
        write_previews(training, network, val)


def load_pairs(options, language, phase, planned=True):
    """Load the pairs of a phase as thumbnails; with `planned`, training pairs have the plans of the set --action_id.

    With --local, training pairs have the masks of their steps, and leave out edits of nothing; others have one mask.
    """
    plans = {"masks": "union"} if options.local else {}
    if planned and phase == "train" and not options.action_id:
        plans = {"plans": plans_of_set(data_root(options), options.op_session or options.session)}
    elif planned and phase == "train":
        path = action_set_path(options.action_id, options.dataset, phase, options.session, options.output)
        if not path.exists():
            raise UserError(f"{path}: no such planned set, so no pair has a plan; make it by "
                            f"prepro/gen_greedy_seqs.py --dataset {options.dataset} --session {options.session} "
                            f"--phase {phase} --action_id {options.action_id}")
        plans = {"plans": ActionSet(path).plans(), "plans_path": path}
    if "plans" in plans:
        plans["op_vocab"] = language.operators
        if options.local:   # an edit of nothing has no region
            plans |= {"plans": {name: plan for name, plan in plans["plans"].items() if plan.steps}, "masks": "steps"}
    return load_phase(options, phase, language.vocab, size=THUMBNAIL, cache=f"{options.output}/cache",
                      typos=options.typos if phase == "train" else 0.0, **plans)


def with_repairs(train, pictures, options, language):
    """Return the training data, mixed with a share --repairs of new samples: degraded `pictures` to be repaired."""
    if not options.repairs:
        return train
    drawn = DrawnRepairs(pictures, language.vocab, language.operators, options.manual_seed, options.typos)
    return Mixed(train, drawn, options.repairs)


def build_planner(options, language):
    """Return a new planner, as `add_planner`'s flags describe it, and its optimizer; with --init, see its help."""
    own = {"dropout": options.dropout, "text_blind": options.text_blind, "image_blind": options.image_blind,
           "local": options.local, "unasked": options.get("unasked", PlannerConfig.unasked)}
    known = PlannerMethod.of(options.init).planner if options.init else None
    config = replace(known.config, **own) if known else PlannerConfig(
        words=() if language.minilm else language.vocab.names, rare=language.rare, lang_encoder=options.lang_encoder,
        operators=language.operators.names, vis_encoder=options.vis_encoder, hidden_size=options.hidden_size,
        vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        use_attention=options.use_attention, hide_words=options.hide_words % 1, **own)   # 1: the vocabulary hides them
    planner = Planner(config, language.vectors, language.minilm)
    if known:
        planner.load_state_dict(known.state_dict())
    return planner, torch.optim.Adam([p for p in planner.parameters() if p.requires_grad], options.learning_rate)


def supervised(planner, image, batch, options):
    """Return the weighted, teacher-forced losses {"operator", "parameter"} of each step, given the steps before it."""
    log_probabilities, params = planner.teacher_forced(image, batch["request_ids"], batch["ops"], batch["params"],
                                                       batch.get("masks"))
    distance = parameter_loss(params, batch["params"], batch["ops"], planner.vocab)
    return {"operator": operator_nll(log_probabilities, batch["ops"]), "parameter": options.parameter_weight * distance}


@torch.no_grad()
def seeing(training, val):
    """Return {"seeing": share of the CNN's units that vary over validation photos}.

    Returns {} where the check does not apply: without a planner, with --image_blind, or with a single photo.
    """
    planner, photos = training.networks[MAIN], Inputs(val)
    if not isinstance(planner, Planner) or planner.config.image_blind or len(photos) < 2:
        return {}
    chosen = torch.linspace(0, len(photos) - 1, min(len(photos), GUARDED)).round().int().tolist()
    images = torch.stack([to_tensor(photos[index]) for index in chosen])
    return {"seeing": varying_share(planner.visual_encoder, images.to(training.device))}


@torch.no_grad()
def obeying(training, network, val):
    """Return {"obeying": share of sentences of the corpus (split dev) that the planner obeys on validation photos}.

    A sentence is obeyed if each of its wishes moves its attribute visibly. Returns {} for a planner without wishes.
    """
    if not training.options.wishes:
        return {}
    photos, sentences = Inputs(val), obeyed_sentences()
    images = torch.stack([to_tensor(photos[index % len(photos)]) for index in range(len(sentences))])
    ids = torch.tensor([val.vocab.encode(sentence.request) for sentence in sentences])
    network.eval()
    edited = network(images.to(training.device), ids.to(training.device)).image.cpu()
    before, after = look(images), look(edited)
    right = [all(sign * (after[name][row] - before[name][row]) >= JUST_VISIBLE[name]
                 for name, sign in intent(sentence.wishes).items()) for row, sentence in enumerate(sentences)]
    return {"obeying": sum(right) / len(right)}


@functools.cache
def obeyed_sentences():
    """Return the sentences of `obeying`: of the whole photo, asking for the attributes that obedience tests measure."""
    known = [sentence for sentence in read_corpus("dev") if sentence.wishes and all(
        wish.attribute in FIVE and wish.sign != 0 and wish.where is None for wish in sentence.wishes)]
    return known[::max(len(known) // SENTENCES, 1)][:SENTENCES]


@torch.no_grad()
def validate(network, val, device, batch_size):
    """Return the mean L1 distances of inputs and of results to the targets, on the thumbnails of a validation set.

    Args:
        network: an image generator, (image (B, 3, H, W) in [0, 1], request_ids (B, L)) -> image, or a planner, which
            returns the image with a plan; the network is set to eval mode.
        val: the PairDataset.
        device: where to compute; batch_size: pairs per call.
    """
    network.eval()
    before = after = 0.0
    for batch in torch.utils.data.DataLoader(val, batch_size):
        image, target = batch["input"].to(device), batch["target"].to(device)
        masks = {"masks": batch["masks"].to(device)} if "masks" in batch else {}
        edited = network(image, batch["request_ids"].to(device), **masks)   # generators take no masks
        edited = getattr(edited, "image", edited)
        before += (image - target).abs().mean((1, 2, 3)).sum().item()
        after += (edited - target).abs().mean((1, 2, 3)).sum().item()
    return before / len(val), after / len(val)


def add_planner(parser):
    """Add the flags of a planner and of its supervision; return the parser."""
    group = parser.add_argument_group("planner")
    group.add_argument("--action_id", type=number(int, 0), default=1, help="number of the set of planned sequences for "
                       "supervision; 0: the plans that made a synthetic set")
    group.add_argument("--vis_encoder", default="resnet18", choices=ENCODERS, help="visual encoder: resnet18 is "
                       "trained from scratch; photometric is small, for a CPU; photometric_lite0 has frozen ImageNet "
                       "weights; the others are for old checkpoints")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="size of the LSTMs")
    group.add_argument("--use_attention", **ON, help="attend over the words")
    group.add_argument("--dropout", type=number(float, 0, 0.99), default=0.0, help="dropout on word vectors, LSTM "
                       "states and visual features")
    group.add_argument("--crop", type=number(int, 0, THUMBNAIL), default=0, help="side of a random crop of the "
                       f"{THUMBNAIL} px thumbnails, mirrored half of the time; 0 trains on whole thumbnails")
    group.add_argument("--lang_encoder", default="words", choices=("words", "minilm"), help="input of the LSTM that "
                       "reads the request: word vectors, or states of the frozen sentence encoder all-MiniLM-L6-v2")
    group.add_argument("--parameter_weight", type=number(float, 0), default=1.0, help="weight of the parameter loss "
                       "relative to the operator loss; at weight 1 the operator is learnt long before its strength")
    group.add_argument("--forgiving", **OFF, help="read numbers, and read a misspelt word as "
                       "the known word that it resembles; the published vocabulary does neither")
    group.add_argument("--wishes", **OFF, help="put the wishes that the reader finds in a request in front of its "
                       "words; without it, the planner reads words only, as in the notebook")
    group.add_argument("--hide_words", type=number(float, 0, 1), default=0.0, help="share of the requests whose "
                       "words are hidden in training, so that the planner learns to trust the wishes; 1 hides the "
                       "words in tests, too, where a request has wishes")
    group.add_argument("--op_session", type=int, choices=sorted(SESSIONS), help="published vocabulary of operators for "
                       "the planner's heads, by its session; 4 is the develop panel (default: that of the data set)")
    group.add_argument("--typos", type=number(float, 0, 1), default=0.0, help="share of the training requests that "
                       "get typing errors")
    group.add_argument("--repairs", type=number(float, 0, 1), default=0.0, help="share of the training samples that "
                       "are photos degraded by a random amount, with requests such as 'fix the exposure' and the photo "
                       "itself as target; the right edit depends on the photo, so the request alone is not enough")
    group.add_argument("--init", metavar="PLANNER", help="begin with the weights, vocabularies and sizes of this "
                       "planner: a run folder, a checkpoint, or shipped for the planner that ships")
    group.add_argument("--unasked", type=number(float, 0, 10), default=PlannerConfig.unasked, help="price of a just "
                       "visible change of what a request does not mention, where plans of this planner are mended; a "
                       "low price leaves more of what retouchers change without being asked")
    add_average(group)
    group.add_argument("--image_blind", **OFF, help="control: replace every picture by grey")
    group.add_argument("--text_blind", **OFF, help="control: replace every request by "
                       "the same words")
    return parser
