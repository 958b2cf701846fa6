"""The frame of every page: head, inlined style and scripts. A page is written whole or not at all."""
import shutil
from importlib.resources import files

from dominate import document, tags
from dominate.util import raw

from core.files import replacing

LATER = "<!-- later -->"  # place of a growing page's cards; no text of a user equals it, because < is escaped


def write_document(path, title, *content, scripts=(), body=None):
    """Write a page of dominate tags. Text in the tags is escaped; a character that UTF-8 cannot encode becomes `?`.

    Args:
        content: tags below the heading.
        scripts: names of assets, inlined at the end.
        body: a text file of rendered tags that follow the content; it is copied piece by piece.
    """
    page = document(title=title, lang="en")
    page.head.add(tags.meta(charset="utf-8"), tags.meta(name="viewport", content="width=device-width, initial-scale=1"),
                  tags.style(raw(asset("style.css"))))
    page.add(tags.main(tags.h1(title), *content, raw(LATER)), *(tags.script(raw(asset(name))) for name in scripts))
    before, _, after = page.render(pretty=False).partition(LATER)
    with replacing(path) as file:
        file.write(before.encode("utf-8", errors="replace"))
        if body is not None:
            body.seek(0)
            shutil.copyfileobj(body, file)
        file.write(after.encode("utf-8", errors="replace"))


def asset(name):
    """Return the text of a file of this folder, to be inlined into pages."""
    return files("core.pages").joinpath(name).read_text(encoding="utf-8")


def figure_of(value):
    """Return a measured value as text, with 4 decimals below 1 and 2 decimals from 1 on; None gives "undefined"."""
    if value is None:
        return "undefined"
    return f"{value:.{4 if abs(value) < 1 else 2}f}" if isinstance(value, float) else str(value)


def paired(names):
    """Group names of metrics: {"L1": {"input": "input L1", "output": "output L1"}, "avg var": {"output": "avg var"}}.

    A name without "input" or "output" counts as measured on the output.
    """
    groups = {}
    for name in names:
        side, _, label = name.partition(" ")
        side, label = (side, label) if side in ("input", "output") and label else ("output", name)
        groups.setdefault(label, {})[side] = name
    return groups
