"""Samples for multi-label classification: a request, the operators that its pair uses, and perhaps the photo."""
from collections.abc import Mapping, Sequence

import torch
from torch.utils.data import Dataset

from core.datasets.annotations import pair_name
from core.datasets.images import to_tensor
from core.files import UserError

# Operators of GIER that session 3's vocabulary lacks, and the operator of the vocabulary that does nearly the same.
MERGED = {"lightness": "brightness", "exposure": "brightness", "black&white": "saturation"}


class OperatorLabels(Dataset):
    """Samples {request, request_ids, labels, name}, and {input} if photos are given.

    `request_ids` are long (L,); `labels` float32 (K,), 1 = the pair uses the operator; `input` float32 (3, H, W) in
    [0, 1]. All requests of a pair share its labels. A pair with none of the operators has labels of 0.
    """

    def __init__(self, entries: Sequence[dict], used: Sequence[set[str]], names: Sequence[str], vocab,
                 photos: Mapping | None = None) -> None:
        """Encode one sample for each entry of an annotation.

        Args:
            entries: with `input`, `output` and `request`.
            used: the names of each entry's operators, also names that are not labels.
            names: the operators that are labels.
            vocab: encodes the requests.
            photos: {input: uint8 (H, W, 3)}, all of one size.
        """
        self.entries, self.names, self.photos = entries, tuple(names), photos
        self.request_ids = torch.tensor([vocab.encode(entry["request"]) for entry in entries])
        self.labels = torch.tensor([[float(name in some) for name in self.names] for some in used])
        self.others = sorted({name for some in used for name in some} - set(names))

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, index):
        entry = self.entries[index]
        sample = {"request": entry["request"], "request_ids": self.request_ids[index], "labels": self.labels[index],
                  "name": pair_name(entry)}
        return sample if self.photos is None else sample | {"input": to_tensor(self.photos[entry["input"]])}

    def report(self) -> list[str]:
        """Return sentences that a user should know before a long run."""
        pairs = {pair_name(entry): bool(row.any()) for entry, row in zip(self.entries, self.labels, strict=True)}
        empty = len(pairs) - sum(pairs.values())
        sentences = [f"{len(self)} requests of {len(pairs)} pairs, labelled with {len(self.names)} operators: "
                     f"{', '.join(self.names)}"]
        if empty:
            sentences.append(f"{empty} pairs use none of these operators; they stay, with no label")
        if self.others:
            sentences.append(f"operators that are no label: {', '.join(self.others)}")
        return sentences


def operators_of(entry: dict, merge: bool = False) -> set[str]:
    """Return the names of the operators that an entry in GIER's format names; `merge` applies MERGED.

    Raises UserError if the entry has no table of operators.
    """
    used = entry.get("operator")
    if not isinstance(used, dict):
        raise UserError(f"{pair_name(entry)}: field 'operator' is not a table of operators, as in "
                        f'{{"brightness": {{"local": false, "ids": []}}}}')
    return {MERGED.get(name, name) for name in used} if merge else set(used)
