"""The page of a multi-label test: figures, and a table of requests with the score of each label."""
from pathlib import Path

from dominate import tags

from core.pages.document import figure_of, write_document
from core.pages.pictures import SMALL, Pictures

MARKS = {   # (decided, true): class of the cell, mark
    (True, True): ("right", "✓"), (True, False): ("extra", "✗ not used"), (False, True): ("missed", "✗ missed"),
    (False, False): ("", "")}


def write_labels(folder, title, names, figures, rows, notes=()):
    """Write `folder`/index.html and return its path.

    Args:
        names: of the K labels.
        figures: {method: {name of a measure: number or None}}, all with the same measures.
        rows: an iterable of dicts {request, name, scores (K numbers in [0, 1]), decided, truth (K bools each)}, and
            `image`, uint8 (H, W, 3), where there is a photo.
        notes: sentences below the heading.
    """
    folder = Path(folder)
    pictures = Pictures(folder)
    measures = list(next(iter(figures.values())))
    compared = _table(("method", *measures), ([method, *map(figure_of, values.values())]
                                              for method, values in figures.items()))
    body = tags.tbody(*(_row(pictures, number, **row) for number, row in enumerate(rows)))
    requests = tags.table(tags.thead(tags.tr(*(tags.th(head, scope="col") for head in ("request", *names)))), body)
    write_document(folder / "index.html", title, *(tags.p(note, cls="note") for note in notes),
                   tags.div(compared, cls="wide"), tags.div(requests, cls="wide"))
    pictures.discard_others()
    return folder / "index.html"


def _table(heads, lines):
    return tags.table(
        tags.thead(tags.tr(*(tags.th(head, scope="col", cls="number" * bool(index))
                             for index, head in enumerate(heads)))),
        tags.tbody(*(tags.tr(tags.th(line[0], scope="row"), *(tags.td(text, cls="number") for text in line[1:]))
                     for line in lines)))


def _row(pictures, number, *, request, name, scores, decided, truth, image=None):
    head = tags.th(request or "(no request)", tags.small(name), scope="row")
    if image is not None:
        head.add(pictures.image(f"{number:04d}", image, f"input of {name}", SMALL // 2))
    cells = []
    for score, *answer in zip(scores, decided, truth, strict=True):
        kind, mark = MARKS[tuple(map(bool, answer))]
        cells.append(tags.td(f"{score:.2f}", tags.small(mark), cls=kind))
    return tags.tr(head, *cells)
