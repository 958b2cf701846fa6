"""Data sets of photo pairs with a request, in FiveKReq's format, for training and testing planners."""
import functools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from core.datasets.annotations import FOLDER, REMEDY, annotation_path, pair_name, read_annotation
from core.datasets.images import Thumbnails, fit_short_edge, for_each, image_size, load_image, resize, to_tensor
from core.datasets.vocab import tokenize
from core.files import UserError, listing
from core.operators import END, MAX_STEPS, START, Mask, OperatorVocab
from core.requests.saying import without_places
from core.requests.spelling import misspell

MASKS = ("union", "steps", "candidates")   # kinds of the field `masks`


class PairDataset(Dataset):
    """Samples {input, target, request, request_ids, name}, {ops, params} if plans are given, and {masks} on demand.

    `input` and `target` are float32 (3, H, W) in [0, 1], of the same size; `request_ids` long (17,);
    `name` as in "0001_O.jpg>0001_A.jpg"; `ops` long (7,); `params` float32 (5, P_max), padded with 0. `masks` are
    float32 in [0, 1], 1 = edited: (1, H, W) of the whole edit, or (5, 1, H, W) of the plan's steps, padded with 0. Or
    they are a list of Masks, for a search.
    """

    folder = FOLDER   # the folder of the annotations, below the data set's folder
    every = None      # the data mode that selects all pairs

    def __init__(self, root, phase, session, vocab, *, data_mode=None, plans=None, plans_path=None, op_vocab=None,
                 size=128, short_edge=600, cache="output/cache", typos=0.0, need_targets=True, masks=None,
                 places=False):
        """Open one phase of a data set.

        Args:
            root: the folder with `annotations/` and `images/`.
            phase: "train", "val" or "test".
            session: the number in the annotation's name.
            vocab: the WordVocab that encodes the requests.
            data_mode: selects pairs: letters of experts joined with +, as in "A+B"; None is all pairs. Sets of
                another form have modes of their own.
            plans: {pair name: Plan}; pairs without a plan are left out and listed, and so are pairs with masks in the
                plan, unless `masks` is given.
            plans_path: the file of the plans, named in the error if the file has no plan for any pair.
            op_vocab: the OperatorVocab that encodes the plans.
            size: the side of squashed thumbnails, from a cache; None gives photos with their own aspect.
            short_edge: shrinks these photos to a short edge of at most this many pixels.
            cache: the folder of the thumbnail cache.
            typos: share of the requests that are encoded with typing errors.
            need_targets: False accepts a set without any output; its targets are None.
            masks: "union" adds the field `masks` with the area that the pair's edit changes: 1 everywhere for an edit
                of the whole photo, 0 everywhere for none. "steps" adds it with the area of each step of the plan.
                Pairs whose masks have another aspect than their input are left out and listed. "candidates" adds it
                with the Masks to which a search may limit the steps of a plan; masks of another aspect than the
                input are left out.
            places: whether requests keep the words for places although the masks "union" or "steps" say where; by
                default, these requests are encoded as `core.requests.saying.without_places` says them.

        Raises UserError naming file, entry and field, or the images that are missing or cannot be read.
        """
        self.root, self.size, self.short_edge = Path(root), size, short_edge
        self.images, self.data_mode = self.root / "images", data_mode
        self.path, self.annotations = self.read(root, phase, session, data_mode)
        self.has_targets = need_targets or any(os.path.isfile(self.images / entry["output"])
                                               for entry in self.annotations)
        self._refuse_missing()
        self.op_vocab = None
        self.unplanned, self.masked, self.repeating, self.cut, self.misfits = [], [], [], [], []
        self.mask_kind, self.areas = masks, None
        if masks not in (None, *MASKS) or (masks == "steps" and plans is None):
            raise ValueError(f"masks {masks!r}: must be None or one of {', '.join(MASKS)}; steps need plans")
        if plans is not None:
            self.op_vocab = op_vocab or OperatorVocab()
            self._encode_plans(plans, plans_path)
        if masks and masks != "candidates":
            self._read_areas(plans)
        self.vocab = vocab
        self._encode_requests(vocab, typos, places)
        self.thumbnails = Thumbnails(self.images, self._image_names(), size, cache) if size else None
        self.resized = self._find_resized()

    @classmethod
    def read(cls, root, phase, session, data_mode=None):
        """Return the path of a phase's annotation, and its entries, each with one request. Raises UserError.

        `data_mode` selects the pairs of some experts; an output's name ends in its expert's letter: "0001_A.jpg".
        """
        path = annotation_path(root, phase, session)
        entries = read_annotation(path)
        for expert in data_mode.split("+") if data_mode is not None else ():
            if not any(_expert(entry) == expert for entry in entries):
                known = ", ".join(sorted(set(map(_expert, entries)) - {""})) or "none"
                raise UserError(f"--data_mode {data_mode}: no output of {path} is of expert {expert!r}; the file's "
                                f"experts are: {known}")
        return path, [entry for entry in entries if data_mode is None or _expert(entry) in data_mode.split("+")]

    @staticmethod
    def requests(entry):
        """Return the requests of an entry of the annotation."""
        return [entry["request"]]

    def __len__(self):
        return len(self.annotations)

    def __getitem__(self, index):
        entry = self.annotations[index]
        before, after = self._pixels(entry)
        sample = {"input": to_tensor(before), "target": after if after is None else to_tensor(after),
                  "request": entry["request"], "request_ids": self.request_ids[index], "name": pair_name(entry)}
        if self.op_vocab:
            sample |= {"ops": self.ops[index], "params": self.params[index]}
        if self.mask_kind == "candidates":
            size = image_size(self.images / entry["input"])
            sample["masks"] = [mask for mask in self.candidates(index) if mask.fits(*size)]
        elif self.mask_kind:
            sample["masks"] = mask_tensor(self.areas[index], self.mask_kind, *before.shape[:2])
        return sample

    def masked_areas(self, index):
        """Return the area of each edit of a pair as a list of Masks; None stands for the whole photo."""
        return [None]

    def candidates(self, index):
        """Return the Masks of a pair to which a step of its plan may be limited; a set without masks has none."""
        return []

    def report(self):
        """Return a list of sentences that a user should know before a long run."""
        photos = len({entry["input"] for entry in self.annotations})
        sentences = [f"{len(self)} pairs of {photos} photos from {self.path}"]
        if not self.has_targets:
            sentences.append(f"all {len(self)} targets are missing: measures that need a target are left out")
        for names, text in ((self.unplanned, "pairs have no plan and are left out"),
                            (self.masked, "pairs have a plan with masks, which a global planner cannot learn, "
                                          "and are left out"),
                            (self.repeating, "plans repeat an operator, which a planner never does, and are cut "
                                             "before the repetition"),
                            (self.cut, f"plans have more than {MAX_STEPS} steps and are cut to the first {MAX_STEPS}"),
                            (self.misfits, "pairs have masks of another aspect than their input and are left out"),
                            (self.resized, "outputs differ in size from their inputs and are resized"),
                            (self.wordless, "requests have no word at all"),
                            (self.too_long, "requests are longer than a planner reads and are cut"),
                            (self.unknown, "words are not in the vocabulary and are read as <UNK>")):
            if names:
                sentences.append(f"{len(names)} {text}: {listing(names)}")
        return sentences

    def _pixels(self, entry):
        """Return input and target as uint8 (H, W, 3) of the same size; the target is None if the set has none."""
        if self.thumbnails:
            return self.thumbnails[entry["input"]], self.thumbnails[entry["output"]] if self.has_targets else None
        before = fit_short_edge(load_image(self.images / entry["input"]), self.short_edge)
        after = load_image(self.images / entry["output"]) if self.has_targets else None
        return before, after if after is None else resize(after, *before.shape[:2])

    def _image_names(self):
        fields = ("input", "output") if self.has_targets else ("input",)
        return sorted({entry[field] for entry in self.annotations for field in fields})

    def _refuse_missing(self):
        missing = [name for name in self._image_names() if not os.path.isfile(self.images / name)]
        if missing:
            raise UserError(f"{self.images}: {len(missing)} of the {len(self._image_names())} images in "
                            f"{self.path.name} are missing ({listing(missing)}); add them or {REMEDY}")

    def _find_resized(self):
        """Return the names of the pairs whose output differs in size from its input."""
        if not self.has_targets:
            return []
        if self.thumbnails:
            size_of = self.thumbnails.original_size
        else:
            names = self._image_names()
            paths = [self.images / name for name in names]
            size_of = dict(zip(names, for_each(image_size, paths, "sizes"), strict=True)).get
        return [pair_name(entry) for entry in self.annotations if size_of(entry["input"]) != size_of(entry["output"])]

    def _encode_requests(self, vocab, typos, places):
        requests, rng = [entry["request"] for entry in self.annotations], np.random.default_rng(0)
        if self.mask_kind in ("union", "steps") and not places:   # the masks say where
            requests = list(map(without_places, requests))
        self.request_ids = torch.tensor([vocab.encode(misspell(request, rng) if rng.random() < typos else request)
                                         for request in requests])
        self.unknown = sorted({word for request in requests for word in vocab.unknown(request)})
        self.too_long = [request[:60] for request in requests if vocab.too_long(request)]
        self.wordless = [request for request in requests if not tokenize(request)]

    def _encode_plans(self, plans, plans_path):
        """Keep the pairs whose plan fits into `ops` and `params`, and encode these plans."""
        kept, ops, params = [], [], []
        for entry in self.annotations:
            name = pair_name(entry)
            plan = plans.get(name)
            if plan is None:
                self.unplanned.append(name)
            elif not self.mask_kind and any(step.mask is not None for step in plan):
                self.masked.append(name)
            else:
                steps = until_repetition(plan)
                if len(steps) < len(plan):
                    self.repeating.append(name)
                if len(steps) > MAX_STEPS:
                    self.cut.append(name)
                kept.append(entry)
                ids, values = encode_plan(plan, self.op_vocab, name)
                ops.append(ids)
                params.append(values)
        if not kept:
            place = f" in {plans_path}" if plans_path else ""
            raise UserError(f"{self.path}: none of its {len(self.annotations)} pairs has a plan of unmasked steps"
                            f"{place}; plan them with prepro/gen_greedy_seqs.py")
        self.annotations, self.ops, self.params = kept, torch.stack(ops), torch.stack(params)


    def _read_areas(self, plans):
        """Set `areas`, the list of masks of each pair; leave out pairs whose masks do not fit their input."""
        size_of, kept, areas = functools.cache(image_size), [], []
        for index, entry in enumerate(self.annotations):
            found = self.masked_areas(index) if plans is None else [
                step.mask for step in until_repetition(plans[pair_name(entry)])[:MAX_STEPS]]
            if any(mask is not None and not mask.fits(*size_of(self.images / entry["input"])) for mask in found):
                self.misfits.append(pair_name(entry))
                continue
            kept.append(index)
            areas.append(found)
        if not kept:
            raise UserError(f"{self.path}: all {len(self.annotations)} pairs have masks of another aspect than their "
                            f"input; use the masks that belong to the images")
        self.annotations, self.areas = [self.annotations[index] for index in kept], areas
        if plans is not None:
            self.ops, self.params = self.ops[kept], self.params[kept]


