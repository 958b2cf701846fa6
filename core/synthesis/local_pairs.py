"""Local pairs of a photo with true segments: scenes, each an input with several requests whose targets differ.

The pairs of a scene share their input, so a method that ignores the words is right for at most one of them.
- "faults": two or three regions are degraded, and each request restores one of them; the others are its decoys;
- "photo": the input is the photo, and each request retouches another region;
- "pasted": two things of other photos are pasted, and each request removes one, behind which the pixels are known.
Each scene also has a request that changes nothing.
"""
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from core import operators
from core.datasets.images import to_tensor, to_uint8
from core.datasets.panoptic import PanopticPhoto
from core.metrics.attributes import MEASURES
from core.operators import Mask, OperatorVocab, Plan, Step, execute, get_operator
from core.planning.fits import fit
from core.regions.segments import Segment, filled
from core.requests.grammar import choose
from core.requests.local_sentences import CUT_OUT, ask, say
from core.requests.phrases import OPPOSITES
from core.requests.wish import LEVELS, Wish
from core.synthesis.edits import EDITS, LOCAL_EDITS, are_good, panel_edits
from core.synthesis.expressions import NOUNS
from core.synthesis.parts import Part, parts_of
from core.synthesis.pasting import Cutout, paste
from core.synthesis.seams import is_seamless

SCENES = ("faults", "photo", "pasted")
KINDS = ("restore", "retouch", "removal", "white background", "mixed", "absent", "unchanged")
SESSIONS = (3, 4)             # the operator vocabularies in which each pair has a plan
OPERATORS = {session: OperatorVocab(operators.SESSIONS[session]).ids for session in SESSIONS}
RETOUCHES = (*LOCAL_EDITS, ("blue", 1), ("red", 1), ("green", 1), ("shadows", 1), ("sharpness", 1))
PANEL_OPS = dict.fromkeys(("blue", "red", "green"), "channel_curves")   # of tints; others as in panel_edits
AREAS, AREAS_BUT = (0.015, 0.6), (0.3, 0.95)   # shares of the picture that a region covers: named, and all but another
DEGREES = (0.25, 0.5, 0.25)   # shares of LEVELS
ATTEMPTS = 5                  # draws of the strength of an edit of one region
FITTED_SIDE = 96              # pixels of the long edge on which plans are fitted
MOST_LEFT = 0.5               # share of the L1 that a fitted plan may leave
LEAST_CHANGE = 0.01           # mean absolute change inside a region
FAULTS, THINGS = (2, 3), 2    # degraded regions; pasted things
DONORS = 12                   # most things of other photos that are tried for a scene
ALIKE = ({"car", "truck", "bus"}, {"couch", "chair", "bed", "bench"}, {"cup", "wine glass", "bowl", "bottle", "vase"},
         {"motorcycle", "bicycle"}, {"handbag", "backpack", "suitcase"}, {"fork", "knife", "spoon"}, {"tv", "laptop"})


@dataclass(frozen=True, eq=False)
class Pair:
    """A request on a scene and its result.

    Args:
        kind: one of KINDS.
        target: (3, H, W); pixels that are not asked for are those of the scene, bit for bit.
        requests: different sentences for the same edit.
        operators: GIER's field: {operator of session 3: {"local", "ids"}}.
        plans: {session: Plan}; a session whose operators cannot make the target is missing.
        part: the named part; None for pairs without one.
        wishes: the wishes of the requests, without their places; the last one is for the part, others are global.
        decoys: the ids of degraded or pasted segments that stay as they are.
    """

    kind: str
    target: torch.Tensor
    requests: tuple[str, ...]
    operators: dict = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=lambda: dict.fromkeys(SESSIONS, Plan()))
    part: Part | None = None
    decoys: tuple[int, ...] = ()
    wishes: tuple[Wish, ...] = ()


@dataclass(frozen=True, eq=False)
class Scene:
    """An input (3, H, W) with its true segments, the parts that words can name in it, and its pairs."""

    kind: str
    image: torch.Tensor
    segments: tuple[Segment, ...]
    parts: tuple[Part, ...]
    pairs: tuple[Pair, ...]


