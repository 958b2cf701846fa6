"""GIER (Shi et al. 2020): pairs from zhopped and reddit in their published format, with operators and local masks.

The data set's folder holds
- `splits/{phase}_sess_{session}.json`, a list of pairs {input, output, operator: {name: {local, ids}},
  expert_summary, amateur_summary, ...},
- beside this file, for each data mode, a list of the indices of its pairs,
- `images/`,
- `masks/<input without its suffix>_mask.json`, a list of RLE masks; `ids` are indices into this list. An operator whose
  `mask_mode` is "exclusive" edits everything but these masks; without the field it edits the masks.
"""
import contextlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.datasets.annotations import annotation_path, entry_problem, pair_name, read_annotation
from core.datasets.pairs import PairDataset
from core.files import UserError, read_json
from core.operators import Mask

MODES = {   # data mode -> the name in the file of its indices
    "valid": "Ids_L1Thr_0.06",    # input and output are close to each other
    "shapeAlign": "shapeAlign",   # input and output have the same size
    "shapeAlign_nonCrop": "shapeAlignNonCrop",   # the same size, or nothing was cropped; each photo occurs once
    "global": "global",           # no object removed, no background painted
    "full": None,                 # all pairs
}
DEFAULT_MODE = "shapeAlign"   # the default of the notebook
MASK_MODES = ("inclusive", "exclusive")
ABOUT = {   # checks of the fields of an operator
    "local": lambda value: isinstance(value, bool),
    "ids": lambda value: isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)}


class GIERPairs(PairDataset):
    """Samples of GIER in the form of PairDataset: one for each request of a pair, experts' requests first."""

    folder = "splits"
    every = "full"

    @classmethod
    def read(cls, root, phase, session, data_mode=None):
        """Return the path of a phase's annotation, and one entry per request of the pairs in `data_mode`.

        Modes joined with + select the pairs that belong to all of them. Raises UserError naming mode, file and field.
        """
        path = annotation_path(root, phase, session, cls.folder)
        pairs = read_annotation(path)
        chosen = set(range(len(pairs)))
        for mode in (data_mode or DEFAULT_MODE).split("+"):
            if mode not in MODES:
                raise UserError(f"--data_mode {data_mode}: {mode!r} is unknown; known are: {', '.join(MODES)}, and "
                                f"several of them joined with +")
            if MODES[mode]:
                chosen &= _read_indices(path.with_name(f"{phase}_{MODES[mode]}_sess_{session}.json"), len(pairs))
        entries = [pairs[index] | {"request": request} for index in sorted(chosen)
                   for request in cls.requests(pairs[index])]
        for entry in entries:
            if problem := entry_problem(entry):
                raise UserError(f"{path}, a summary of {pair_name(entry)}: {problem}; correct or remove the summary")
        if not entries:
            raise UserError(f"{path}: no pair belongs to --data_mode {data_mode or DEFAULT_MODE}; give another mode")
        return path, entries

    @staticmethod
    def requests(entry):
        """Return the requests of a pair: its summaries, or the original request if it has no summaries."""
        return [*entry.get("expert_summary", ()), *entry.get("amateur_summary", ())] or [entry["request"]]

    def report(self):
        """Return a list of sentences that a user should know before a long run."""
        pairs = len({pair_name(entry) for entry in self.annotations})
        return [f"--data_mode {self.data_mode or DEFAULT_MODE}: {pairs} pairs, each counted once for each of its "
                f"requests", *super().report()]

    def masks(self, index):
        """Return {operator: Mask} of a sample's local operators; each Mask is the union of the operator's masks.

        The Mask of an operator that edits everything but its masks is inverted. A mask has the size of the annotated
        picture, which may differ from the size of the input. Local operators without masks are left out. Raises
        UserError naming the file of the masks.
        """
        entry = self.annotations[index]
        check_operators(self.path, [entry])
        local = {name: about["ids"] for name, about in entry.get("operator", {}).items()
                 if about["local"] and about["ids"]}
        if not local:
            return {}
        with self._masks_of(entry) as proposals:
            return {name: replace(Mask.from_array(np.any([proposals[number].array() for number in ids], axis=0)),
                                  invert=entry["operator"][name].get("mask_mode") == "exclusive")
                    for name, ids in local.items()}

    def candidates(self, index):
        """Return the Masks to which a step may be limited: those of the local operators, then every single proposal.

        Pairs without local operators have none. Raises UserError as `masks` does.
        """
        unions = self.masks(index)
        if not unions:
            return []
        with self._masks_of(self.annotations[index]) as proposals:
            return list(dict.fromkeys([*unions.values(), *proposals]))

    @contextlib.contextmanager
    def _masks_of(self, entry):
        """Yield the list of Masks of an entry's input; what fails inside the block is told as a fault of their file."""
        path = self.root / "masks" / f"{Path(entry['input']).stem}_mask.json"
        proposals = read_json(path)
        try:
            yield [Mask(tuple(proposal["size"]), proposal["counts"]) for proposal in proposals]
        except (TypeError, KeyError, IndexError, ValueError, UserError) as error:
            raise UserError(f"{path}: not the masks of {entry['input']} ({type(error).__name__}: {error}); use the "
                            f"published file") from None

    def masked_areas(self, index):
        """Return the area of each operator of a pair as a list of Masks; None stands for the whole photo.

        A local operator without masks counts as one of the whole photo. Raises UserError as `masks` does.
        """
        local = self.masks(index)
        return [local.get(name) for name in self.annotations[index].get("operator", {})]


def operator_problem(pair: dict) -> str | None:
    """Return why the field `operator` of a pair cannot be used, with the field; None if it can, or is missing."""
    table = pair.get("operator", {})
    if not isinstance(table, dict):
        return "field 'operator' is not a table of operators"
    for name, about in table.items():
        for field, check in ABOUT.items():
            if not isinstance(about, dict) or field not in about or not check(about[field]):
                return f"field 'operator', {name}: {field!r} is missing or malformed"
        if about.get("mask_mode", MASK_MODES[0]) not in MASK_MODES:
            return f"field 'operator', {name}: 'mask_mode' is neither {' nor '.join(MASK_MODES)}"
    return None


def check_operators(path: Path, entries: Iterable[dict]) -> None:
    """Raise UserError naming the entry of an annotation whose field `operator` cannot be used."""
    for entry in entries:
        if problem := operator_problem(entry):
            raise UserError(f"{path}, {pair_name(entry)}: {problem}; correct or remove the entry")


def _read_indices(path, count):
    """Return the indices of a data mode's pairs, as a set; they must be below `count`. Raises UserError."""
    indices = read_json(path)
    if not isinstance(indices, list) or not all(isinstance(index, int) and 0 <= index < count for index in indices):
        raise UserError(f"{path}: not a list of indices from 0 to {count - 1}, the pairs of its annotation; use the "
                        f"published file")
    return set(indices)
