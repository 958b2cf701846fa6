"""Plans: an edit as a short list of named, parameterised steps, stored as JSON."""
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from core.files import UserError, naming, read_json, write_text
from core.operators.inpaint import INPAINTERS
from core.operators.table import TABLE, get_operator
from core.regions.mask import SCHEMA, Mask

if TYPE_CHECKING:
    import torch

FORMAT, VERSION = "ldie-plan", 2   # the newest version; a plan is written in the oldest that can hold it
MOST_STEPS = 1000       # steps of a plan; real plans have far fewer
MOST_BYTES = 2 << 20    # bytes of a plan's file; real files are far smaller


@dataclass(frozen=True)
class Step:
    """One step: operator `op` of the table, its `params` in canonical form, the `mask` it edits (None: everywhere).

    `inpainter` names the way to fill the mask, for an operator that inpaints; "" is Telea's, the only one of plans of
    version 1.
    """

    op: str
    params: tuple[float, ...] = ()
    mask: Mask | None = None
    inpainter: str = ""

    @classmethod
    def make(cls, op: str, params: "float | Sequence[float] | np.ndarray | torch.Tensor" = (),
             mask: Mask | None = None, inpainter: str = "") -> Self:
        """Make a step; `op` may be an alias, and `params`, any finite numbers, are brought into their bounds.

        Raises UserError for an unknown operator, a wrong number of parameters or an inpainter that cannot be used.
        """
        operator = get_operator(op)
        try:
            values = np.asarray(params.detach().cpu() if hasattr(params, "detach") else params)
            if values.size and values.dtype.kind not in "biuf":
                raise TypeError
            values = values.astype(float).ravel()
        except (TypeError, ValueError, OverflowError, RuntimeError):
            raise UserError(f"{operator.name}: needs {operator.n_params} number(s), got something else") from None
        if len(values) != operator.n_params or not np.isfinite(values).all():
            raise UserError(f"{operator.name}: needs {operator.n_params} finite parameter(s), got {values.tolist()}")
        if operator.n_params:
            values = operator.canonical(values)
        if operator.resizes and mask is not None:
            raise UserError(f"{operator.name}: changes the size of the picture, so it takes no mask")
        if inpainter and not operator.inpaints:
            raise UserError(f"{operator.name}: fills no hole, so it takes no inpainter")
        if inpainter and inpainter not in INPAINTERS:
            raise UserError(f"{operator.name}: unknown inpainter {inpainter!r}; known are: {', '.join(INPAINTERS)}")
        return cls(operator.name, tuple(values.tolist()), mask, inpainter)

    @classmethod
    def checked(cls, op: str, params: Iterable[float]) -> Self:
        """Make a step as `make` does, but raise UserError if a parameter is out of bounds."""
        operator = get_operator(op)
        _refuse_misfits(_PARAMS[operator.name], list(params), operator.name)
        return cls.make(operator.name, params)

    @property
    def is_neutral(self) -> bool:
        """Whether all parameters are neutral; if so, the step changes no image."""
        rows = TABLE[self.op].params
        return bool(rows) and all(p == row.neutral or not row.effect for p, row in zip(self.params, rows, strict=True))

    @property
    def version(self) -> int:
        """The oldest version of plans that can hold the step."""
        is_plain = (self.mask is None or self.mask.is_plain) and not self.inpainter
        return max(TABLE[self.op].version, 1 if is_plain else 2)

    def describe(self) -> str:
        """Return the parameters as a short text for tables and pages."""
        operator = TABLE[self.op]
        if operator.structure == "curve":
            return " ".join(f"{p:.2f}" for p in self.params)
        if operator.n_params <= 1:
            about = operator.about + (f" ({self.inpainter})" if self.inpainter else "")
            return " ".join(f"{p:+.3f}" for p in self.params) or about
        moved = [(row, p) for row, p in zip(operator.params, self.params, strict=True) if p != row.neutral]
        return ", ".join(f"{row.name} {p:+.3f}" for row, p in moved) or "neutral"


@dataclass(frozen=True)
class Plan:
    """A sequence of steps. The result of a plan depends on the plan and the pixels only; see `executor.execute`.

    Example:
        >>> plan = Plan((Step.make("contrast", [0.25]), Step.make("sharpness", [0.5])))
        >>> plan.to_dict()["steps"]
        [{'op': 'contrast', 'params': [0.25]}, {'op': 'sharpness', 'params': [0.5]}]
        >>> Plan.from_dict(plan.to_dict()) == plan
        True
    """

    steps: tuple[Step, ...] = ()

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as a dict of JSON values, as `plan_schema` describes them.

        Its version is the oldest that has all its operators and fields.
        """
        steps = []
        for step in self.steps:
            entry = {"op": step.op, "params": list(step.params)}
            if step.mask is not None:
                entry["mask"] = step.mask.to_dict()
            if step.inpainter:
                entry["inpainter"] = step.inpainter
            steps.append(entry)
        version = max((step.version for step in self), default=1)
        return {"format": FORMAT, "version": version, "steps": steps}

    @classmethod
    def from_dict(cls, value: dict[str, Any], source: str = "plan") -> Self:
        """Return the plan of a dict of JSON values. Raises UserError naming `source`, the field and the remedy."""
        version = value.get("version") if isinstance(value, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise UserError(f"{source}: plan version {version} is newer than this program's {VERSION}; update it")
        steps = value.get("steps") if isinstance(value, dict) else None
        if isinstance(steps, list) and len(steps) > MOST_STEPS:   # checked first: validating so many steps is slow
            raise UserError(f"{source}: steps: has {len(steps)}, but a plan has at most {MOST_STEPS}; divide the plan")
        _refuse_misfits(_OUTLINE, value, source)
        return cls(tuple(_read_step(entry, index, source) for index, entry in enumerate(value["steps"])))

    def save(self, path: Path | str) -> None:
        """Write the plan as JSON, whole or not at all. Raises UserError for a plan that `load` would refuse."""
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"
        if len(self) > MOST_STEPS or len(text) > MOST_BYTES:
            raise UserError(f"{path}: not written, the plan has {len(self)} steps and {len(text) / 2**20:.1f} MiB, but "
                            f"the limits are {MOST_STEPS} and {MOST_BYTES >> 20} MiB; use fewer steps or simpler masks")
        write_text(path, text)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read and validate a plan. Raises UserError naming the file and the field; a file too large is not parsed."""
        return cls.from_dict(read_json(path, MOST_BYTES), source=str(path))


