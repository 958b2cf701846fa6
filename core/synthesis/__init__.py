"""Synthetic data: random edits of photos with their wishes, requests and plans, and random pairs made from them."""
from core.synthesis.degrade import Crops, DrawnRepairs, Inputs
from core.synthesis.drawn import DrawnPairs, DrawnWords
from core.synthesis.records import plans_of_set

__all__ = ["Crops", "DrawnPairs", "DrawnRepairs", "DrawnWords", "Inputs", "plans_of_set"]
