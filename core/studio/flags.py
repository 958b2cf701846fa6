"""The flags of the scripts that write photos; reading them needs no library of numbers."""
from core.engine.options import number
from core.exports.formats import EXPORT_SUFFIXES, LUT_SIZES
from core.photo import SUBSAMPLINGS


def add_output_flags(parser):
    """Add the flags that change and export a plan and that control how photos are written; return the parser."""
    group = parser.add_argument_group("the plan")
    group.add_argument("--strength", type=number(float, 0), default=1.0, help="factor on the plan: 0.5 is "
                       "half way to neutral")
    group.add_argument("--set", action="append", default=[], metavar="OP=VALUES", help="set the parameters of an "
                       "operator, such as brightness=0.2 or shadows=0.4; the operator is added if the plan lacks it; "
                       "docs/operators.md lists all")
    group.add_argument("--drop", action="append", default=[], metavar="OP", help="leave an operator out")
    group.add_argument("--export", nargs="+", default=[], metavar="FILE", help="also export the plan as "
                       f"{' '.join(EXPORT_SUFFIXES)}, and measure the error of each file")
    group.add_argument("--lut_size", type=int, default=33, choices=LUT_SIZES, help="entries per side of a .cube")
    group.add_argument("--split", action="store_true", help="if a format cannot hold a step, export the steps before "
                       "this step and name the others, instead of refusing")
    group = parser.add_argument_group("photos")
    group.add_argument("--out", help="result file (or folder); by default beside the photo, with _edited in its name")
    group.add_argument("--transparent", action="store_true", help="make the parts that the plan paints white "
                       "(color_bg) transparent instead, in formats that hold transparency, such as PNG; a request for "
                       "a transparent background does this, too")
    group.add_argument("--size", type=number(int, 1), help="shrink to this long edge first; by default the photo's "
                       "own size")
    group.add_argument("--quality", type=number(int, 1, 100), default=95, help="quality of JPEG and WebP, 1 to 100; "
                       "WebP is lossless at 100")
    group.add_argument("--subsampling", default="4:4:4", choices=SUBSAMPLINGS, help="colour subsampling of a JPEG")
    group.add_argument("--overwrite", action="store_true", help="replace results that exist")
    group.add_argument("--max_megapixels", type=number(float, 0), default=200, help="refuse larger photos")
    group.add_argument("--max_decoded_mb", type=number(float, 0), default=1200, help="refuse photos that need more "
                       "when decoded: pixels x channels x bytes per sample")
    return parser
