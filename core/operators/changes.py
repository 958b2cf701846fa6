"""Changing a plan as a value: its strength, single parameters, which steps it has."""
from dataclasses import replace

from core.operators.plan import Plan, Step
from core.operators.table import TABLE, get_operator


def scale(plan, strength):
    """Return `plan` with every parameter moved towards neutral (strength 0) or beyond (over 1), within its bounds.

    Steps without parameters (removing an object, painting white) stay as they are.
    """
    return Plan(tuple(_scale_step(step, strength) for step in plan))


def _scale_step(step, strength):
    operator = TABLE[step.op]
    if not step.params:
        return step
    params = [operator.neutral + strength * (p - operator.neutral) for p in step.params]
    return Step.make(step.op, params, step.mask)


def override(plan, op, params):
    """Return `plan` with the parameters of operator `op` replaced, in each step of it; without one, a step is added.

    Raises UserError for an unknown operator, a wrong number of parameters, or one out of bounds.
    """
    step = Step.checked(op, params)
    if not any(old.op == step.op for old in plan):
        return Plan((*plan.steps, step))
    return Plan(tuple(replace(old, params=step.params) if old.op == step.op else old for old in plan))


def drop(plan, op):
    """Return `plan` without the steps of operator `op`. Raises UserError for an unknown operator."""
    name = get_operator(op).name
    return Plan(tuple(step for step in plan if step.op != name))
