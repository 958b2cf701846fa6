"""The plans that made the pairs of a set: of synth, which records its edits, or of RegionReq."""
from pathlib import Path

from core.datasets.actions import ActionSet
from core.files import UserError
from core.operators import Plan
from core.synthesis.region_set import SESSION, plans_path
from core.synthesis.synth import record_plans

RECORD = "op_record.json"


def plans_of_set(root: str | Path, session: int = SESSION) -> dict[str, Plan]:
    """Return {pair name: Plan} of a set in a folder; RegionReq has plans by the operators of several sessions.

    Raises UserError if it is a set of another kind.
    """
    root, plans = Path(root), plans_path(root, session)
    if (root / RECORD).exists():
        return record_plans(root)
    if plans.exists():
        return ActionSet(plans).plans()
    raise UserError(f"{root}: has neither {RECORD} nor {plans.name}, so the plans of its pairs are not known; make "
                    f"synth by synthdata/gen_data.py, or RegionReq by synthdata/gen_region.py")
