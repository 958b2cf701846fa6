"""The usual strengths of the develop panel: how much a "slight", a "plain" and a "strong" change is.

misc/measure_strengths.py measures the numbers and writes them to strengths.toml; docs/strengths.md describes how.
"""
import functools
import tomllib
from importlib.resources import files


def strength(name: str, sign: int, degree: str) -> float:
    """Return the first parameter of an operator for a change of a `degree`: "slight", "plain" or "strong".

    `sign` is 1 for a parameter above neutral, and -1 for one below. Raises KeyError for an operator without a main
    parameter, a sign in which it has no effect, and an unknown degree.

    Example:
        >>> 0 < strength("exposure_soft", 1, "slight") < strength("exposure_soft", 1, "strong")
        True
    """
    return strengths()[name]["more" if sign > 0 else "less"][degree]


@functools.cache
def strengths() -> dict[str, dict[str, dict[str, float]]]:
    """Return the parameters by operator, direction ("more" or "less") and degree."""
    return tomllib.loads(files("core.operators").joinpath("strengths.toml").read_text(encoding="utf-8"))