class LocalPairs:
    """Makes the scenes of one photo.

    `dropped` counts {(kind of the pair or scene, reason)} of drafts that were not good enough.
    """

    def __init__(self, photo: PanopticPhoto, cutouts: Callable[[np.random.Generator], Cutout | None],
                 absent: Sequence[str], rng: np.random.Generator, requests: int = 3) -> None:
        """Set the sources.

        Args:
            photo: the photo with its true segments; its values are multiples of 1/255.
            cutouts: a function rng -> Cutout of another photo, or None.
            absent: classes of things that an absent object may have; those of the photo are left out.
            rng: a numpy Generator; the same state gives the same scenes.
            requests: the number of sentences for each pair.
        """
        self.photo, self.cutouts, self.rng, self.requests = photo, cutouts, rng, requests
        self.seed = int(rng.integers(1 << 30))
        self.dropped: Counter = Counter()
        self._named: dict[int, tuple] = {}
        names = {segment.name for segment in (*photo.segments, *photo.crowds)}
        names |= {name for group in ALIKE if group & names for name in group}
        self.absent = sorted(set(absent) - names)

    def scenes(self, faults: int = 2) -> list[Scene]:
        """Return the scenes of the photo: up to `faults` with degraded regions, and one of each other kind."""
        drawn = [self.faults() for _ in range(faults)] + [self.retouches(), self.pasted()]
        return [scene for scene in drawn if scene is not None]

    # Scenes

    def faults(self) -> Scene | None:
        """Return a scene with degraded regions, or None if two of them cannot be degraded without a seam."""
        clean, count = self.photo.image, choose(self.rng, FAULTS)
        chosen: list[tuple[Part, Wish, Step]] = []
        for part in self._shuffled(self._parts(clean, self.photo.segments)):
            if len(chosen) == count:
                break
            if part.excludes or any(set(part.ids) & set(other.ids) for other, _, _ in chosen):
                continue
            if drawn := self._drawn(clean, part, LOCAL_EDITS, "restore", undo=True):
                chosen.append((part, *drawn))
        if len(chosen) < FAULTS[0]:
            return self._drop("faults scene", "fewer than two regions can be degraded")
        image = _rounded(execute(Plan(tuple(step for _, _, step in chosen)), clean))
        named = {part.ids: part for part in self._parts(image, self.photo.segments) if not part.excludes}
        pairs = []
        for at, (part, wish, _) in enumerate(chosen):
            if part.ids not in named:   # such as a red car that has lost its colour
                self._drop("restore", "its words are not unique any more")
                continue
            others = [step for place, (_, _, step) in enumerate(chosen) if place != at]
            target = _rounded(execute(Plan(tuple(others)), clean))
            decoys = tuple(index for place, (other, _, _) in enumerate(chosen) if place != at for index in other.ids)
            pairs += self._pair("restore", [(wish, None)], [image, target], named[part.ids], decoys)
        return self._scene("faults", image, self.photo.segments, pairs)

    def retouches(self) -> Scene | None:
        """Return a scene whose input is the photo: retouched regions, a white background, a local and a global edit."""
        image, pairs, seen = self.photo.image, [], set()
        parts = self._parts(image, self.photo.segments)
        for part in self._shuffled(parts)[:6]:
            if len(pairs) == 4 or (part.ids in seen and not part.excludes):
                continue
            if drawn := self._drawn(image, part, RETOUCHES, "retouch"):
                target = _rounded(execute(Plan((drawn[1],)), image))
                pairs += self._pair("retouch", [drawn], [image, target], part)
                seen.add(part.ids)
        pairs += self._mixed(image, parts) + self._white(image, parts)
        return self._scene("photo", image, self.photo.segments, pairs)

    def pasted(self) -> Scene | None:
        """Return a scene with pasted things, or None if fewer than two fit."""
        segments = self.photo.segments
        free = np.zeros(self.photo.image.shape[-2:], bool)
        for segment in segments:
            if not segment.thing:
                free |= segment.mask > 0.5
        layers: list = []
        image = self.photo.image
        for _ in range(DONORS):
            thing = self.cutouts(self.rng)
            if thing is None or thing.name in [layer.name for layer in layers]:
                continue
            if (layer := paste(image, free, thing, self.rng)) is None:
                continue
            layers.append(layer)
            image, free = layer.image, free & ~layer.covered
            if len(layers) == THINGS:
                break
        if len(layers) < THINGS:
            return self._drop("pasted scene", "fewer than two things fit without a seam")
        image, covered = _rounded(image), np.any([layer.covered for layer in layers], axis=0)
        left = [Segment(segment.name, segment.mask * ~covered, 1.0, "truth", segment.thing) for segment in segments]
        added = [Segment(layer.name, np.float32(layer.covered), 1.0, "truth", True) for layer in layers]
        both = [segment for segment in (*left, *added) if segment.mask.any()]
        first = len(both) - len(layers)
        parts, pairs = self._parts(image, both), []
        for at, layer in enumerate(layers):
            part = next((part for part in parts if part.ids == (first + at,) and not part.excludes), None)
            if part is None:
                self._drop("removal", "no unique words for the thing")
                continue
            target = torch.where(torch.from_numpy(layer.covered), self.photo.image, image)
            plan = Plan((Step.make("inpaint_obj", (), Mask.from_array(layer.covered, region=part.words[0])),))
            pairs.append(Pair("removal", target, self._said([Wish("removal")], part),
                              {"inpaint_obj": part.annotation}, dict.fromkeys(SESSIONS, plan), part,
                              tuple(first + other for other in range(len(layers)) if other != at),
                              (Wish("removal"),)))
        return self._scene("pasted", image, tuple(both), pairs)

    def _scene(self, kind, image, segments, pairs):
        """Return a Scene with one more pair that changes nothing; None without a pair that changes something."""
        if not pairs:
            return self._drop(f"{kind} scene", "no pair is good enough")
        return Scene(kind, image, tuple(segments), tuple(self._parts(image, segments)),
                     (*pairs, self._nothing(image, segments, removal=kind == "pasted")))

    # Pairs

    def _pair(self, kind, drawn, images, part, decoys=()):
        """Return a list of the Pair of drawn (wish, step) and the pictures between them, or of none."""
        plans = {}
        for session in SESSIONS:
            if plan := plan_of(session, drawn, images, part):
                plans[session] = plan
        if not plans:
            self._drop(kind, "no plan makes the target")
            return []
        *whole, last = (EDITS[wish.direction].op for wish, _ in drawn)
        operators = {op: {"local": False, "ids": []} for op in whole} | {last: part.annotation}
        wishes = [wish for wish, _ in drawn]
        return [Pair(kind, images[-1], self._said(wishes, part), operators, plans, part, decoys, tuple(wishes))]

    def _mixed(self, image, parts):
        """Return a list of the pair of a global and a local edit, or of none."""
        for part in self._shuffled(parts)[:4]:
            whole = self._drawn(image, None, LOCAL_EDITS, "mixed")
            if whole is None:
                continue
            between = _rounded(execute(Plan((whole[1],)), image))
            others = [edit for edit in LOCAL_EDITS if edit[0] != whole[0].attribute]
            if drawn := self._drawn(between, part, others, "mixed"):
                target = _rounded(execute(Plan((drawn[1],)), between))
                if found := self._pair("mixed", [whole, drawn], [image, between, target], part):
                    return found
        return []

    def _white(self, image, parts):
        """Return a list of the pair with a white background, if the photo has a main subject, or of none."""
        part = next((part for part in parts if part.words[0] == "the background"), None)
        if part is None:
            self._drop("white background", "no main subject")
            return []
        subject = next((one for one in parts if one.ids == part.ids and not one.excludes), None)
        plan = Plan((Step.make("color_bg", (), part.mask),))
        wishes = (Wish("background"),)
        said = self._said(wishes, part, lambda wishes, words, rng: (
            say(wishes, words, rng) if subject is None or rng.random() < 0.6 else
            ask(CUT_OUT, rng, choose(rng, subject.words))))
        return [Pair("white background", _rounded(execute(plan, image)), said, {"color_bg": part.annotation},
                     dict.fromkeys(SESSIONS, plan), part, wishes=wishes)]

    def _nothing(self, image, segments, removal):
        """Return a pair without a change: the request names a thing that is absent, or asks to keep a part."""
        if self.absent and self.rng.random() < 0.67:
            name = choose(self.rng, self.absent)
            noun = choose(self.rng, NOUNS.get(name, (name,)))
            part = Part((f"the {noun}",), ("class",), name, (), np.zeros(image.shape[-2:], bool))
            wish = Wish("removal") if removal else Wish(*choose(self.rng, LOCAL_EDITS))
            return Pair("absent", image, self._said([wish], part), part=part, wishes=(wish,))
        parts = [part for part in self._parts(image, segments) if not part.excludes]
        part = choose(self.rng, parts) if parts else Part(("the photo",), ("class",), "photo", (), None)
        wish = Wish("unchanged")
        return Pair("unchanged", image, self._said([wish], part), part=part, wishes=(wish,))

    def _said(self, wishes, part, say=say):
        """Return different sentences for wishes and the words of a part, by `say` of local_sentences or another."""
        found, turn = {}, int(self.rng.integers(100))
        for attempt in range(4 * self.requests):
            found[say(wishes, part.words[(turn + attempt) % len(part.words)], self.rng)] = True
            if len(found) == self.requests:
                break
        return tuple(found)

    # Drawing

    def _drawn(self, image, part, directions, kind, undo=False):
        """Return (Wish, Step) of an edit of a part that is visible and leaves no seam, or None.

        With `undo`, the step does the opposite of the wish, so the wish restores the picture. Without a part, the
        edit is of the whole picture.
        """
        why = "no direction fits"
        for _ in range(ATTEMPTS):
            direction = choose(self.rng, directions)
            table = (EDITS, panel_edits())[self.rng.integers(2)]
            done = OPPOSITES[direction] if undo else direction
            edit = table[done if done in table else direction]
            rank = int(np.searchsorted(np.cumsum(DEGREES), self.rng.random(), side="right"))
            strength = self.rng.uniform(edit.strengths[rank], edit.strengths[rank + 1])
            step = Step.make(edit.op, edit.params(strength, image[None]), None if part is None else part.mask)
            wish = Wish(*direction, LEVELS[rank])
            after = _rounded(execute(Plan((step,)), image))
            before, shown = (after, image) if undo else (image, after)
            inside = ... if part is None else (slice(None), torch.from_numpy(part.inside))
            if (after - image).abs()[inside].mean() < LEAST_CHANGE or not are_good(step, image[None], after[None])[0]:
                why = "the edit is not visible, or clips"
            elif not _moves(before, shown, part, wish):
                why = "the attribute does not move visibly"
            elif part is not None and not is_seamless(after, image, part.inside):
                why = "it leaves a seam"
            else:
                return wish, step
        return self._drop(kind, why)

    def _parts(self, image, segments):
        """Return the parts of a picture whose size suits an edit; the same object for the same picture."""
        if id(image) not in self._named:
            found = [part for part in parts_of(segments, image, self.photo.crowds, self.seed) if _fits(part)]
            self._named[id(image)] = image, found   # the picture is kept, so that its id stays its own
        return self._named[id(image)][1]

    def _shuffled(self, parts):
        return [parts[index] for index in self.rng.permutation(len(parts))]

    def _drop(self, kind, reason):
        self.dropped[kind, reason] += 1


