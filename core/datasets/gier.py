"""GIER (Shi et al. 2020): pairs from zhopped and reddit in their published format, with operators and local masks.

Below the data set's folder: `splits/{phase}_sess_{session}.json`, a list of pairs {input, output, operator: {name:
{local, ids}}, expert_summary, amateur_summary, ...}; beside it, for each data mode, a list of the indices of the pairs
that belong to it; `images/`; and `masks/<input without its suffix>_mask.json`, the RLE masks that `ids` count.
"""
from pathlib import Path

import numpy as np

from core.datasets.annotations import annotation_path, entry_problem, pair_name, read_annotation
from core.datasets.pairs import PairDataset
from core.files import UserError, read_json
from core.operators import Mask

MODES = {   # of data: what the files of their indices are called
    "valid": "Ids_L1Thr_0.06",    # input and output are close to one another
    "shapeAlign": "shapeAlign",   # they have the same size
    "shapeAlign_nonCrop": "shapeAlignNonCrop",   # that, or nothing was cropped; photos that stand once
    "global": "global",           # no object removed, no background painted
    "full": None,                 # all pairs
}
DEFAULT_MODE = "shapeAlign"   # the notebook's, where it names none


class GIERPairs(PairDataset):
    """Samples as PairDataset has them, one for each request of a pair, the experts' before the amateurs'."""

    folder = "splits"

    @classmethod
    def read(cls, root, phase, session, data_mode=None):
        """Return the path of a phase's annotation, and an entry for each request of the pairs of `data_mode`.

        Modes joined with + keep the pairs that belong to all of them. Raises UserError naming mode, file and field.
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
                raise UserError(f"{path}, a summary of {pair_name(entry)}: {problem}; mend it, or take it out")
        if not entries:
            raise UserError(f"{path}: no pair belongs to --data_mode {data_mode or DEFAULT_MODE}; give another one")
        return path, entries

    @staticmethod
    def requests(entry):
        """Return the requests of a pair: its summaries or, where it has none, what was asked for at first."""
        return [*entry.get("expert_summary", ()), *entry.get("amateur_summary", ())] or [entry["request"]]

    def report(self):
        """Return what a user should know before a long run, as a list of sentences."""
        pairs = len({pair_name(entry) for entry in self.annotations})
        return [f"--data_mode {self.data_mode or DEFAULT_MODE}: {pairs} pairs, each counted once for each of its "
                f"requests", *super().report()]

    def masks(self, index):
        """Return {operator: Mask} of a sample's local operators: the union of the masks that each was applied to.

        A mask has the size of the picture that was annotated, which may be another than the input's. Local operators
        that name no mask are left out. Raises UserError naming the file of the masks.
        """
        entry = self.annotations[index]
        local = {name: about["ids"] for name, about in entry.get("operator", {}).items()
                 if about["local"] and about["ids"]}
        if not local:
            return {}
        path = self.root / "masks" / f"{Path(entry['input']).stem}_mask.json"
        candidates = read_json(path)
        try:
            arrays = [Mask(tuple(candidate["size"]), candidate["counts"]).array() for candidate in candidates]
            return {name: Mask.from_array(np.any([arrays[number] for number in ids], axis=0))
                    for name, ids in local.items()}
        except (TypeError, KeyError, IndexError, ValueError, UserError) as error:
            raise UserError(f"{path}: not the masks of {entry['input']} ({type(error).__name__}: {error}); bring the "
                            f"published file") from None


def _read_indices(path, count):
    """Return the indices of the pairs of a data mode, of `count` in all. Raises UserError."""
    indices = read_json(path)
    if not isinstance(indices, list) or not all(isinstance(index, int) and 0 <= index < count for index in indices):
        raise UserError(f"{path}: not a list of indices from 0 to {count - 1}, the pairs of its annotation; bring the "
                        f"published file")
    return set(indices)
