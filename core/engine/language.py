"""The vocabularies of words and operators that a run's flags select."""
from dataclasses import dataclass, field
from pathlib import Path

import torch

from core.datasets import PieceVocab, WordVocab, get_source, load_operator_vocab, load_word_vectors, vocab_files
from core.files import UserError
from core.operators import SESSIONS, OperatorVocab
from core.pretrained import minilm_folder

TRAINED_VECTORS = 100   # size of trained word vectors, used if no fixed vectors are given


@dataclass
class Language:
    """The vocabulary of requests, the vocabulary of operators, and pretrained parts of the request encoder.

    `vectors` are fixed word vectors (None: vectors are trained); `notes` are lines to print; `minilm` is the folder of
    the sentence encoder, or None; `rare` are words that few training requests have.
    """

    vocab: WordVocab | PieceVocab
    operators: OperatorVocab
    vectors: torch.Tensor | None
    notes: list[str] = field(default_factory=list)
    minilm: Path | None = None
    rare: tuple[str, ...] = ()

    @property
    def vector_size(self):
        return TRAINED_VECTORS if self.vectors is None else self.vectors.shape[1]


def load_language(options):
    """Open the vocabularies that `--dataset`, `--session` and `--language` name. Raises UserError."""
    dataset = get_source(options.dataset).vocab
    files = vocab_files(dataset, options.session, options.language)
    for path in (files.words, files.operators):
        if not path.exists():
            raise UserError(f"{path}: no such vocabulary; make it with prepro/build_vocab.py --dataset {dataset} "
                            f"--session {options.session}, or give its folder with --language")
    operators = (load_operator_vocab(files.operators) if options.op_session is None
                 else OperatorVocab(SESSIONS[options.op_session]))
    if options.lang_encoder == "minilm":
        if options.wishes:
            raise UserError("--wishes: a planner with --lang_encoder minilm reads word pieces only; leave one out")
        return Language(PieceVocab(), operators, None, ["requests are read by all-MiniLM-L6-v2, frozen"],
                        minilm_folder())
    vocab = WordVocab.load(files.words)
    if files.vectors.exists():
        vectors = torch.as_tensor(load_word_vectors(files.vectors, vocab))
        note = f"{len(vocab)} words with fixed {vectors.shape[1]}-d vectors from {files.vectors}"
    else:
        vectors = None
        note = (f"{len(vocab)} words; no {files.vectors}, so their vectors start at random and are trained "
                f"(prepro/build_vocab.py makes GloVe vectors)")
    if options.forgiving:
        known, vocab = len(vocab), vocab.forgiving()
        vectors = None if vectors is None else torch.cat((vectors, amount_vectors(len(vocab) - known, vectors)))
    if options.wishes:
        known, vocab = len(vocab), vocab.wishing(beside_words=options.hide_words < 1)
        vectors = None if vectors is None else torch.cat((vectors, wish_vectors(len(vocab) - known, vectors)))
    return Language(vocab, operators, vectors, [note])


def amount_vectors(count, like):
    """Return vectors (count, D) of amounts, evenly spaced between two random vectors of the scale of `like` (N, D)."""
    ends = torch.randn(2, like.shape[1], generator=torch.Generator().manual_seed(0)) * like.std()
    return torch.lerp(ends[:1], ends[1:], torch.linspace(0, 1, count)[:, None])


def wish_vectors(count, like):
    """Return random vectors (count, D) of the scale of `like` (N, D), the same in every run."""
    return torch.randn(count, like.shape[1], generator=torch.Generator().manual_seed(1)) * like.std()
