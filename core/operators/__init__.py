"""The Python interface to LDIE's edits: the operator table, plans and the executor.

    from core.operators import Plan, Step, execute
    plan = Plan((Step.make("brightness", [0.2]), Step.make("contrast", [0.3])))
    edited = execute(plan, image)          # float (3, H, W) in [0, 1], any size
    plan.save("plan.json")
"""
from core.lazy import lazily
from core.operators.plan import Plan, Step, plan_schema
from core.operators.table import (
    END,
    MAX_STEPS,
    NONE,
    SESSIONS,
    START,
    TABLE,
    UNK,
    Operator,
    OperatorVocab,
    Param,
    get_operator,
)
from core.regions.mask import Mask

__all__ = ["END", "MAX_STEPS", "NONE", "SESSIONS", "START", "TABLE", "UNK", "Mask", "Operator", "OperatorVocab",
           "Param", "Plan", "Step", "apply", "apply_batch", "execute", "execute_batch", "execute_samples",
           "execute_step", "get_operator", "plan_schema", "sizes", "trace"]

__getattr__ = lazily(__name__, {   # these need PyTorch or the compiler
    **dict.fromkeys(("apply", "apply_batch", "execute", "execute_batch", "execute_step", "trace"),
                    "core.operators.executor"),
    **dict.fromkeys(("execute_samples", "sizes"), "core.operators.samples")})
