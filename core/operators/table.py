"""The operator table. An operator is one function and one row of TABLE; everything else follows from the row."""
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from core.files import UserError
from core.operators import functions
from core.operators.functions import CURVE_STEPS
from core.operators.inpaint import inpaint_obj

NONE, START, END, UNK = "<NONE>", "<START>", "<END>", "<UNK>"
MAX_STEPS = 5   # the longest plan of a planner: its `ops` are START, up to MAX_STEPS operations, END


@dataclass(frozen=True)
class Operator:
    """One row: a named, parameterised edit.

    `structure` tells a planner how to fit the parameters: "linear" (the result is linear in p before clipping),
    "scalar" (one number), "curve" (tone-curve weights), "fixed" (no parameters).
    The function of a `local` operator takes (image, mask), so the operator needs a mask.
    `radius` is the number of pixels around a pixel that affect its result: 0 is point-wise, None the whole image.
    """

    name: str
    function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    about: str
    structure: str
    n_params: int = 1
    low: float = 0.0
    high: float = 0.0
    neutral: float = 0.0
    radius: int | None = 0
    local: bool = False
    aliases: tuple[str, ...] = ()

    def normalise(self, params: torch.Tensor) -> torch.Tensor:
        """Return `params` (..., n) in canonical form: inside the bounds, each tone curve with mean 1."""
        if self.structure == "curve":
            weights = params.clamp_min(0).unflatten(-1, (-1, CURVE_STEPS))
            peak = weights.amax(-1, keepdim=True)
            absent = peak < torch.finfo(peak.dtype).tiny   # all weights are 0: use the identity curve
            weights = weights.masked_fill(absent, 1) / peak.masked_fill(absent, 1)   # avoids overflow of the mean
            return (weights / weights.mean(-1, keepdim=True)).flatten(-2)
        return params.clamp(self.low, self.high)

    def squash(self, raw: torch.Tensor) -> torch.Tensor:
        """Map unbounded network outputs (..., n) smoothly into the bounds; 0 maps to (nearly) neutral."""
        if self.structure == "curve":
            shift = math.log(math.e - 1)  # softplus(shift) = 1
            return self.normalise(F.softplus(raw + shift))
        share = min(max((self.neutral - self.low) / (self.high - self.low), 0.05), 0.95)
        return self.low + (self.high - self.low) * torch.sigmoid(raw + math.log(share / (1 - share)))


def _curve(name, function, about, channels, alias):
    """Return a tone-curve row. Weights are >= 0; their canonical mean is 1, so no weight exceeds CURVE_STEPS."""
    return Operator(name, function, about, "curve", channels * CURVE_STEPS, 0.0, float(CURVE_STEPS), 1.0,
                    aliases=(alias,))


TABLE = {row.name: row for row in (
    Operator("brightness", functions.brightness, "scales the HSV value", "scalar", low=-1, high=2),
    Operator("contrast", functions.contrast, "moves luminance towards an S-curve", "linear", low=-1, high=1),
    Operator("saturation", functions.saturation, "scales the HSV saturation", "scalar", low=-1, high=1.5),
    _curve("hue", functions.hue, "a tone curve for each channel", 3, "color"),
    _curve("tint", functions.tint, "one tone curve for all channels", 1, "tone"),
    Operator("sharpness", functions.sharpness, "adds the Laplacian; negative blurs", "linear", low=-0.2, high=1.5,
             radius=1),
    Operator("inpaint_obj", inpaint_obj, "removes what the mask covers", "fixed", 0, radius=None, local=True,
             aliases=("inpaint",)),
    Operator("color_bg", functions.color_bg, "paints the masked area white", "fixed", 0, local=True,
             aliases=("white",)),
    Operator("exposure", functions.exposure, "scales by photographic stops", "scalar", low=-3.5, high=3.5),
    Operator("black&white", functions.black_and_white, "mixes with the luminance", "linear", low=0, high=1),
)}

ALIASES = {alias: row.name for row in TABLE.values() for alias in row.aliases}

# The published vocabularies by session; the order gives the ids. FiveK's session 1 and the synthetic session 0 have the
# vocabulary of session 3.
_SESSION_3 = (NONE, START, END, "brightness", "contrast", "saturation", "hue", "inpaint_obj", "tint", "sharpness",
              "color_bg")
SESSIONS = {
    0: _SESSION_3,
    1: _SESSION_3,
    2: (NONE, START, END, UNK, "brightness", "contrast", "hue", "saturation", "lightness", "tint", "inpaint_obj",
        "color_bg", "rotate", "flip", "rotate_obj", "flip_obj", "deform_obj", "crop", "gaussain_blur",
        "radial_blur", "sharpness", "denoise", "dehaze", "edge", "facet_blur", "exposure", "black&white"),
    3: _SESSION_3,
}


def get_operator(name: str) -> Operator:
    """Return the row of an operator by its name or alias. Raises UserError naming the known operators."""
    try:
        return TABLE[ALIASES.get(name, name)]
    except (KeyError, TypeError):
        raise UserError(f"unknown operator {name!r}; known are: {', '.join(TABLE)}") from None


class OperatorVocab:
    """The ids of a planner's output: an id is the place of a special token or an operator in `names`."""

    def __init__(self, names: Iterable[str] = _SESSION_3) -> None:
        self.names = tuple(names)
        self.ids = {name: index for index, name in enumerate(self.names)}
        missing = [token for token in (NONE, START, END) if token not in self.ids]
        if missing or len(self.ids) != len(self.names):
            raise UserError(f"operator vocabulary: {'missing ' + missing[0] if missing else 'a name stands twice'}")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Operator | None:
        """Return the operator of an id, or None for a special token and for a name that the table lacks."""
        return TABLE.get(self.names[index])

    @property
    def operators(self) -> list[tuple[int, Operator]]:
        """The (id, Operator) pairs that can be executed, in the order of their ids."""
        return [(index, TABLE[name]) for index, name in enumerate(self.names) if name in TABLE]

    @property
    def max_params(self) -> int:
        """The largest number of parameters of an operator in this vocabulary, P_max."""
        return max(operator.n_params for _, operator in self.operators)
