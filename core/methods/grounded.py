"""Regions by a trained grounder: a finder whose network chooses among the segments that LDIE finds in a photo."""
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from core.datasets import PieceVocab, WordVocab
from core.datasets.features import looks, placed
from core.datasets.proposals import Proposals
from core.engine.checkpoints import load_checkpoint
from core.finding.choose import Choice, mask_of
from core.finding.finder import Finder, NotFound
from core.models.grounding import Grounder
from core.pretrained import efficientnet_lite0, minilm_folder
from core.regions.mask import Mask
from core.regions.segments import Segment
from core.requests.places import Place, read_place

NAMED = ("thing", "stuff", "unknown")   # kinds of places that the grounder chooses; the rules make the others
EXPERIMENT = "ground"


class GroundedFinder(Finder):
    """A Finder whose things and stuff are chosen by a grounder; tones, areas and the subject stay with the rules."""

    def __init__(self, photo: torch.Tensor, choose: Callable) -> None:
        """`choose` is a function of (photo, words, segments) that returns confidences (n,) and their threshold."""
        super().__init__(photo)
        self._choose = choose

    def find(self, place: Place | str) -> Segment:
        """Return the segment that a place means, as `Finder.find` does. Raises NotFound with a sentence."""
        place = read_place(place) if isinstance(place, str) else place
        segments = [] if place.kind not in NAMED else [one for one in self.segments() if one.name != "subject"]
        if place.kind not in NAMED or place.but or place.also:
            return super().find(place)
        if not segments:
            raise NotFound(f'no thing or stuff was found in the photo, so "{place.words}" was not found')
        confidence, threshold = self._choose(self.image, place.words, segments)
        chosen = [segment for segment, sure in zip(segments, confidence, strict=True) if sure >= threshold]
        if not chosen:
            raise NotFound(f'"{place.words}" was not found: the grounder is at most {confidence.max():.0%} sure')
        mask = mask_of(Choice(tuple(chosen)), *self.image.shape[-2:])
        return Segment(place.name, mask, float(confidence[confidence >= threshold].mean()), "grounder",
                       all(segment.thing for segment in chosen), place.words)


def load_finder(path: str | Path) -> Callable[[torch.Tensor], GroundedFinder]:
    """Return a function of a photo (3, H, W) that returns its GroundedFinder.

    `path` is a run folder of core/train_ground.py, or a checkpoint. Raises UserError if it cannot be used.
    """
    path = Path(path)
    path = path / "best.pt" if path.is_dir() else path
    saved = load_checkpoint(path, EXPERIMENT)["model"]
    pieces = saved.get("config", {}).get("lang_encoder") == "minilm"
    grounder = Grounder.from_checkpoint(saved, path, minilm=minilm_folder() if pieces else None).eval()
    vocab = PieceVocab() if pieces else WordVocab(grounder.config.words)
    network = efficientnet_lite0("--regions grounder")

    @torch.no_grad()
    def choose(photo, words, segments):
        names = tuple(segment.name for segment in segments)
        proposals = Proposals("", tuple(Mask.from_array(segment.mask) for segment in segments), names)
        features = looks(network, photo, proposals.arrays) | placed(proposals)
        batch = {name: torch.from_numpy(np.ascontiguousarray(value))[None] for name, value in features.items()} | {
            "request_ids": torch.tensor([vocab.encode(words)]), "operator": torch.zeros(1, dtype=torch.long),
            "class_ids": torch.tensor([vocab.encode(name) for name in names]),
            "classes": torch.arange(len(names))[None], "present": torch.ones(1, len(names), dtype=torch.bool)}
        return grounder(batch).confidence[0].numpy(), float(grounder.threshold)
    return lambda photo: GroundedFinder(photo, choose)
