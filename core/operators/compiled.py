"""Functions compiled by numba: the decorator, and two conversions that numba lacks."""
import contextlib
import functools
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic


def _import_arrays() -> None:
    """Import numba's array functions without SciPy's linear algebra.

    No kernel uses it, and its import takes a tenth of the time of a whole command that edits a small photo.
    """
    name = "scipy.linalg"
    if name in sys.modules:   # imported anyway
        return
    sys.modules[name] = None   # an import of it fails now, and numba goes on without
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules[name]


_import_arrays()


def compiled(function: Callable | None = None, **options: Any) -> Callable:
    """Compile a function by numba; the machine code is kept beside the module, or else in the user's cache.

    Without a folder that can be written, functions are compiled again in every process, which one sentence says.
    """
    if function is None:
        return lambda function: compiled(function, **options)
    options = {"nogil": True, "error_model": "numpy"} | options
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:   # numba finds no folder that can be written
        _say_uncached()
        return numba.njit(**options)(function)


def forget_stale(helpers: Path) -> None:
    """Remove the machine code beside the file `helpers` that is older than it: the code may hold its functions inlined.

    By itself, numba looks at the file of the outer function only.
    """
    for path in (helpers.parent / "__pycache__").glob("*.nbi"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime_ns < helpers.stat().st_mtime_ns:
                path.unlink()


@functools.cache
def _say_uncached():
    print("numba: no folder for its cache can be written, so the first edit takes some seconds longer; set "
          "NUMBA_CACHE_DIR to a folder that can", file=sys.stderr)


@intrinsic
def bits_of(context: Any, x: Any) -> tuple:
    """Return the 32 bits of a float32 as int32."""
    return numba.int32(numba.float32), lambda context, builder, _, args: builder.bitcast(args[0], ir.IntType(32))


@intrinsic
def float_of(context: Any, x: Any) -> tuple:
    """Return the float32 of 32 bits, int32."""
    return numba.float32(numba.int32), lambda context, builder, _, args: builder.bitcast(args[0], ir.FloatType())


@intrinsic
def fused(context: Any, x: Any, y: Any, z: Any) -> tuple:
    """Return x y + z of float32, rounded once."""
    def generate(context, builder, _, args):
        return builder.fma(*args)
    return numba.float32(numba.float32, numba.float32, numba.float32), generate
