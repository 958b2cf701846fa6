"""Editing one photo with a method: what every method under test is, and the planner as one."""
from dataclasses import dataclass, field

import numpy as np
import torch

from core.datasets import WordVocab, squash, tokenize
from core.engine.checkpoints import load_checkpoint
from core.files import UserError
from core.models.planner import Planner
from core.operators import Plan, execute, trace

THUMBNAIL = 128   # pixels: what the network sees of a photo, in training and after


@dataclass
class Edited:
    """What a method makes of a photo: the result (3, H, W), the plan if it has one, and what it attended to."""

    image: torch.Tensor
    plan: Plan | None = None
    words: list[str] = field(default_factory=list)
    attention: np.ndarray | None = None   # (steps, words)


class PlannerMethod:
    """A trained planner as a method: (photo, request) -> Edited. It sees a thumbnail; the plan runs on the photo."""

    def __init__(self, planner, device="cpu"):
        self.planner = planner.to(device).eval()
        self.vocab = WordVocab(planner.config.words)
        self.device = device

    @classmethod
    def load(cls, path, experiment=None, device="cpu"):
        """Rebuild the planner of a checkpoint. Raises UserError."""
        state = load_checkpoint(path, experiment)
        try:
            return cls(Planner.from_checkpoint(state["model"], str(path)), device)
        except KeyError:
            raise UserError(f"{path}: a checkpoint of experiment {state['experiment']!r}, which holds no planner; "
                            f"give one of core/train_seq2seqL1.py") from None

    @torch.no_grad()
    def plans(self, image, requests):
        """Plan several requests for one photo (3, H, W) in [0, 1]; return Edited without images, one per request."""
        pixels = np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())
        small = torch.from_numpy(squash(pixels, THUMBNAIL)).permute(2, 0, 1).to(self.device)
        ids = torch.tensor([self.vocab.encode(request) for request in requests], device=self.device)
        unrolled = self.planner(small.expand(len(ids), -1, -1, -1), ids)
        return [self._edited(unrolled, index, request) for index, request in enumerate(requests)]

    def _edited(self, unrolled, index, request):
        plan, steps = unrolled.plan(self.planner.vocab, index)
        words = tokenize(request)[:unrolled.attention.shape[-1] - 2]
        weights = unrolled.attention[index, steps][:, 1:len(words) + 1].cpu().numpy()   # without <START>
        return Edited(None, plan, words, weights if self.planner.config.use_attention else None)

    def __call__(self, image, request):
        edited, = self.plans(image, [request])
        edited.image = execute(edited.plan, image)
        return edited


class PlanMethod:
    """A fixed plan, or one plan for each pair by name, as a method: for references such as the mean edit."""

    def __init__(self, plan_of):
        self.plan_of = plan_of

    def __call__(self, image, request, name=None):
        plan = self.plan_of(name)
        return Edited(execute(plan, image), plan)


def to_uint8(image):
    """Turn (3, H, W) in [0, 1] into a uint8 (H, W, 3) array, rounded to nearest."""
    return (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def as_result(name, request, image, edited, target=None, metrics=None):
    """Return what a result page shows of one edit: plain values, pictures as uint8 arrays."""
    steps = []
    if edited.plan is not None:
        steps = [{"op": step.op, "params": list(step.params), "image": to_uint8(after)}
                 for step, after in zip(edited.plan, trace(edited.plan, image), strict=True)]
    return {"name": name, "request": request, "input": to_uint8(image), "steps": steps,
            "output": to_uint8(edited.image), "target": None if target is None else to_uint8(target),
            "words": edited.words or None, "attention": edited.attention, "metrics": metrics or {}}
