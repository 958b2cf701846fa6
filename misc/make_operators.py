"""Write the entries of docs/operators.md and the pictures in docs/operators/ from the operator table.

An entry, between the lines `<!-- operators -->` and `<!-- end of operators -->`, has an operator's parameters with
their bounds, the formula from the docstring of its function, and a strip of pictures: the photo `astronaut` of
scikit-image (NASA, public domain), edited with several parameters.

  python misc/make_operators.py             # `make tables` does the same
  python misc/make_operators.py --check     # only compare the text with the table, and look for pictures (exit code 2)
"""
import inspect
import re
from itertools import groupby
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
import torch
from PIL import Image

from core.datasets import to_tensor, to_uint8
from core.engine.cli import run
from core.engine.options import Parser
from core.files import UserError, read_text, replacing, write_text
from core.operators import TABLE, Mask, Plan, Step, execute
from core.synthesis.photos import bundled

PAGE, PICTURES = "docs/operators.md", "docs/operators"
TILE, GAP, QUALITY = 120, 4, 62             # pixels of a tile's side and between tiles; quality of the JPEG
HOLE = (slice(350, 425), slice(130, 210))   # rows and columns of the mask, the badge, of operators that need one
FACE = (165, 60)                            # left and top of the close-ups, which show TILE x TILE pixels of the photo

# Operators whose effect is too fine for a reduced picture: their strips show a part of the photo in its own pixels.
CLOSE = ("sharpness", "texture", "sharpen_scaled", "denoise", "grain", "edge", "facet_blur")
NOISE = Plan((Step.make("grain", [0.7, 1]),))   # what the strip of `denoise` removes

EIGHTHS = [step / 8 for step in range(9)]
ORANGE_TEAL = {"shadows hue": 0.53, "shadows strength": 0.8, "highlights hue": 0.17, "highlights strength": 0.6}
# Parameters that differ from neutral in each picture of a strip. Other operators show the range of their parameters.
SHOWN = {
    "hue": [{}, {f"red {step}": 1.6 - 0.15 * step for step in range(1, 9)},
            {f"blue {step}": 1.6 - 0.15 * step for step in range(1, 9)}],
    "tint": [{}, {f"step {step}": 1.6 - 0.15 * step for step in range(1, 9)},
             {f"step {step}": 0.4 + 0.15 * step for step in range(1, 9)},
             {f"step {step}": 0.6 for step in (1, 2, 7, 8)}, {f"step {step}": 1.6 for step in (1, 2, 7, 8)}],
    "hsl": [{}, {"orange hue": 1}, {"orange chroma": -1}, {"red hue": -1, "blue chroma": 1}, {"orange light": 1}],
    "colour_grading": [{}, {"shadows hue": 0.72, "shadows strength": 1}, {"highlights hue": 0.2,
                       "highlights strength": 1}, ORANGE_TEAL, {"midtones light": -1}],
    "tone_curve_smooth": [{}, {"at 0.25": 0.15, "at 0.75": 0.88}, {"at 0.5": 0.65}, {"at 0.5": 0.35},
                          {"at 0": 0.15, "at 1": 0.9}],
    "channel_curves": [{}, {f"red at {x:g}": x**0.75 for x in EIGHTHS[1:8]},
                       {f"blue at {x:g}": x**0.75 for x in EIGHTHS[1:8]}],
    "denoise": [{}, {"luminance": 0.5}, {"luminance": 1}, {"colour": 1}, {"luminance": 1, "colour": 1}],
    "black_and_white": [{}, {"amount": 0.5}, {"amount": 1}, {"amount": 1, "orange": 1}, {"amount": 1, "orange": -1}],
    "rotate": [{}, {"degrees": 90}, {"degrees": 180}, {"degrees": 5}, {"degrees": -15}],
    "flip": [{}, {"left-right": 1}, {"top-bottom": 1}, {"left-right": 1, "top-bottom": 1}],
    "crop": [{}, {"left": 0.3, "top": 0.05, "right": 0.25, "bottom": 0.4}, {"bottom": 0.5}],
}

MARKED = re.compile(r"(<!-- operators -->\n).*(<!-- end of operators -->)", re.DOTALL)
GROUPS = {2: "The develop panel", 1: "The notebook's operators"}


def main():
    options = arguments().parse_args()
    root = Path(options.root)
    before = read_text(root / PAGE)
    text, marks = MARKED.subn(lambda match: match[1] + entries() + match[2], before)
    if marks != 1:
        raise UserError(f"{root / PAGE}: lacks the lines <!-- operators --> and <!-- end of operators -->; add them")
    if options.check:
        if text != before:
            raise UserError(f"{root / PAGE}: differs from the operator table; run `make tables`")
        if missing := [name for name in TABLE if not (root / PICTURES / f"{name}.jpg").is_file()]:
            raise UserError(f"{root / PICTURES}: has no picture of {', '.join(missing)}; run `make tables`")
    else:
        write_text(root / PAGE, text)
        for row in TABLE.values():
            with replacing(root / PICTURES / f"{row.name}.jpg") as file:
                strip(row).save(file, "JPEG", quality=QUALITY, optimize=True)
    print(f"{PAGE}: {len(TABLE)} operators")


