"""Editing one photo with a method: what every method under test is, and the planner as one."""
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from core.datasets import PieceVocab, WordVocab, squash
from core.datasets.pieces import minilm_folder
from core.engine.checkpoints import load_checkpoint
from core.files import UserError, naming
from core.models.planner import Planner
from core.models.vision import QuickResNet, has_bf16
from core.operators import Plan, execute, trace

THUMBNAIL = 128   # pixels: what the network sees of a photo, in training and after
DEMO = Path("output/synth_seq2seqL1_trial_100/best.pt")
SHIPPED = Path(__file__).parents[2] / "data/planner/small.pt"


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
        self.vocab = PieceVocab() if planner.config.lang_encoder == "minilm" else WordVocab(planner.config.words)
        self.device, self.path = device, None

    def quick(self):
        """Look in bfloat16 from now on, where network and processor can; return whether they do. For a CPU."""
        can = self.planner.config.vis_encoder == "resnet18" and has_bf16()
        if can:
            self.planner.look = QuickResNet(self.planner.look)
        return can

    @classmethod
    def open(cls, path=None):
        """Open a run folder or a checkpoint; by default the planner of `make demo`, else the one that ships."""
        path = Path(path) if path else next(filter(Path.exists, (DEMO, SHIPPED)), DEMO)
        path = path / "best.pt" if path.is_dir() else path
        return cls.load(path)

    @classmethod
    def load(cls, path, experiment=None, device="cpu"):
        """Rebuild the planner of a checkpoint. Raises UserError."""
        state = load_checkpoint(path, experiment)
        if "config" not in state["model"]:
            raise UserError(f"{path}: a checkpoint of experiment {state['experiment']!r}, which holds no planner; "
                            f"give one of core/train_seq2seqL1.py")
        config = Planner.read_config(state["model"], path)
        minilm = minilm_folder() if config.lang_encoder == "minilm" else None
        planner = Planner.from_checkpoint(state["model"], path, minilm=minilm)
        with naming(path):
            method = cls(planner, device)
        method.path = path
        return method

    @torch.no_grad()
    def plans(self, image, requests):
        """Plan several requests for one photo (3, H, W) in [0, 1]; return Edited without images, one per request."""
        small = thumbnail(image).to(self.device)
        ids = torch.tensor([self.vocab.encode(request) for request in requests], device=self.device)
        unrolled = self.planner(small.expand(len(ids), -1, -1, -1), ids)
        return [self._edited(unrolled, index, request) for index, request in enumerate(requests)]

    def _edited(self, unrolled, index, request):
        with naming(self.path or "the planner"):   # weights may be finite, and what they give not
            plan, steps = unrolled.plan(self.planner.vocab, index)
        words = self.vocab.read(request)
        weights = unrolled.attention[index, steps][:, 1:len(words) + 1].cpu().numpy()   # without <START>
        return Edited(None, plan, words, weights if self.planner.config.use_attention else None)

    def __call__(self, image, request):
        edited, = self.plans(image, [request])
        edited.image = execute(edited.plan, image)
        return edited


def thumbnail(image):
    """Return what networks see of a photo (3, H, W): (3, THUMBNAIL, THUMBNAIL), squashed."""
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())
    return torch.from_numpy(squash(pixels, THUMBNAIL)).permute(2, 0, 1)


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
