"""Imports that cost little time: of names when they are first used, or of modules beside other work."""
import contextlib
import importlib
import sys
import threading
from collections.abc import Callable, Iterator


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


@contextlib.contextmanager
def importing(*modules: str) -> Iterator[None]:
    """Import modules in another thread during the block, which decodes a photo and so leaves the interpreter free."""
    def work():
        for name in modules:
            with contextlib.suppress(ImportError):   # raised again where the module is needed
                importlib.import_module(name)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()
