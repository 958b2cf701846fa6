"""The options of a search, and the numbered action sets that preset them."""
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from core.files import UserError
from core.operators import get_operator

SETS_FILE = Path(__file__).with_name("action_sets.toml")
OPTIMIZERS = ("fit", "nelder-mead", "lbfgs")


@dataclass(frozen=True)
class ActionOptions:
    """The options of a search.

    `operators` are names; with `fixed_order` step t may use only the t-th name. `epsilon` is the probability that a
    step takes a random operator. The search keeps `beam` plans at each step, none longer than `max_steps`, and ends
    when the L1 is below `tolerance`. Steps that reduce the L1 by less than `min_gain` of its initial value are
    dropped. `optimizer` finds the parameters of an operator: "fit" uses the operator's structure; the others are SciPy
    minimisers, for comparison. With `masks`, a step may be limited to a mask of its pair, and operators that need a
    mask are possible. Raises UserError for an option out of range.
    """

    operators: tuple[str, ...] = ("brightness", "contrast", "saturation", "hue", "tint", "sharpness")
    fixed_order: bool = False
    epsilon: float = 0.0
    beam: int = 3
    max_steps: int = 6
    tolerance: float = 1e-2
    min_gain: float = 0.01
    optimizer: str = "fit"
    seed: int = 0
    masks: bool = False

    def __post_init__(self) -> None:
        rows = [get_operator(name) for name in self.operators]
        fixed = [row for row in rows if row.structure == "fixed" and not (self.masks and row.local)]
        if fixed:
            remedy = "give --masks 1" if fixed[0].local else "leave it out"
            raise UserError(f"operators: {fixed[0].name} has no parameters that a search can fit; {remedy}")
        if len(set(rows)) != len(rows) or not rows:
            raise UserError("operators: give one or more operators, each once")
        if self.optimizer not in OPTIMIZERS:
            raise UserError(f"optimizer {self.optimizer!r} is unknown; choose one of {', '.join(OPTIMIZERS)}")
        panel = [row.name for row in rows if row.structure == "smooth"]
        if panel and self.masks:
            raise UserError(f"operators: {panel[0]} of the develop panel is planned for whole pictures only; give "
                            "--masks 0")
        if panel and (self.fixed_order or self.epsilon or self.optimizer != "fit"):
            raise UserError(f"operators: {panel[0]} is fitted by Gauss-Newton steps only; leave out fixed_order, "
                            "epsilon and optimizer")
        if not 0 <= self.epsilon <= 1 or self.beam < 1 or self.max_steps < 1:
            raise UserError("epsilon must be within [0, 1], beam and max_steps must be at least 1")
        object.__setattr__(self, "operators", tuple(row.name for row in rows))


def read_sets() -> dict[int, dict[str, Any]]:
    """Return the numbered sets of action_sets.toml as {number: row}."""
    return {int(number): row for number, row in tomllib.loads(SETS_FILE.read_text()).items()}


def action_options(action_id: int, **overrides: Any) -> ActionOptions:
    """Return the ActionOptions of set `action_id`, changed by the `overrides` that are not None.

    With `masks`, the set's `local_operators` come after its operators.
    Raises UserError if `action_id` is not a numbered set and `overrides` has no `operators`.
    """
    row = read_sets().get(action_id, {})
    chosen = {field.name: row[field.name] for field in fields(ActionOptions) if field.name in row}
    if overrides.get("masks") and row:
        chosen["operators"] = [*chosen["operators"], *row.get("local_operators", [])]
    chosen |= {name: value for name, value in overrides.items() if value is not None}
    if "operators" not in chosen:
        raise UserError(f"--action_id {action_id} is not one of the numbered sets "
                        f"({', '.join(map(str, read_sets()))}); give its --operators, such as --operators "
                        "brightness,hue")
    return replace(ActionOptions(), **chosen | {"operators": tuple(chosen["operators"])})
