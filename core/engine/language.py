"""The words and operators that a run speaks, found from its flags."""
from dataclasses import dataclass, field

import torch

from core.datasets import WordVocab, get_source, load_operator_vocab, load_word_vectors, vocab_files
from core.files import UserError
from core.operators import OperatorVocab

TRAINED_VECTORS = 100   # size of word vectors that are trained because none are given


@dataclass
class Language:
    """A word vocabulary, its vectors (None: to be trained), and an operator vocabulary."""

    vocab: WordVocab
    operators: OperatorVocab
    vectors: torch.Tensor | None
    notes: list[str] = field(default_factory=list)

    @property
    def vector_size(self):
        return TRAINED_VECTORS if self.vectors is None else self.vectors.shape[1]


def open_language(options):
    """Open the vocabularies that `--dataset`, `--session` and `--language` name. Raises UserError."""
    dataset = get_source(options.dataset).vocab
    files = vocab_files(dataset, options.session, options.language)
    for path in (files.words, files.operators):
        if not path.exists():
            raise UserError(f"{path}: no such vocabulary; make it by prepro/build_vocab.py --dataset {dataset} "
                            f"--session {options.session}, or give its folder by --language")
    vocab, operators = WordVocab.load(files.words), load_operator_vocab(files.operators)
    if files.vectors.exists():
        vectors = torch.as_tensor(load_word_vectors(files.vectors, vocab))
        note = f"{len(vocab)} words with fixed {vectors.shape[1]}-d vectors from {files.vectors}"
    else:
        vectors = None
        note = (f"{len(vocab)} words; no {files.vectors}, so their vectors start at random and are trained "
                f"(prepro/build_vocab.py makes GloVe ones)")
    return Language(vocab, operators, vectors, [note])
