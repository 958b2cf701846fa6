"""Test the tagger, the learned reader of requests, on a split of the corpus in data/requests.

Prints the F1 of attribute and sign over wishes, with a 95% interval over requests, and the shares of right degrees and
places, for all requests and for each kind of phrasing; the share of right guesses by probability; precision and recall
for several least probabilities; and the time per request.

  python core/test_tagger.py --split dev
  python core/test_tagger.py --checkpoint output/tagger/best.pt --split dev
"""
import time
from itertools import pairwise
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from tabulate import tabulate
from tqdm import tqdm

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.engine.publish import publish
from core.metrics.reading import meaning, score
from core.models.tagger import SHIPPED, Tagger
from core.requests.corpus import FOLDER, SPLITS, read_corpus
from core.requests.votes import LIKELY

FEWEST = 0.05                              # guesses below this probability are ignored
LEASTS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)   # least probabilities that are compared
BINS = (FEWEST, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0)


def main():
    options = parse(arguments())
    torch.set_num_threads(1)
    sentences = read_corpus(options.split, Path(options.corpus))
    tagger = Tagger.load(options.checkpoint)
    tagger(sentences[0].request)   # the first call is slower
    started = time.perf_counter()
    guesses = [tagger(sentence.request, FEWEST) for sentence in tqdm(sentences, unit="request", leave=False)]
    milliseconds = 1000 * (time.perf_counter() - started) / len(sentences)

    wanted = [sentence.wishes for sentence in sentences]
    found = read_at(LIKELY, guesses)
    kinds = {kind: [index for index, sentence in enumerate(sentences) if sentence.kind == kind]
             for kind in sorted({sentence.kind for sentence in sentences})}
    rows = {"all": score(wanted, found)} | {
        kind: score([wanted[index] for index in members], [found[index] for index in members])
        for kind, members in kinds.items()}
    leasts = {least: score(wanted, read_at(least, guesses)) for least in LEASTS}
    trust = trusted(sentences, guesses)
    report(rows, leasts, trust, milliseconds)
    publish(options, "tagger", {"split": options.split, "requests": len(sentences), "kinds": rows,
                                 "least": {str(least): row for least, row in leasts.items()}, "trust": trust,
                                 "milliseconds": milliseconds})


def read_at(least, guesses):
    """Return the wishes of each sentence whose probability is at least `least`."""
    return [[guess.wish for guess in some if guess.probability >= least] for some in guesses]


def trusted(sentences, guesses):
    """Return for each range of the probability: number of guesses, mean probability, and share of right guesses."""
    rows = [(guess.probability, meaning(guess.wish) in {meaning(wish) for wish in sentence.wishes})
            for sentence, some in zip(sentences, guesses, strict=True) for guess in some]
    bins = [(low, high, [row for row in rows if low <= row[0] < high or row[0] == high == 1])
            for low, high in pairwise(BINS)]
    return [{"from": low, "to": high, "guesses": len(some), "probability": float(np.mean([row[0] for row in some])),
             "right": float(np.mean([row[1] for row in some]))} for low, high, some in bins if some]


def report(rows, leasts, trust, milliseconds):
    low, high = rows["all"]["interval"]
    print(tabulate([[kind, row["requests"], *map(percent, (row["F1"], row["whole"], row["degree"], row["place"]))]
                    for kind, row in rows.items()],
                   ["kind", "requests", "F1", "whole request", "degree", "place"], disable_numparse=True))
    print(f"\nF1 {percent(rows['all']['F1'])} [{percent(low)}, {percent(high)}], {milliseconds:.1f} ms per request on "
          "one core\n")
    print(tabulate([[f"{row['from']:.2f} to {row['to']:.2f}", row["guesses"], percent(row["probability"]),
                     percent(row["right"])] for row in trust], ["probability", "guesses", "mean", "right"],
                   disable_numparse=True), end="\n\n")
    print(tabulate([[least, *map(percent, (share(row, "extra"), share(row, "missed"), row["F1"]))]
                    for least, row in leasts.items()], ["least", "precision", "recall", "F1"], disable_numparse=True))


def share(row, wrong):
    return row["right"] / (row["right"] + row[wrong]) if row["right"] + row[wrong] else None


def percent(value):
    return "-" if value is None else f"{100 * value:.1f}"


def arguments():
    parser = Parser(__doc__).add_publish()
    parser.add_argument("--checkpoint", default=str(SHIPPED), help="file of the tagger")
    parser.add_argument("--corpus", default=str(FOLDER), help="folder of the corpus")
    parser.add_argument("--split", default="test", choices=SPLITS, help="part of the corpus")
    return parser


if __name__ == "__main__":
    run(main)
