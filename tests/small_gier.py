"""A small data set in GIER's published format, for the tests that need one on disk."""
import json

import numpy as np
from PIL import Image

from core.datasets.gier import MODES
from core.operators import Mask


def pair(number, *requests, **operators):
    """Return an entry: "p0_p0.png" -> "p0_x.png"; a list as an operator's value holds mask ids, another value none."""
    return {"input": f"p{number}_p{number}.png", "output": f"p{number}_x.png", "segment": f"p{number}/p{number}.jpg",
            "request": "Can anyone help me", "detailed_request": float("nan"), "dataset": "reddit", "workerId": "A1",
            "operator": {name: {"local": isinstance(ids, list), "ids": ids if isinstance(ids, list) else []}
                         for name, ids in operators.items()},
            "expert_summary": list(requests[:1]), "amateur_summary": list(requests[1:])}


def write_gier(root, phases, photo_of, session=3, masks=(), **modes):
    """Write splits, lists, images and masks below `root`; return it.

    Args:
        phases: {phase: entries as `pair` makes them}.
        photo_of: a callable (entry, "input" or "output") -> uint8 (H, W, 3).
        masks: arrays (H, W), the masks of every input.
        modes: {data mode: indices of its entries in every phase}; modes that are not given have all entries.
    """
    for folder in ("splits", "images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for phase, entries in phases.items():
        (root / f"splits/{phase}_sess_{session}.json").write_text(json.dumps(entries))
        for mode, name in MODES.items():
            if name:
                indices = modes.get(mode, list(range(len(entries))))
                (root / f"splits/{phase}_{name}_sess_{session}.json").write_text(json.dumps(indices))
        for entry in entries:
            for side in ("input", "output"):
                Image.fromarray(photo_of(entry, side)).save(root / "images" / entry[side])
            encoded = [Mask.from_array(np.asarray(mask)) for mask in masks]
            (root / "masks" / f"{entry['input'][:-4]}_mask.json").write_text(json.dumps(
                [{"size": list(mask.size), "counts": mask.counts} for mask in encoded]))
    return root
