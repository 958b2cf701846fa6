"""The table of all runs."""
from pathlib import Path
from urllib.parse import quote

from dominate import tags
from dominate.util import raw

from core.pages.document import asset, figure_of, write_document

COLUMNS = {"run": "run", "experiment": "experiment", "trial": "trial", "dataset": "data set", "phase": "phase"}
CLOSING = {"date": "date", "revision": "revision"}


def write_index(folder, rows):
    """Write `folder`/index.html, a table with a line per run, and return its path.

    Args: `rows`, dicts with run, experiment, trial, dataset, phase, date, revision (str or number), metrics ({name:
    float or None}; every name that occurs is a column) and page (the run's page, relative to `folder`). What a row
    lacks is left empty.
    """
    rows = list(rows)
    metrics = list(dict.fromkeys(name for row in rows for name in row.get("metrics", {})))
    heads = [tags.th(label, scope="col") for label in COLUMNS.values()]
    heads += [tags.th(name, scope="col", cls="number") for name in metrics]
    heads += [tags.th(label, scope="col") for label in CLOSING.values()]
    table = tags.table(tags.thead(tags.tr(*heads)), tags.tbody(*(_line(row, metrics) for row in rows)))
    path = Path(folder) / "index.html"
    write_document(path, "Runs", tags.div(table, cls="wide") if rows else tags.p("No runs yet.", cls="note"),
                   tags.script(raw(asset("sort.js"))))
    return path


def _line(row, metrics):
    page, name = row.get("page"), str(row.get("run", ""))
    cells = [tags.th(tags.a(name, href=quote(str(page))) if page else name, scope="row")]
    cells += [_cell(row.get(key)) for key in list(COLUMNS)[1:]]
    measured = row.get("metrics", {})
    cells += [tags.td(figure_of(measured[key]) if key in measured else "", cls="number") for key in metrics]
    return tags.tr(*cells, *(_cell(row.get(key)) for key in CLOSING))


def _cell(value):
    return tags.td("" if value is None else str(value))
