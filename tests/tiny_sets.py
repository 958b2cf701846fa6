"""Copies of the tiny project's synthetic pairs as FiveK and as GIER, which scripts find by their default flags."""
import json
import shutil

import numpy as np
from PIL import Image
from small_gier import pair, write_gier

from core.datasets import vocab_files

PHASES = ("train", "val", "test")


def add_fivek(project):
    """Add data/FiveK with its vocabulary and planned set 1."""
    shutil.copytree(project / "data/synth", project / "data/FiveK", ignore=shutil.ignore_patterns("web"))
    copy_vocabulary(project, "FiveK", 1)
    shutil.copy(project / "output/actions_set_1/synth_train_sess_1.jsonl",
                project / "output/actions_set_1/FiveK_train_sess_1.jsonl")


def add_gier(project):
    """Add data/GIER with its vocabulary; its pairs are not planned, and edit the hue of one half."""
    entries = {phase: json.loads((project / f"data/synth/annotations/{phase}_sess_1.json").read_text())
               for phase in PHASES}
    pairs, sources = {}, {}
    for phase, rows in entries.items():
        pairs[phase] = []
        for row in rows:
            made = pair(len(sources), row["request"], brightness=None, hue=[len(sources) % 2])
            sources[made["input"]] = row
            pairs[phase].append(made)
    images = project / "data/synth/images"
    top = np.arange(64)[:, None] < np.full(64, 32)
    write_gier(project / "data/GIER", pairs,
               lambda entry, side: np.asarray(Image.open(images / sources[entry["input"]][side]).convert("RGB").resize(
                   (64, 64))), masks=(top, ~top))
    copy_vocabulary(project, "GIER", 3)
    (project / "data/IER2").mkdir()
    for name in ("operators", "masks"):   # for prepro/fuse_op_request.py
        rows = [row | {"operator": {"brightness": [0] if name == "masks" else {"local": True}}}
                for row in pairs["train"]]
        (project / f"data/IER2/{name}.json").write_text(json.dumps(rows))


def copy_vocabulary(project, dataset, session):
    """Give a data set of the tiny project the vocabulary of the synthetic pairs."""
    language = project / "data/language"
    for source, copy in zip(vocab_files("synth", 1, language), vocab_files(dataset, session, language), strict=True):
        if source.exists():
            shutil.copy(source, copy)
