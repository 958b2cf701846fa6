"""Samples of grounding: a request, the segments of its photo, and those of them that are meant."""
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset, default_collate

from core.datasets.annotations import source_photo
from core.datasets.gier import GIERPairs, check_operators
from core.datasets.proposals import Proposals
from core.files import UserError, read_json

EXCLUSIVE = "exclusive"   # the mask mode of an operator that edits everything but its segments


@dataclass(frozen=True)
class Query:
    """Words that mean segments of a photo.

    Args:
        photo: the file name of the picture.
        words: the request or the expression.
        ids: the segments that the annotation names.
        operator: the operator that the segments are edited by; "" for an expression without one.
        exclusive: everything but the named segments is meant.
        group: how the words tell the segments, or "request".
        source: the photo that the picture was made from; intervals are over these photos.
    """

    photo: str
    words: str
    ids: tuple[int, ...]
    operator: str = ""
    exclusive: bool = False
    group: str = "request"
    source: str = ""

    def labels(self, count: int) -> np.ndarray:
        """Return which of `count` segments are meant, bool (count,). Raises UserError if there are fewer segments."""
        if not all(0 <= index < count for index in self.ids):
            raise UserError(f"{self.photo}: the annotation names the masks {list(self.ids)}, but there are {count}; "
                            "use the masks that belong to it")
        named = np.isin(np.arange(count), self.ids)
        return ~named if self.exclusive else named

    def truth(self, arrays: np.ndarray) -> np.ndarray:
        """Return the true mask, bool (H, W), among segments (n, H, W); pixels of no segment count as not named."""
        named = arrays[list(self.ids)].any(0)
        return ~named if self.exclusive else named


def read_requests(root: str | Path, phase: str, session: int, operators: Sequence[str], data_mode: str | None = None
                  ) -> tuple[list[Query], Counter]:
    """Return a Query for each request and local operator of a phase in GIER's format, and counts of those left out.

    Raises UserError as `GIERPairs.read` and `check_operators` do.
    """
    path, entries = GIERPairs.read(root, phase, session, data_mode or "full")
    check_operators(path, entries)
    queries, left_out = [], Counter()
    for entry in entries:
        for name, about in entry.get("operator", {}).items():
            if not about["local"]:
                continue
            if name not in operators:
                left_out[f"operator {name} is not in the vocabulary"] += 1
            elif not about["ids"]:
                left_out["a local operator has no mask"] += 1
            else:
                queries.append(Query(entry["input"], entry["request"], tuple(about["ids"]), name,
                                     about.get("mask_mode") == EXCLUSIVE, "request", source_photo(entry)))
    return queries, left_out


