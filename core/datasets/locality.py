"""Samples of locality: does an operator of a request edit a part of the photo, or all of it?"""
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from core.datasets.annotations import source_photo
from core.datasets.gier import GIERPairs, check_operators
from core.files import UserError


class Use(NamedTuple):
    """An operator of a request; `source` is the photo that the picture was made from."""

    photo: str
    words: str
    operator: str
    local: bool
    source: str


def read_uses(root: str | Path, phase: str, session: int, operators: Sequence[str], data_mode: str | None = None
              ) -> list[Use]:
    """Return each known operator of each request of a phase in GIER's format. Raises UserError if there are none."""
    path, entries = GIERPairs.read(root, phase, session, data_mode or "full")
    check_operators(path, entries)
    found = [Use(entry["input"], entry["request"], name, bool(about["local"]), source_photo(entry))
             for entry in entries for name, about in entry.get("operator", {}).items() if name in operators]
    if not found:
        raise UserError(f"{path}: no request has an operator of the vocabulary; give another --session")
    return found


class LocalitySet(Dataset):
    """Samples {request_ids (L,), operator, local, whole (D,)}; `whole` is empty if photos are not looked at."""

    def __init__(self, uses: Sequence[Use], vocab, operators: Sequence[str],
                 whole_of: Callable[[str], np.ndarray] | None = None) -> None:
        """`whole_of` returns the features of a photo by its name; None if photos are not looked at."""
        self.uses, ids = list(uses), {name: at for at, name in enumerate(operators)}
        encoded = {words: vocab.encode(words) for words in {use.words for use in uses}}
        self.request_ids = torch.tensor([encoded[use.words] for use in uses])
        self.operators = torch.tensor([ids[use.operator] for use in uses])
        self.local = torch.tensor([float(use.local) for use in uses])
        photos = sorted({use.photo for use in uses}) if whole_of else ()
        self._whole = {photo: torch.from_numpy(whole_of(photo)).float() for photo in photos}

    def __len__(self) -> int:
        return len(self.uses)

    def __getitem__(self, index: int) -> dict:
        return {"request_ids": self.request_ids[index], "operator": self.operators[index], "local": self.local[index],
                "whole": self._whole.get(self.uses[index].photo, torch.zeros(0))}
