"""Synthetic data: random edits of photos with their wishes, requests and plans, and random pairs made from them."""
from core.synthesis.degrade import Crops, DrawnRepairs, Inputs
from core.synthesis.drawn import DrawnPairs, DrawnWords
from core.synthesis.region_set import made_plans

__all__ = ["Crops", "DrawnPairs", "DrawnRepairs", "DrawnWords", "Inputs", "made_plans"]
