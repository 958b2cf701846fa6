"""Grounding samples of drawn scenes: sets in memory with simple features, and a folder in GIER's format."""
import json

import numpy as np
import torch
from PIL import Image
from small_gier import pair
from small_regions import COLOURS, Shape, draw

from core.datasets.features import placed
from core.datasets.grounding import GroundingSet, Query
from core.datasets.proposals import Proposals
from core.datasets.vocab import SPECIAL, WordVocab, save_operator_vocab, vocab_files
from core.operators import SESSIONS, OperatorVocab
from core.regions.mask import Mask

SAID = ("ball", "box", "sky", "ground")
OPERATORS = ("", "brightness", "inpaint_obj")
VOCAB = WordVocab((*SPECIAL, *SAID, *COLOURS, "the", "brighten", "remove", "everything", "but"))
KINDS = tuple(COLOURS)


def scene(rng):
    """Return (photo, masks bool (n, H, W), names, colours) of a sky, a ground, two balls and a box."""
    colours = rng.permutation(KINDS)[:3]
    places = [Shape("sports ball", 20, 62, 11, colours[0]), Shape("sports ball", 60, 66, 9, colours[1]),
              Shape("suitcase", 82, 56, 8, colours[2])]
    photo, ids, infos = draw([places[at] for at in rng.permutation(3)], noise=4)
    masks = np.stack([ids == info["id"] for info in infos])
    names = [{1: "ball", 2: "box", 3: "sky", 4: "ground"}[info["category_id"]] for info in infos]
    return photo, masks, names, [_nearest(photo, mask) for mask in masks]


def _nearest(photo, mask):
    mean = photo[mask].mean(0)
    return min(KINDS, key=lambda name: np.abs(mean - COLOURS[name]).sum())


def queries_of(photo, names, colours, operator="brightness"):
    """Return a Query for each segment: by its class, with a colour if it is a ball."""
    verb = {"brightness": "brighten", "inpaint_obj": "remove"}[operator]
    said = [f"{verb} the {colour} ball" if name == "ball" else f"{verb} the {name}"
            for name, colour in zip(names, colours, strict=True)]
    return [Query(photo, words, (at,), operator, False, "request", photo) for at, words in enumerate(said)]


def simple_features(colours):
    """Return a function Proposals -> features: one-hot classes as `coarse`, one-hot colours as `fine`."""
    def of(proposals):
        coarse = np.eye(len(SAID), dtype=np.float32)[[SAID.index(name) for name in proposals.names]]
        fine = np.eye(len(KINDS), dtype=np.float32)[[KINDS.index(name) for name in colours[proposals.photo]]]
        return {"coarse": coarse, "fine": fine, "colour": np.zeros((len(coarse), 6), np.float32), **placed(proposals)}
    return of


def drawn_set(photos=12, seed=0):
    """Return a GroundingSet of drawn scenes with simple features."""
    rng, scenes, colours, queries = np.random.default_rng(seed), {}, {}, []
    for number in range(photos):
        name = f"{seed}_{number}.png"
        _, masks, names, colours[name] = scene(rng)
        scenes[name] = Proposals(name, tuple(Mask.from_array(mask) for mask in masks), tuple(names))
        queries += queries_of(name, names, colours[name])
    return GroundingSet(queries, scenes.get, simple_features(colours), VOCAB, OPERATORS)


def write_grounding_set(root, phases=("train", "val", "test"), photos=4):
    """Write a data set in GIER's format with named masks and expressions.json below `root`; return it."""
    for folder in ("splits", "images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    refs, number = [], 0
    for at, phase in enumerate(phases):
        rng, entries = np.random.default_rng(at), []
        for _ in range(photos):
            photo, masks, names, colours = scene(rng)
            for query in queries_of("", names, colours):
                entries.append(pair(number, query.words, brightness=list(query.ids)) | {"output": f"p{number}_x.png"})
                stem = f"p{number}_p{number}"
                Image.fromarray(photo).save(root / "images" / f"{stem}.png")
                Image.fromarray(photo).save(root / "images" / f"p{number}_x.png")
                (root / "masks" / f"{stem}_mask.json").write_text(json.dumps(
                    [Mask.from_array(mask, region=name).to_dict() for mask, name in zip(masks, names, strict=True)]))
                refs.append({"ref_id": number, "file_name": f"{stem}.png", "category": names[query.ids[0]],
                             "ids": list(query.ids), "mask_mode": "inclusive", "split": phase,
                             "sentences": [{"sent_id": 0, "sent": query.words.split(" ", 1)[1], "how": "class"}]})
                number += 1
        entries[0]["operator"] |= {"hue": {"local": False, "ids": []}}
        (root / f"splits/{phase}_sess_3.json").write_text(json.dumps(entries))
    (root / "expressions.json").write_text(json.dumps({"refs": refs}))
    return root


def batch_of(dataset, indices):
    """Return the collated batch of some samples."""
    return dataset.collate([dataset[index] for index in indices])


def shuffled(dataset, seed=0):
    """Return a batch of all samples whose sentences are exchanged between samples."""
    batch = batch_of(dataset, range(len(dataset)))
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))
    return batch | {"request_ids": batch["request_ids"][order]}


def write_language(folder, dataset="RegionReq", session=3):
    """Write the vocabulary of the drawn scenes as that of a data set."""
    files = vocab_files(dataset, session, folder)
    VOCAB.save(files.words)
    save_operator_vocab(files.operators, OperatorVocab(SESSIONS[3]))
    return folder