def entries():
    """Return the entries of all operators, in groups that each begin with a table."""
    parts = []
    for version, title in GROUPS.items():
        rows = [row for row in TABLE.values() if row.version == version]
        lines = ["| operator | in plans | effect |", "|---|---|---|", *map(_line, rows)]
        parts += [f"## {title}", "\n".join(lines), *map(entry, rows)]
    return "\n\n".join(parts) + "\n"


def _line(row):
    return f"| [{row.label}](#{row.label.lower().replace(' ', '-')}) | `{row.name}` | {row.about} |"


def entry(row):
    """Return the entry of an operator in Markdown."""
    parts = [f"### {row.label}", f"{', '.join(facts(row))}.", formula(row)]
    if row.params:
        parts.append("\n".join(["| parameter | from | to | neutral |", "|---|---|---|---|", *parameter_lines(row)]))
    return "\n\n".join([*parts, f"![{row.label}]({Path(PICTURES).name}/{row.name}.jpg)",
                        f"*{captions(row)}*"])


def facts(row):
    """Return what a plan's author has to know about an operator: its names, its place in the code, its demands."""
    yield f"`{row.name}`" + "".join(f" (flags also take `{alias}`)" for alias in row.aliases)
    yield f"plan version {row.version}"
    yield "point-wise" if row.radius == 0 else "not point-wise"
    if row.local:
        yield "needs a mask"
    if row.resizes:
        yield "may change the size, so it takes no mask and no planner uses it"
    yield f"[code](../{row.function.__module__.replace('.', '/')}.py)"


def formula(row):
    """Return the docstring of an operator's function up to its example, each paragraph on one line."""
    text = inspect.getdoc(row.function).partition("Example:")[0].strip()
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def parameter_lines(row):
    """Return lines of a table; neighbouring parameters with the same bounds share a line."""
    for (low, high, effect), group in groupby(row.params, lambda param: (param.low, param.high, param.effect)):
        params = list(group)
        neutral = list(dict.fromkeys(f"{param.neutral:g}" for param in params))
        if len(neutral) > 1:
            neutral = [f"{param.neutral:g}" for param in params]
        yield (f"| {', '.join(param.name for param in params)} | {low:g} | {high:g} | "
               f"{', '.join(neutral)}{'' if effect else ' (usual)'} |")


def settings(row):
    """Return the parameters of each picture of a strip, as dicts {name: value} of those that are shown."""
    if row.name in SHOWN:
        return SHOWN[row.name]
    moving = [param for param in row.params if param.effect]
    if row.local:
        return [None, {}]
    if len(moving) == 1:
        param, = moving
        ends = (param.low, param.neutral, param.high) if param.low < param.neutral else (param.neutral, param.high)
        values = np.interp(np.linspace(0, len(ends) - 1, 5), range(len(ends)), ends)
        return [{param.name: float(value)} for value in values]
    return [{}, *({param.name: end} for param in moving[:2] for end in (param.low, param.high) if end != param.neutral)]


def captions(row):
    """Return the parameters of the pictures of a strip as text."""
    shown = settings(row)
    if row.name not in SHOWN and len(moved := {name for values in shown for name in values or {}}) == 1:
        return f"{moved.pop()} = {', '.join(f'{value:.3g}' for values in shown for value in values.values())}"
    return "; ".join(caption(row, values) for values in shown)


def caption(row, values):
    """Return the parameters of a picture as text; of many parameters, the first and the last."""
    if not values:
        original = "the photo with grain" if row.name == "denoise" else "the photo"
        return "with a mask" if row.local and values is not None else original
    texts = [f"{name} = {value:.3g}" for name, value in values.items()]
    return ", ".join(texts) if len(texts) <= 4 else f"{texts[0]} to {texts[-1]}"


def strip(row):
    """Return the pictures of an operator beside each other, as one Pillow image."""
    astronaut, = (photo for photo in bundled() if photo.name == "astronaut")
    image, steps = to_tensor(astronaut.load()), settings(row)
    if row.name == "denoise":
        image = execute(NOISE, image)
    sheet = Image.new("RGB", (len(steps) * (TILE + GAP) - GAP, TILE), "white")
    for place, values in enumerate(steps):
        picture = image if values is None else execute(Plan((step_of(row, values, image),)), image)
        tile = Image.fromarray(to_uint8(picture))
        if row.name in CLOSE:
            tile = tile.crop((*FACE, FACE[0] + TILE, FACE[1] + TILE))
        tile.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (place * (TILE + GAP) + (TILE - tile.width) // 2, (TILE - tile.height) // 2))
    return sheet


def step_of(row, values, image):
    """Return the step of an operator with these parameters, the others neutral, and a mask if it needs one."""
    if unknown := values.keys() - {param.name for param in row.params}:
        raise UserError(f"SHOWN in misc/make_operators.py: {row.name} has no parameter {min(unknown)!r}; mend it there")
    mask = None
    if row.local:
        hole = torch.zeros(image.shape[-2:])
        hole[HOLE] = 1
        mask = Mask.from_array(hole.numpy())
    return Step.make(row.name, [values.get(param.name, param.neutral) for param in row.params], mask)


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 2 if the text differs")
    parser.add_argument("--root", default=".", help="folder with docs/")
    return parser


if __name__ == "__main__":
    run(main)