def mask_tensor(areas: Sequence[Mask | None], kind: str, height: int, width: int) -> torch.Tensor:
    """Return the field `masks` of a sample of PairDataset.

    Args:
        areas: the masks of the steps, at most MAX_STEPS; None is the whole photo.
        kind: "union" or "steps".
        height, width: the size of the sample in pixels.

    Returns: float32 (1, height, width), or (MAX_STEPS, 1, height, width) for "steps".
    """
    layers = [torch.ones(1, height, width) if mask is None else _layer(mask, height, width) for mask in areas]
    if kind == "union":
        return torch.stack(layers).amax(0) if layers else torch.zeros(1, height, width)
    return torch.stack([*layers, *[torch.zeros(1, height, width)] * (MAX_STEPS - len(layers))])


def _layer(mask, height, width):
    """Return a mask as a tensor (1, height, width); those of thumbnails, which come again, are kept decoded."""
    return (_kept_layer if height * width <= 1 << 14 else _kept_layer.__wrapped__)(mask, height, width)


@functools.lru_cache(1024)
def _kept_layer(mask, height, width):
    return mask.tensor(height, width)[0]


def _expert(entry):
    """Return the letter of an output's expert, as in "0001_A.jpg"; an empty text if its name has none."""
    letter = Path(entry["output"]).stem.rpartition("_")[2]
    return letter if len(letter) == 1 else ""


