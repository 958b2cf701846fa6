"""The evaluation, which is the same for every method."""
