"""The operator table. An operator is one function and one row of TABLE; everything else follows from the row.

PyTorch is imported when a function or tensor of a row is first used, because reading a plan needs neither.
"""
import importlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.files import UserError
from core.operators.constants import BANDS, CURVE_STEPS

if TYPE_CHECKING:
    import torch

NONE, START, END, UNK = "<NONE>", "<START>", "<END>", "<UNK>"
MAX_STEPS = 5   # the longest plan of a planner: its `ops` are START, up to MAX_STEPS operations, END


@dataclass(frozen=True)
class Param:
    """One parameter of an operator: its bounds, and the neutral value, at which it changes no image.

    A parameter without an `effect` of its own, such as the radius of a sharpening, shapes the effect of the others;
    its `neutral` is only its usual value.
    """

    name: str
    low: float
    high: float
    neutral: float = 0.0
    effect: bool = True


@dataclass(frozen=True)
class Operator:
    """One row: a named, parameterised edit; `source` is its function, or the place of it, "module.name".

    `structure` tells a planner how to fit the parameters: "linear" (the result is linear in p before clipping),
    "scalar" (one number), "curve" (tone-curve weights), "smooth" (any differentiable function of its parameters),
    "fixed" (not fitted). `title` is the name for people, see `label`. `version` is the first plan version that has the
    operator. `curves` is the number of tone curves that the parameters describe: 1 for all channels, 3 for R, G and B.
    The function of a `local` operator takes (image, mask), so the operator needs a mask.
    `radius` is the number of pixels around a pixel that affect its result: 0 is point-wise, None the whole image.
    The function of an operator that `inpaints` also takes the name of an inpainter, see `inpaint.INPAINTERS`.
    The result of an operator that `resizes` may have another height and width, so the operator takes no mask.
    """

    name: str
    source: str | Callable
    about: str
    structure: str
    params: tuple[Param, ...] = ()
    radius: int | None = 0
    local: bool = False
    inpaints: bool = False
    resizes: bool = False
    title: str = ""
    curves: int = 0
    version: int = 1
    aliases: tuple[str, ...] = ()

    @cached_property
    def function(self) -> "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]":
        """The PyTorch function that defines the edit."""
        if callable(self.source):
            return self.source
        module, name = self.source.split(".")
        return getattr(importlib.import_module(f"core.operators.{module}"), name)

    @property
    def label(self) -> str:
        """The name for people, on pages and in documents; no other operator has it."""
        return self.title or self.name.replace("_", " ").capitalize()

    @property
    def n_params(self) -> int:
        """The number of parameters."""
        return len(self.params)

    @cached_property
    def low(self) -> "torch.Tensor":
        """The lower bounds (n,), float64."""
        return _tensor([param.low for param in self.params])

    @cached_property
    def high(self) -> "torch.Tensor":
        """The upper bounds (n,), float64."""
        return _tensor([param.high for param in self.params])

    @cached_property
    def neutral(self) -> "torch.Tensor":
        """The neutral values (n,), float64."""
        return _tensor([param.neutral for param in self.params])

    @cached_property
    def effect(self) -> "torch.Tensor":
        """Bool (n,): the parameters that have an effect of their own."""
        return _tensor([param.effect for param in self.params]).bool()

    @property
    def plannable(self) -> bool:
        """Whether a planner can use the operator: it needs no mask and keeps the size."""
        return not self.local and not self.resizes

    def is_neutral(self, params: "torch.Tensor") -> "torch.Tensor":
        """Return bool (...): whether `params` (..., n) change no image; never for an operator without parameters."""
        unmoved = (params == self.neutral.to(params)) | ~self.effect.to(params.device)
        return unmoved.all(-1) & bool(self.params)

    def canonical(self, params: np.ndarray) -> np.ndarray:
        """Return parameters (n,) as `normalise` does, rounded to float32, which the executor works in; float64."""
        if self.structure == "curve":
            weights = np.maximum(params, 0).reshape(-1, CURVE_STEPS)
            peak = weights.max(1, keepdims=True)
            weights = np.where(peak < np.finfo(float).tiny, 1, weights / np.where(peak < np.finfo(float).tiny, 1, peak))
            params = (weights / weights.mean(1, keepdims=True)).ravel()
        low, high = ([getattr(row, end) for row in self.params] for end in ("low", "high"))
        rounded = np.clip(params, low, high).astype(np.float32).astype(float)
        return np.clip(rounded, low, high)   # rounding may cross a bound

    def normalise(self, params: "torch.Tensor") -> "torch.Tensor":
        """Return `params` (..., n) in canonical form: inside the bounds, each tone curve with mean 1."""
        if self.structure == "curve":
            weights = params.clamp_min(0).unflatten(-1, (-1, CURVE_STEPS))
            peak = weights.amax(-1, keepdim=True)
            import torch
            absent = peak < torch.finfo(peak.dtype).tiny   # all weights are 0: use the identity curve
            weights = weights.masked_fill(absent, 1) / peak.masked_fill(absent, 1)   # avoids overflow of the mean
            return (weights / weights.mean(-1, keepdim=True)).flatten(-2)
        return params.clamp(self.low.to(params), self.high.to(params))

    def squash(self, raw: "torch.Tensor") -> "torch.Tensor":
        """Map unbounded network outputs (..., n) smoothly into the bounds; 0 maps to (nearly) neutral."""
        import torch
        import torch.nn.functional as F
        if self.structure == "curve":
            shift = math.log(math.e - 1)  # softplus(shift) = 1
            return self.normalise(F.softplus(raw + shift))
        share = ((self.neutral - self.low) / (self.high - self.low)).clamp(0.05, 0.95)
        low, reach, shift = (part.to(raw) for part in (self.low, self.high - self.low, (share / (1 - share)).log()))
        return self.normalise(low + reach * torch.sigmoid(raw + shift))   # rounding may cross a bound


