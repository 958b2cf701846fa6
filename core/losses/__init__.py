"""Loss formulas: pure functions of tensors, independent of models and data."""
