"""Names of a package that are imported when they are first used: PyTorch takes seconds to import."""
import importlib
import sys
from collections.abc import Callable


def lazily(package: str, names: dict[str, str]) -> Callable[[str], object]:
    """Return a module's `__getattr__` that imports each of `names` from its module, {name: module}.

    Example: `__getattr__ = lazily(__name__, {"execute": "core.operators.executor"})`.
    """
    def get(name):
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(names[name]), name)
        setattr(sys.modules[package], name, value)   # found at once from now on
        return value
    return get
