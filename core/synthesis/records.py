"""The plans that made the pairs of a set: of synth, which records its edits, or of RegionReq."""
from pathlib import Path

from core.datasets.actions import ActionSet
from core.files import UserError
from core.operators import Plan
from core.synthesis.synth import record_plans

RECORD, PLANS = "op_record.json", "plans.jsonl"


def plans_of_set(root: str | Path) -> dict[str, Plan]:
    """Return {pair name: Plan} of a set in a folder. Raises UserError if it is a set of another kind."""
    root = Path(root)
    if (root / RECORD).exists():
        return record_plans(root)
    if (root / PLANS).exists():
        return ActionSet(root / PLANS).plans()
    raise UserError(f"{root}: has neither {RECORD} nor {PLANS}, so the plans of its pairs are not known; make synth by "
                    f"synthdata/gen_data.py, or RegionReq by synthdata/gen_region.py")
