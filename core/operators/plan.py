"""A plan: the edit as a value, a short list of named, parameterised steps, stored as JSON."""
import math
from dataclasses import dataclass, replace

import jsonschema
import torch

from core.files import UserError, read_json, write_json
from core.operators.mask import Mask
from core.operators.table import TABLE, get_operator

FORMAT, VERSION = "ldie-plan", 1


@dataclass(frozen=True)
class Step:
    """One operation: `op` from the table, its `params` in canonical form, where it applies (None: everywhere)."""

    op: str
    params: tuple[float, ...] = ()
    mask: Mask | None = None

    @classmethod
    def make(cls, op, params=(), mask=None):
        """Make a step from any numbers: the name may be a nick-name, the parameters are brought into bounds."""
        operator = get_operator(op)
        values = torch.as_tensor(params, dtype=torch.float64).reshape(-1)
        if len(values) != operator.n_params or not torch.isfinite(values).all():
            raise UserError(f"{operator.name}: needs {operator.n_params} finite parameter(s), got {values.tolist()}")
        if operator.n_params:
            values = operator.normalise(values).float()  # float32 is what is executed, so it is what is kept
        return cls(operator.name, tuple(values.tolist()), mask)

    @property
    def is_neutral(self):
        """Whether the step certainly leaves every picture as it is."""
        operator = TABLE[self.op]
        return operator.n_params > 0 and all(p == operator.neutral for p in self.params)

    def describe(self):
        """Return the parameters in a few words, for tables and pages."""
        operator = TABLE[self.op]
        if operator.structure == "curve":
            return " ".join(f"{p:.2f}" for p in self.params)
        return " ".join(f"{p:+.3f}" for p in self.params) or operator.about


@dataclass(frozen=True)
class Plan:
    """A sequence of steps. Executing one is a pure function of the picture: see `core.operators.executor`."""

    steps: tuple[Step, ...] = ()

    def __len__(self):
        return len(self.steps)

    def __iter__(self):
        return iter(self.steps)

    def to_dict(self):
        """Return the plan as JSON values."""
        steps = []
        for step in self.steps:
            entry = {"op": step.op, "params": list(step.params)}
            if step.mask is not None:
                entry["mask"] = {"size": list(step.mask.size), "counts": step.mask.counts}
            steps.append(entry)
        return {"format": FORMAT, "version": VERSION, "steps": steps}

    @classmethod
    def from_dict(cls, value, source="plan"):
        """Read a plan from JSON values. Raises UserError naming `source`, the field and what is allowed."""
        version = value.get("version") if isinstance(value, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise UserError(f"{source}: plan version {version} is newer than this program's {VERSION}; update it")
        error = jsonschema.exceptions.best_match(_VALIDATOR.iter_errors(value), key=_relevance)
        if error is not None:
            raise UserError(f"{source}: {_field(error)}: {_reason(error)}")
        steps = []
        for index, entry in enumerate(value["steps"]):
            operator, params = TABLE[entry["op"]], tuple(float(p) for p in entry["params"])
            where = f"{source}: steps[{index}] ({operator.name})"
            if not all(math.isfinite(p) for p in params):
                raise UserError(f"{where}: params contain NaN or infinity")
            if operator.local and "mask" not in entry:
                raise UserError(f"{where}: this operator needs a mask")
            mask = entry.get("mask") and Mask(tuple(entry["mask"]["size"]), entry["mask"]["counts"])
            if mask:
                try:
                    mask.array()
                except UserError as error:
                    raise UserError(f"{where}: {error}") from None
            step = Step.make(operator.name, params, mask)
            canonical = math.dist(step.params, params) < 1e-4
            steps.append(replace(step, params=params) if canonical else step)
        return cls(tuple(steps))

    def save(self, path):
        """Write the plan as JSON, whole or not at all."""
        write_json(path, self.to_dict(), indent=1)

    @classmethod
    def load(cls, path):
        """Read and validate a plan. Raises UserError with file and field."""
        return cls.from_dict(read_json(path), source=str(path))


def plan_schema():
    """Return the JSON schema (draft 2020-12) of a plan, made from the operator table."""
    mask = {
        "type": "object", "required": ["size", "counts"], "additionalProperties": False,
        "properties": {
            "size": {"type": "array", "prefixItems": [{"type": "integer", "minimum": 1, "maximum": 65500}] * 2,
                     "minItems": 2, "maxItems": 2},
            "counts": {"type": "string", "description": "COCO compressed run-length encoding"}},
    }
    rules = [{
        "if": {"properties": {"op": {"const": row.name}}},
        "then": {"properties": {"params": {
            "minItems": row.n_params, "maxItems": row.n_params,
            "items": {"type": "number", "minimum": row.low} | (
                {} if row.structure == "curve" else {"maximum": row.high})}}},
    } for row in TABLE.values()]
    step = {
        "type": "object", "required": ["op", "params"], "additionalProperties": False,
        "properties": {"op": {"enum": list(TABLE)}, "params": {"type": "array"}, "mask": mask}, "allOf": rules,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "LDIE plan", "type": "object",
        "required": ["format", "version", "steps"], "additionalProperties": False,
        "properties": {"format": {"const": FORMAT}, "version": {"type": "integer", "minimum": 1},
                       "steps": {"type": "array", "items": step}},
    }


_VALIDATOR = jsonschema.Draft202012Validator(plan_schema())


def _relevance(error):
    """Prefer an unknown operator to the errors that follow from it, then the first field in the file."""
    return (error.validator == "enum", -len(error.absolute_path))


def _field(error):
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return path.lstrip(".") or "the file"


def _reason(error):
    if error.validator == "enum":
        return f"unknown operator {error.instance!r}; known are: {', '.join(TABLE)}"
    if error.validator in ("minItems", "maxItems"):
        return f"has {len(error.instance)} values, needs {error.validator_value}"
    if error.validator in ("minimum", "maximum"):
        return f"{error.instance} is out of range ({error.validator} {error.validator_value})"
    message = error.message
    return message if len(message) < 200 else f"does not fit the plan schema ({error.validator})"
