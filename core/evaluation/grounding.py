"""Evaluation of grounding: the grounder and methods that learn nothing, on the same samples, compared in pairs.

A method returns for each sample an Answer: a score and a confidence of each segment, and perhaps a mask of its own;
without one, its mask is the union of the segments that it chooses.
"""
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from core.datasets import load_image, to_tensor
from core.datasets.grounding import GroundingSet, Query
from core.datasets.images import resize
from core.datasets.proposals import Proposals
from core.finding.choose import choose as choose_segments
from core.finding.choose import mask_of
from core.finding.finder import finder_of
from core.metrics.grounding import choose, measure, overlap
from core.models.grounding import Said
from core.regions.classes import THINGS
from core.regions.segments import Segment
from core.requests.place_words import tokens_of
from core.requests.places import Place, read_place
from core.requests.reader import read

BASELINES = ("random", "largest", "class name", "all things", "rules", "oracle")
COVERED = 0.5    # share of a segment inside a mask from which the mask chooses it
SUBJECT = {"subject", "background"}   # kinds of places that need the main subject, which is found in the photo


class Answer(NamedTuple):
    """A method's answer: `scores` and `confidence` (n,); `mask` bool (H, W) or None; what the network read, or None."""

    scores: np.ndarray
    confidence: np.ndarray
    mask: np.ndarray | None = None
    modules: np.ndarray | None = None
    said: Said | None = None


class Scene:
    """What a method may see of a sample: the query, the segments of its photo, and the photo itself."""

    def __init__(self, query: Query, proposals: Proposals, images) -> None:
        self.query, self.proposals, self.images = query, proposals, images
        self.arrays = proposals.arrays.astype(bool)
        self.areas = self.arrays.mean((1, 2))
        self.truth = query.truth(proposals)

    @property
    def photo(self) -> torch.Tensor:
        """The photo (3, H, W) in [0, 1], at the size of the masks."""
        return to_tensor(resize(load_image(self.images / self.proposals.photo), *self.proposals.size))


def scenes(dataset: GroundingSet, images) -> Iterator[tuple[int, Scene]]:
    """Yield (index, Scene) of all samples; those of one photo follow each other."""
    for index in sorted(range(len(dataset)), key=lambda at: dataset.queries[at].photo):
        query = dataset.queries[index]
        yield index, Scene(query, dataset.proposals[query.photo], images)


def baselines(names: Sequence[str], seed: int = 0) -> dict[str, Callable[[Scene], Answer]]:
    """Return some of BASELINES by name: functions of a Scene that learn nothing. "oracle" knows the truth."""
    rng = np.random.default_rng(seed)
    known = {"random": lambda scene: _best(rng.random(len(scene.areas))),
             "largest": lambda scene: _best(scene.areas), "class name": _class_name,
             "all things": lambda scene: _some(np.array([name in THINGS for name in scene.proposals.names])),
             "rules": _rules, "oracle": _oracle}
    return {name: known[name] for name in names}


def _best(scores):
    """Return the Answer that chooses the segment with the best score."""
    return Answer(scores, (np.arange(len(scores)) == scores.argmax()).astype(float))


def _some(chosen):
    return Answer(chosen.astype(float), chosen.astype(float))


def _class_name(scene):
    """Choose the segments whose class the words name, or the largest one; of equal ones, larger ones score higher."""
    named = names_in(scene.query.words)
    hits = np.array([name in named for name in scene.proposals.names])
    if not hits.any():
        return _best(0.5 * scene.areas)
    return Answer(hits + 0.5 * scene.areas, hits.astype(float))


def names_in(words: str) -> set[str]:
    """Return the classes that words name, by the lists of core/requests/places.toml and by the names themselves."""
    tokens = tokens_of(words)
    nouns = {token.senses["noun"][1] for token in tokens if "noun" in token.senses}
    return nouns | {token.text for token in tokens}


def _oracle(scene):
    """Choose the segments of which more than half is meant: the best that a choice of whole segments can be."""
    inside = (scene.arrays & scene.truth).sum((1, 2)) / np.maximum(scene.arrays.sum((1, 2)), 1)
    return Answer(inside, (inside > COVERED).astype(float))


def _rules(scene):
    """Choose by the rules of core.finding, among the same segments; a subject is found in the photo. May refuse."""
    place = place_in(scene.query)
    segments = [Segment(name, array.astype(np.float32), 1.0, "truth", name in THINGS)
                for name, array in zip(scene.proposals.names, scene.arrays, strict=True)]
    photo, choice = scene.photo, None
    if place is not None:
        if any(part.kind in SUBJECT for part in (place, *place.but, *place.also)):
            subject = finder_of(photo).subject
            segments += [subject] if subject else []
        choice = choose_segments(place, segments, photo)
    if choice is None or not choice.segments:
        nothing = np.zeros(len(scene.areas))
        return Answer(nothing, nothing, np.zeros_like(scene.truth))
    mask = mask_of(choice, *scene.truth.shape) > 0.5
    covered = (scene.arrays & mask).sum((1, 2)) / np.maximum(scene.arrays.sum((1, 2)), 1)
    return Answer(covered, covered, mask)


def place_in(query: Query) -> Place | None:
    """Return the Place that a query names: all of an expression, or the last place of a request; None for none."""
    if not query.operator:
        return read_place(query.words)
    places = [wish.where for wish in read(query.words).wishes if isinstance(wish.where, str)]
    return read_place(places[-1]) if places else None


def score(scene: Scene, labels: np.ndarray, answer: Answer, threshold: float) -> dict:
    """Return the row of a sample for `core.metrics.grounding.summarise`."""
    mask = answer.mask
    if mask is None:
        mask = scene.arrays[choose(answer.confidence, threshold)].any(0)
    intersection, union = overlap(mask, scene.truth)
    return {"photo": scene.query.source or scene.query.photo, "picture": scene.query.photo, "words": scene.query.words,
            "operator": scene.query.operator, "group": scene.query.group, "scores": answer.scores, "labels": labels,
            "intersection": intersection, "union": union,
            **measure(answer.scores, answer.confidence, labels, threshold)}
