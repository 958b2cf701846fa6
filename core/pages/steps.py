"""One step of a plan on a page: its operator, a drawing of its parameters, and its attention over the words."""
from itertools import accumulate

from dominate import svg, tags
from dominate.util import text

from core.operators import TABLE
from core.operators.functions import CURVE_STEPS


def parameters(op, params):
    """Return tags that show the parameters of `op`: a bar, tone curves or text, depending on the operator's table row.

    Args: `params`, a string that is shown as it is, or numbers; numbers of an unknown operator are listed.
    """
    row = TABLE.get(op)
    if isinstance(params, str):
        return tags.p(params, cls="about")
    if row and not len(params):
        return tags.p(row.about, cls="about")
    if row and row.structure == "curve":
        return curves(params)
    if row and len(params) == 1:
        return bar(row, params[0])
    return tags.p(" ".join(f"{p:.3f}" for p in params), cls="about")


def summary(op, params):
    """Return a step as text: its operator, and its parameters if there are at most two numbers or a string."""
    if isinstance(params, str):
        return f"{op} {params}"
    return " ".join([op, *(f"{p:+.3f}" for p in params)]) if len(params) <= 2 else op


def bar(row, value):
    """Return a bar from an operator's neutral value to `value`, between the operator's bounds, and the number."""
    def percent(p):
        return 100 * min(max((p - row.low) / (row.high - row.low), 0), 1)

    start, end = sorted((percent(row.neutral), percent(value)))
    return tags.div(
        tags.span(tags.i(style=f"left:{start:.1f}%;width:{end - start:.1f}%"),
                  tags.b(style=f"left:{percent(row.neutral):.1f}%"), cls="track"),
        tags.output(f"{value:+.3f}"), cls="bar", title=f"from {row.low:g} to {row.high:g}, neutral {row.neutral:g}")


def curves(slopes):
    """Return a drawing of one tone curve (8 slopes) or of three (24: red, green, blue) over the identity."""
    channels = [slopes[i:i + CURVE_STEPS] for i in range(0, len(slopes), CURVE_STEPS)]
    names = ("red", "green", "blue") if len(channels) == 3 else ("all",)
    lines = []
    for name, channel in zip(names, channels, strict=True):
        heights = [0, *accumulate(channel)]
        points = (f"{100 * i / CURVE_STEPS:g},{100 - 100 * h / (heights[-1] or 1):.1f}" for i, h in enumerate(heights))
        lines.append(svg.polyline(points=" ".join(points), cls=name))
    label = "slopes: " + " ".join(f"{slope:.2f}" for slope in slopes)
    return svg.svg(svg.title(label), svg.line(x1=0, y1=100, x2=100, y2=0), *lines, viewBox="-2 -2 104 104", cls="curve",
                   role="img")


def attended(words, weights):
    """Return the words, each shaded by its attention weight relative to the largest one."""
    top = max(weights, default=0) or 1
    shaded = []
    for word, weight in zip(words, weights, strict=True):
        shaded += [tags.span(word, style=f"--w:{weight / top:.2f}", title=f"attention {weight:.2f}"), text(" ")]
    return tags.p(*shaded, cls="words")
