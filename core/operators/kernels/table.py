"""The table of kernels: a row for each operator that has one. To add a kernel, add a function and a row.

A row is a `Kernel`, or, for a step that moves pixels or fills a hole, a function that makes a new source of pixels, see
`sources`. A kernel edits a tile of a picture in place: `function(old, rows, maps, params, place)`.

- `rows`, float32 (3, n), are the pixels of the tile, row after row, in [0, 1]; the result need not be clipped.
- `old` are the pixels before the step if the kernel has a reach; otherwise it may be `rows`.
- `maps`, float32 (C, n), are the kernel's maps of the whole picture, enlarged to the tile.
- `params`, float32 (m,), are the constants of the step that `prepare` returned.
- `place` is (top, left, width) of the tile, then (height, width) of the picture.

Compiled functions allocate no memory, see `compiled`. A kernel that needs some is a function of Python that allocates
it and calls a compiled one.
"""
from collections.abc import Callable
from dataclasses import dataclass

from core.operators import constants
from core.operators.kernels import colours, detail, light, sources


@dataclass(frozen=True)
class Kernel:
    """One row.

    Args:
        function: the kernel, see above.
        prepare: a function of a step's parameters (float64) and the picture before the step, see `runs.Picture`, that
            returns the constants of the step, and its maps (C, h, w) of any size or None.
        reach: pixels around a tile that the kernel reads, or a function of the parameters and the picture.
    """

    function: Callable
    prepare: Callable = lambda params, picture: (params, None)
    reach: int | Callable = 0


def _constants(function, make):
    """Return the row of a point-wise kernel whose constants are made of the parameters."""
    return Kernel(function, lambda params, picture: (make(params), None))


def _based(function, make, share, variance):
    """Return the row of a kernel that needs the base layer of the luma."""
    return Kernel(function, lambda params, picture: (make(params), detail.base_maps(picture, share, variance)))


def _zone(stops, which):
    return _based(light.zone, lambda p: [stops * p[0], which], constants.BASE, constants.BASE_VARIANCE)


KERNELS: dict[str, Kernel | Callable] = {
    "brightness": Kernel(light.brightness),
    "contrast": Kernel(light.contrast),
    "saturation": Kernel(light.saturation),
    "hue": _constants(light.curves, lambda p: light.bends(p.reshape(3, 8))),
    "tint": _constants(light.curves, lambda p: light.bends(p.reshape(1, 8))),
    "sharpness": Kernel(light.sharpness, reach=1),
    "inpaint_obj": sources.Filled,
    "color_bg": Kernel(light.white),
    "exposure": _constants(light.scaled, lambda p: [2 ** p[0], 0]),
    "black&white": Kernel(light.black_and_white),
    "exposure_soft": Kernel(light.exposure_soft),
    "white_balance": _constants(colours.white_balance, colours.adaptation),
    "highlights": _zone(0.8, 0),
    "shadows": _zone(2.0, 1),
    "whites": _zone(0.6, 2),
    "blacks": _based(light.blacks, lambda p: p, constants.BASE, constants.BASE_VARIANCE),
    "contrast_pivot": Kernel(light.contrast_pivot),
    "vibrance": _constants(colours.saturated, lambda p: [p[0], 1]),
    "chroma": _constants(colours.saturated, lambda p: [p[0], 0]),
    "hsl": _constants(colours.hsl, colours.mixer),
    "colour_grading": _constants(colours.colour_grading, colours.zones),
    "tone_curve_smooth": _constants(light.spline_curves, lambda p: light.splines(p[None])),
    "channel_curves": _constants(light.spline_curves, lambda p: light.splines(p.reshape(3, -1))),
    "clarity": _based(detail.local_contrast, lambda p: p, 0.02, 0.02),
    "texture": _based(detail.local_contrast, lambda p: p, 0.005, 0.02),
    "dehaze": Kernel(detail.dehaze, detail.haze),
    "sharpen_scaled": Kernel(detail.sharpen_scaled, detail.softened, detail.reach_of_sharpening),
    "denoise": Kernel(detail.denoise, detail.noise_maps),
    "vignette": Kernel(light.vignette),
    "fade": Kernel(light.fade),
    "grain": Kernel(detail.grain, detail.grains),
    "black_and_white": _constants(colours.black_and_white_bands, colours.mixer_of_greys),
    "sepia": Kernel(light.sepia),
    "gaussian_blur": Kernel(detail.replaced, detail.soft_picture),
    "radial_blur": Kernel(detail.replaced, detail.turned_picture),
    "edge": Kernel(detail.edge, reach=1),
    "facet_blur": Kernel(detail.facet_blur, detail.facets, detail.reach_of_facets),
    "lightness": _constants(light.scaled, lambda p: [1 - abs(p[0]), max(p[0], 0)]),
    "rotate": sources.rotated,
    "flip": sources.flipped,
    "crop": sources.Cropped,
}