def until_repetition(plan):
    """Return the list of a plan's steps before the first step that repeats an operator.

    A planner gives a used operator the probability 0, so a repeated operator would make its loss infinite.
    """
    steps = []
    for step in plan:
        if step.op in (before.op for before in steps):
            break
        steps.append(step)
    return steps


def encode_plan(plan, op_vocab, name="plan"):
    """Return a plan's first five steps, see `until_repetition`, as `ops` long (7,) and `params` float32 (5, P_max).

    Raises UserError, which starts with `name`, if the vocabulary lacks an operator of the plan.
    """
    ops = torch.zeros(MAX_STEPS + 2, dtype=torch.long)
    params = torch.zeros(MAX_STEPS, op_vocab.max_params)
    steps = until_repetition(plan)[:MAX_STEPS]
    for index, step in enumerate(steps):
        if step.op not in op_vocab.ids:
            raise UserError(f"{name}: operator {step.op!r} of its plan is not in the operator vocabulary "
                            f"({' '.join(op_vocab.names)}); give another --session or plan the pair again")
        ops[index + 1] = op_vocab.ids[step.op]
        params[index, :len(step.params)] = torch.tensor(step.params)
    ops[0], ops[len(steps) + 1] = op_vocab.ids[START], op_vocab.ids[END]
    return ops, params
