"""Word pieces: the tokens of a request and their ids, for the sentence encoder MiniLM."""
import re

from core.pretrained import minilm_folder
from core.requests.grammar import all_words
from core.requests.spelling import Corrector

MAX_PIECES = 40   # length of an encoded request, with [CLS] and [SEP]


class PieceVocab:
    """The word pieces of all-MiniLM-L6-v2, with the interface of `WordVocab`. No word is unknown.

    A word of several pieces may be a typing error: it is replaced by the most similar word of the grammar, if there
    is a similar one.
    """

    def __init__(self):
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_PIECES)
        self._nearest, self._corrected = Corrector(all_words()), {}

    def encode(self, request):
        """Return MAX_PIECES ids: [CLS], the pieces, [SEP], padded with 0."""
        ids = self._pieces(request).ids
        return ids + [0] * (MAX_PIECES - len(ids))

    def read(self, request):
        """Return the pieces of a request, as texts, without [CLS] and [SEP]."""
        return self._pieces(request).tokens[1:-1]

    def unknown(self, request):
        """Return an empty list, because the pieces cover every word."""
        return []

    strange = unknown

    def too_long(self, request):
        """Return whether `encode` cuts pieces off."""
        return len(self._pieces(request).ids) == MAX_PIECES

    def _pieces(self, request):
        return self.tokenizer.encode(re.sub(r"[a-z]+", lambda found: self._correct(found[0]), request.lower()))

    def _correct(self, word):
        if word not in self._corrected:
            whole = len(self.tokenizer.encode(word, add_special_tokens=False).ids) == 1
            self._corrected[word] = word if whole else self._nearest(word)
        return self._corrected[word]
