"""Finding the plan that turns one picture into another: parameter fits and one beam search."""
from core.planning.action_sets import ActionOptions, action_options
from core.planning.search import Planned, plan_by_judge, plan_pairs

__all__ = ["ActionOptions", "Planned", "action_options", "plan_by_judge", "plan_pairs"]
