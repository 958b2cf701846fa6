"""Editing one photo: the result that every method returns, and the trained planner as a method."""
import functools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from core.datasets import PieceVocab, WordVocab, squash, to_uint8
from core.datasets.pieces import minilm_folder
from core.engine.checkpoints import load_checkpoint, tested_network
from core.files import UserError, naming
from core.models.planner import Planner
from core.models.vision import QuickResNet, blindness, has_bf16
from core.operators import Mask, Plan, execute, trace
from core.requests.saying import without_places
from core.threads import threads_for

THUMBNAIL = 128   # pixels: side of the square that the network sees, in training and after
DEMO = Path("output/synth_seq2seqL1_trial_100/best.pt")
SHIPPED = Path(__file__).parents[2] / "data/planner/small.pt"
NAMED = {None: SHIPPED, "shipped": SHIPPED, "demo": DEMO}


class Edited:
    """The edit of a photo by a method: the result, the plan if there is one, and the words with their attention.

    `notes` are sentences for the user. A plan is executed once, when its result (`image`) or its steps (`stages`) are
    first asked for.
    """

    notes: Sequence[str] = ()

    def __init__(self, photo: torch.Tensor, plan: Plan | None = None, words: Sequence[str] = (),
                 attention: np.ndarray | None = None, image: torch.Tensor | None = None) -> None:
        """Keep the edit of `photo` (3, H, W) in [0, 1]: its `plan`, or without a plan its result `image` (3, H, W).

        `attention` (steps, words) holds the weights of the words at each step, or None.
        """
        self.photo, self.plan, self.words, self.attention = photo, plan, list(words), attention
        self._image = image

    @functools.cached_property
    def stages(self) -> list[torch.Tensor]:
        """The pictures (3, H, W) after each step of the plan; an empty list without a plan."""
        pictures = [] if self.plan is None else list(trace(self.plan, self.photo))
        if pictures and self._image is None:
            self._image = pictures[-1]
        return pictures

    @property
    def image(self) -> torch.Tensor:
        """The result (3, H, W) in [0, 1]."""
        if self._image is None:
            self._image = execute(self.plan, self.photo)
        return self._image


class PlannerMethod:
    """A trained planner as a method: (photo, request) -> Edited. It sees a thumbnail; the plan runs on the photo."""

    def __init__(self, planner: Planner, device: str = "cpu") -> None:
        self.planner = planner.to(device).eval()
        self.weights = sum(weight.numel() for weight in planner.visual_encoder.parameters())   # measures the work
        config = planner.config
        self.vocab = PieceVocab() if config.lang_encoder == "minilm" else WordVocab(config.words, config.rare)
        self.device, self.path = device, None

    @property
    def unasked(self) -> float:
        """The price, where plans are mended, of a just visible step of an attribute that nobody mentioned."""
        return self.planner.config.unasked

    @property
    def operators(self) -> list[str]:
        """The names of the operators that the planner can choose."""
        return [operator.name for _, operator in self.planner.vocab.plannable]

    def quick(self) -> bool:
        """On a CPU, encode photos in bfloat16 from now on, if encoder and processor can; return whether they can."""
        can = self.planner.config.vis_encoder == "resnet18" and has_bf16()
        if can:
            self.planner.visual_encoder = QuickResNet(self.planner.visual_encoder)
        return can

    @classmethod
    def of(cls, path: Path | str | None = None) -> Self:
        """Load the planner of a run folder or checkpoint, of `make demo` ("demo"), or that ships ("shipped", None)."""
        path = NAMED[path] if path in NAMED else Path(path)
        path = path / "best.pt" if path.is_dir() else path
        return cls.load(path)

    @classmethod
    def load(cls, path: Path | str, experiment: str | None = None, device: str = "cpu") -> Self:
        """Rebuild the planner of a checkpoint. Raises UserError where the file holds no planner, or no valid one."""
        state = load_checkpoint(path, experiment)
        saved = tested_network(state)
        if "config" not in saved:
            raise UserError(f"{path}: a checkpoint of experiment {state['experiment']!r}, which holds no planner; "
                            f"give a checkpoint of core/train_seq2seqL1.py")
        config = Planner.read_config(saved, path)
        if not 0 <= config.unasked < math.inf:
            raise UserError(f"{path}: config.unasked is {config.unasked}, and a price is at least 0; take another "
                            f"checkpoint or train again")
        minilm = minilm_folder() if config.lang_encoder == "minilm" else None
        planner = Planner.from_checkpoint(saved, path, minilm=minilm)
        with naming(path):
            method = cls(planner, device)
        method.path = path
        if sentence := blindness(config.vis_encoder):
            print(f"{path}: {sentence}", file=sys.stderr)
        return method

    @torch.no_grad()
    def plans(self, image: torch.Tensor, requests: Sequence[str], mask: Mask | None = None) -> list[Edited]:
        """Plan several requests for one photo (3, H, W) in [0, 1]; return one Edited for each, not executed yet.

        A `mask` limits all steps: the planner sees its area only, and reads the requests without their places.
        """
        small, masks = thumbnail(image).to(self.device), None
        if mask is not None:
            requests = [without_places(request) for request in requests]
            masks = mask.tensor(*small.shape[-2:]).to(small).expand(len(requests), -1, -1, -1)
        ids = torch.tensor([self.vocab.encode(request) for request in requests], device=self.device)
        with threads_for(len(ids) * small.numel() + self.weights):
            unrolled = self.planner(small.expand(len(ids), -1, -1, -1), ids, masks=masks)
        return [self._edited(image, unrolled, index, request, mask) for index, request in enumerate(requests)]

    def _edited(self, image, unrolled, index, request, mask):
        with naming(self.path or "the planner"):   # finite weights may give infinite results
            plan, steps = unrolled.plan(self.planner.vocab, index, mask)
        words = self.vocab.read(request)
        weights = unrolled.attention[index, steps][:, 1:len(words) + 1].cpu().numpy()   # without <START>
        return Edited(image, plan, words, weights if self.planner.config.use_attention else None)

    def __call__(self, image: torch.Tensor, request: str) -> Edited:
        edited, = self.plans(image, [request])
        return edited


def thumbnail(image: torch.Tensor) -> torch.Tensor:
    """Return the thumbnail (3, THUMBNAIL, THUMBNAIL) of a photo (3, H, W), squashed to a square."""
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())
    return torch.from_numpy(squash(pixels, THUMBNAIL)).permute(2, 0, 1)


def as_result(name: str, request: str, edited: Edited, target: torch.Tensor | None = None,
              metrics: dict[str, float] | None = None) -> dict[str, Any]:
    """Return the entry of one edit on a result page: plain values, and pictures as uint8 arrays."""
    steps = []
    if edited.plan is not None:
        steps = [{"op": step.op, "params": list(step.params), "image": to_uint8(after)}
                 | ({} if step.mask is None else {"mask": step.mask.tensor(*after.shape[-2:])[0, 0].numpy()})
                 for step, after in zip(edited.plan, edited.stages, strict=True)]
    return {"name": name, "request": request, "input": to_uint8(edited.photo), "steps": steps,
            "output": to_uint8(edited.image), "target": None if target is None else to_uint8(target),
            "words": edited.words or None, "attention": edited.attention, "metrics": metrics or {}}
