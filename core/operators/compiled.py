"""Functions compiled by numba, and the files of their machine code.

Numba compiles a function of kernels once for an installation. Later processes load its machine code from a file by
llvmlite alone, because the import of numba takes longer than the edit of a photo. The file belongs to the sources of
the kernels, the version of numba and the processor; if one of these has changed, the function is compiled again.
"""
import ctypes
import functools
import hashlib
import importlib
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.files import UserError, replacing

HERE = Path(__file__).parent
SOURCES = (*sorted(HERE.glob("kernels/*.py")), HERE / "compiled.py", HERE / "constants.py",
           HERE.parent / "matrices.py")   # files whose functions and constants the machine code holds
_LOCK = threading.RLock()
_SPARE = ctypes.create_string_buffer(64)   # numba's functions write no result and no exception here


def compiled(function: Callable | None = None, arguments: str = "", **options: Any) -> Callable:
    """Compile a function by numba when it is first called.

    Args:
        arguments: the types of the arguments, such as "f2 q1 f": a character of NumPy's types, and the number of axes
            of an array, which lies in memory row after row. The machine code of such a function is kept in a file. The
            function may not allocate memory or raise exceptions. Without `arguments` the function is called by
            compiled functions, or keeps its machine code in numba's cache.
        options: of `numba.njit`.
    """
    if function is None:
        return lambda function: compiled(function, arguments, **options)
    make = functools.partial(_dispatcher, function, {"nogil": True, "error_model": "numpy", "cache": not arguments}
                             | options)
    return Stored(make, function, arguments.split()) if arguments else Lazy(make)


class Lazy:
    """An object of numba that is made when it is first needed: compiled functions can use it under this name."""

    def __init__(self, make: Callable) -> None:
        self._make = make

    @functools.cached_property
    def made(self) -> Any:
        """The object of numba."""
        return self._make()

    @property
    def _numba_type_(self):   # numba asks for it
        from numba.core.registry import cpu_target
        context, made = cpu_target.typing_context, self.made
        context.refresh()   # numba learns of new objects at the beginning of a compilation only
        return context.resolve_value_type(made)

    def __call__(self, *arguments: Any) -> Any:
        return self.made(*arguments)


class Stored(Lazy):
    """A compiled function whose machine code is kept in a file."""

    def __init__(self, make: Callable, function: Callable, types: list[str]) -> None:
        super().__init__(make)
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}.{'.'.join(types)}"
        self.types = types
        self.arrays = [(index, np.dtype(kind[0]), int(kind[1:])) for index, kind in enumerate(types) if kind[1:]]
        self._call, self._lacks = None, False

    def __call__(self, *arguments: Any) -> None:
        """Call the function. Raises TypeError for an array of another type, number of axes or order of memory."""
        values = list(arguments)
        for index, kind, axes in self.arrays:
            array = values[index]
            if array.dtype != kind or array.ndim != axes or not array.flags.c_contiguous:
                raise TypeError(f"{self.name}: argument {index} is {array.dtype} with strides {array.strides}")
            values[index] = id(array)   # in CPython the address of the object, whose fields the machine code reads
        call = self._call or self._loaded()
        if call is None:
            self.made(*arguments)
        elif call(_SPARE, _SPARE, *values):
            raise RuntimeError(f"{self.name}: failed")

    def _loaded(self):
        """Return the function of ctypes, which releases the interpreter's lock, or None without machine code."""
        with _LOCK:
            if self._call is None and not self._lacks:
                try:
                    address = _machine().load(self.name, self._code)
                except Exception as error:   # another version of numba or LLVM may write other code
                    self._lacks = True
                    _say_once(f"numba: machine code cannot be kept ({error}), so the first edit takes longer")
                    return None
                scalars = {"f": ctypes.c_float, "d": ctypes.c_double}
                self._call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *(
                    ctypes.c_ssize_t if kind[1:] else scalars.get(kind, ctypes.c_ssize_t) for kind in self.types)
                    )(address)
        return self._call

    def _code(self):
        """Return LLVM code that holds a function of the addresses of NumPy's arrays.

        As all functions of numba it takes places for a result and for an exception first, and returns 0 if it is done.
        The C function of `numba.cfunc` beside it, of the same name after "cfunc.", needs numba when it runs.
        """
        import numba
        lines, values = [], []
        signature = numba.void(*(numba.intp if kind[1:] else numba.from_dtype(np.dtype(kind)) for kind in self.types))
        for index, kind in enumerate(self.types):
            values.append(f"a{index}")
            if axes := int(kind[1:] or 0):   # the fields of an array: data, number of axes, sides, strides
                lines += [f"h{index} = carray(pointer(a{index} + {object.__basicsize__}), 3, int64)",
                          f"s{index} = carray(pointer(h{index}[2]), {axes}, int64)"]
                sides = "".join(f"s{index}[{axis}]," for axis in range(axes))
                values[-1] = f"carray(pointer(h{index}[0]), ({sides}), {np.dtype(kind[0]).name})"
        lines.append(f"function({', '.join(values)})")
        space = {"function": self, "carray": numba.carray, "pointer": pointer} | {
            name: getattr(np, name) for name in ("int64", "int32", "uint8", "uint16", "float32", "float64")}
        exec(f"def entry({', '.join(f'a{i}' for i in range(len(self.types)))}):\n    " + "\n    ".join(lines), space)
        code = numba.cfunc(signature, error_model="numpy")(space["entry"]).inspect_llvm()
        return _COUNTING.sub("", code)   # these arrays have no owner whose users numba would count


