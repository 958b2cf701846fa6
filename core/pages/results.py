"""Result pages: request, input, every step, output, target, attention and metrics, of any number of results."""
from pathlib import Path

from dominate import tags
from dominate.util import raw, text

from core.pages.document import figure_of, write_document
from core.pages.pictures import SMALL, Pictures
from core.pages.steps import attended, parameters


def write_results(folder, title, results, notes=(), per_page=50):
    """Write `folder`/index.html, page_2.html, ... with `per_page` results each, and return the first one's path.

    A page is written as soon as it is full, and the last one also when `results` breaks off, so nothing that was
    shown once is lost. Memory holds one result and the text of one page.

    Args:
        folder: where the pages go; pages of an earlier run there are replaced.
        title, notes: a heading and sentences below it, on every page.
        results: an iterable of dicts with
            name, request: str
            input, output: uint8 (H, W, 3)
            target: the same, or None
            steps: dicts {op, params, image, mask?}; `params` are numbers or a readable string, `image` is uint8
                (H, W, 3), `mask` is (H, W) in [0, 1]
            words, attention: list of str and (n_steps or more, n_words) weights in [0, 1]; row i is what step i
                looked at, rows beyond the steps (the end of the plan) are not shown. Either may be None
            metrics: {name: float, or None where undefined}
    """
    folder, pictures = Path(folder), Pictures(folder)
    cards, page = [], 1
    try:
        for number, result in enumerate(results, start=1):
            if len(cards) == per_page:
                _write_page(folder, title, notes, cards, page, more=True)
                cards, page = [], page + 1
            cards.append(_card(pictures, number, **result).render(pretty=False))
    finally:
        _write_page(folder, title, notes, cards, page, more=False)
    pictures.discard_others()
    for old in folder.glob("page_*.html"):
        suffix = old.stem.removeprefix("page_")
        if suffix.isdecimal() and int(suffix) > page:
            old.unlink()
    return folder / _file(1)


def _write_page(folder, title, notes, cards, page, more):
    links = _links(page, more)
    write_document(folder / _file(page), title if page == 1 else f"{title}, page {page}",
                   *(tags.p(note, cls="note") for note in notes), links,
                   *map(raw, cards or [tags.p("No results.", cls="note").render()]), *([links] if cards else []))
    # Nobody knows the last page before it comes, so "last" is a page of its own that leads there.
    write_document(folder / "last.html", title, tags.a("Last page", href=_file(page)),
                   head=[tags.meta(http_equiv="refresh", content=f"0; url={_file(page)}")])


def _file(page):
    return "index.html" if page == 1 else f"page_{page}.html"


def _links(page, more):
    def link(label, target, rel=None):
        if target is None:
            return tags.span(label, cls="off")
        return tags.a(label, href=target, **({"rel": rel} if rel else {}))

    before = page > 1
    return tags.nav(
        link("First", _file(1) if before else None), link("Previous", _file(page - 1) if before else None, "prev"),
        tags.b(f"Page {page}"),
        link("Next", _file(page + 1) if more else None, "next"), link("Last", "last.html" if more else None))


def _card(pictures, number, *, name, request, input, steps, output, target=None, words=None, attention=None,
          metrics=()):
    """Return the <article> of one result."""
    stem = f"{number:05d}"
    compared = [("input", input), ("output", output)] + ([] if target is None else [("target", target)])
    rows = [None] * len(steps) if words is None or attention is None else attention[:len(steps)]
    return tags.article(
        tags.header(tags.p(f"{number} · {name}", cls="name"), tags.h2(request or "(no request)"),
                    tags.dl(*(tags.div(tags.dt(key), tags.dd(figure_of(value)))
                              for key, value in dict(metrics).items()))),
        tags.div(*(tags.figure(pictures.add(f"{stem}_{role}", pixels, f"{role} of {name}"), tags.figcaption(role))
                   for role, pixels in compared), cls="compare"),
        tags.ol(*(_step(pictures, f"{stem}_{index}", index, step, words, row)
                  for index, (step, row) in enumerate(zip(steps, rows, strict=True), start=1)), cls="steps")
        if steps else tags.p("No operation: the plan is empty.", cls="note"))


def _step(pictures, stem, index, step, words, weights):
    shown = [pictures.add(stem, step["image"], f"after step {index}", SMALL)]
    if step.get("mask") is not None:
        shown.append(pictures.add_mask(f"{stem}_mask", step["mask"]))
    return tags.li(tags.figure(*shown), tags.h3(tags.span(str(index)), text(" " + step["op"])),
                   parameters(step["op"], step["params"]),
                   *([] if weights is None else [attended(words, [float(w) for w in weights])]))
