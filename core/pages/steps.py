"""One step of a plan on a page: its operator, a drawing of its parameters, and its attention over the words."""
import torch
from dominate import svg, tags
from dominate.util import text

from core.operators import TABLE

CURVE_POINTS = 33   # points of a drawn tone curve: eight steps or eight cells between knots have their ends among these


def title(op):
    """Return an operator's name for people, followed by its name in plans in small letters if that one differs."""
    label = TABLE[op].label if op in TABLE else op
    return [label] if label.lower() == op.lower() else [label, text(" "), tags.small(op)]


def parameters(op, params):
    """Return tags that show the parameters of `op`: a bar, tone curves or text, depending on the operator's table row.

    Args: `params`, a string that is shown as it is, or numbers; numbers of an unknown operator are listed.
    """
    row = TABLE.get(op)
    if isinstance(params, str):
        return tags.p(params, cls="about")
    if row and not len(params):
        return tags.p(row.about, cls="about")
    if row and row.curves and len(params) == row.n_params:
        return curves(op, params)
    if row and len(params) == row.n_params:
        return bars(op, params)
    return tags.p(" ".join(f"{p:.3f}" for p in params), cls="about")


def summary(op, params):
    """Return a step as text: its operator, and its parameters if there are at most two numbers or a string."""
    if isinstance(params, str):
        return f"{op} {params}"
    return " ".join([op, *(f"{p:+.3f}" for p in params)]) if len(params) <= 2 else op


def bars(op, params):
    """Return bars for the parameters that are not at their neutral values, or for the first if all are."""
    pairs = list(zip(TABLE[op].params, params, strict=True))
    moved = [(param, p) for param, p in pairs if p != param.neutral] or pairs[:1]
    return tags.div(*(bar(param, p, named=len(pairs) > 1) for param, p in moved), cls="bars")


def bar(param, value, named=False):
    """Return a bar from a parameter's neutral value to `value`, between its bounds, and the number."""
    def percent(p):
        return 100 * min(max((p - param.low) / (param.high - param.low), 0), 1)

    start, end = sorted((percent(param.neutral), percent(value)))
    return tags.div(
        tags.span(tags.i(style=f"left:{start:.1f}%;width:{end - start:.1f}%"),
                  tags.b(style=f"left:{percent(param.neutral):.1f}%"), cls="track"),
        tags.output(f"{param.name} {value:+.3f}" if named else f"{value:+.3f}"), cls="bar",
        title=f"{param.name} from {param.low:g} to {param.high:g}, neutral {param.neutral:g}")


def curves(op, params):
    """Return a drawing of the tone curve of operator `op`, or of its three (red, green, blue), over the identity."""
    row, level = TABLE[op], torch.linspace(0, 1, CURVE_POINTS, dtype=torch.float64)
    params = row.normalise(torch.as_tensor(params, dtype=torch.float64))
    heights = row.function(level.expand(1, 3, -1), params[None])[0].clamp(0, 1)
    lines = []
    names = ("red", "green", "blue") if row.curves == 3 else ("all",)
    for name, channel in zip(names, heights[:len(names)].tolist(), strict=True):
        points = (f"{100 * x:g},{100 - 100 * y:.1f}" for x, y in zip(level.tolist(), channel, strict=True))
        lines.append(svg.polyline(points=" ".join(points), cls=name))
    label = ", ".join(f"{param.name} {p:.2f}" for param, p in zip(row.params, params.tolist(), strict=True))
    return svg.svg(svg.title(label), svg.line(x1=0, y1=100, x2=100, y2=0), *lines, viewBox="-2 -2 104 104", cls="curve",
                   role="img")


def attended(words, weights):
    """Return the words, each shaded by its attention weight relative to the largest one."""
    top = max(weights, default=0) or 1
    shaded = []
    for word, weight in zip(words, weights, strict=True):
        shaded += [tags.span(word, style=f"--w:{weight / top:.2f}", title=f"attention {weight:.2f}"), text(" ")]
    return tags.p(*shaded, cls="words")
