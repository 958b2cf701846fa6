"""Loss formulas: pure functions of tensors, ignorant of models and data."""
