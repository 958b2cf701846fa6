"""The page of a run's results: each has its request, input, output, target, steps, attention and metrics."""
import json
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

from dominate import tags
from dominate.util import text

from core.files import naming_file, replacing
from core.pages.document import figure_of, paired, write_document
from core.pages.pictures import SMALL, Pictures
from core.pages.steps import attended, parameters, summary, title

FIRST_SAVE = 50  # results before the page is saved for the first time
RANKED = {"L1": "high", "CIEDE2000": "high", "LPIPS": "high", "SSIM": "low", "PSNR": "low"}  # worst end of each metric


def write_results(folder, title, results, notes=()):
    """Write `folder`/index.html, a page on which all results can be sorted and filtered, and return its path.

    results.js beside the page holds the same results as data, for the page that compares two runs. Both files are
    saved after FIRST_SAVE results, then whenever the number of results has grown by a quarter, and if `results` raises
    an exception, so no finished result is lost. If the exception comes before the first result, an earlier page stays.
    Memory holds one result at a time.

    Args:
        folder: folder of the page; an earlier page in it is replaced.
        title, notes: a heading, and sentences below the heading.
        results: an iterable of dicts with
            name, request: str
            input, output: uint8 (H, W, 3)
            target: the same, or None
            steps: dicts {op, params, image, mask?}; `params` are numbers or a readable string, `image` is uint8
                (H, W, 3), `mask` is (H, W) in [0, 1]
            words, attention: list of str and (n_steps or more, n_words) weights in [0, 1]; row i is the attention of
                step i, rows beyond the steps (the end of the plan) are not shown. Either may be None
            metrics: {name: float, or None if undefined}
    """
    with naming_file(f"a temporary file in {gettempdir()}"), TemporaryFile() as cards, TemporaryFile() as data:
        page = _Page(folder, title, notes, cards, data)
        try:
            for result in results:
                page.add(**result)
        except BaseException:
            if page.count:
                page.save()
            raise
        page.save()
    return page.path


class _Page:
    """A growing page: cards and data are kept in temporary files, names of operators and metrics in memory."""

    def __init__(self, folder, title, notes, cards, data):
        self.pictures, self.path = Pictures(folder), Path(folder) / "index.html"
        self.title, self.notes = title, notes
        self.cards, self.data = cards, data
        self.count, self.due = 0, FIRST_SAVE
        self.operators, self.metrics = {}, {}

    def add(self, *, name, request, input, steps, output, target=None, words=None, attention=None, metrics=()):
        """Add one result; save the page first if a save is due."""
        if self.count == self.due:
            self.save()
            self.due += max(FIRST_SAVE, self.count // 4)  # all saves together cost a few times the last save
        number, stem, metrics = self.count + 1, f"{self.count + 1:05d}", dict(metrics)
        images = {role: self.pictures.image(f"{stem}_{role}", pixels, f"{role} of {name}")
                  for role, pixels in (("input", input), ("output", output), ("target", target)) if pixels is not None}
        rows = [None] * len(steps) if words is None or attention is None else attention[:len(steps)]
        strip = [_step(self.pictures, f"{stem}_{index}", index, step, words, row)
                 for index, (step, row) in enumerate(zip(steps, rows, strict=True), start=1)]
        operators = [step["op"] for step in steps]
        known = {key: value for key, value in metrics.items() if value is not None}
        card = tags.article(
            tags.header(tags.p(f"{number} · {name}", cls="name"), tags.h2(request or "(no request)"),
                        _metrics(metrics)), _compared(images),
            tags.ol(*strip, cls="steps") if strip else tags.p("No operation: the plan is empty.", cls="note"),
            data_metrics=json.dumps(known), data_ops=json.dumps(operators))
        line = {"name": name, "request": request, "metrics": list(known.items()),
                "plan": [summary(step["op"], step["params"]) for step in steps],
                "images": {role: [image["src"], image["width"], image["height"]] for role, image in images.items()}}
        self.cards.write(card.render(pretty=False).encode("utf-8", errors="replace"))
        self.data.write(f"result({json.dumps(line)});\n".encode())
        self.count = number
        self.operators |= dict.fromkeys(operators)
        self.metrics |= dict.fromkeys(metrics)

    def save(self):
        """Write the page and its data with the results so far."""
        content = [tags.p(note, cls="note") for note in self.notes]
        content.append(self._form() if self.count else tags.p("No results.", cls="note"))
        with replacing(self.path.with_name("results.js")) as file:
            self.data.seek(0)
            while piece := self.data.read(1 << 20):
                file.write(piece)
        write_document(self.path, self.title, *content, scripts=("list.js",) if self.count else (), body=self.cards)
        self.pictures.discard_others()

    def _form(self):
        worst = [(name, RANKED[label]) for label, sides in paired(self.metrics).items() if label in RANKED
                 for name in [sides.get("output")] if name]
        return tags.form(
            tags.label("Sort by", tags.select(
                tags.option("file order", value=""),
                *(tags.option(f"worst {name.removeprefix('output ')}", value=name, data_worst=end)
                  for name, end in worst), name="sort")),
            tags.label("Operator", tags.select(tags.option("any", value=""), *(
                tags.option(op, value=op) for op in sorted(self.operators)), name="operator")),
            tags.label("Request has", tags.input_(type="search", name="words", placeholder="a word")),
            tags.output(f"{self.count} results", name="shown", aria_live="polite"), cls="tools")


def _metrics(metrics):
    """Return a list of metrics; the values of a metric on input and output stand side by side."""
    items = []
    for label, sides in paired(metrics).items():
        before, after = (figure_of(metrics[sides[side]]) if side in sides else "" for side in ("input", "output"))
        value = f"{before} → {after}" if before and after else after or f"input {before}"
        items.append(tags.div(tags.dt(label), tags.dd(value)))
    return tags.dl(*items)


def _compared(images):
    """Return the before/after slider and the target; input and output of different shapes stand side by side."""
    before, after = images["input"], images["output"]
    shapes = {(image["width"], image["height"]) for image in (before, after)}
    shown = [_figure(image, tags.div(image, cls="frame"), tags.figcaption(role)) for role, image in images.items()]
    if len(shapes) == 1:
        handle = tags.input_(type="range", min=0, max=100, value=50, aria_label="per cent showing the input")
        slider = _figure(before, tags.div(before, after, handle, cls="frame slider"),
                         tags.figcaption(tags.span("input"), tags.span("output"), cls="ends"))
        shown = [slider, *shown[2:]]
    return tags.div(*shown, cls="pair")


def _figure(shape, *content):
    """Return a figure with the shape of an image; the figure grows to twice the image's pixels if there is room."""
    return tags.figure(*content, style=f"--w:{shape['width']};--h:{shape['height']}")


def _step(pictures, stem, index, step, words, weights):
    shown = [pictures.add(stem, step["image"], f"after step {index}", SMALL)]
    if step.get("mask") is not None:
        shown.append(pictures.add_mask(f"{stem}_mask", step["mask"]))
    return tags.li(tags.figure(*shown), tags.h3(tags.span(str(index)), text(" "), *title(step["op"])),
                   parameters(step["op"], step["params"]),
                   *([] if weights is None else [attended(words, [float(w) for w in weights])]))
