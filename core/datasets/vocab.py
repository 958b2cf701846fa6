"""Word vocabularies: encode a request as 17 ids, and read and write the vocabulary files under data/language."""
import io
import re
import string
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.files import UserError, read_json, replacing, write_json
from core.operators import END, NONE, START, UNK, OperatorVocab
from core.requests.reader import read_wishes
from core.requests.spelling import Corrector
from core.requests.wish import GEOMETRY, LEVELS, LOOKS, REPAIRS

SPECIAL = (NONE, START, END, UNK)
MAX_WORDS = 15
REQUEST_LENGTH = MAX_WORDS + 2  # START, words, END
VECTORS_KEY = "glove"

AMOUNTS = tuple(f"{percent}%" for percent in range(5, 105, 5))   # the amounts of a forgiving vocabulary
# The names of wishes for the whole photo: attribute and sign, or a repair; a level other than plain follows its wish.
WISHES = (*(f"<{name} {sign}>" for name in LOOKS for sign in "+-"), *(f"<{name}>" for name in REPAIRS),
          *(f"<{level}>" for level in LEVELS if level != "plain"))
MAX_WISHES = 10   # names of wishes in an encoded request
NO_WISH = "<no wish>"   # stands before the words of a request in which the reader finds no wish
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(%|percent)?")
_AROUND = string.punctuation.replace("%", "")

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def tokenize(request):
    """Return the words of a request, in lower case and without punctuation; drop words of one letter or with digits.

    This reproduces the tokens of `request_idx` in the published FiveKReq annotations.
    """
    words = (word.translate(_NO_PUNCTUATION) for word in request.lower().split())
    return [word for word in words if len(word) > 1 and word.isalpha()]


def _amount_name(percent):
    """Return the name in AMOUNTS that is nearest to a number in per cent."""
    return AMOUNTS[min(max(round(percent / 5), 1), len(AMOUNTS)) - 1]


class WordVocab:
    """The words that a model knows; the order gives the ids. The four special tokens come first.

    A vocabulary with the names of AMOUNTS is forgiving: it reads numbers in per cent, and corrects misspelt words.
    A vocabulary with the names of WISHES puts the wishes that the reader finds in a request in front of its words. If
    it has NO_WISH, too, words are read only where there are no wishes, so that all phrases for a wish are read alike.
    `correct(word)` returns the known word that is most similar to `word`, or `word` itself. Words that are `rare` in
    the training requests are encoded like other words.
    """

    def __init__(self, names, rare=()):
        self.names, self.rare = tuple(names), frozenset(rare)
        self.ids = {name: index for index, name in enumerate(self.names)}
        if self.names[:len(SPECIAL)] != SPECIAL:
            raise UserError(f"vocabulary: the first names must be {' '.join(SPECIAL)}")
        if len(self.ids) != len(self.names):
            raise UserError("vocabulary: a word stands twice")
        self.reads_wishes = WISHES[0] in self.ids
        self.correct = Corrector([word for word in self.words if word[0] != "<"])

    def __len__(self):
        return len(self.names)

    @property
    def words(self):
        """The words without the special tokens; each has a row in the word vectors."""
        return self.names[len(SPECIAL):]

    def encode(self, request):
        """Return 17 ids: START, the first 15 words (unknown words as UNK), END, padded with NONE (0).

        A vocabulary of wishes returns 27 ids: the names of the wishes follow START.
        """
        words = [self.ids.get(word, self.ids[UNK]) for word in self.read(request)]
        ids = [self.ids[START], *words, self.ids[END]]
        return ids + [self.ids[NONE]] * (REQUEST_LENGTH + MAX_WISHES * self.reads_wishes - len(ids))

    def read(self, request):
        """Return the words of a request that `encode` encodes: corrected, at most 15, without special tokens.

        The names of the wishes, at most 10, precede them, or replace them, if the vocabulary has WISHES.
        """
        wishes = self._wishes(request) or [NO_WISH] * (NO_WISH in self.ids)
        return [*wishes, *self._words(request)[:MAX_WORDS]]

    def _wishes(self, request):
        return names_of(read_wishes(request)) if self.reads_wishes else []

    def _words(self, request):
        if NO_WISH in self.ids and self._wishes(request):
            return []
        if AMOUNTS[0] not in self.ids:
            return tokenize(request)
        words = []
        for text in request.lower().split():
            amount = _AMOUNT.fullmatch(text.strip(_AROUND))
            words += [_amount_name(float(amount[1]))] if amount else map(self.correct, tokenize(text))
        return words

    def forgiving(self):
        """Return a copy of this vocabulary that has AMOUNTS, too."""
        return WordVocab((*self.names, *(name for name in AMOUNTS if name not in self.ids)))

    def wishing(self, beside_words=True):
        """Return a copy of this vocabulary that has WISHES, too, and NO_WISH unless they stand beside words."""
        added = WISHES if beside_words else (*WISHES, NO_WISH)
        return WordVocab((*self.names, *(name for name in added if name not in self.ids)))

    def decode(self, ids):
        """Return the words of encoded ids as text, up to END; unknown words become <UNK>."""
        names = [self.names[index] for index in ids]
        names = names[:names.index(END)] if END in names else names
        return " ".join(name for name in names if name not in (NONE, START))

    def unknown(self, request):
        """Return the words of a request that the vocabulary lacks, in their order."""
        return [word for word in self._words(request) if word not in self.ids]

    def strange(self, request):
        """Return the words of a request that the vocabulary lacks, or that are rare, in their order."""
        return [word for word in self._words(request) if word not in self.ids or word in self.rare]

    def rare_in(self, requests, min_count=2):
        """Return the words, in their order, that fewer than `min_count` of the requests have."""
        counts = Counter(word for request in requests for word in set(tokenize(request)))
        return tuple(word for word in self.words if word[0] != "<" and counts[word] < min_count)

    def too_long(self, request):
        """Return whether `encode` cuts words off."""
        return len(self._words(request)) > MAX_WORDS

    @classmethod
    def build(cls, requests, min_count=3, always=()):
        """Make the vocabulary of the words that occur at least `min_count` times, the most frequent word first.

        The words of `always` are added, even if they do not occur.
        """
        counts = Counter(word for request in requests for word in tokenize(request))
        words = {word for word, count in counts.items() if count >= min_count} | set(always)
        return cls((*SPECIAL, *sorted(words, key=lambda word: (-counts[word], word))))

    def save(self, path):
        """Write the vocabulary in the published layout: one JSON object, name -> id."""
        write_json(path, self.ids)

    @classmethod
    def load(cls, path):
        """Read a vocabulary. Raises UserError naming the file and the problem."""
        return _named(path, cls)


