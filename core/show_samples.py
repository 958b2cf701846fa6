"""Show the samples of a set whose plans are known: input, each step with its mask, and the words, as a page.

This is the check of the loader of edit data, synth of session 0 or RegionReq: a sample has input, target, request,
operators, parameters and a mask for each step. The page executes the steps on the input, so the last picture must be
the target; the largest difference is printed.

  python core/show_samples.py --dataset synth --session 0
  python core/show_samples.py --dataset RegionReq --session 3 --phase val
"""
from pathlib import Path

import _init_paths  # noqa: F401

from core.datasets import DATASETS, WordVocab, get_source, load_dataset
from core.datasets.annotations import PHASES
from core.datasets.vocab import SPECIAL
from core.engine.cli import run
from core.engine.options import Parser, number, parse
from core.methods.planner import Edited, as_result
from core.operators import SESSIONS, OperatorVocab
from core.pages import write_results
from core.synthesis.records import plans_of_set


def main():
    options = parse(arguments())
    source = get_source(options.dataset)
    root = options.data_root or source.root
    plans = plans_of_set(root)
    dataset = load_dataset(options.dataset, options.phase, options.session, WordVocab(SPECIAL), root,
                           data_mode=source.reader.every, plans=plans, plans_path=root,
                           op_vocab=OperatorVocab(SESSIONS[options.op_session]), size=None, masks="steps")
    shown = range(0, len(dataset), max(len(dataset) // options.count, 1))[:options.count]
    differences = []

    def results():
        for index in shown:
            sample = dataset[index]
            edited = Edited(sample["input"], plans[sample["name"]])
            apart = float((edited.image - sample["target"]).abs().max())
            differences.append(apart)
            words = [step.mask.region for step in edited.plan if step.mask is not None and step.mask.region]
            name = " · ".join((sample["name"], *words))
            yield as_result(name, sample["request"], edited, sample["target"], {"largest difference": apart})

    notes = [note for note in dataset.report() if "<UNK>" not in note]   # no vocabulary is needed here
    page = write_results(Path(options.output) / f"{options.dataset}_samples" / "web", f"Samples of {root}", results(),
                         notes)
    print(*notes, f"{len(differences)} samples shown; the executed plan is at most {max(differences):.4f} from the "
          f"target", f"page: {page}", sep="\n")


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--dataset", default="synth", choices=sorted(DATASETS), help="data set whose plans are known")
    parser.add_argument("--data_root", help="folder of the data set; by default data/<dataset>")
    parser.add_argument("--session", type=number(int, 0), default=0, help="session of the annotations")
    parser.add_argument("--op_session", type=int, choices=sorted(SESSIONS), default=3, help="session of the operators")
    parser.add_argument("--phase", default="train", choices=PHASES, help="part of the data set")
    parser.add_argument("--count", type=number(int, 1), default=40, help="number of samples, evenly spaced")
    parser.add_argument("--output", default="output", help="folder of the page")
    return parser


if __name__ == "__main__":
    run(main)
