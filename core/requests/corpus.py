"""The corpus of requests in data/requests/: sentences written for LDIE, each with its wishes."""
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.files import UserError
from core.requests.wish import Wish

FOLDER = Path(__file__).parents[2] / "data/requests"
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Sentence:
    """A request, the kind of its phrasing, and its wishes; `wishes` is empty if LDIE knows none of them."""

    request: str
    kind: str
    wishes: tuple[Wish, ...]


def read_corpus(split: str, folder: Path = FOLDER) -> list[Sentence]:
    """Return the sentences of a split: "train", "dev" or "test". Raises UserError for a missing file or a bad line."""
    path = folder / f"{split}.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); splits are: {', '.join(SPLITS)}") from error
    sentences = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            sentences.append(Sentence(row["request"], row["kind"], tuple(map(as_wish, row["wishes"]))))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}, line {number}: is no sentence with request, kind and wishes ({error})") from error
    return sentences


def as_wish(row: Mapping) -> Wish:
    """Return the Wish of a JSON object with the fields of `Wish`; fields with default values may be missing."""
    return Wish(**row)


def as_row(wish: Wish) -> dict:
    """Return a Wish as an object for JSON; fields with default values are left out."""
    row = {"attribute": wish.attribute, "sign": wish.sign, "degree": wish.degree, "unit": wish.unit,
           "where": wish.where}
    usual = {"degree": "plain", "unit": "%", "where": None}
    return {key: value for key, value in row.items() if key not in usual or usual[key] != value}
