"""Parts of a photo that words can name: a segment, all things of a class, all but one thing, the background."""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.regions.mask import LONGEST_REGION, Mask
from core.regions.segments import Segment
from core.synthesis.expressions import GROUPS, name_segments

SOFT = 0.7                     # pixels: standard deviation of the soft edge, so that it is about 2 pixels wide each way
LONGEST = 7                    # words of an expression; a vocabulary reads 15 words of a request
SUBJECT, RIVALS = (0.06, 0.6), 0.25   # shares: of a main subject; of its area, that all other things may cover
ALL_BUT = ("everything but {}", "everything except {}", "everything except for {}")
BACKGROUND = ("the background", "the backdrop")
KINDS = (*GROUPS, "all but", "background")   # how words tell a part


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a photo and the words that mean it and nothing else.

    Args:
        words: noun phrases, at least one.
        kinds: one of KINDS for each of `words`.
        name: the class of the segments.
        ids: the indices of the segments.
        inside: bool (H, W), the pixels of the part.
        excludes: the part is everything but the segments.
    """

    words: tuple[str, ...]
    kinds: tuple[str, ...]
    name: str
    ids: tuple[int, ...]
    inside: np.ndarray
    excludes: bool = False

    @property
    def share(self) -> float:
        """The share of the picture that the part covers, in [0, 1]."""
        return float(self.inside.mean())

    @property
    def mask(self) -> Mask:
        """The mask of a plan's step for the part, with a soft edge."""
        return Mask.from_array(self.inside, SOFT / max(self.inside.shape), self.words[0][:LONGEST_REGION])

    @property
    def annotation(self) -> dict:
        """The fields of a local operator in GIER's format: the ids, and the mode of a mask that excludes them."""
        return {"local": True, "ids": list(self.ids)} | ({"mask_mode": "exclusive"} if self.excludes else {})


def parts_of(segments: Sequence[Segment], image: torch.Tensor, crowds: Sequence[Segment] = (),
             seed: int = 0) -> list[Part]:
    """Return the parts of a photo that words can name; the arguments are those of `name_segments`."""
    spoken: dict[tuple[int, ...], list] = {}
    for expression in name_segments(segments, image, crowds, seed):
        if len(expression.words.split()) <= LONGEST:
            spoken.setdefault(expression.meant, []).append(expression)
    parts = [Part(tuple(one.words for one in said), tuple(one.group for one in said), said[0].name, ids,
                  united(segments, ids)) for ids, said in spoken.items()]
    but = [Part(tuple(form.format(part.words[0]) for form in ALL_BUT), ("all but",) * len(ALL_BUT), part.name, part.ids,
                ~part.inside, True) for part in parts if segments[part.ids[0]].thing]
    subject = main_subject(segments, crowds)
    behind = [] if subject is None else [Part(BACKGROUND, ("background",) * len(BACKGROUND), segments[subject[0]].name,
                                              subject, ~united(segments, subject), True)]
    return parts + but + behind


def united(segments: Sequence[Segment], ids: Sequence[int]) -> np.ndarray:
    """Return the pixels of some segments, bool (H, W)."""
    return np.maximum.reduce([segments[index].mask for index in ids]) > 0.5


def main_subject(segments: Sequence[Segment], crowds: Sequence[Segment] = ()) -> tuple[int, ...] | None:
    """Return the indices of the things of one class that are beyond doubt the subject of a photo, or None.

    These things cover a share of the picture within SUBJECT, and all other things and crowds little beside them.
    """
    things = [index for index, segment in enumerate(segments) if segment.thing]
    area: dict[str, float] = {}
    for index in things:
        area[segments[index].name] = area.get(segments[index].name, 0) + segments[index].share
    if not area:
        return None
    name = max(area, key=area.get)
    others = sum(area.values()) - area[name] + sum(crowd.share for crowd in crowds)
    if not SUBJECT[0] <= area[name] <= SUBJECT[1] or others > RIVALS * area[name]:
        return None
    return tuple(index for index in things if segments[index].name == name)
