"""Write the tables of README.md and docs/*.md from the published figures in docs/results/.

docs/tables.toml describes the figures of each table. In a document, the table NAME stands between the lines
`<!-- table: NAME -->` and `<!-- end of table -->`; the script replaces everything between these lines.

  python misc/make_tables.py             # `make tables` does the same
  python misc/make_tables.py --check     # only name documents whose tables differ from the figures (exit code 2)
"""
import re
from pathlib import Path

import _init_paths  # noqa: F401

from core.engine.cli import run
from core.engine.options import Parser
from core.files import UserError, read_json, read_text, read_toml, write_text

MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n)(.*?)(<!-- end of table -->)", re.DOTALL)
MISSING = "-"


def main():
    options = arguments().parse_args()
    root = Path(options.root)
    tables, path = read_toml(root / "docs/tables.toml"), root / "docs/tables.toml"
    differing, used = [], set()
    for document in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        before = read_text(document)
        used |= (names := {match[2] for match in MARKED.finditer(before)})
        if unknown := names - tables.keys():
            raise UserError(f"{document}: table {unknown.pop()!r} is not in {path}; describe it there")
        after = MARKED.sub(lambda match: match[1] + table_text(root, match[2], tables[match[2]]) + match[4], before)
        if after != before:
            differing.append(document)
            if not options.check:
                write_text(document, after)
    if unused := tables.keys() - used:
        raise UserError(f"{path}: table {min(unused)!r} is in no document; add its two marks or remove the table")
    if differing and options.check:
        raise UserError(f"{', '.join(map(str, differing))}: tables differ from docs/results/; run `make tables`")
    print(*(f"written: {document}" for document in differing), f"{len(used)} tables hold the published figures",
          sep="\n")


def table_text(root, name, table):
    """Return a table in Markdown that ends with a newline.

    A table has `columns` and either `rows` or `each`. Each of the `rows` has `files` of docs/results/, its own texts,
    and `at` if the columns' keys start at that path. `each` is the path of a list in the figures whose members are the
    rows.
    """
    columns = table["columns"]
    lines = ["| " + " | ".join(column["head"] for column in columns) + " |", "|" + "---|" * len(columns)]
    try:
        if "each" in table:
            rows = [(row, {}) for row in lookup(read_figures(root, table["files"]), table["each"])]
        else:
            rows = [(_at(row, read_figures(root, row.get("files", []))), row) for row in table["rows"]]
        for figures, row in rows:
            lines.append("| " + " | ".join(cell(column, figures, row) for column in columns) + " |")
    except (TypeError, KeyError, ValueError, IndexError, AttributeError) as error:
        raise UserError(f"docs/tables.toml: table {name!r}: its columns and its figures do not agree ({error!r}); mend "
                        "one of them") from error
    return "\n".join(lines) + "\n"


def read_figures(root, names):
    """Return the figures of published results as {kind: figures}."""
    found = {}
    for name in names:
        result = read_json(path := root / f"docs/results/{name}.json")
        if not isinstance(result, dict) or not {"kind", "figures"} <= result.keys():
            raise UserError(f"{path}: holds no figures; publish them again by --publish {name}")
        found[result["kind"]] = result["figures"]
    return found


def _at(row, figures):
    return lookup(figures, row["at"]) if "at" in row else figures


def lookup(figures, path):
    """Return the value at a path of keys and indices like "obedience/suites/direction/share"; None if it is missing."""
    for key in path.split("/"):
        if isinstance(figures, list):
            figures = figures[int(key)]
        else:
            figures = figures.get(key)
        if figures is None:
            return None
    return figures


def cell(column, figures, row):
    """Return the text of a cell.

    A column has `head` and either `text`, the key of a text in the row, or `key`, the path of a figure. Options of a
    figure: `digits` after the point or `significant` digits, `scale`, and `interval`, the path of [low, high], or of
    [mean, low, high].
    A row may give the text for a missing figure, under the column's head.
    """
    if "text" in column:
        return str(row.get(column["text"], MISSING))
    value = lookup(figures, column["key"])
    if value is None:
        return str(row.get(column["head"], column.get("missing", MISSING)))
    text = number(value, column)
    if interval := lookup(figures, column["interval"]) if "interval" in column else None:
        text += " [{}, {}]".format(*(number(end, column) for end in interval[-2:]))
    return f"**{text}**" if row.get("bold") == column["head"] else text


def number(value, column):
    """Return a figure as text: a bool as "yes" or "no", a text unchanged, a number like ".0455", "90.3" or "0.0981"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    value *= column.get("scale", 1)
    if "significant" in column:
        return f"{value:.{column['significant']}g}" if abs(value) < 1000 else f"{value:.0f}"
    text = f"{value:.{column.get('digits', 0)}f}"
    return re.sub(r"^(-?)0\.", r"\1.", text) if column.get("digits", 0) >= 2 else text


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 2 if a table differs")
    parser.add_argument("--root", default=".", help="folder with README.md and docs/")
    return parser


if __name__ == "__main__":
    run(main)
