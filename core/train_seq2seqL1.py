"""Seq2seq + L1: plan an edit from a photo and a request, supervised by planned sequences and by the result.

Each iteration alternates a teacher-forced step (the next operator's likelihood and its parameters, given the steps
of a planned sequence) and a free-running step (the network plans by itself; L1 of the executed plan to the target).

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1     # first: plan the training pairs
  python core/train_seq2seqL1.py --trial 1
  python core/train_seq2seqL1.py --dataset synth --trial 101 --num_iters 600       # a small trial on a CPU
"""
import _init_paths  # noqa: F401
import torch

from core.datasets import (
    ActionSet,
    DrawnPairs,
    Mixed,
    WordVocab,
    action_set_path,
    get_source,
    open_dataset,
    record_plans,
)
from core.datasets.photos import bundled, from_folder
from core.datasets.transforms import crop_and_flip
from core.engine.cli import run
from core.engine.editing import THUMBNAIL
from core.engine.language import open_language
from core.engine.options import Parser, number, parse
from core.engine.previews import write_previews
from core.engine.run import Run, run_folder
from core.engine.seeds import over_seeds
from core.files import UserError
from core.losses.plan import operator_nll, parameter_loss
from core.metrics.obedience import fulfils
from core.models.planner import Planner, PlannerConfig
from core.models.vision import ENCODERS

EXPERIMENT = "seq2seqL1"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return what its best checkpoint was chosen by."""
    if options.hidden_size % 2:
        raise UserError(f"--hidden_size {options.hidden_size}: give an even number, half for each reading direction")
    language = open_language(options)
    train, val = (open_pairs(options, language.vocab, phase) for phase in ("train", "val"))
    if options.mix:
        train = Mixed(train, open_drawn(options, language), options.mix_share)
    training = Run(options)
    for sentence in (*language.notes, *train.report(), *val.report()):
        training.say(sentence)

    config = PlannerConfig(
        words=() if language.minilm else language.vocab.names, lang_encoder=options.lang_encoder,
        operators=language.operators.names, vis_encoder=options.vis_encoder, hidden_size=options.hidden_size,
        vector_size=language.vector_size, fixed_vectors=language.vectors is not None,
        use_attention=bool(options.use_attention), dropout=options.dropout, text_blind=bool(options.text_blind),
        image_blind=bool(options.image_blind))
    planner = Planner(config, language.vectors, language.minilm)
    optimizer = torch.optim.Adam([p for p in planner.parameters() if p.requires_grad], options.learning_rate)
    planner = training.setup(planner, optimizer, "teacher_forced")

    for batch in training.batches(train):
        planner.train()
        image, request, target = batch["input"], batch["request_ids"], batch["target"]
        if options.crop:
            image, target = crop_and_flip(image, target, options.crop)

        log_probabilities, params = planner.teacher_forced(image, request, batch["ops"], batch["params"])
        training.step(operator=operator_nll(log_probabilities, batch["ops"]),
                      parameter=options.parameter_weight * parameter_loss(params, batch["params"], batch["ops"],
                                                                          planner.vocab))

        planned = planner(image, request)
        training.step(L1=(planned.image - target).abs().mean())

        if training.due(options.checkpoint_every):
            distance_in, distance_out = validate(planner, val, training.device, options.batch_size)
            training.checkpoint(distance_out, input_L1=distance_in, output_L1=distance_out)
        if options.visualize and training.due(options.visualize_every):
            write_previews(training, planner, val)
    return {"best validation": training.best}


@torch.no_grad()
def validate(planner, val, device, batch_size):
    """Return the mean L1 of inputs and of executed plans on the thumbnails of a validation set."""
    planner.eval()
    before = after = 0.0
    for batch in torch.utils.data.DataLoader(val, batch_size):
        image, target = batch["input"].to(device), batch["target"].to(device)
        planned = planner(image, batch["request_ids"].to(device)).image
        before += (image - target).abs().mean((1, 2, 3)).sum().item()
        after += (planned - target).abs().mean((1, 2, 3)).sum().item()
    return before / len(val), after / len(val)


def open_pairs(options, vocab: WordVocab, phase):
    """Open a phase as thumbnails; training pairs come with their planned sequences."""
    planned = {}
    if phase == "train" and not options.action_id:
        planned = {"plans": record_plans(options.data_root or get_source(options.dataset).root)}
    elif phase == "train":
        path = action_set_path(options.action_id, options.dataset, phase, options.session, options.output)
        planned = {"plans": ActionSet(path).plans(), "plans_path": path}
    return open_dataset(options.dataset, phase, options.session, vocab, options.data_root, size=THUMBNAIL,
                        cache=f"{options.output}/cache", typos=options.typos if phase == "train" else 0.0, **planned)


def open_drawn(options, language):
    """Begin to draw synthetic pairs from photos."""
    photos = from_folder(options.mix) if options.mix != "bundled" else [
        photo for photo in bundled() if photo.phase == "train"]
    return DrawnPairs(photos, language.vocab, language.operators, THUMBNAIL, fulfils, seed=options.manual_seed,
                      typos=options.typos)


def arguments():
    parser = Parser(__doc__).add_data().add_training().add_machine()
    group = parser.add_argument_group("planner")
    group.add_argument("--action_id", type=number(int, 0), default=1, help="which set of planned sequences supervises; "
                       "0: the plans that a synthetic set was made by")
    group.add_argument("--vis_encoder", default="resnet18", choices=ENCODERS, help="what looks at the photo: from "
                       "scratch, with ImageNet weights, or small for a CPU")
    group.add_argument("--hidden_size", type=number(int, 2), default=256, help="of the LSTMs")
    group.add_argument("--use_attention", type=int, default=1, choices=(0, 1), help="attend over the words")
    group.add_argument("--dropout", type=number(float, 0, 0.99), default=0.0, help="on words, their states and what "
                       "is seen")
    group.add_argument("--crop", type=number(int, 0, THUMBNAIL), default=0, help="side of a random crop of the "
                       f"{THUMBNAIL} px thumbnails, mirrored half of the time; 0 trains on whole ones")
    group.add_argument("--lang_encoder", default="words", choices=("words", "minilm"), help="what reads the request: "
                       "word vectors, or the sentence encoder all-MiniLM-L6-v2, frozen, before the LSTM")
    group.add_argument("--parameter_weight", type=number(float, 0), default=1.0, help="of the parameter loss beside "
                       "the operator's; with 1, how much is asked for is learnt long after what is")
    group.add_argument("--forgiving", type=int, default=0, choices=(0, 1), help="read numbers, and misspelt words as "
                       "the known ones that they resemble; the published vocabulary does neither")
    group.add_argument("--mix", metavar="PHOTOS", help="train also on synthetic edits of the photos in this folder, or "
                       "of the bundled ones, drawn anew in every iteration (--num_workers 1 or more draws meanwhile)")
    group.add_argument("--mix_share", type=number(float, 0.01, 1), default=0.5, help="share of them")
    group.add_argument("--typos", type=number(float, 0, 1), default=0.0, help="share of the training requests with "
                       "slips of the finger")
    group.add_argument("--image_blind", type=int, default=0, choices=(0, 1), help="control: every picture looks grey")
    group.add_argument("--text_blind", type=int, default=0, choices=(0, 1), help="control: replace every request by "
                       "the same words")
    return parser


if __name__ == "__main__":
    run(main)
