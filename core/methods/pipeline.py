"""The whole pipeline as a method: trained planners that ground, the samples that teach them, and grounders."""
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from easydict import EasyDict

from core.datasets import PairDataset, WordVocab, get_source
from core.datasets.annotations import pair_name
from core.datasets.images import load_image, squash, to_tensor
from core.engine.checkpoints import load_checkpoint, tested_network
from core.engine.data import data_root, load_phase, read_phase
from core.files import UserError, naming, read_json
from core.finding.choose import choose, mask_of
from core.finding.finder import NotFound, finder_of
from core.methods.keywords import EFFECTS, LOCAL
from core.methods.planner import THUMBNAIL
from core.models.pipeline import Pipeline
from core.operators import Mask, OperatorVocab, Plan
from core.regions.classes import THINGS
from core.regions.segments import Segment
from core.requests.places import Place, read_place
from core.requests.reader import read_wishes
from core.synthesis.parts import main_subject, united
from core.synthesis.records import plans_of_set

ABSENT = "absent"   # kind of a pair whose request names a thing that is not there: the words alone cannot tell
Grounder = Callable[[str, str, str], np.ndarray | None]   # (photo, request, operator) -> mask (h, w), None: not found


def load_edits(options: Mapping, phase: str, vocab: WordVocab, operators: OperatorVocab,
               masks: str | None = "steps") -> tuple[PairDataset, dict[str, Plan]]:
    """Return (PairDataset of a phase with masks, {pair name: Plan}) of a set whose plans are known. Raises UserError.

    Requests keep their words for places, which say how many steps there are, and which of them is local. Pairs of the
    kind ABSENT are left out of training, because the grounder, not the words, tells that nothing is there.
    """
    root, reader = data_root(options), get_source(options.dataset).reader
    options = EasyDict(options | {"data_mode": options.data_mode or reader.every})
    plans = plans_of_set(root)
    if phase == "train":
        absent = {pair_name(entry) for entry in read_phase(options, phase)[1]
                  if entry.get("kind") == ABSENT}
        plans = {name: plan for name, plan in plans.items() if name not in absent}
    return load_phase(options, phase, vocab, plans=plans, plans_path=root, op_vocab=operators, size=THUMBNAIL,
                      cache=f"{options.output}/cache", masks=masks, places=True), plans


def load_pipeline(path: str | Path, experiment: str) -> tuple[Pipeline, WordVocab, Mapping]:
    """Return (a trained Pipeline in eval mode, its WordVocab, its training flags). Raises UserError."""
    state = load_checkpoint(path, experiment)
    network = Pipeline.from_checkpoint(tested_network(state), path).eval().requires_grad_(False)
    with naming(path):
        return network, WordVocab(network.config.words), state.get("options", {})


class TrueSegments:
    """A grounder that chooses among the true segments of a set in GIER's format, by LDIE's rules.

    The masks must carry the names of their classes, in the field `region`.
    """

    def __init__(self, root: str | Path) -> None:
        self.root, self._known = Path(root), {}

    def __call__(self, photo: str, request: str, operator: str) -> np.ndarray | None:
        place = place_of(request, operator)
        if place is None:
            return None
        if photo not in self._known:
            self._known = {photo: self._read(photo)}   # the samples of a photo follow each other
        segments, image = self._known[photo]
        choice = choose(place, segments, image)
        return mask_of(choice, *image.shape[-2:]) if choice.segments else None

    def _read(self, photo):
        path = self.root / "masks" / f"{Path(photo).stem}_mask.json"
        rows, image = read_json(path), to_tensor(load_image(self.root / "images" / photo))
        try:
            segments = [Segment(str(row.get("region", "")), Mask(tuple(row["size"]), row["counts"]).array().astype(
                np.float32), 1.0, "truth", row.get("region") in THINGS) for row in rows]
        except (TypeError, KeyError, ValueError, AttributeError, UserError) as error:
            raise UserError(f"{path}: not a list of masks ({type(error).__name__}: {error}); make the set again"
                            ) from None
        if not any(segment.name for segment in segments):
            raise UserError(f"{path}: its masks have no names of classes; make them by prepro/gen_proposals.py, or "
                            f"give --grounder finder")
        if subject := main_subject(segments):
            segments.append(Segment("subject", united(segments, subject).astype(np.float32), 1.0, "truth"))
        return segments, image


class FoundSegments:
    """A grounder that looks for the place in the photo by LDIE's finder: detector, rules and subject mask."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def __call__(self, photo: str, request: str, operator: str) -> np.ndarray | None:
        place = place_of(request, operator)
        if place is None:
            return None
        try:
            return finder_of(to_tensor(load_image(self.root / "images" / photo))).find(place).mask
        except NotFound:
            return None


GROUNDERS = {"segments": TrueSegments, "finder": FoundSegments}


def place_of(request: str, operator: str) -> Place | None:
    """Return the Place of the wish for an operator; without one, the Place of another wish; None without any.

    A white background without words for a place is at the background.
    """
    wishes = [wish for wish in read_wishes(request) if isinstance(wish.where, str)]
    wanted = [wish for wish in wishes if operator in (LOCAL.get(wish.attribute),
                                                      getattr(EFFECTS.get(wish.attribute), "op", None))]
    words = next((wish.where for wish in (*wanted, *wishes)), "the background" if operator == "color_bg" else None)
    return read_place(words) if words else None


def thumbnails_of(grounder: Grounder, photos: Sequence[str],
                  requests: Sequence[str]) -> Callable[[int, str], torch.Tensor | None]:
    """Return the callable (sample, operator) -> mask (1, THUMBNAIL, THUMBNAIL) or None that `Pipeline.decode` takes."""
    def ground(row, operator):
        mask = grounder(photos[row], requests[row], operator)
        return None if mask is None else torch.from_numpy(squash(np.float32(mask), THUMBNAIL)).float()[None]
    return ground
