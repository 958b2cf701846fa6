"""The table of all runs, and the page that compares two of them."""
import math
from pathlib import Path
from urllib.parse import quote

from dominate import svg, tags

from core.pages.document import figure_of, paired, write_document

SPARK, LARGE = (96, 26), (600, 300)  # pixels, width and height: a curve in the table and in its larger view


def write_index(folder, rows):
    """Write `folder`/index.html, a table with a line per run, and compare.html; return the path of the table.

    Args: `rows`, dicts with these keys; a missing or None value leaves its cell empty, other keys are ignored:
        run, trial, dataset, phase, date, revision: str or number
        data: the amount of test data, in words
        metrics: {name: float, or None if undefined}; "input X" stands below "output X"
        intervals: {name: [low, high] or None}, 95% confidence intervals
        notebook: {name: float}, the notebook's figures for comparison
        curve: [[iteration, value], ...], shown small, and large on a click
        page, obedience: paths of the run's pages, relative to `folder`
        seeds: {name: [mean, spread]} over seeds
        collapsed: a sentence, if the run's training collapsed
    """
    rows, folder = list(rows), Path(folder)
    columns = paired(dict.fromkeys(name for row in rows for name in row.get("metrics") or {}))
    labels = ("compare", "run", "trial", "data", "phase")
    heads = [tags.th(label, scope="col") for label in labels]
    heads += [tags.th(label, scope="col", cls="number") for label in columns]
    heads += [tags.th(label, scope="col") for label in ("learning", "obedience", "date", "revision")]
    lines = [_line(number, row, columns) for number, row in enumerate(rows)]
    find = tags.form(tags.label("Find", tags.input_(type="search", name="words", placeholder="run, data, date ...")),
                     tags.output(f"{len(rows)} runs", name="shown", aria_live="polite"),
                     tags.button("Compare two ticked runs", type="submit", disabled=True), cls="tools",
                     action="compare.html")
    table = tags.div(tags.table(tags.thead(tags.tr(*heads)), tags.tbody(*lines)), cls="wide")
    legend = ("Large: the metric on the output, with its 95% interval below. Small: the metric on the input, "
              "and the notebook's figure.")
    content = [find, tags.p(legend, cls="note"), table] if rows else [tags.p("No runs yet.", cls="note")]
    path = folder / "index.html"
    write_document(path, "Runs", *content, scripts=("table.js",) if rows else ())
    _write_compare(folder, rows)
    return path


def _line(number, row, columns):
    page, name = row.get("page"), str(row.get("run") or "")
    tick = [tags.input_(type="checkbox", value=str(page), aria_label=f"compare {name}")] if page else []
    dataset, data = row.get("dataset"), row.get("data")
    small = [tags.small(str(data))] if data else []
    mark = [tags.small(f"⚠ {row['collapsed']}", role="note")] if row.get("collapsed") else []
    return tags.tr(
        tags.td(*tick), tags.th(tags.a(name, href=quote(str(page))) if page else name, *mark, scope="row"),
        _cell(row.get("trial")), tags.td(_text(dataset), *small), _cell(row.get("phase")),
        *(_figure(row, sides) for sides in columns.values()),
        tags.td(*_curve(number, name, row.get("curve") or ())),
        tags.td(*([tags.a("page", href=quote(str(row["obedience"])))] if row.get("obedience") else [])),
        *(_cell(row.get(key)) for key in ("date", "revision")))


def _text(value):
    return "" if value is None else str(value)


def _cell(value):
    return tags.td(_text(value))


def _figure(row, sides):
    """Return the cell of a metric: output and 95% interval; in small print input, seeds and the notebook's figure."""
    measured, intervals, notebook, seeds = (row.get(key) or {} for key in ("metrics", "intervals", "notebook", "seeds"))
    cell, output = tags.td(cls="number"), sides.get("output")
    if output in measured:
        cell["data-value"] = "" if measured[output] is None else str(measured[output])
        cell.add(tags.b(figure_of(measured[output])))
        if intervals.get(output):
            cell.add(tags.span("{} – {}".format(*map(figure_of, intervals[output])), cls="interval"))
    beside = [f"input {figure_of(measured[sides['input']])}"] if sides.get("input") in measured else []
    if output in seeds:
        beside.append("seeds {} ± {}".format(*map(figure_of, seeds[output])))
    if output in notebook:
        beside.append(f"notebook {figure_of(notebook[output])}")
    for line in beside:
        cell.add(tags.small(line))
    return cell


def _curve(number, name, curve):
    """Return a button with a small curve, and the larger view that the button opens."""
    points = [(x, y) for x, y in curve if all(isinstance(v, int | float) and math.isfinite(v) for v in (x, y))]
    if len(points) < 2:
        return []
    return [tags.button(_plot(points, *SPARK, margin=2, label=f"learning curve of {name}"), type="button", cls="spark",
                        popovertarget=f"curve-{number}"),
            tags.div(tags.h2(name), _large(points), popover="auto", id=f"curve-{number}", cls="large")]


def _large(points):
    """Return the curve with labels: first and last iteration; smallest, largest and last value."""
    width, height = LARGE
    drawing = _plot(points, width, height, margin=44, label="learning curve, larger")
    values = [y for _, y in points]
    low, high = min(values), max(values)
    drawing.add(svg.text(figure_of(float(high)), x=2, y=40), svg.text(figure_of(float(low)), x=2, y=height - 40))
    drawing.add(svg.text(f"iteration {points[0][0]}", x=44, y=height - 12))
    drawing.add(svg.text(f"{points[-1][0]}: {figure_of(float(values[-1]))}", x=width - 44, y=height - 12,
                         text_anchor="end"))
    return drawing


def _plot(points, width, height, margin, label):
    """Return a drawing of `points` with a margin of `margin` pixels; a dot marks the smallest value."""
    (left, right), (low, high) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))

    def place(x, y):
        return (margin + (width - 2 * margin) * (x - left) / ((right - left) or 1),
                height - margin - (height - 2 * margin) * (y - low) / ((high - low) or 1))

    x, y = place(*min(points, key=lambda point: point[1]))
    line = svg.polyline(points=" ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points))
    return svg.svg(svg.title(label), line, svg.circle(cx=f"{x:.1f}", cy=f"{y:.1f}", r=2.5),
                   viewBox=f"0 0 {width} {height}", role="img")


def _write_compare(folder, rows):
    """Write the page that shows two runs side by side; it loads the results.js of both."""
    paged = [row for row in rows if row.get("page")]

    def choice(side):
        return tags.label(f"{side.upper()} ", tags.select(*(
            tags.option(" · ".join(_text(row.get(key)) for key in ("run", "phase") if row.get(key)),
                        value=str(row["page"])) for row in paged), name=side))

    if not paged:
        write_document(folder / "compare.html", "Compare", tags.p("No runs with a page yet.", cls="note"))
        return
    form = tags.form(choice("a"), choice("b"),
                     tags.label("Sort by", tags.select(tags.option("file order", value=""), name="sort")),
                     tags.label("Request has", tags.input_(type="search", name="words", placeholder="a word")),
                     tags.output("", name="shown", aria_live="polite"), cls="tools")
    write_document(folder / "compare.html", "Compare two runs", form, tags.p(id="said", cls="note"),
                   scripts=("list.js", "compare.js"))
