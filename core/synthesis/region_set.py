"""The set RegionReq on disk, in GIER's format: local pairs of the photos of folders with panoptic truth.

Each photo has a file below `photos/`, which is written after its pictures; a run goes on after the last one. `save`
writes the splits, the lists of indices, the plans and the expressions from these files.
"""
import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.datasets.actions import action_row
from core.datasets.annotations import PHASES
from core.datasets.gier import MODES
from core.datasets.images import to_uint8
from core.datasets.panoptic import PanopticSet
from core.files import UserError, read_json, replacing, write_json, write_jsonl
from core.operators import trace
from core.regions.mask import Mask
from core.synthesis.local_pairs import SESSIONS, LocalPairs, Scene
from core.synthesis.pasting import cut_out, is_source

SESSION = 3            # of the splits: their operators are those of this vocabulary
VAL_SHARE = 0.2        # of the photos for training and validation
VALID = 0.06           # most L1 between input and output of a pair of the data mode "valid"
KEPT = 24              # photos that stay in memory, from which things are cut out
TRIES = 20             # photos that are looked at for a thing to paste


@dataclass(frozen=True)
class Source:
    """A photo of a panoptic set, and its phase."""

    phase: str
    photos: PanopticSet
    index: int

    @property
    def name(self) -> str:
        """The file name of the photo."""
        return self.photos.name(self.index)


def sources_of(train: PanopticSet, test: PanopticSet | None, seed: int) -> list[Source]:
    """Return the photos of two folders with their phases: `train` is split into train and val, all of `test` is test.

    Raises UserError if a photo is in both folders, or `train` has a single photo.
    """
    if len(train) < 2:
        raise UserError(f"--train {train.root}: has {len(train)} photo(s), needs two, because train and val share none")
    order = np.random.default_rng(seed).permutation(len(train))
    val = set(order[:max(1, round(VAL_SHARE * len(train)))].tolist())
    found = [Source("val" if index in val else "train", train, index) for index in range(len(train))]
    found += [Source("test", test, index) for index in range(len(test or ()))]
    stems = Counter(Path(source.name).stem for source in found)
    if twice := sorted(stem for stem, count in stems.items() if count > 1):
        raise UserError(f"{twice[0]}: {len(twice)} photo(s) occur twice in --train and --test; give folders that share "
                        f"no photo, and photos whose names differ")
    return found