def _tensor(values):
    import torch
    return torch.tensor(values, dtype=torch.float64)


def _curve(name, function, about, channels, **others):
    """Return a tone-curve row. Weights are >= 0; their canonical mean is 1, so no weight exceeds CURVE_STEPS."""
    weights = (Param(f"{channel}{step}", 0.0, float(CURVE_STEPS), 1.0)
               for channel in channels for step in range(1, CURVE_STEPS + 1))
    return Operator(name, function, about, "curve", tuple(weights), curves=len(channels), **others)


def _amount(low, high, name="amount"):
    """Return the parameters of an operator with one number, neutral at 0."""
    return (Param(name, low, high),)


_ONE_TO_ONE, _SHARE = _amount(-1, 1), _amount(0, 1)
_BANDS = tuple(Param(f"{band} {part}", -1, 1) for part in ("hue", "chroma", "light") for band in BANDS)
_ZONES = tuple(Param(f"{zone} {part}", low, 1, effect=part != "hue") for zone in ("shadows", "midtones", "highlights")
               for part, low in (("hue", 0), ("strength", 0), ("light", -1)))
_CHANNEL_KNOTS = tuple(Param(f"{channel} at {step / 8:g}", 0, 1, step / 8) for channel in ("red", "green", "blue")
                       for step in range(9))
_KNOTS = tuple(Param(f"at {height:g}", 0, 1, height) for height in (0, 0.25, 0.5, 0.75, 1))

_NOTEBOOK = (
    Operator("brightness", "functions.brightness", "scales the HSV value", "scalar", _amount(-1, 2)),
    Operator("contrast", "functions.contrast", "moves luminance towards an S-curve", "linear", _ONE_TO_ONE,
             title="Plain contrast"),
    Operator("saturation", "functions.saturation", "scales the HSV saturation", "scalar", _amount(-1, 1.5),
             title="Plain saturation"),
    _curve("hue", "functions.hue", "a tone curve for each channel", ("red ", "green ", "blue "),
           title="Plain colour curves", aliases=("color",)),
    _curve("tint", "functions.tint", "one tone curve for all channels", ("step ",), title="Plain tone curve",
           aliases=("tone",)),
    Operator("sharpness", "functions.sharpness", "adds the Laplacian; negative blurs", "linear", _amount(-0.2, 1.5),
             radius=1),
    Operator("inpaint_obj", "inpaint.inpaint_obj", "removes what the mask covers", "fixed", radius=None, local=True,
             inpaints=True, title="Remove", aliases=("inpaint",)),
    Operator("color_bg", "functions.color_bg", "paints the masked area white", "fixed", local=True, title="Paint white",
             aliases=("white",)),
    Operator("exposure", "functions.exposure", "scales by photographic stops", "scalar", _amount(-3.5, 3.5, "stops"),
             title="Plain exposure"),
    Operator("black&white", "functions.black_and_white", "mixes with the luminance", "linear", _SHARE,
             title="Plain black and white"),
)


def _panel(name, function, about, params, structure="smooth", **others):
    """Return a row of the develop panel, which plans of version 2 may have."""
    return Operator(name, function, about, structure, params, version=2, **others)


