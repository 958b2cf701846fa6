"""Seq2seq + L1: plan an edit from a photo and a request, supervised by planned sequences and by the result.

Each iteration has a teacher-forced step (losses: the next operator's likelihood and the distance of the parameters,
given the earlier steps of a planned sequence) and a free-running step (loss: L1 between the result of the planner's own
plan and the target).

  python prepro/gen_greedy_seqs.py --dataset FiveK --phase train --action_id 1     # first: plan the training pairs
  python core/train_seq2seqL1.py --trial 1
  python core/train_seq2seqL1.py --dataset synth --trial 101 --num_iters 600       # a small trial on a CPU
  python core/train_seq2seqL1.py --dataset RegionReq --session 3 --trial 130       # local edits inside masks
"""
import _init_paths  # noqa: F401

from core.datasets import Beside, Mixed
from core.datasets.transforms import crop_and_flip
from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.options import OFF, Parser, number, parse
from core.engine.run import MAIN
from core.engine.seeds import over_seeds
from core.files import UserError
from core.methods.planner import THUMBNAIL
from core.metrics.obedience import fulfils
from core.synthesis import DrawnPairs, DrawnWords
from core.synthesis.degrade import Crops, Inputs
from core.synthesis.photos import bundled, from_folder
from core.synthesis.rephrased import Rephrased
from core.training.average import average_weights
from core.training.planners import add_planner, build_planner, look_back, start, supervised, with_repairs

EXPERIMENT = "seq2seqL1"


def main():
    over_seeds(parse(arguments(), EXPERIMENT), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    if options.local and (options.mix or options.repairs or options.crop):
        raise UserError("--local: drawn samples and crops have no masks; leave out --mix, --repairs and --crop")
    only_drawn = bool(options.mix) and options.mix_share == 1   # then the training pairs are not used
    training, language, pairs, val = start(options, planned=not only_drawn)
    own = options.mix and options.mix != "bundled"
    photos = from_folder(options.mix, "--mix") if own else [photo for photo in bundled() if photo.phase == "train"]
    drawn = language.vocab, language.operators, fulfils, options.manual_seed, options.typos, options.corpus
    words = DrawnWords(photos, *drawn)
    train = pairs
    if options.rephrase:
        train = Rephrased(pairs, options.rephrase, language.vocab, options.manual_seed)
        for sentence in train.report():
            training.say(sentence)
    if options.mix:
        train = Mixed(train, DrawnPairs(photos, THUMBNAIL, *drawn), options.mix_share)
        for sentence in train.second.report():
            training.say(sentence)
    pictures = Crops(photos, THUMBNAIL, options.manual_seed) if only_drawn else Inputs(pairs)
    train = with_repairs(train, pictures, options, language)
    if options.rehearse:
        train = Beside(train, words)
    planner = training.setup(*build_planner(options, language), "teacher_forced")
    average = average_weights(training, options.ema)

    for batch in training.batches(words, until=options.words_first):
        planner.train()
        training.step(**supervised(planner, batch["input"], batch, options))
        if average:
            average.update(training.networks[MAIN])
        if training.due(options.checkpoint_every):
            training.save(training.iteration + 1)

    for batch in training.batches(train, since=options.words_first):
        planner.train()
        image, target = batch["input"], batch["target"]
        if options.crop:
            image, target = crop_and_flip(image, target, options.crop)

        training.step(**supervised(planner, image, batch, options))
        if options.rehearse:
            training.step(**supervised(planner, batch["words"]["input"], batch["words"], options))

        planned = planner(image, batch["request_ids"], masks=batch.get("masks"))
        training.step(L1=options.lambda_L1 * (planned.image - target).abs().mean())

        look_back(training, planner, val, average)
    return {"best validation": training.best}


def arguments():
    parser = add_planner(Parser(__doc__).add_data().add_training()).add_machine()
    parser.add_argument("--lambda_L1", type=number(float, 0), default=1.0, help="weight of the L1 loss of the "
                        "executed plan; at weight 1 its gradient is about a tenth of that of the teacher-forced "
                        "losses, which share the optimizer")
    parser.add_argument("--local", **OFF, help="train on local edits: the steps are limited to the masks of the pairs, "
                        "and the planner sees the region of a step as it sees a whole photo; it can also choose "
                        "operators that need a mask, such as inpaint_obj")
    group = parser.add_argument_group("samples drawn anew in every iteration")
    group.add_argument("--rephrase", type=number(float, 0, 1), default=0.0, help="share of the training requests that "
                       "are replaced by sentences of the corpus or of other pairs with the same wishes")
    group.add_argument("--mix", metavar="PHOTOS", help="also train on random edits of the photos in this folder, or of "
                       "the bundled photos if it is 'bundled' (--num_workers 1 or more draws them in the background)")
    group.add_argument("--mix_share", type=number(float, 0.01, 1), default=0.5, help="share of these random "
                       "edits in the training data")
    group.add_argument("--corpus", type=number(float, 0, 1), default=0.0, help="share of the drawn requests that are "
                       "sentences of data/requests, written for LDIE; the grammar makes the others")
    group.add_argument("--words_first", type=number(int, 0), default=0, help="number of first iterations, which are "
                       "quick and train on words only: on sentences, and on plans that fulfil them on a photo of --mix "
                       "(or a bundled photo); the planner does not see the photo")
    group.add_argument("--rehearse", **OFF, help="add a batch of the sentences of --words_first "
                       "to every later batch of pairs, so that the planner forgets no words")
    return parser


if __name__ == "__main__":
    run(main)