def plan_of(session: int, drawn: Sequence[tuple[Wish, Step | None]], images: Sequence[torch.Tensor],
            part: Part) -> Plan | None:
    """Return the plan with a vocabulary's operators that leads through pictures, or None if it stays far from them.

    Args:
        session: the number of the operator vocabulary.
        drawn: for each step its wish, and the step if it is known; steps of other vocabularies are fitted.
        images: (3, H, W) each, one more than the steps.
        part: limits the last step; the others are global.
    """
    steps = []
    for at, ((wish, step), before, after) in enumerate(zip(drawn, images[:-1], images[1:], strict=True)):
        local = at == len(drawn) - 1
        if step is None or step.op not in OPERATORS[session]:
            stride = max(1, max(before.shape[-2:]) // FITTED_SIDE)
            x, y = (picture[None, :, ::stride, ::stride] for picture in (before, after))
            valid = torch.from_numpy(part.inside[::stride, ::stride] | (not local))
            if not valid.any():
                return None
            op = EDITS[wish.direction].op if session == SESSIONS[0] else PANEL_OPS.get(
                wish.attribute, panel_edits()[wish.direction].op)
            step = Step.make(op, fit(get_operator(op), x, y, valid)[0], part.mask if local else None)
        steps.append(step)
    left = (execute(Plan(tuple(steps)), images[0]) - images[-1]).abs().mean()
    return Plan(tuple(steps)) if left <= MOST_LEFT * (images[0] - images[-1]).abs().mean() else None


def _fits(part):
    """Return whether the size of a part suits an edit."""
    low, high = AREAS_BUT if part.excludes else AREAS
    return low <= part.share <= high


def _moves(before, after, part, wish):
    """Return whether the wish's attribute moves visibly in its direction, inside a part or in the whole picture."""
    if part is not None:
        inside = torch.from_numpy(np.float32(part.inside))
        before, after = filled(before, inside), filled(after, inside)
    measure = MEASURES[wish.attribute]
    return wish.sign * (measure.of(after[None]) - measure.of(before[None])).item() >= measure.visible


def _rounded(image):
    """Return a picture (3, H, W) as an 8-bit file holds it."""
    return to_tensor(to_uint8(image))
