"""Edits and pairs that are drawn at random: from photos, wishes and words to (input, target, request, plan)."""
from core.synthesis.degrade import Crops, DrawnRepairs, Inputs
from core.synthesis.drawn import DrawnPairs, DrawnWords
from core.synthesis.synth import record_plans

__all__ = ["Crops", "DrawnPairs", "DrawnRepairs", "DrawnWords", "Inputs", "record_plans"]
