"""Functions that return a changed copy of a plan: another strength, other parameters, fewer steps."""
from collections.abc import Iterable
from dataclasses import replace

from core.operators.plan import Plan, Step
from core.operators.table import TABLE, get_operator


def scale(plan: Plan, strength: float) -> Plan:
    """Return `plan` with each parameter's distance from neutral multiplied by `strength`, within the bounds.

    Parameters without an effect of their own, such as a radius, stay as they are.

    Strength 0 gives neutral parameters, strength 1 the same plan. Steps without parameters (inpainting, painting
    white) and steps that change the size (rotate, flip, crop) stay as they are.
    """
    return Plan(tuple(_scale_step(step, strength) for step in plan))


def _scale_step(step, strength):
    if not step.params or TABLE[step.op].resizes:
        return step
    params = [row.neutral + strength * (p - row.neutral) if row.effect else p
              for row, p in zip(TABLE[step.op].params, step.params, strict=True)]
    return Step.make(step.op, params, step.mask)


def geometry(plan: Plan) -> Plan:
    """Return the steps of `plan` that move pixels to other places for the whole picture: rotate, flip, crop."""
    return Plan(tuple(step for step in plan if TABLE[step.op].resizes))


def override(plan: Plan, op: str, params: Iterable[float]) -> Plan:
    """Return `plan` with `params` in every step of operator `op`; a plan without such a step gets one at its end.

    Raises UserError for an unknown operator, a wrong number of parameters, or a parameter out of bounds.
    """
    step = Step.checked(op, params)
    if not any(old.op == step.op for old in plan):
        return Plan((*plan.steps, step))
    return Plan(tuple(replace(old, params=step.params) if old.op == step.op else old for old in plan))


def drop(plan: Plan, op: str) -> Plan:
    """Return `plan` without the steps of operator `op`. Raises UserError for an unknown operator."""
    name = get_operator(op).name
    return Plan(tuple(step for step in plan if step.op != name))
