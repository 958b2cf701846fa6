"""The whole pipeline: operators, parameters and masks of local edits, from a photo and a request.

The decoder learns the known plans of a set step by step (losses: the next operator's likelihood, the squared error of
its parameters, and whether the step is local), and sees the picture after each step inside its true mask. The masks of
local steps come from a grounder when the pipeline is tested.

  python core/train_pipeline.py --checkpoint_every 1500 --num_iters 7500 --trial 2            # synth, session 0
  python core/train_pipeline.py --dataset RegionReq --session 3 --trial 101                   # a small trial on a CPU
  python core/test_pipeline.py --dataset RegionReq --session 3 --trial 101 --phase val
"""
import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.folders import run_folder
from core.engine.language import load_language
from core.engine.options import Parser, parse
from core.engine.run import Run
from core.engine.seeds import over_seeds
from core.files import UserError
from core.methods.pipeline import load_edits
from core.training.pipeline import PlansOnly, add_pipeline, build_pipeline, pipeline_losses, validate_pipeline


def main():
    over_seeds(parse(arguments(), "pipeline"), train_once, run_folder)


def train_once(options):
    """Train one run; return the validation figure that chose its best checkpoint, by name."""
    if options.hidden_size % 2:
        raise UserError(f"--hidden_size {options.hidden_size}: give an even number, half for each reading direction")
    language = load_language(options)
    (train, _), (val, _) = (load_edits(options, phase, language.vocab, language.operators)
                            for phase in ("train", "val"))
    training = Run(options)
    for sentence in (*language.notes, *train.report(), *val.report()):
        training.say(sentence)
    network = training.setup(*build_pipeline(options, language), "teacher_forced", "decode")

    blind = options.num_iters if not options.use_vis_feat else options.words_first
    for batch in training.batches(PlansOnly(train, options.sentences, options.manual_seed), until=blind):
        network.train()
        training.step(**pipeline_losses(network, batch, options))   # operator + parameter + local
        if training.due(options.checkpoint_every):
            check(training, network, val)

    for batch in training.batches(train, since=blind):
        network.train()
        training.step(**pipeline_losses(network, batch, options))   # operator + parameter + local
        if training.due(options.checkpoint_every):
            check(training, network, val)
    return {"best validation, 1 - BLEU-1 + share of the L1 left": training.best}


def check(training, network, val):
    """Validate and save; the best checkpoint has the right operators and leaves little of the L1."""
    figures = validate_pipeline(network, val, training.device, training.options.batch_size)
    training.checkpoint(1 - figures["BLEU-1"] + figures["output_L1"] / figures["input_L1"], **figures)


def arguments():
    return add_pipeline(Parser(__doc__).add_data().add_training(7500).add_machine())


if __name__ == "__main__":
    run(main)
