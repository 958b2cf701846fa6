"""The registry of data sets: the name, the default folder and the reader of each.

    from core.datasets import WordVocab, load_dataset, vocab_files
    vocab = WordVocab.load(vocab_files("FiveK", 1).words)
    dataset = load_dataset("RetouchReq", "val", 1, vocab, root="photos/RetouchReq", size=None)
    print(*dataset.report(), sep="\\n")
"""
from collections.abc import Callable
from dataclasses import dataclass

from core.datasets.actions import ActionSet, action_row, action_set_path, import_published
from core.datasets.gier import GIERPairs
from core.datasets.images import fit_short_edge, load_image, squash, to_tensor, to_uint8
from core.datasets.mixed import Beside, Mixed
from core.datasets.pairs import PairDataset
from core.datasets.pieces import PieceVocab
from core.datasets.vocab import WordVocab, load_operator_vocab, load_word_vectors, tokenize, vocab_files
from core.files import UserError
from core.requests.grammar import all_words


@dataclass(frozen=True)
class Source:
    """A data set: its default folder, the data set whose vocabulary it uses, and the class that reads it.

    `words()` returns the words that its sentences can have, if they are known. The vocabulary has all of them, even
    words that occur in no sentence.
    """

    root: str
    vocab: str
    reader: type = PairDataset
    words: Callable[[], tuple] = tuple


DATASETS = {
    "FiveK": Source("data/FiveK", vocab="FiveK"),
    "RetouchReq": Source("data/RetouchReq", vocab="FiveK"),
    "GIER": Source("data/GIER", vocab="GIER", reader=GIERPairs),
    "RegionReq": Source("data/RegionReq", vocab="RegionReq", reader=GIERPairs),
    "synth": Source("data/synth", vocab="synth", words=all_words),
}


def get_source(name):
    """Return the Source of a data set. Raises UserError naming the known data sets."""
    if name not in DATASETS:
        raise UserError(f"--dataset {name}: unknown; known are: {', '.join(DATASETS)}")
    return DATASETS[name]


def load_dataset(name, phase, session, vocab, root=None, **options):
    """Open one phase of a data set of the registry; `root` replaces its default folder.

    `options` are those of the data set's reader; see `PairDataset`.
    """
    source = get_source(name)
    return source.reader(root or source.root, phase, session, vocab, **options)


__all__ = ["DATASETS", "ActionSet", "Beside", "GIERPairs", "Mixed", "PairDataset", "PieceVocab", "Source",
           "WordVocab", "action_row", "action_set_path", "fit_short_edge", "get_source", "import_published",
           "load_dataset", "load_image", "load_operator_vocab", "load_word_vectors", "squash", "to_tensor",
           "to_uint8", "tokenize", "vocab_files"]
