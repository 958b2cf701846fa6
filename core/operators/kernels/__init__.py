"""Compiled kernels of the operators, for pictures in the memory of a CPU; the PyTorch functions are the definition."""
