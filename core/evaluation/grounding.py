"""Evaluation of grounding: the grounder and methods that learn nothing, on the same samples, compared in pairs.

A method returns for each sample an Answer: a score and a confidence of each segment, and perhaps a mask of its own;
without one, its mask is the union of the segments that it chooses.
"""
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
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
    """The answer of a method: `scores` and `confidence` (n,), `mask` bool (H, W) or None, attention or None."""

    scores: np.ndarray
    confidence: np.ndarray
    mask: np.ndarray | None = None
    modules: np.ndarray | None = None
    said: Said | None = None


class Picture:
    """A picture with its segments; each part is made when it is first asked for."""

    def __init__(self, proposals: Proposals, images: Path) -> None:
        """`images` is the folder of the photos."""
        self.proposals, self.images = proposals, images

    @functools.cached_property
    def arrays(self) -> np.ndarray:
        """The pixels of the segments, bool (n, H, W)."""
        return self.proposals.arrays.astype(bool)

    @functools.cached_property
    def areas(self) -> np.ndarray:
        """The shares of the picture that the segments cover, (n,)."""
        return self.arrays.mean((1, 2))

    @functools.cached_property
    def photo(self) -> torch.Tensor:
        """The photo (3, H, W) in [0, 1], at the size of the masks."""
        return to_tensor(resize(load_image(self.images / self.proposals.photo), *self.proposals.size))

    @functools.cached_property
    def segments(self) -> list[Segment]:
        """The segments as the rules of `core.finding` take them."""
        return [Segment(name, array.astype(np.float32), 1.0, "truth", name in THINGS)
                for name, array in zip(self.proposals.names, self.arrays, strict=True)]


class Scene(NamedTuple):
    """A sample: the words, the picture, and the mask that is meant, bool (H, W)."""

    query: Query
    picture: Picture
    truth: np.ndarray


def scenes(dataset: GroundingSet, images: Path) -> Iterator[tuple[int, Scene]]:
    """Yield (index, Scene) of all samples; those of one picture follow each other."""
    picture = None
    for index in sorted(range(len(dataset)), key=lambda at: dataset.queries[at].photo):
        query = dataset.queries[index]
        if picture is None or picture.proposals.photo != query.photo:
            picture = Picture(dataset.proposals[query.photo], images)
        yield index, Scene(query, picture, query.truth(picture.arrays))


def baselines(names: Sequence[str], seed: int = 0) -> dict[str, Callable[[Scene], Answer]]:
    """Return some of BASELINES by name: functions of a Scene that learn nothing. "oracle" knows the truth."""
    rng = np.random.default_rng(seed)
    known = {"random": lambda scene: _best(rng.random(len(scene.picture.areas))),
             "largest": lambda scene: _best(scene.picture.areas), "class name": _class_name,
             "all things": lambda scene: _some(np.array([segment.thing for segment in scene.picture.segments])),
             "rules": _rules, "oracle": _oracle}
    return {name: known[name] for name in names}


def _best(scores):
    """Return the Answer that chooses the segment with the best score."""
    return Answer(scores, (np.arange(len(scores)) == scores.argmax()).astype(float))


def _some(chosen):
    return Answer(chosen.astype(float), chosen.astype(float))


def _class_name(scene):
    """Choose the segments whose class the words name, or the largest one; of equal ones, larger ones score higher."""
    named, picture = names_in(scene.query.words), scene.picture
    hits = np.array([name in named for name in picture.proposals.names])
    if not hits.any():
        return _best(0.5 * picture.areas)
    return Answer(hits + 0.5 * picture.areas, hits.astype(float))


def names_in(words: str) -> set[str]:
    """Return the classes that words name, by the lists of core/requests/places.toml and by the names themselves."""
    tokens = tokens_of(words)
    nouns = {token.senses["noun"][1] for token in tokens if "noun" in token.senses}
    return nouns | {token.text for token in tokens}


def _oracle(scene):
    """Choose the segments of which more than half is meant: the best that a choice of whole segments can be."""
    inside = _covered(scene.picture, scene.truth)
    return Answer(inside, (inside > COVERED).astype(float))


def _covered(picture, mask):
    """Return the share of each segment that a mask, bool (H, W), covers, (n,)."""
    return (picture.arrays & mask).mean((1, 2)) / np.maximum(picture.areas, 1e-9)


def _rules(scene):
    """Choose by the rules of core.finding, among the same segments; a subject is found in the photo. May refuse."""
    place, picture = place_in(scene.query), scene.picture
    segments, choice = picture.segments, None
    if place is not None:
        if any(part.kind in SUBJECT for part in (place, *place.but, *place.also)):
            subject = finder_of(picture.photo).subject
            segments = [*segments, subject] if subject else segments
        choice = choose_segments(place, segments, picture.photo)
    if choice is None or not choice.segments:
        nothing = np.zeros(len(picture.areas))
        return Answer(nothing, nothing, np.zeros_like(scene.truth))
    mask = mask_of(choice, *scene.truth.shape) > 0.5
    covered = _covered(picture, mask)
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
        mask = scene.picture.arrays[choose(answer.confidence, threshold)].any(0)
    intersection, union = overlap(mask, scene.truth)
    return {"photo": scene.query.source or scene.query.photo, "picture": scene.query.photo, "words": scene.query.words,
            "operator": scene.query.operator, "group": scene.query.group, "scores": answer.scores, "labels": labels,
            "intersection": intersection, "union": union,
            **measure(answer.scores, answer.confidence, labels, threshold)}