_PANEL = (
    _panel("exposure_soft", "light.exposure_soft", "scales linear light, with a soft shoulder", _amount(-3, 3, "stops"),
           title="Exposure"),
    _panel("white_balance", "colours.white_balance", "warmer or cooler, greener or more magenta",
           (Param("temperature", -6, 6), Param("green-magenta", -4, 4)), title="White balance"),
    _panel("highlights", "light.highlights", "lightens or darkens the light areas", _ONE_TO_ONE, radius=None),
    _panel("shadows", "light.shadows", "lightens or darkens the dark areas", _ONE_TO_ONE, radius=None),
    _panel("whites", "light.whites", "moves the white end", _ONE_TO_ONE, radius=None),
    _panel("blacks", "light.blacks", "moves the black end", _ONE_TO_ONE, radius=None),
    _panel("contrast_pivot", "light.contrast_pivot", "an S-curve about a pivot",
           (Param("amount", -1, 1.5), Param("pivot", 0.1, 0.9, 0.5, effect=False)), title="Contrast"),
    _panel("vibrance", "colours.vibrance", "strengthens weak colours, spares skin", _amount(-1, 2)),
    _panel("chroma", "colours.chroma", "strengthens or weakens all colours", _amount(-1, 2.5), title="Saturation"),
    _panel("hsl", "colours.hsl", "hue, chroma and light of eight colour bands", _BANDS, title="Colour mixer"),
    _panel("colour_grading", "colours.colour_grading", "tones shadows, midtones and highlights", _ZONES,
           title="Colour grading"),
    _panel("tone_curve_smooth", "light.tone_curve_smooth", "a smooth tone curve through five knots", _KNOTS,
           title="Tone curve", curves=1),
    _panel("channel_curves", "light.channel_curves", "a smooth tone curve for each channel", _CHANNEL_KNOTS,
           title="Colour curves", curves=3),
    _panel("clarity", "detail.clarity", "local contrast of areas", _amount(-1, 1.5), radius=None),
    _panel("texture", "detail.texture", "local contrast of fine structures", _amount(-1, 1.5), radius=None),
    _panel("dehaze", "detail.dehaze", "removes haze; negative adds haze", _ONE_TO_ONE, radius=None),
    _panel("sharpen_scaled", "detail.sharpen_scaled", "sharpens at a scale of the picture",
           (Param("amount", 0, 4), Param("radius", 0.0002, 0.01, 0.0015, effect=False)), radius=None,
           title="Sharpening"),
    _panel("denoise", "detail.denoise", "reduces noise", (Param("luminance", 0, 1), Param("colour", 0, 1)), radius=None,
           title="Noise reduction"),
    _panel("vignette", "effects.vignette", "lightens or darkens the corners",
           (Param("stops", -2, 2), Param("start", 0, 0.9, 0.3, effect=False)), radius=None),
    _panel("fade", "light.fade", "lifts the blacks like a faded print", _SHARE),
    _panel("grain", "effects.grain", "adds film grain",
           (Param("amount", 0, 1), Param("seed", 0, 65535, effect=False)), "fixed", radius=None),
    _panel("black_and_white", "colours.black_and_white_bands", "black and white by a mixer of eight bands",
           (Param("amount", 0, 1), *(Param(band, -1, 1, effect=False) for band in BANDS)),
           title="Black and white"),
    _panel("sepia", "colours.sepia", "mixes with a brown print", _SHARE),
    _panel("gaussian_blur", "detail.gaussian_blur", "blurs by a Gaussian", _amount(0, 0.03, "radius"), radius=None,
           title="Blur", aliases=("gaussain_blur",)),
    _panel("radial_blur", "effects.radial_blur", "blurs along circles", _amount(0, 30, "degrees"), "fixed", radius=None,
           title="Radial blur"),
    _panel("edge", "effects.edge", "draws the edges", _SHARE, radius=None, title="Edges"),
    _panel("facet_blur", "detail.facet_blur", "paints flat facets", _SHARE, "fixed", radius=None, title="Facets"),
    _panel("lightness", "light.lightness", "mixes with white or black", _ONE_TO_ONE),
    _panel("rotate", "geometry.rotate", "turns and straightens", _amount(-180, 180, "degrees"), "fixed", radius=None,
           resizes=True),
    _panel("flip", "geometry.flip", "mirrors", (Param("left-right", 0, 1), Param("top-bottom", 0, 1)), "fixed",
           radius=None, resizes=True),
    _panel("crop", "geometry.crop", "cuts off borders",
           tuple(Param(side, 0, 0.95) for side in ("left", "top", "right", "bottom")), "fixed", radius=None,
           resizes=True),
)

TABLE = {row.name: row for row in (*_NOTEBOOK, *_PANEL)}

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
    4: (NONE, START, END, *(row.name for row in _PANEL), "inpaint_obj", "color_bg"),
}


def find_operator(name: str) -> Operator | None:
    """Return the row of an operator by its name or alias, or None."""
    return TABLE.get(ALIASES.get(name, name)) if isinstance(name, str) else None


def get_operator(name: str) -> Operator:
    """Return the row of an operator by its name or alias. Raises UserError naming the known operators."""
    if row := find_operator(name):
        return row
    raise UserError(f"unknown operator {name!r}; known are: {', '.join(TABLE)}")


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
        return find_operator(self.names[index])

    @property
    def operators(self) -> list[tuple[int, Operator]]:
        """The (id, Operator) pairs that can be executed, in the order of their ids."""
        return [(index, row) for index, name in enumerate(self.names) if (row := find_operator(name))]

    @property
    def plannable(self) -> list[tuple[int, Operator]]:
        """The (id, Operator) pairs that a planner can use, in the order of their ids."""
        return [(index, operator) for index, operator in self.operators if operator.plannable]

    @property
    def max_params(self) -> int:
        """The largest number of parameters of an operator in this vocabulary, P_max."""
        return max(operator.n_params for _, operator in self.operators)
