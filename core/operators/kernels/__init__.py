"""Compiled kernels of the operators, for pictures in the memory of a CPU; the PyTorch functions are the definition."""
from pathlib import Path

from core.operators.compiled import forget_stale

forget_stale(Path(__file__).with_name("arithmetic.py"))