def read_expressions(path: str | Path, phase: str, sources: Mapping[str, str]) -> list[Query]:
    """Return a Query for each sentence of a phase of expressions.json; `sources` names the photo of each picture.

    Raises UserError naming the reference whose fields cannot be used.
    """
    found = []
    content = read_json(path)
    for number, ref in enumerate(content.get("refs", ()) if isinstance(content, dict) else ()):
        try:
            ids = tuple(int(index) for index in ref["ids"])
            for sentence in ref["sentences"] if ref["split"] == phase else ():
                if not isinstance(sentence["sent"], str):
                    raise TypeError("sent")
                found.append(Query(ref["file_name"], sentence["sent"], ids, "", ref.get("mask_mode") == EXCLUSIVE,
                                   sentence.get("how", "expression"), sources.get(ref["file_name"], ref["file_name"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"{path}, reference {number}: field {error} is missing or malformed; make the file again"
                            ) from None
    return found


class GroundingSet(Dataset):
    """Samples for the grounder; `collate` pads those of a batch to the same number of segments.

    A sample: `index`, `request_ids` (L,), `operator` (an id; 0 is none), the features of `core.datasets.features`,
    `classes` (n,), the rows of the classes in `class_ids` (C, L), `labels` bool (n,), and `present` bool (n,).
    """

    def __init__(self, queries: Sequence[Query], proposals_of: Callable[[str], Proposals | None],
                 features_of: Callable[[Proposals], dict], vocab, operators: Sequence[str]) -> None:
        """Make the samples of some queries.

        Args:
            queries: those that mean no segment, or ids that the masks do not have, are left out and counted in
                `left_out`, and so are those of photos without proposals.
            proposals_of, features_of: give the segments of a photo, None if its masks do not fit, and their features.
            vocab: encodes words and names.
            operators: the names whose positions are the operators' ids.

        Raises UserError if no query is left.
        """
        self.vocab, self.operators, self.left_out = vocab, {name: at for at, name in enumerate(operators)}, Counter()
        found = {photo: proposals_of(photo) for photo in sorted({query.photo for query in queries})}
        self.proposals = {photo: one for photo, one in found.items() if one is not None}
        self.queries, self._labels = [], []
        for query in queries:
            if query.photo not in self.proposals:
                self.left_out["the masks have another aspect than the photo"] += 1
                continue
            try:
                labels = query.labels(len(self.proposals[query.photo]))
            except UserError:
                self.left_out["its ids are not among the masks"] += 1
                continue
            if not labels.any():
                self.left_out["no segment is meant"] += 1
                continue
            self.queries.append(query)
            self._labels.append(labels)
        if not self.queries:
            raise UserError("no request has a local operator with masks; see data/GIER/README.md")
        self.request_ids = torch.tensor([vocab.encode(query.words) for query in self.queries])
        self.operator_ids = torch.tensor([self.operators.get(query.operator, 0) for query in self.queries])
        names = sorted({name for one in self.proposals.values() for name in one.names})
        self.class_ids = torch.tensor([vocab.encode(name or "thing") for name in names])
        rows = {name: row for row, name in enumerate(names)}
        self.segments = {photo: {key: torch.from_numpy(value) for key, value in features_of(one).items()
                                 if key in _BY_SEGMENT} |
                         {"classes": torch.tensor([rows[name] for name in one.names]),
                          "present": torch.ones(len(one), dtype=torch.bool)}
                         for photo, one in self.proposals.items()}
        self._rivals = self._find_rivals()

    def __len__(self) -> int:
        return len(self.queries)

    def __getitem__(self, index: int) -> dict:
        return {"index": index, "request_ids": self.request_ids[index], "operator": self.operator_ids[index],
                "labels": torch.from_numpy(self._labels[index]), **self.segments[self.queries[index].photo]}

    def labels(self, index: int) -> np.ndarray:
        """Return which segments are meant, bool (n,)."""
        return self._labels[index]

    def collate(self, samples: Sequence[dict]) -> dict:
        """Return a batch: fields with a row for each segment are padded with zeros to the most segments."""
        most = max(len(sample["labels"]) for sample in samples)
        padded = [{name: _padded(value, most) if name in _BY_SEGMENT else value for name, value in sample.items()}
                  for sample in samples]
        return default_collate(padded) | {"class_ids": self.class_ids}

    def draw_rivals(self, indices: torch.Tensor, same_class: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
        """Return request_ids (B, L) and operators (B,) of words that mean other segments than those of `indices` (B,).

        With probability `same_class` they mean segments of the same class in the same photo, else others in this photo;
        where a photo has none of a kind, those of the other kind, else words of another photo. The random numbers are
        torch's.
        """
        chosen = []
        for index, first in zip(indices.tolist(), torch.rand(len(indices)).tolist(), strict=True):
            same, other = self._rivals[index]
            pool = (same or other) if first < same_class else (other or same)
            if pool:
                chosen.append(pool[int(torch.randint(len(pool), ()))])
            else:
                chosen.append(self._of_another_photo(index))
        chosen = torch.tensor(chosen)
        return self.request_ids[chosen], self.operator_ids[chosen]

    def _of_another_photo(self, index):
        for _ in range(20):
            other = int(torch.randint(len(self), ()))
            if self.queries[other].photo != self.queries[index].photo:
                return other
        return index   # the set has a single photo, whose words all mean the same

    def _find_rivals(self):
        """Return for each query the queries of its photo that mean other segments: of the same class, and the rest."""
        by_photo = {}
        for index, query in enumerate(self.queries):
            by_photo.setdefault(query.photo, []).append(index)
        classes = [frozenset(self.proposals[query.photo].names[at] for at in query.ids) for query in self.queries]
        rivals = []
        for index, query in enumerate(self.queries):
            others = [other for other in by_photo[query.photo]
                      if not np.array_equal(self._labels[other], self._labels[index])]
            same = [other for other in others if classes[other] & classes[index]]
            rivals.append((same, [other for other in others if not classes[other] & classes[index]]))
        return rivals


_BY_SEGMENT = {"labels", "present", "classes", "coarse", "fine", "colour", "lfeats", "dif_lfeats", "context",
               "context_present", "context_lfeats"}


def _padded(value, rows):
    return torch.cat((value, value.new_zeros(rows - len(value), *value.shape[1:])))
