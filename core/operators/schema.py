"""A quick check of JSON values against the schemas of plans.

The package jsonschema takes longer to import than a small photo to edit, so it is imported only to word an error.
"""
from typing import Any

_NUMBER = int, float
_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}


def fits(value: Any, schema: dict[str, Any] | bool) -> bool:
    """Return whether a JSON value fits a schema. Raises ValueError for a keyword that `_CHECKS` does not know."""
    if isinstance(schema, bool):
        return schema
    if unknown := schema.keys() - _CHECKS.keys() - {"$schema", "title", "description"}:
        raise ValueError(f"schema: unknown keywords {unknown}")
    return all(_CHECKS[key](value, part, schema) for key, part in schema.items() if key in _CHECKS)


def _is(value, kind, schema):
    if kind in ("number", "integer"):
        real = isinstance(value, _NUMBER) and not isinstance(value, bool)
        return real and (kind == "number" or isinstance(value, int) or value.is_integer())
    return isinstance(value, _TYPES[kind])


def _same(value, other):
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _for(kind, check):
    """Return a check that holds for values of other types than `kind`."""
    return lambda value, part, schema: not isinstance(value, kind) or isinstance(value, bool) or check(
        value, part, schema)


_CHECKS = {
    "type": _is,
    "const": lambda value, part, schema: _same(value, part),
    "enum": lambda value, part, schema: any(_same(value, one) for one in part),
    "minimum": _for(_NUMBER, lambda value, part, schema: not value < part),
    "maximum": _for(_NUMBER, lambda value, part, schema: not value > part),
    "maxLength": _for(str, lambda value, part, schema: len(value) <= part),
    "required": _for(dict, lambda value, part, schema: all(name in value for name in part)),
    "properties": _for(dict, lambda value, part, schema: all(
        fits(value[name], one) for name, one in part.items() if name in value)),
    "additionalProperties": _for(dict, lambda value, part, schema: all(
        fits(value[name], part) for name in value.keys() - schema.get("properties", {}).keys())),
    "minItems": _for(list, lambda value, part, schema: len(value) >= part),
    "maxItems": _for(list, lambda value, part, schema: len(value) <= part),
    "prefixItems": _for(list, lambda value, part, schema: all(
        fits(one, each) for one, each in zip(value, part, strict=False))),
    "items": _for(list, lambda value, part, schema: all(
        fits(one, part) for one in value[len(schema.get("prefixItems", ())):])),
}
