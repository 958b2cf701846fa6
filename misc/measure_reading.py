"""Measure how well the reader understands requests: on the corpus in data/requests/, or on a labelled set.

Prints the F1 of attribute and sign, the shares of sentences without an error, of right degrees and of refusals, and the
reading time (processor time of one thread, because other work on the machine changes it least). On a labelled set, only
sentences whose annotator was sure count, and only wishes of supported attributes for the whole photo; "places exact" is
the share of the sentences with a place whose wishes and regions are all right, see `core.metrics.exact_places`. On the
corpus, all wishes count.

  python misc/measure_reading.py --split test
  python misc/measure_reading.py --labels intents/dev.json --part odd --publish reading/real_odd
  python misc/measure_reading.py --labels intents/train.json --source GIER
"""
import time

import _init_paths  # noqa: F401
import torch
from tabulate import tabulate
from tqdm import tqdm

from core.engine.cli import run
from core.engine.options import Parser, parse
from core.engine.publish import publish
from core.files import UserError
from core.metrics.exact_places import exact_places
from core.metrics.reading import PARTS, Labelled, is_plain, of_photo, read_labels, refusals, score
from core.models.tagger import Tagger
from core.requests.corpus import SPLITS, read_corpus
from core.requests.reader import Reading, read
from core.requests.votes import LIKELY

READERS = {
    "both": read,
    "rules": read,   # without a tagger
    "tagger": lambda request, tagger: Reading(tuple(guess.wish for guess in tagger(request, LIKELY))),
}


def main():
    options = parse(arguments())
    torch.set_num_threads(1)
    tagger = Tagger.load() if options.reader != "rules" else None
    if options.labels:
        sentences = [one for one in read_labels(options.labels)[PARTS[options.part]]
                     if one.sure and options.source in ("", one.source)]
        if not sentences:
            raise UserError(f"--labels {options.labels}: has no sure request" + (
                f" of --source {options.source}" if options.source else ""))
        plain = [one for one in sentences if is_plain(one)]
        groups, view = {"all kinds": sentences, "global, five attributes": plain}, of_photo
    else:
        sentences = [Labelled(one.request, one.kind, one.wishes) for one in read_corpus(options.split)]
        groups, view = {"all kinds": sentences}, list
        for one in sorted(sentences, key=lambda one: one.kind):
            groups.setdefault(one.kind, []).append(one)
    read(sentences[0].request, tagger)   # the first call is slower
    begun = time.process_time()
    readings = {one.request: READERS[options.reader](one.request, tagger) for one in tqdm(sentences, unit="sentence")}
    extra = {"ms a sentence": (time.process_time() - begun) / len(sentences) * 1000}
    rows = [{"sentences of": name} | score([view(one.wishes) for one in group],
                                           [view(readings[one.request].wishes) for one in group])
            for name, group in groups.items()]
    if options.labels:
        found = [readings[one.request] for one in sentences]
        extra |= refusals(sentences, found) | exact_places(sentences, found)
    shown = [{key: value for key, value in row.items() if key != "interval"} for row in rows]
    print(tabulate(shown, headers="keys", floatfmt=".3f"))
    print(*(f"{name}: {value:.4g}" for name, value in extra.items() if value is not None), sep="\n")
    publish(options, "reading", {"rows": rows, "total": extra})


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--split", choices=SPLITS, default="dev", help="split of the corpus in data/requests/")
    parser.add_argument("--labels", help="a labelled set in place of the corpus: JSON, a list of {request, kind, sure, "
                        "wishes: [{what, sign, degree, where}]}")
    parser.add_argument("--part", choices=PARTS, default="all", help="positions of the labelled set that are measured")
    parser.add_argument("--source", default="", help="measure only the requests of this data set: the field `from` of "
                        "a labelled set")
    parser.add_argument("--reader", choices=READERS, default="both", help="the rules alone, the tagger alone, or both "
                        "as in core/edit.py")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