def plan_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a plan, made from the operator table."""
    rules = [{"if": {"properties": {"op": {"const": row.name}}},
              "then": {"properties": {"params": _params_schema(row)} | ({} if row.inpaints else {"inpainter": False})}
              | ({"required": ["mask"]} if row.local else {})} for row in TABLE.values()]
    schema = _outline()
    schema["properties"]["steps"]["items"]["allOf"] = rules
    return schema


def _outline():
    """Return the schema without the rules that depend on a step's operator."""
    step = {
        "type": "object", "required": ["op", "params"], "additionalProperties": False,
        "properties": {"op": {"enum": list(TABLE)}, "params": {"type": "array", "items": {"type": "number"}},
                       "mask": SCHEMA, "inpainter": {"enum": list(INPAINTERS)}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "LDIE plan", "type": "object",
        "required": ["format", "version", "steps"], "additionalProperties": False,
        "properties": {"format": {"const": FORMAT}, "version": {"type": "integer", "minimum": 1, "maximum": VERSION},
                       "steps": {"type": "array", "maxItems": MOST_STEPS, "items": step}},
    }


def _params_schema(row):
    """Return the schema of one operator's parameters; tone-curve weights are rescaled, so they have no upper bound."""
    most = float(np.finfo(np.float32).max)
    bounds = [{"title": param.name, "minimum": param.low,
               "maximum": most if row.structure == "curve" else param.high} for param in row.params]
    return {"minItems": row.n_params, "maxItems": row.n_params} | ({"prefixItems": bounds} if bounds else {})


# One small schema per operator: checking each step against the rules of all operators takes ten times as long.
_OUTLINE = _outline()
_PARAMS = {row.name: _params_schema(row) for row in TABLE.values()}


def _read_step(entry, index, source):
    """Return the Step of a JSON entry that `_OUTLINE` has validated. Raises UserError naming the field."""
    operator, where = TABLE[entry["op"]], f"{source}: steps[{index}]"
    _refuse_misfits(_PARAMS[operator.name], entry["params"], where + ".params")
    params = tuple(float(p) for p in entry["params"])
    if any(math.isnan(p) for p in params):   # NaN passes every check of bounds
        raise UserError(f"{where} ({operator.name}): params contain NaN; give finite numbers")
    if operator.local and "mask" not in entry:
        raise UserError(f"{where} ({operator.name}): this operator needs a mask")
    if operator.resizes and "mask" in entry:
        raise UserError(f"{where} ({operator.name}): changes the size of the picture, so it takes no mask; "
                        "remove the mask")
    mask = None
    if "mask" in entry:
        with naming(where):
            mask = Mask.from_dict(entry["mask"])
    if "inpainter" in entry and not operator.inpaints:
        raise UserError(f"{where} ({operator.name}): fills no hole, so it takes no inpainter; remove the field")
    step = Step.make(operator.name, params, mask, entry.get("inpainter", ""))
    # Keep canonical parameters bit for bit; take the rescaled weights of other tone curves.
    return replace(step, params=params) if math.dist(step.params, params) < 1e-4 else step


def _refuse_misfits(schema, value, source):
    """Raise UserError naming the field and the reason if `value` does not fit a schema."""
    import jsonschema  # late: its import takes longer than `--help`
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
    if error is not None:
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        joint = ": " if field.startswith(".") else ""
        raise UserError(f"{source}{joint}{field.removeprefix('.')}: {_reason(error)}")


def _reason(error):
    if error.validator == "enum":
        kind = "operator" if error.absolute_path[-1] == "op" else error.absolute_path[-1]
        return f"unknown {kind} {error.instance!r}; known are: {', '.join(error.validator_value)}"
    if error.validator in ("minItems", "maxItems"):
        return f"has {len(error.instance)} values, needs {error.validator_value}"
    if error.validator in ("minimum", "maximum"):
        return f"{error.instance} is out of range ({error.validator} {error.validator_value})"
    message = error.message
    return message if len(message) < 200 else f"does not fit the plan schema ({error.validator})"
