"""Planning: parameter fits and a beam search find the plan that turns one image into another."""
from core.planning.action_sets import ActionOptions, action_options
from core.planning.masked import plan_inside
from core.planning.search import Planned, plan_by_judge, plan_pairs

__all__ = ["ActionOptions", "Planned", "action_options", "plan_by_judge", "plan_inside", "plan_pairs"]
