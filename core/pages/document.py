"""The shell of every page: head, inlined style, and writing it whole."""
from importlib.resources import files

from dominate import document, tags
from dominate.util import raw

from core.files import replacing


def write_document(path, title, *content, head=()):
    """Write a page of dominate tags. Text that they hold is escaped, and what UTF-8 cannot say becomes `?`."""
    page = document(title=title, lang="en")
    page.head.add(tags.meta(charset="utf-8"), tags.meta(name="viewport", content="width=device-width, initial-scale=1"),
                  tags.style(raw(asset("style.css"))), *head)
    page.add(tags.main(tags.h1(title), *content))
    with replacing(path) as file:
        file.write(page.render(pretty=False).encode("utf-8", errors="replace"))


def asset(name):
    """Return the text of a file that is inlined into pages."""
    return files("core.pages").joinpath(name).read_text(encoding="utf-8")


def figure_of(value):
    """Return a measured value as text, with the decimals that papers give; None is a figure that is undefined."""
    if value is None:
        return "undefined"
    return f"{value:.{4 if abs(value) < 1 else 2}f}" if isinstance(value, float) else str(value)