class _Machine:
    """The processor: compiles LLVM code to machine code, and loads it."""

    def __init__(self):
        import llvmlite
        import llvmlite.binding as llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        self.suffix = f".{hashlib.sha256(repr(processor).encode()).hexdigest()[:8]}.o"   # a home may serve several
        self.target = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
            *processor, opt=3, codemodel="jitdefault", jit=True)
        self.llvm, self.engine = llvm, llvm.create_mcjit_compiler(llvm.parse_assembly(""), self.target)
        numba = Path(importlib.util.find_spec("numba").origin).with_name("_version.py")   # found, not imported
        self.key = repr((processor, llvmlite.__version__, numba.read_text(encoding="utf-8"), sys.version,
                         *(path.read_text(encoding="utf-8") for path in SOURCES))).encode()

    def load(self, name, code):
        """Return the address of a function; `code()` returns its LLVM code if no file has its machine code."""
        for folder in _folders():
            try:
                data = (folder / (name + self.suffix)).read_bytes()
            except OSError:
                continue
            if self._digest(name, data[32:]) == data[:32]:
                return self._added(data[32:])
        module = self.llvm.parse_assembly(code())
        symbol = _left_alone(module, name)
        data = symbol.encode() + b"\0" + self.target.emit_object(module)
        _keep(name + self.suffix, self._digest(name, data) + data)
        return self._added(data)

    def _digest(self, name, data):
        return hashlib.sha256(self.key + name.encode() + data).digest()

    def _added(self, data):
        symbol, _, machine_code = data.partition(b"\0")
        self.engine.add_object_file(self.llvm.ObjectFileRef.from_data(machine_code))
        self.engine.finalize_object()
        return self.engine.get_function_address(symbol.decode())


def _left_alone(module, name):
    """Return the name of the function beside the C function, and leave out all functions that it does not call.

    Raises RuntimeError if it calls numba or Python, which may not be there when the machine code is loaded.
    """
    functions = {function.name: function for function in module.functions}
    symbol, = (known[6:] for known in functions if known.startswith("cfunc."))
    used, new = set(), {symbol}
    while new:
        used |= new
        text = "".join(str(functions[known]) for known in new if not functions[known].is_declaration)
        new = {known.strip('"') for known in _NAME.findall(text)} & functions.keys() - used
    for known, function in functions.items():
        if known not in used and not function.is_declaration:
            function.linkage = "available_externally"
        elif known in used and function.is_declaration and known.startswith(("NRT_", "numba", "Py")):
            raise RuntimeError(f"{name}: calls {known}, but may not allocate memory or raise exceptions")
    return symbol


_COUNTING = re.compile(r"^.* call void @NRT_(?:inc|dec)ref\(.*$", re.MULTILINE)
_NAME = re.compile(r'@("[^"]+"|[\w.$]+)')


@functools.cache
def _machine():
    return _Machine()


def _folders():
    """Return the folders for machine code: NUMBA_CACHE_DIR, or else one beside the sources and one at home."""
    if own := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(own)]
    return [HERE / "kernels" / "__pycache__", Path(os.path.expanduser("~/.cache/ldie"))]


def _keep(name, data):
    """Write a file into the first folder that can be written."""
    for folder in _folders():
        try:
            with replacing(folder / name) as file:
                file.write(data)
            return
        except (OSError, UserError):
            continue
    _say_uncached()


def _dispatcher(function, options):
    import numba
    try:
        return numba.njit(**options)(function)
    except RuntimeError:   # numba finds no folder that can be written
        _say_uncached()
        return numba.njit(**options | {"cache": False})(function)


def _say_uncached():
    """Say that functions are compiled again in every process."""
    _say_once("numba: no folder for its cache can be written, so the first edit takes some seconds longer; set "
              "NUMBA_CACHE_DIR to a folder that can")


@functools.cache
def _say_once(sentence):
    print(sentence, file=sys.stderr)


def _intrinsic(result: str, *arguments: str) -> Callable:
    """Make a function of LLVM's builder and values an intrinsic of compiled functions, with these types of numba."""
    def decorate(generate):
        def make():
            import numba
            signature = getattr(numba.types, result)(*(getattr(numba.types, name) for name in arguments))
            names = ", ".join(f"x{index}" for index in range(len(arguments)))
            space = {"found": (signature, lambda context, builder, signature, values: generate(builder, *values))}
            exec(f"def definition(context, {names}): return found", space)
            return numba.extending.intrinsic(space["definition"])
        return Lazy(make)
    return decorate


@_intrinsic("int32", "float32")
def bits_of(builder, x):
    """Return the 32 bits of a float32 as int32."""
    from llvmlite import ir
    return builder.bitcast(x, ir.IntType(32))


@_intrinsic("float32", "int32")
def float_of(builder, x):
    """Return the float32 of 32 bits, int32."""
    from llvmlite import ir
    return builder.bitcast(x, ir.FloatType())


@_intrinsic("float32", "float32", "float32", "float32")
def fused(builder, x, y, z):
    """Return x y + z of float32, rounded once."""
    return builder.fma(x, y, z)


@_intrinsic("voidptr", "intp")
def pointer(builder, address):
    """Return the pointer of an address."""
    from llvmlite import ir
    return builder.inttoptr(address, ir.IntType(8).as_pointer())
