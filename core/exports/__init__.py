"""A plan in the formats of other programs, each with its measured colour difference to executing the plan.

    from core.exports import export
    report = export(plan, "look.cube", photo.pixels)      # or .png (Hald CLUT), .xmp, .pp3, .json
    print(report)                                         # look.cube: CIEDE2000 to the plan: mean 0.12, maximum 1.31
"""
from core.exports.formats import EXPORT_SUFFIXES, LUT_SIZES
from core.lazy import lazily

__all__ = ["EXPORT_SUFFIXES", "HALD_LEVELS", "LUT_SIZES", "Lut", "Report", "apply_cube", "check_export",
           "colour_difference", "export", "holds", "read_cube", "read_hald", "sample"]

__getattr__ = lazily(__name__, {   # these need PyTorch
    **dict.fromkeys(("colour_difference", "sample"), "core.exports.difference"),
    **dict.fromkeys(("Report", "check_export", "export", "holds"), "core.exports.exporting"),
    **dict.fromkeys(("HALD_LEVELS", "Lut", "apply_cube", "read_cube", "read_hald"), "core.exports.lut")})