def names_of(wishes):
    """Return the names, at most MAX_WISHES of WISHES, of the wishes that LDIE can do by operators on pixels."""
    names = []
    for wish in wishes:
        if wish.executable and wish.attribute not in GEOMETRY:
            sign = "" if wish.attribute in REPAIRS else " +" if wish.sign > 0 else " -"
            names += [f"<{wish.attribute}{sign}>", *([] if wish.level == "plain" else [f"<{wish.level}>"])]
    return names[:MAX_WISHES]


def remarks(vocab, request):
    """Return a list of sentences about the words of a request that a vocabulary cannot read."""
    sentences = []
    if vocab.too_long(request):
        sentences.append(f"the request is longer than the planner reads: its first {len(vocab.read(request))} words or "
                         f"pieces of words")
    if unknown := vocab.unknown(request):
        sentences.append(f"words that the planner does not know: {', '.join(dict.fromkeys(unknown))}")
    return sentences


def load_operator_vocab(path):
    """Read an operator vocabulary (name -> id). Raises UserError naming the file and the problem."""
    return _named(path, OperatorVocab)


def save_operator_vocab(path, vocab):
    """Write an OperatorVocab in the published layout: one JSON object, name -> id."""
    write_json(path, vocab.ids)


class VocabFiles(NamedTuple):
    """The three files of a vocabulary: words, operators, and word vectors (this file is optional)."""

    words: Path
    operators: Path
    vectors: Path


def vocab_files(dataset, session, language="data/language"):
    """Return the paths of a data set's vocabulary files, with the published names, in the folder `language`."""
    folder = Path(language)
    return VocabFiles(folder / f"{dataset}_vocabs_sess_{session}.json",
                      folder / f"{dataset}_operator_vocabs_sess_{session}.json",
                      folder / f"{dataset}_vocabs_glove_feat_{session}.h5")


def load_word_vectors(path, vocab):
    """Return the vectors of `vocab.words`, float32 (len(vocab) - 4, D).

    Raises UserError if the file is missing or not HDF5, does not fit the vocabulary, or holds NaN.
    """
    import h5py

    if not Path(path).exists():
        raise UserError(f"{path}: no such file; prepro/build_vocab.py writes it")
    try:
        with h5py.File(path) as file:
            vectors = np.asarray(file[VECTORS_KEY], dtype=np.float32)
    except KeyError:
        raise UserError(f"{path}: has no data set {VECTORS_KEY!r}") from None
    except (OSError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a readable HDF5 file of word vectors ({error})") from None
    if vectors.ndim != 2 or len(vectors) != len(vocab.words) or not vectors.shape[1]:
        raise UserError(f"{path}: {VECTORS_KEY!r} has shape {vectors.shape}, but the vocabulary has "
                        f"{len(vocab.words)} words besides the special tokens; build both with prepro/build_vocab.py")
    if not np.isfinite(vectors).all():
        raise UserError(f"{path}: {VECTORS_KEY!r} contains NaN or infinity; build it again with prepro/build_vocab.py")
    return vectors


def save_word_vectors(path, vectors):
    """Write word vectors (words, D) in the published layout, whole or not at all."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset(VECTORS_KEY, data=np.asarray(vectors, dtype=np.float32))
    with replacing(path) as file:
        file.write(buffer.getbuffer())


def _named(path, kind):
    """Make a vocabulary of class `kind` from a file with an object name -> id. Raises UserError naming the file."""
    ids = read_json(path)
    if not isinstance(ids, dict) or sorted(map(str, ids.values())) != sorted(map(str, range(len(ids)))):
        raise UserError(f"{path}: not a vocabulary (one object, name -> id, ids 0 to n-1); "
                        f"build it with prepro/build_vocab.py")
    try:
        return kind(sorted(ids, key=lambda name: int(ids[name])))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