class RegionSet:
    """RegionReq in a folder: `make` adds the pairs of a photo, `save` writes the annotations of all of them."""

    def __init__(self, folder: str | Path, sources: list[Source], seed: int = 0, faults: int = 2,
                 requests: int = 3) -> None:
        """Open a folder, new or begun.

        Args:
            folder: where the set is.
            sources: the photos.
            seed: of all random numbers.
            faults: scenes with degraded regions for each photo.
            requests: sentences for each pair.

        Raises UserError if the folder was begun with other settings or photos.
        """
        self.folder, self.sources, self.seed, self.faults, self.requests = Path(folder), sources, seed, faults, requests
        self.settings = {"seed": seed, "side": sources[0].photos.side, "faults": faults, "requests": requests,
                         "photos": {phase: [one.name for one in sources if one.phase == phase] for phase in PHASES}}
        path = self.folder / "settings.json"
        if path.exists():
            known = read_json(path)
            for name, value in self.settings.items():
                if not isinstance(known, dict) or known.get(name) != value:
                    raise UserError(f"{path}: this set was begun with other {name}; give the same, or another --out")
        else:
            write_json(path, self.settings, indent=1)
        self._photo = functools.lru_cache(KEPT)(lambda source: source.photos[source.index])

    def record_path(self, source: Source) -> Path:
        """Return the path of the file that holds the pairs of a photo."""
        return self.folder / "photos" / f"{Path(source.name).stem}.json"

    def has(self, source: Source) -> bool:
        """Return whether the pairs of a photo are made."""
        return self.record_path(source).exists()

    def make(self, source: Source) -> None:
        """Make the pairs of a photo, and write their pictures and masks. Raises UserError for a broken photo."""
        rng = np.random.default_rng([self.seed, *source.name.encode()])
        maker = LocalPairs(self._photo(source), lambda drawing: self._cutout(source, drawing), source.photos.things,
                           rng, self.requests)
        entries, plans, refs = [], [], []
        for number, scene in enumerate(maker.scenes(self.faults)):
            stem = f"{Path(source.name).stem}_{number}{scene.kind}"
            self._write_scene(stem, scene)
            entries += [self._entry(source, stem, scene, at) for at in range(len(scene.pairs))]
            for entry, pair in zip(entries[-len(scene.pairs):], scene.pairs, strict=True):
                plans += [_plan_row(entry, scene, pair, session) for session in pair.plans]
            refs += [_reference(f"{stem}.png", part) for part in scene.parts]
        dropped = [[*key, count] for key, count in maker.dropped.items()]
        write_json(self.record_path(source), {"entries": entries, "plans": plans, "refs": refs, "dropped": dropped})

    def _cutout(self, source: Source, rng: np.random.Generator):
        """Return a thing of another photo of the same phase, or None if none is found."""
        others = [one for one in self.sources if one.phase == source.phase and one.name != source.name]
        for _ in range(TRIES if others else 0):
            photo = self._photo(others[rng.integers(len(others))])
            things = [segment for segment in photo.segments if is_source(segment)]
            if things:
                return cut_out(photo.image, things[rng.integers(len(things))])
        return None

    def _write_scene(self, stem, scene):
        """Write the pictures of a scene as PNG, and the masks of its segments with the names of their classes."""
        self._write_picture(f"{stem}.png", scene.image)
        for at, pair in enumerate(scene.pairs):
            if pair.operators:
                self._write_picture(f"{stem}_{at}.png", pair.target)
        write_json(self.folder / "masks" / f"{stem}_mask.json",
                   [Mask.from_array(segment.mask, region=segment.name).to_dict() for segment in scene.segments])

    def _write_picture(self, name, image):
        with replacing(self.folder / "images" / name) as file:
            file.write(cv2.imencode(".png", to_uint8(image)[..., ::-1])[1])

    @staticmethod
    def _entry(source, stem, scene, at):
        """Return the entry of a pair in GIER's format; the output of a pair without a change is its input."""
        pair = scene.pairs[at]
        return {"input": f"{stem}.png", "output": f"{stem}_{at}.png" if pair.operators else f"{stem}.png",
                "request": pair.requests[0], "operator": pair.operators, "expert_summary": list(pair.requests[:1]),
                "amateur_summary": list(pair.requests[1:]), "kind": pair.kind, "scene": scene.kind,
                "photo": source.name, "region": pair.part.words[0] if pair.part else "", "decoys": list(pair.decoys),
                "wishes": [{"attribute": wish.attribute, "sign": wish.sign, "degree": wish.degree}
                           for wish in pair.wishes],
                "l1": round(float((scene.image - pair.target).abs().mean()), 6)}

    def records(self) -> Iterator[tuple[Source, dict]]:
        """Yield the photos that are made, with their records. Raises UserError naming a record that is broken."""
        for source in self.sources:
            if self.has(source):
                record = read_json(self.record_path(source))
                if not isinstance(record, dict) or not {"entries", "plans", "refs", "dropped"} <= record.keys():
                    raise UserError(f"{self.record_path(source)}: not a record of RegionReq; delete it and run again")
                yield source, record

    def save(self) -> tuple[dict, Counter]:
        """Write the annotations; return ({phase: Counter of the kinds of pairs}, Counter of (kind, reason) dropped)."""
        counts, dropped = {}, Counter()
        made = list(self.records())
        for phase in PHASES:
            entries = [entry for source, record in made if source.phase == phase for entry in record["entries"]]
            counts[phase] = Counter(entry["kind"] for entry in entries)
            if entries:
                write_json(self.folder / "splits" / f"{phase}_sess_{SESSION}.json", entries, indent=1)
                for name, indices in _indices(entries).items():
                    write_json(self.folder / "splits" / f"{phase}_{name}_sess_{SESSION}.json", indices)
        for session in SESSIONS:
            write_jsonl(plans_path(self.folder, session), [row | {"phase": source.phase} for source, record in made
                                             for of, row in record["plans"] if of == session])
        refs = [ref | {"split": source.phase} for source, record in made for ref in record["refs"]]
        numbered = [{"ref_id": number} | ref for number, ref in enumerate(refs)]
        write_json(self.folder / "expressions.json", {"refs": numbered}, indent=1)
        for _, record in made:
            for kind, reason, count in record["dropped"]:
                dropped[kind, reason] += count
        return counts, dropped


def plans_path(folder: str | Path, session: int) -> Path:
    """Return the path of the plans that made a set, by the operators of a session."""
    return Path(folder) / ("plans.jsonl" if session == SESSION else f"plans_sess_{session}.jsonl")


def _indices(entries: list[Mapping]) -> dict[str, list[int]]:
    """Return {name of a list of GIER's data modes: indices of its entries}."""
    everything, seen = range(len(entries)), set()
    chosen = {"valid": [at for at in everything if entries[at]["l1"] < VALID], "shapeAlign": list(everything),
              "shapeAlign_nonCrop": [at for at in everything if entries[at]["input"] not in seen
                                     and not seen.add(entries[at]["input"])],
              "global": [at for at in everything if not entries[at]["operator"].keys() & {"inpaint_obj", "color_bg"}]}
    return {name: chosen[mode] for mode, name in MODES.items() if name}


def _plan_row(entry, scene: Scene, pair, session):
    """Return (session, row of an action set) of a pair's plan."""
    pictures = [scene.image, *trace(pair.plans[session], scene.image)]
    return session, action_row(entry, pair.plans[session],
                               [float((picture - pair.target).abs().mean()) for picture in pictures])


def _reference(name, part):
    """Return the entry of expressions.json for a part of a picture."""
    return {"file_name": name, "category": part.name, "ids": list(part.ids),
            "mask_mode": "exclusive" if part.excludes else "inclusive",
            "sentences": [{"sent_id": number, "sent": words, "how": how}
                          for number, (words, how) in enumerate(zip(part.words, part.kinds, strict=True))]}
