"""The public functions of the packages that other code builds on have complete type annotations."""
import functools
import importlib
import inspect
import typing
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("operators", "regions", "requests", "photo", "planning", "methods")
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
           for package in PACKAGES for path in sorted((ROOT / "core" / package).glob("*.py"))]
SPECIAL = ("__init__", "__call__", "__len__", "__iter__", "__getitem__")   # dataclasses add others without types


def functions(module):
    """Yield (name, function) of the public functions and methods that a module defines."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            for attribute, member in vars(value).items():
                if attribute in SPECIAL or not attribute.startswith("_"):
                    function = plain(member)
                    if inspect.isfunction(function):
                        yield f"{name}.{attribute}", function
        elif inspect.isroutine(inspect.unwrap(value)):
            yield name, inspect.unwrap(value)


def plain(member):
    """Return the function of a method or a property of any kind; another member as it is."""
    if isinstance(member, classmethod | staticmethod):
        member = member.__func__
    elif isinstance(member, property):
        member = member.fget
    elif isinstance(member, functools.cached_property):
        member = member.func
    return inspect.unwrap(member) if callable(member) else member


def untyped(function):
    """Return the parameters without a type, and "return" if the result has none; a type must name something real."""
    hints = typing.get_type_hints(function, localns={"torch": torch})   # some modules import it late
    parameters = [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]
    return [name for name in (*parameters, "return") if name not in hints]


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_are_typed(module):
    found = dict(functions(importlib.import_module(module)))
    assert {name: missing for name, function in found.items() if (missing := untyped(function))} == {}


def test_functions_methods_and_properties_are_found():
    names = {name for module in MODULES for name, _ in functions(importlib.import_module(module))}
    assert names > {"execute", "Plan.from_dict", "Plan.__len__", "Step.is_neutral", "read_photo", "plan_pairs",
                    "Edited.stages", "srgb_profile", "Method.__call__", "read_wishes", "OperatorVocab.__init__",
                    "Mask.tensor"}


def test_a_missing_type_is_named():
    def scale(image, strength: float, *others, keep: bool = False):
        return image

    assert untyped(scale) == ["image", "others", "return"]
