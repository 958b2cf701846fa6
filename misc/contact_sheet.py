"""Draw a contact sheet: photos beside their edits by some requests, one row for each photo and planner.

The planners plan behind the gate, as in core/edit.py. Prints each plan. A request that is refused leaves its photo as
it is. Without --img the sheet shows free photos of scikit-image and scikit-learn.

  python misc/contact_sheet.py sheet.jpg
  python misc/contact_sheet.py sheet.jpg --img photos/*.jpg --request "make it pop" "warmer" --checkpoint old.pt new.pt
"""
import textwrap
from pathlib import Path

import _init_paths  # noqa: F401
from PIL import Image, ImageDraw
from tqdm import tqdm

from core.datasets import load_image, to_tensor, to_uint8
from core.engine.cli import run
from core.engine.options import Parser, number
from core.files import UserError, replacing
from core.filters import preview
from core.methods.gate import Gate, Refusal
from core.methods.planner import SHIPPED, PlannerMethod
from core.synthesis.photos import bundled

REQUESTS = ("make it brighter", "a bit warmer", "more contrast and richer colours", "fix the exposure", "make it pop",
            "remove the yellow cast", "darker and cooler", "much sharper", "enhance this photo", "10% less saturation",
            "lift the shadows", "less light, softer contrast, warmer")
TITLE, MARGIN = 34, 6   # pixels


def main():
    options = arguments().parse_args()
    if Path(options.out).suffix.lower() not in (".jpg", ".png"):
        raise UserError(f"{options.out}: the sheet is a .jpg or .png file; give such a name")
    photos = {Path(path).name: load_image(path) for path in options.img} or {
        photo.name: photo.load() for photo in bundled()}
    gates = {Path(path).name: Gate(PlannerMethod.of(path)) for path in options.checkpoint}
    rows = [[(name if len(gates) == 1 else f"{name}, {planner}", to_uint8(small))]
            + [(request, to_uint8(_edited(gate, small, name, request))) for request in options.request]
            for name, small in ((name, preview(to_tensor(photo), options.size)) for name, photo in photos.items())
            for planner, gate in tqdm(gates.items(), desc=name, unit="planner", leave=False)]
    sheet = _drawn(rows, options.size)
    with replacing(options.out) as file:
        sheet.save(file, "PNG" if options.out.lower().endswith(".png") else "JPEG", quality=88)
    print(f"sheet: {options.out}, {len(rows)} rows of {len(options.request)} requests")


def _edited(gate, image, name, request):
    """Return the edit of an image (3, H, W), or the image itself where the request is refused; print the plan."""
    try:
        answer = gate(image, request)
    except Refusal as refusal:
        tqdm.write(f"{name}, {request}: refused: {refusal}")
        return image
    steps = "; ".join(f"{step.op} {' '.join(f'{value:.2f}' for value in step.params[:5])}" for step in answer.plan)
    tqdm.write(f"{name}, {request}: {steps or 'nothing'}")
    return answer.image


def _drawn(rows, size):
    """Return the sheet of rows of (title, picture (H, W, 3) with a long edge of at most `size`)."""
    heights = [max(picture.shape[0] for _, picture in row) for row in rows]
    sheet = Image.new("RGB", (len(rows[0]) * (size + MARGIN), sum(heights) + len(rows) * TITLE), "white")
    pen, top = ImageDraw.Draw(sheet), 0
    for row, height in zip(rows, heights, strict=True):
        for column, (title, picture) in enumerate(row):
            left = column * (size + MARGIN)
            pen.text((left, top + 2), "\n".join(textwrap.wrap(title, size // 6)[:2]), fill="black", spacing=2)
            sheet.paste(Image.fromarray(picture), (left, top + TITLE))
        top += TITLE + height
    return sheet


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("out", metavar="SHEET", help="file to write: .jpg or .png")
    parser.add_argument("--img", nargs="+", default=[], metavar="PHOTO", help="photos")
    parser.add_argument("--request", nargs="+", default=REQUESTS, help="requests (default: twelve common ones)")
    parser.add_argument("--checkpoint", nargs="+", default=[str(SHIPPED)], help="planners, to be compared below each "
                        "other (default: the planner that ships)")
    parser.add_argument("--size", type=number(int, 32, 1024), default=200, help="long edge of the pictures in pixels")
    return parser


if __name__ == "__main__":
    run(main)
